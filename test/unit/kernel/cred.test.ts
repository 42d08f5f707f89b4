/** Credentials against the host's: random sequences of calls, run natively by root and here. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';
import { capOf } from '../../../src/core/capset.ts';
import { CAPS_ALL, CAPS_NONE, type CapSet, type Cred, ROOT_CRED } from '../../../src/core/cred.ts';
import { credForExec, type ExecCred, parseFileCaps } from '../../../src/kernel/cred-exec.ts';
import type { Task } from '../../../src/kernel/task.ts';
import { credCalls } from '../../../src/syscalls/cred.ts';
import { prctlCalls } from '../../../src/syscalls/prctl.ts';
import { EINVAL, EPERM } from '../../../src/uapi/errno.ts';
import * as pr from '../../../src/uapi/prctl.ts';
import { dice } from '../dice.ts';
import { caller, FakeMachine } from './machine.ts';

const call = caller([...credCalls, ...prctlCalls]);
type Step = (string | number)[];

const hex = ({ lo, hi }: CapSet): string => (hi * 2 ** 32 + lo).toString(16).padStart(16, '0');
const fromHex = (text: string): CapSet => ({
  lo: parseInt(text.slice(8), 16),
  hi: parseInt(text.slice(0, 8), 16),
});

function status({ cred: c }: Task): string[] {
  const ids = [`${c.uid} ${c.euid} ${c.suid} ${c.fsuid}`, `${c.gid} ${c.egid} ${c.sgid} ${c.fsgid}`];
  return [...ids, ...[c.inheritable, c.permitted, c.effective, c.bounding, c.ambient].map(hex)];
}

/** What /proc/self/status says as the sequence begins. */
function startingAs(first: readonly string[]): Cred {
  const [inheritable, permitted, effective, bounding, ambient] = first.slice(2).map(fromHex);
  const caps = { inheritable: inheritable!, permitted: permitted!, effective: effective! };
  return { ...ROOT_CRED, ...caps, bounding: bounding!, ambient: ambient! };
}

function run(task: Task, [name, ...rest]: Step): number {
  const args = rest as number[];
  if (name !== 'capset') return call(task, name as string, ...args) as number;
  const { view } = task.user;
  view.setUint32(0, 0x20080522, true);
  view.setInt32(4, 0, true);
  for (const [i, caps] of args.entries()) {
    view.setUint32(8 + 4 * i, caps >>> 0, true);
    view.setUint32(20 + 4 * i, Math.floor(caps / 2 ** 32), true);
  }
  return call(task, 'capset', 0, 8) as number;
}

function generator(seed: number) {
  const random = dice(seed);
  const id = () => [0, 0, 1000, 1001, -1][random(5)]!;
  const caps = () => [0, 2 ** 7, 2 ** 8 + 2 ** 6 + 2 ** 7, 2 ** 41 - 1][random(4)]!;
  const makers: (() => Step)[] = [
    () => ['setuid', id()],
    () => ['setgid', id()],
    () => ['setreuid', id(), id()],
    () => ['setregid', id(), id()],
    () => ['setresuid', id(), id(), id()],
    () => ['setresgid', id(), id(), id()],
    () => ['setfsuid', id()],
    () => ['setfsgid', id()],
    () => ['capset', caps(), caps(), caps()],
    () => ['prctl', pr.PR_SET_KEEPCAPS, random(3)],
    () => ['prctl', pr.PR_SET_SECUREBITS, random(0x1010)],
    () => ['prctl', pr.PR_SET_SECUREBITS, random(2) << 8],
    () => ['prctl', pr.PR_GET_SECUREBITS],
    () => ['prctl', pr.PR_CAPBSET_DROP, random(43)],
    () => ['prctl', pr.PR_CAPBSET_READ, random(43)],
    () => ['prctl', pr.PR_CAP_AMBIENT, random(6), [6, 7, 8, 0, 50][random(5)]!],
  ];
  return (): Step => makers[random(makers.length)]!();
}

