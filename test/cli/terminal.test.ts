import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
const skip = spawnSync('python3', ['--version']).status !== 0 && 'no python3 to play the user';

interface Scene {
  error?: string;
  [answer: string]: unknown;
}

/** A scene on a terminal; `end` is how it ends: "exit", or a signal for the program. */
function play(end: string, ...command: string[]): Scene {
  const program = join(here, '../../bin', command[0] ?? '');
  const out = execFileSync('python3', [join(here, 'terminal.py'), end, program, ...command.slice(1)], {
    encoding: 'utf8',
  });
  return JSON.parse(out);
}

for (const command of [
  ['uml', 'run', '/bin/bash', '--norc'],
  ['uml', 'run', '-t', '/bin/bash', '--norc'],
  ['linux', 'quiet', '--', '--norc'],
])
  test(`a terminal: ${command.join(' ')}`, { skip }, () => {
    const scene = play('exit', ...command);
    assert.equal(scene.error, undefined, JSON.stringify(scene));
    assert.deepEqual(scene['size'], ['33 101\n', '0']);
    assert.deepEqual(scene['resized'], ['40 120\n', '0']);
    assert.deepEqual((scene['tty'] as string[])[1], '0');
    assert.match((scene['interrupted'] as string[])[0] ?? '', /was 130\n$/);
    assert.match((scene['stopped'] as string[])[0] ?? '', /1\n$/);
    assert.equal(scene['raw'], 0);
    assert.equal(scene['status'], 9);
    assert.equal(scene['restored'], true);
  });

for (const signal of ['SIGTERM', 'SIGHUP', 'SIGKILL'])
  test(`the terminal is put back after ${signal}`, { skip }, () => {
    const scene = play(signal, 'uml', 'run', '/bin/bash', '--norc');
    assert.equal(scene.error, undefined, JSON.stringify(scene));
    assert.equal(scene['restored'], true);
  });
