/** The compiled code that the build keeps is of use to the programs as they are started, and so is what is done early. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

const home = join(import.meta.dirname, '../..');
const flags = readFileSync(join(home, 'bin/node.flags'), 'utf8').trim().split(' ');

/** What bin/start.cjs does, but for running it. */
const LOOK = `
  const { Script } = require('node:vm');
  const { readFileSync } = require('node:fs');
  const read = kind => readFileSync(process.argv[1] + kind);
  console.log(new Script(read('.cjs').toString('latin1'), { cachedData: read('.code') }).cachedDataRejected);
`;

for (const name of ['uml', 'linux'])
  test(`kept code of ${name}`, () => {
    const { stdout } = spawnSync(process.execPath, [...flags, '-e', LOOK, join(home, 'dist', name)]);
    assert.equal(stdout.toString(), 'false\n');
  });

test('the memory file has its place before a program is loaded', () => {
  const look = 'require(process.argv[1]); console.log(Symbol.for("usermode-linux.room") in globalThis)';
  const { stdout } = spawnSync(process.execPath, ['-e', look, join(home, 'dist/early.cjs')]);
  assert.equal(stdout.toString(), 'true\n');
});
