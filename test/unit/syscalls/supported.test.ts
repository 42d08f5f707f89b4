import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { supportedPage } from '../../../src/syscalls/supported.ts';

test('SYSCALLS.md says what the table says; "npm run calls" writes it', () => {
  const page = readFileSync(new URL('../../../SYSCALLS.md', import.meta.url), 'utf8');
  assert.equal(page, supportedPage());
});
