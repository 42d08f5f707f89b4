import assert from 'node:assert/strict';
import { basename } from 'node:path';
import { test } from 'node:test';
import { onTerminal, program, python, noPython as skip } from './machine.ts';

const uml = program('uml');
const linux = program('linux');

interface Scene {
  error?: string;
  [answer: string]: unknown;
}

/** A scene on a terminal; `end` is how it ends: "exit", or a signal for the program. */
const play = (end: string, ...command: string[]): Scene =>
  JSON.parse(python('terminal-scene.py', [end, ...command]));

for (const command of [
  [uml, 'run', '/bin/bash', '--norc'],
  [uml, 'run', '-t', '/bin/bash', '--norc'],
  [linux, 'quiet', '--', '--norc'],
])
  test(`a terminal: ${command.map(word => basename(word)).join(' ')}`, { skip }, () => {
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
    const scene = play(signal, uml, 'run', '/bin/bash', '--norc');
    assert.equal(scene.error, undefined, JSON.stringify(scene));
    assert.equal(scene['restored'], true);
  });

const toScript = (signal: string, script: string): unknown[] =>
  onTerminal(signal, [uml, 'run', '-t', 'sh', '-c', script]);
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

// It may stop once more for the terminal, 128 + SIGTTOU, before it hears that it is to end.
test('in the background it waits, and can be ended', { skip }, () => {
  const script = `set -m; "$0" run -t sh & until [ -n "$(jobs -s)" ]; do sleep 0.1; done; echo ready; jobs %1; kill %1; s=150; while [ $s = 150 ]; do kill -CONT %1; wait %1; s=$?; done; echo was $s`;
  const [said, status, restored] = onTerminal('nothing', ['/bin/bash', '-c', script, uml]);
  assert.match(String(said), /Stopped/);
  assert.match(String(said), /was 143\n$/);
  assert.deepEqual([status, restored], [0, true]);
});

test('a job in the background that has no terminal of its own goes on, without input', { skip }, () => {
  const job = 'sleep 1; echo written; read line; echo read $? $line; exit 4';
  const script = `set -m; echo ready; "$0" run sh -c '${job}' & wait %1; echo was $?`;
  const [said, ...end] = onTerminal('nothing', ['/bin/bash', '-c', script, uml]);
  assert.match(String(said), /^written\nread 1\n(\[1\].*\n)?was 4\n$/);
  assert.deepEqual(end, [0, true]);
});

test('a terminal is its user’s', { skip }, () => {
  const script = 'echo ready; test -O $(tty) && stat -c "%U %a" $(tty); exec >/dev/stdout; id -un';
  const command = [uml, 'run', '-t', '--user', 'nobody', 'sh', '-c', script];
  assert.deepEqual(onTerminal('nothing', command), ['nobody 620\nnobody\n', 0, true]);
});

test('a trace on the command’s terminal', { skip }, () => {
  const [said, ...end] = onTerminal('nothing', [
    uml,
    'run',
    '-t',
    '--strace',
    'sh',
    '-c',
    'echo ready; exit 3',
  ]);
  assert.match(String(said), /^2 +exit_group\(3\) += \?\n2 +\+\+\+ exited with 3 \+\+\+\n$/m);
  assert.deepEqual(end, [3, true]);
});
