/** Where things lie that stub and kernel share: each has a place of its own. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SLOT } from '../../../src/engine/native/layout.ts';

/** Names for one place: where the stack begins that grows down to what is above it. */
const SAME = new Set(['S_ALTSTACK']);

test("no two fields of a thread's slot have the same place", () => {
  const seen = new Map<number, string>();
  for (const [name, place] of Object.entries(SLOT)) {
    if (!name.startsWith('S_') || name.endsWith('_SIZE') || SAME.has(name)) continue;
    assert.equal(seen.get(place), undefined, `${name} and ${seen.get(place)}`);
    seen.set(place, name);
  }
});
