/** Signals to `uml run` without a terminal: the command gets them, and its status counts. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { kill, LIMIT, program } from './machine.ts';

/** Runs a script, sends the next of these signals whenever it says something; its status and what it says after "ready". */
function signalled(
  script: string,
  signals: readonly NodeJS.Signals[],
  launcher: readonly string[] = [],
): Promise<[number | string | null, string]> {
  const words = [...launcher, program('uml'), 'run', 'sh', '-c', `${script}`];
  const child = spawn(words[0]!, words.slice(1), { stdio: ['ignore', 'pipe', 'ignore'] });
  const limit = setTimeout(() => child.kill('SIGKILL'), LIMIT);
  let said = '';
  return new Promise(resolve => {
    const next = signals.values();
    child.stdout.on('data', (data: Buffer) => {
      said += data.toString();
      const { value } = next.next();
      if (value !== undefined) child.kill(value);
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
    assert.deepEqual(await signalled('echo ready; exec sleep 1000', [signal]), [status, '']);
});

test('a command may handle them, or go on', async () => {
  const handles = `trap 'echo got; exit 7' TERM; echo ready; while :; do sleep 0.1; done`;
  assert.deepEqual(await signalled(handles, ['SIGTERM']), [7, 'got\n']);
  const ignores = `trap '' TERM HUP; echo ready; sleep 1; echo went on; exit 3`;
  for (const signal of ['SIGTERM', 'SIGHUP'] as const)
    assert.deepEqual(await signalled(ignores, [signal]), [3, 'went on\n']);
});

test('none makes a debugger listen', async () => {
  const [status, said] = await signalled(
    'echo ready; sleep 0.5; echo went on',
    ['SIGUSR1'],
    ['sh', '-c', 'exec "$0" "$@" 2>&1'],
  );
  assert.deepEqual([status, said], [0, 'went on\n']);
});

test('who insists ends the machine', async () => {
  const busy = `trap 'echo heard' INT; trap '' TERM; echo ready; while :; do :; done`;
  assert.deepEqual(await signalled(busy, ['SIGINT', 'SIGTERM']), [143, 'heard\n']);
});

/** A process's state and parent (proc_pid_stat(5)). */
function processes(): { pid: number; state: string; parent: number }[] {
  return readdirSync('/proc')
    .filter(name => /^\d+$/.test(name))
    .flatMap(name => {
      try {
        const stat = readFileSync(`/proc/${name}/stat`, 'latin1');
        const [state = '', parent] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
        return [{ pid: Number(name), state, parent: Number(parent) }];
      } catch {
        return [];
      }
    });
}

/** The states of a machine's processes: the kernel's first. */
function states(kernel: number): string {
  const all = processes();
  const own = all.filter(({ pid }) => pid === kernel);
  for (const { pid } of own) own.push(...all.filter(({ parent }) => parent === pid));
  return own.map(({ state }) => state).join('');
}

/** Waits for these states, on a busy host for a while. */
async function untilStates(kernel: number, wanted: RegExp): Promise<void> {
  for (let i = 0; i < 1500 && !wanted.test(states(kernel)); i++) await sleep(200);
  assert.match(states(kernel), wanted);
}

test('a stopped machine’s guests stand still, and go on', async () => {
  // Job control makes a process group that is not orphaned: the default of SIGTSTP counts.
  const job = `set -m; "$0" run sh -c 'echo ready; while :; do :; done' </dev/null & echo $! >&2; read -r end`;
  const child = spawn('bash', ['-c', job, program('uml')], { stdio: 'pipe' });
  const [pid] = (await once(child.stderr, 'data')) as [Buffer];
  const kernel = Number(pid.toString());
  try {
    await once(child.stdout, 'data');
    process.kill(kernel, 'SIGTSTP');
    await untilStates(kernel, /^TT+$/);
    process.kill(kernel, 'SIGCONT');
    await untilStates(kernel, /^[^T]+$/);
    process.kill(kernel, 'SIGTERM');
    await untilStates(kernel, /^Z?$/);
  } finally {
    kill(kernel, 'SIGKILL');
    child.stdin.end();
  }
});

test('what is ignored from the start stays ignored', async () => {
  const nohup = ['sh', '-c', `trap '' HUP; exec "$@"`, 'sh'];
  const script = 'echo ready; sleep 0.5; grep SigIgn /proc/self/status';
  assert.deepEqual(await signalled(script, ['SIGHUP'], nohup), [0, 'SigIgn:\t0000000000000001\n']);
});
