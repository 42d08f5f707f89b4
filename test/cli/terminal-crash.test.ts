/** Whatever the machine dies of: the terminal is put back, the status says that it failed, and a line says why. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { onTerminal, program, noPython as skip } from './machine.ts';

const faults = join(dirname(fileURLToPath(import.meta.url)), 'faults.cjs');
const begin = join(dirname(program('uml')), 'start.cjs');
/** As bin/launch.sh starts it, but with the faults. */
const NODE = [process.execPath, '--require', faults, begin];

const SHELLS = {
  uml: [...NODE, 'uml', 'run', '-t', 'sh'],
  linux: [...NODE, 'linux', 'quiet', 'con0=fd:0,fd:1', '--'],
} as const;
/** Its status when the machine failed. */
const FAILED = { uml: 125, linux: 1 } as const;

for (const name of ['uml', 'linux'] as const) {
  /** What is said after an event, without times; the status and whether the terminal is put back. */
  const happens = (event: string, script: string): unknown[] => {
    const [said, ...end] = onTerminal(event, [...SHELLS[name], '-c', `echo ready; ${script}`]);
    return [String(said).replaceAll(/^\[ *[\d.]+\] /gm, ''), ...end];
  };
  const panics = (event: string, reason: string): void => {
    const [said, ...end] = happens(event, 'sleep 100');
    assert.match(String(said), new RegExp(`^Kernel panic - not syncing: ${reason}$`, 'm'));
    assert.match(String(said), new RegExp(`\n${name}: the machine panicked: ${reason}\n$`));
    assert.deepEqual(end, [FAILED[name], true]);
  };

  test(`${name}: a bug in a system call ends its process`, { skip }, () => {
    const [said, ...end] = happens('nothing', ': <fault-in-a-call');
    assert.match(
      String(said),
      /^BUG: unhandled exception in system call 257\n(Error: a fault\n {4}at .*\n)?Oops: task \w+\[2\] killed\n$/s,
    );
    assert.deepEqual(end, [137, true]);
    const survived = happens('nothing', '(: <fault-in-a-call); exit 3');
    assert.deepEqual(survived.slice(1), [3, true]);
  });

  test(`${name}: a bug of the kernel's own is a panic`, { skip }, () =>
    panics('SIGUSR2', 'Fatal exception: a fault'),
  );

  test(`${name}: so is the engine's death`, { skip }, () =>
    panics('engine', 'the engine is gone: its reaper was killed'),
  );

  test(`${name}: a crash of the whole process`, { skip }, () => {
    assert.deepEqual(happens('SIGSEGV', 'sleep 100'), ['', -11, true]);
    assert.deepEqual(happens('SIGABRT', 'sleep 100'), ['', -6, true]);
  });
}

test('without a machine: a line and the status', () => {
  const starts = (...words: string[]): unknown[] => {
    const [node, ...args] = [...NODE, ...words];
    const env = { ...process.env, FAULT: 'start' };
    const { status, stderr } = spawnSync(node!, args, { env, input: '', encoding: 'utf8' });
    return [status, stderr];
  };
  assert.deepEqual(starts('uml', 'run', 'true'), [125, 'uml: the machine cannot start: a fault\n']);
  assert.deepEqual(starts('linux'), [1, 'linux: the machine cannot start: a fault\n']);
});
