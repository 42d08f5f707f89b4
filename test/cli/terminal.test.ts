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

/** What a command on a terminal says after a signal to it, its status, and whether the terminal is put back. */
const signalled = (signal: string, ...command: string[]): unknown[] =>
  JSON.parse(
    execFileSync('python3', [join(here, 'terminal-signal.py'), signal, ...command], { encoding: 'utf8' }),
  );
const uml = join(here, '../../bin/uml');
const toScript = (signal: string, script: string): unknown[] =>
  signalled(signal, uml, 'run', '-t', 'sh', '-c', script);
const waits = 'echo ready; while :; do sleep 0.1; done';

test('a command on a terminal gets signals, and time to end', { skip }, () => {
  const traps = `trap 'echo term; exit 3' TERM; trap 'exit 4' HUP; trap 'echo int; exit 5' INT; ${waits}`;
  assert.deepEqual(toScript('SIGTERM', traps), ['term\n', 3, true]);
  assert.deepEqual(toScript('SIGHUP', traps), ['', 4, true]);
  assert.deepEqual(toScript('SIGINT', traps), ['int\n', 5, true]);
  assert.deepEqual(toScript('SIGTERM', 'echo ready; exec sleep 100'), ['', 143, true]);
});

test('but no more time than that', { skip }, () => {
  assert.deepEqual(toScript('SIGTERM', `trap '' TERM HUP; ${waits}`), ['', 143, true]);
  assert.deepEqual(toScript('SIGTERM', `trap '' TERM; trap 'exit 6' HUP; ${waits}`), ['', 6, true]);
});

test('in the background it waits, and can be ended', { skip }, () => {
  const job = `set -m; "$0" run -t sh & sleep 1; echo ready; jobs %1; kill %1; kill -CONT %1; wait %1; echo was $?`;
  const [said, status, restored] = signalled('SIGWINCH', '/bin/bash', '-c', job, uml);
  assert.match(String(said), /Stopped/);
  assert.match(String(said), /was 143\n$/);
  assert.deepEqual([status, restored], [0, true]);
});

test('a terminal is its user’s', { skip }, () => {
  const script = 'echo ready; test -O $(tty) && stat -c "%U %a" $(tty); exec >/dev/stdout; id -un';
  const command = [uml, 'run', '-t', '--user', 'nobody', 'sh', '-c', script];
  assert.deepEqual(signalled('SIGWINCH', ...command), ['nobody 620\nnobody\n', 0, true]);
});
