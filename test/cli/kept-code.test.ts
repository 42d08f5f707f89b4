/** The compiled code that the build keeps is of use to the programs as they are started. */
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
  require('node:v8').setFlagsFromString('--initial-old-space-size=0');
  const read = kind => readFileSync(process.argv[1] + kind);
  console.log(new Script(read('.cjs').toString('latin1'), { cachedData: read('.code') }).cachedDataRejected);
`;

for (const name of ['uml', 'linux'])
  test(`kept code of ${name}`, () => {
    const { stdout } = spawnSync(process.execPath, [...flags, '-e', LOOK, join(home, 'dist', name)]);
    assert.equal(stdout.toString(), 'false\n');
  });
