/** prctl(2) and personality(2): settings of a thread or its process. */

import { capMinus, capOf, capUnion } from '../core/capset.ts';
import { CAP_LAST_CAP, CAP_SETPCAP, CAPS_NONE, capable, capsInclude } from '../core/cred.ts';
import { copyOutString } from '../core/user-copy.ts';
import { putInt, putLong } from '../core/user-values.ts';
import { seccompMode } from '../kernel/seccomp.ts';
import type { Task } from '../kernel/task.ts';
import { EINVAL, EPERM } from '../uapi/errno.ts';
import * as pr from '../uapi/prctl.ts';
import * as operations from '../uapi/prctl.ts';
import { NSIG } from '../uapi/signal.ts';
import { type Arg, call, oneOf, type Syscall, uint, ulong } from './args.ts';
import { prctlSeccomp } from './seccomp.ts';
import { hexadecimal, namesIn, quoted, signalName } from './show.ts';

const COMM_LEN = 16;

function prctl(task: Task, option: number, a: number, b: number, c: number, d: number): number {
  const zeros = b === 0 && c === 0 && d === 0;
  switch (option) {
    case pr.PR_CAPBSET_READ:
      return a > CAP_LAST_CAP ? -EINVAL : Number(capsInclude(task.cred.bounding, a));
    case pr.PR_CAPBSET_DROP:
      return dropFromBounding(task, a);
    case pr.PR_GET_SECUREBITS:
      return task.cred.securebits;
    case pr.PR_SET_SECUREBITS:
      return setSecurebits(task, a);
    case pr.PR_GET_KEEPCAPS:
      return (task.cred.securebits & pr.SECBIT_KEEP_CAPS) === 0 ? 0 : 1;
    case pr.PR_SET_KEEPCAPS:
      return setKeepCaps(task, a);
    case pr.PR_SET_NO_NEW_PRIVS:
      if (a !== 1 || !zeros) return -EINVAL;
      task.attributes.noNewPrivs = true;
      return 0;
    case pr.PR_GET_NO_NEW_PRIVS:
      return a !== 0 || !zeros ? -EINVAL : Number(task.attributes.noNewPrivs);
    case pr.PR_CAP_AMBIENT:
      return c !== 0 || d !== 0 ? -EINVAL : ambient(task, a, b);
    case pr.PR_GET_THP_DISABLE:
      return a !== 0 || !zeros ? -EINVAL : 0;
    default:
      return ofProcess(task, option, a, b);
  }
}

function ofProcess(task: Task, option: number, a: number, b: number): number {
  const { attributes, group } = task;
  switch (option) {
    case pr.PR_SET_PDEATHSIG:
      if (a > NSIG) return -EINVAL;
      attributes.pdeathsig = a;
      return 0;
    case pr.PR_GET_PDEATHSIG:
      return putInt(task.user, a, attributes.pdeathsig);
    case pr.PR_SET_DUMPABLE:
      if (a > 1) return -EINVAL;
      task.dumpable = a;
      return 0;
    case pr.PR_GET_DUMPABLE:
      return task.dumpable;
    case pr.PR_SET_CHILD_SUBREAPER:
      group.subreaper = a !== 0;
      return 0;
    case pr.PR_GET_CHILD_SUBREAPER:
      return putInt(task.user, a, Number(group.subreaper));
    case pr.PR_SET_NAME:
      return setName(task, a);
    case pr.PR_GET_NAME:
      return copyOutString(task.user, a, task.comm.padEnd(COMM_LEN, '\0'));
    case pr.PR_SET_TIMERSLACK:
      attributes.timerSlack = a === 0 ? attributes.defaultTimerSlack : a;
      return 0;
    case pr.PR_GET_TIMERSLACK:
      return attributes.timerSlack;
    case pr.PR_GET_SECCOMP:
      return seccompMode(attributes.seccomp);
    case pr.PR_SET_SECCOMP:
      return prctlSeccomp(task, a, b);
    default:
      return fixed(task, option, a);
  }
}

/** Fixed settings: may be queried, or set to what they are. -EINVAL for all other options. */
function fixed(task: Task, option: number, a: number): number {
  switch (option) {
    case pr.PR_GET_TIMING:
    case pr.PR_TASK_PERF_EVENTS_DISABLE:
    case pr.PR_TASK_PERF_EVENTS_ENABLE:
      return 0;
    case pr.PR_SET_TIMING:
      return a === pr.PR_TIMING_STATISTICAL ? 0 : -EINVAL;
    case pr.PR_GET_TSC:
      return putInt(task.user, a, pr.PR_TSC_ENABLE);
    case pr.PR_SET_TSC:
      return a === pr.PR_TSC_ENABLE ? 0 : -EINVAL;
    case pr.PR_GET_TID_ADDRESS:
      return putLong(task.user, a, task.clearChildTid);
    default:
      return -EINVAL;
  }
}

/** Names are cut to 15 bytes. */
function setName(task: Task, addr: number): number {
  let name = '';
  for (let i = 0; i < COMM_LEN - 1; i++) {
    const at = task.user.in(addr + i, 1);
    if (at < 0) return at;
    const byte = task.user.ram[at]!;
    if (byte === 0) break;
    name += String.fromCharCode(byte);
  }
  task.comm = name;
  return 0;
}

function dropFromBounding(task: Task, cap: number): number {
  if (!capable(task.cred, CAP_SETPCAP)) return -EPERM;
  if (cap > CAP_LAST_CAP) return -EINVAL;
  task.cred = { ...task.cred, bounding: capMinus(task.cred.bounding, capOf(cap)) };
  return 0;
}

