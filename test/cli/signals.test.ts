/** Signals to `uml run` without a terminal: the command gets them, and its status counts. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { program } from './machine.ts';

/** Runs a script, sends these signals as soon as it says "ready"; its status and what it then says. */
function signalled(
  script: string,
  signals: readonly NodeJS.Signals[],
  launcher: readonly string[] = [],
): Promise<[number | string | null, string]> {
  const words = [...launcher, program('uml'), 'run', 'sh', '-c', `${script}`];
  const child = spawn(words[0]!, words.slice(1), { stdio: ['ignore', 'pipe', 'ignore'] });
  const limit = setTimeout(() => child.kill('SIGKILL'), 30_000);
  let said = '';
  return new Promise(resolve => {
    child.stdout.on('data', async (data: Buffer) => {
      const first = said === '';
      said += data.toString();
      if (first) for (const signal of signals) child.kill(signal) && (await sleep(300));
    });
    child.on('close', (code, signal) => {
      clearTimeout(limit);
      resolve([code ?? signal, said.replace(/^ready\n/, '')]);
    });
  });
}

test('they end a command that does not mind them', async () => {
  for (const [signal, status] of [
    ['SIGHUP', 129],
    ['SIGINT', 130],
    ['SIGQUIT', 131],
    ['SIGTERM', 143],
  ] as const)
    assert.deepEqual(await signalled('echo ready; exec sleep 30', [signal]), [status, '']);
});

test('a command may handle them, or go on', async () => {
  const handles = `trap 'echo got; exit 7' TERM; echo ready; while :; do sleep 0.1; done`;
  assert.deepEqual(await signalled(handles, ['SIGTERM']), [7, 'got\n']);
  const ignores = `trap '' TERM HUP; echo ready; sleep 1; echo went on; exit 3`;
  assert.deepEqual(await signalled(ignores, ['SIGTERM', 'SIGHUP']), [3, 'went on\n']);
});

test('who insists ends the machine', async () => {
  const busy = `trap '' INT TERM; echo ready; while :; do :; done`;
  assert.deepEqual(await signalled(busy, ['SIGINT', 'SIGTERM']), [143, '']);
});

test('what is ignored from the start stays ignored', async () => {
  const nohup = ['sh', '-c', `trap '' HUP; exec "$@"`, 'sh'];
  const script = 'echo ready; sleep 0.5; grep SigIgn /proc/self/status';
  assert.deepEqual(await signalled(script, ['SIGHUP'], nohup), [0, 'SigIgn:\t0000000000000001\n']);
});
