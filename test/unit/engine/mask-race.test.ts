/** A thread that changes its signal mask by itself at the moment at which a signal is sent to it (stub/facts.c). */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { layoutHeader } from '../../../src/engine/native/header.ts';

const ROUNDS = 300_000;
const scratch = mkdtempSync(join(tmpdir(), 'mask-race-'));
after(() => rmSync(scratch, { recursive: true }));

test('either the sender finds the signal unblocked, or the thread asks', () => {
  writeFileSync(join(scratch, 'layout.h'), layoutHeader());
  const made = join(scratch, 'race');
  const source = join(import.meta.dirname, 'mask-race.c');
  execFileSync('cc', ['-O2', '-mfsgsbase', '-pthread', `-I${scratch}`, '-o', made, source]);
  const said = execFileSync(made, [String(ROUNDS)], {
    encoding: 'latin1',
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  assert.equal(said, '0 lost, 0 went on\n');
});