test('ids and capabilities change as on the host', { skip: process.getuid!() !== 0 }, () => {
  const sequences = Array.from({ length: 250 }, (_, i) => {
    const step = generator(i + 1);
    return Array.from({ length: 12 }, step);
  });
  const input = sequences.map(steps => JSON.stringify(steps)).join('\n');
  const oracle = join(import.meta.dirname, 'cred-oracle.py');
  const lines = execFileSync('python3', [oracle], { input: `${input}\n`, timeout: 60_000 })
    .toString()
    .trim();
  const m = new FakeMachine();
  for (const [i, line] of lines.split('\n').entries()) {
    const trace = JSON.parse(line) as [number, string[]][];
    const task = m.process(m.init);
    task.cred = startingAs(trace[0]![1]);
    for (const [j, step] of sequences[i]!.entries()) {
      const answer = run(task, step);
      const said = JSON.stringify(sequences[i]!.slice(0, j + 1));
      assert.deepEqual([answer | 0, status(task)], trace[j + 1], said);
    }
  }
});

const USER: Cred = {
  ...ROOT_CRED,
  ...{ uid: 1000, euid: 1000, suid: 1000, fsuid: 1000, gid: 1000, egid: 1000, sgid: 1000, fsgid: 1000 },
  effective: CAPS_NONE,
  permitted: CAPS_NONE,
};
const PLAIN = { mode: 0o100755, uid: 0, gid: 0 };
const exec = (...args: Parameters<typeof credForExec>): ExecCred => credForExec(...args) as ExecCred;

test('execve: set-user-ID and set-group-ID', () => {
  const setuid = exec(USER, { ...PLAIN, mode: 0o104755 }, null, false, false);
  assert.deepEqual([setuid.cred.uid, setuid.cred.euid, setuid.cred.suid, setuid.secure], [1000, 0, 0, true]);
  assert.deepEqual(setuid.cred.effective, CAPS_ALL);
  for (const [nosuid, noNewPrivs] of [
    [true, false],
    [false, true],
  ] as const) {
    const inert = exec(USER, { ...PLAIN, mode: 0o106755 }, null, nosuid, noNewPrivs);
    assert.deepEqual(inert, { cred: USER, secure: false });
  }
  const setgid = exec(USER, { ...PLAIN, mode: 0o102755, gid: 5 }, null, false, false);
  assert.deepEqual([setgid.cred.egid, setgid.cred.fsgid, setgid.secure], [5, 5, true]);
  // Without the group's x bit S_ISGID means something else.
  assert.equal(exec(USER, { ...PLAIN, mode: 0o102745, gid: 5 }, null, false, false).cred.egid, 1000);
  assert.equal(exec(ROOT_CRED, PLAIN, null, false, false).secure, false);
});

test('execve: file capabilities, ambient and inheritable ones', () => {
  const net = capOf(10);
  const file = { permitted: net, inheritable: CAPS_NONE, effective: true };
  const withCap = exec(USER, PLAIN, file, false, false);
  assert.deepEqual([withCap.cred.effective, withCap.cred.permitted, withCap.secure], [net, net, true]);
  assert.equal(credForExec({ ...USER, bounding: CAPS_NONE }, PLAIN, file, false, false), -EPERM);
  const ambient = { ...USER, permitted: net, inheritable: net, ambient: net };
  const kept = exec(ambient, PLAIN, null, false, false);
  assert.deepEqual([kept.cred.effective, kept.cred.ambient, kept.secure], [net, net, false]);
  assert.deepEqual(
    exec(ambient, PLAIN, { ...file, permitted: CAPS_NONE }, false, false).cred.ambient,
    CAPS_NONE,
  );
  const heir = exec(
    { ...USER, inheritable: net },
    PLAIN,
    { ...file, permitted: CAPS_NONE, inheritable: net },
    false,
    false,
  );
  assert.deepEqual(heir.cred.permitted, net);
});

test('security.capability', () => {
  const bytes = new Uint8Array(20);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, 0x0200_0001, true);
  view.setUint32(4, 1 << 10, true);
  view.setUint32(16, 1 << 3, true);
  const caps = { permitted: capOf(10), inheritable: capOf(35), effective: true };
  assert.deepEqual(parseFileCaps(bytes), caps);
  assert.equal(parseFileCaps(bytes.subarray(0, 19)), -EINVAL);
  view.setUint32(0, 0x0500_0000, true);
  assert.equal(parseFileCaps(bytes), -EINVAL);
});