function setKeepCaps(task: Task, keep: number): number {
  const { securebits } = task.cred;
  if (keep > 1) return -EINVAL;
  if ((securebits & pr.SECBIT_KEEP_CAPS_LOCKED) !== 0) return -EPERM;
  const rest = securebits & ~pr.SECBIT_KEEP_CAPS;
  task.cred = { ...task.cred, securebits: keep === 1 ? rest | pr.SECBIT_KEEP_CAPS : rest };
  return 0;
}

/** Locked bits and locks never change. CAP_SETPCAP is needed unless only bits for interpreters change. */
function setSecurebits(task: Task, bits: number): number {
  const { securebits: old } = task.cred;
  const all = pr.SECURE_ALL_BITS | pr.SECURE_ALL_LOCKS;
  if (bits > all) return -EPERM;
  const locks = old & pr.SECURE_ALL_LOCKS;
  const changed = old ^ bits;
  if (((locks >> 1) & changed) !== 0 || (locks & ~bits) !== 0) return -EPERM;
  const privileged = changed === 0 || (changed & ~pr.SECURE_ALL_UNPRIVILEGED) !== 0;
  if (privileged && !capable(task.cred, CAP_SETPCAP)) return -EPERM;
  task.cred = { ...task.cred, securebits: bits };
  return 0;
}

/** PR_CAP_AMBIENT(2const). */
function ambient(task: Task, operation: number, cap: number): number {
  const { cred } = task;
  if (operation === pr.PR_CAP_AMBIENT_CLEAR_ALL) {
    if (cap !== 0) return -EINVAL;
    task.cred = { ...cred, ambient: CAPS_NONE };
    return 0;
  }
  if (cap > CAP_LAST_CAP) return -EINVAL;
  switch (operation) {
    case pr.PR_CAP_AMBIENT_IS_SET:
      return Number(capsInclude(cred.ambient, cap));
    case pr.PR_CAP_AMBIENT_LOWER:
      task.cred = { ...cred, ambient: capMinus(cred.ambient, capOf(cap)) };
      return 0;
    case pr.PR_CAP_AMBIENT_RAISE: {
      const has = capsInclude(cred.permitted, cap) && capsInclude(cred.inheritable, cap);
      if (!has || (cred.securebits & pr.SECBIT_NO_CAP_AMBIENT_RAISE) !== 0) return -EPERM;
      task.cred = { ...cred, ambient: capUnion(cred.ambient, capOf(cap)) };
      return 0;
    }
    default:
      return -EINVAL;
  }
}

/** 0xffffffff only queries. */
function personality(task: Task, persona: number): number {
  const old = task.attributes.personality;
  if (persona !== -1) task.attributes.personality = persona;
  return old >>> 0;
}

const none = (option: number): [number, number] => [option, 0];
const one = (option: number): [number, number] => [option, 1];
/** The lowest address that programs can map (vm.mmap_min_addr); strace shows smaller words in decimal. */
const FIRST_ADDRESS = 0x10000;
/** How many arguments an option takes, if fewer than four (prctl(2)). */
const TAKEN: ReadonlyMap<number, number> = new Map([
  ...[pr.PR_GET_DUMPABLE, pr.PR_GET_KEEPCAPS, pr.PR_GET_TIMING, pr.PR_GET_SECCOMP].map(none),
  ...[pr.PR_GET_SECUREBITS, pr.PR_GET_TIMERSLACK].map(none),
  ...[pr.PR_SET_PDEATHSIG, pr.PR_GET_PDEATHSIG, pr.PR_SET_DUMPABLE, pr.PR_SET_KEEPCAPS].map(one),
  ...[pr.PR_SET_TIMING, pr.PR_SET_NAME, pr.PR_GET_NAME, pr.PR_CAPBSET_READ, pr.PR_CAPBSET_DROP].map(one),
  ...[pr.PR_GET_TSC, pr.PR_SET_TSC, pr.PR_SET_SECUREBITS, pr.PR_SET_TIMERSLACK].map(one),
  ...[pr.PR_SET_CHILD_SUBREAPER, pr.PR_GET_CHILD_SUBREAPER, pr.PR_GET_TID_ADDRESS].map(one),
]);
const word = (name: string, index: number): Arg => ({
  ...ulong(name),
  taken: args => index <= (TAKEN.get(args[0]!) ?? 4),
});
const firstWord: Arg = {
  ...word('arg2', 1),
  show: (value, look) => {
    if (look.args[0] === pr.PR_SET_PDEATHSIG) return signalName(value);
    if (look.args[0] !== pr.PR_SET_NAME) return value >= FIRST_ADDRESS ? hexadecimal(value) : String(value);
    const name = look.string(value);
    return name === null ? hexadecimal(value) : quoted(name);
  },
};
const words = [firstWord, word('arg3', 2), word('arg4', 3), word('arg5', 4)];

export const prctlCalls: readonly Syscall[] = [
  call(
    'prctl',
    [oneOf('option', namesIn(operations, /^PR_/)), ...words],
    prctl,
    'no PR_SET_MM, no settings of transparent huge pages, speculation or memory failures: EINVAL',
  ),
  call(
    'personality',
    [uint('persona')],
    personality,
    'stored, inherited and reported; of its flags only STICKY_TIMEOUTS has an effect',
  ),
];
