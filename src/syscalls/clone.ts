/** fork(2), vfork(2), clone(2), clone3(2), execve(2), execveat(2), rt_sigreturn(2), arch_prctl(2). */
import { setResult } from '../arch/x86_64/registers.ts';
import { CAP_CHECKPOINT_RESTORE, CAP_SYS_ADMIN, capable } from '../core/cred.ts';
import { PROT_WRITE } from '../engine/engine.ts';
import { mayUnshareMounts } from '../fs/mounts.ts';
import { LOOKUP_EMPTY, LOOKUP_FOLLOW, PATH_MAX } from '../fs/namei.ts';
import { REGISTERS_SET } from '../kernel/entry.ts';
import { execve as exec } from '../kernel/exec.ts';
import { type CloneRequest, copyProcess, isVfork, start, vforkDone } from '../kernel/fork.ts';
import { forceSignal } from '../kernel/signal.ts';
import { sigreturn } from '../kernel/sigreturn.ts';
import type { Task } from '../kernel/task.ts';
import { getUint64 } from '../lib/int64.ts';
import { TASK_SIZE } from '../mm/places.ts';
import { E2BIG, EAGAIN, EFAULT, EINVAL, ENODEV, ENOENT, ENOSYS, EPERM } from '../uapi/errno.ts';
import { AT_EMPTY_PATH, AT_FDCWD, AT_SYMLINK_NOFOLLOW } from '../uapi/fcntl.ts';
import {
  CLONE_CHILD_CLEARTID,
  CLONE_CHILD_SETTID,
  CLONE_CLEAR_SIGHAND_HI,
  CLONE_NEWNS,
  CLONE_PARENT,
  CLONE_PARENT_SETTID,
  CLONE_PIDFD,
  CLONE_SETTLS,
  CLONE_SIGHAND,
  CLONE_THREAD,
  CLONE_VFORK,
  CLONE_VM,
  CSIGNAL,
} from '../uapi/sched.ts';
import { faultInfo } from '../uapi/siginfo.ts';
import { SI_KERNEL, SIGCHLD, SIGSEGV } from '../uapi/signal.ts';
import {
  type Arg,
  call,
  dirfd,
  flags,
  hex,
  inBuffer,
  int,
  lasting,
  oneOf,
  path,
  pointer,
  type Syscall,
  shown,
  shownAfter,
  strings,
  ulong,
} from './args.ts';
import { readStrings } from './exec-strings.ts';
import { pastLeases } from './lease.ts';
import { install, roomForFile, startOf } from './names.ts';
import { flagWord, address as showAddress, signalName, structAt } from './show.ts';
import { INT } from './structs/fields.ts';
import { CLONE_ARGS, CLONE_FLAGS, words } from './structs/process.ts';

const ARCH_SET_GS = 0x1001;
const ARCH_SET_FS = 0x1002;
const ARCH_GET_FS = 0x1003;
const ARCH_GET_GS = 0x1004;
const ARCH_GET_CPUID = 0x1011;
const ARCH_SET_CPUID = 0x1012;
/** Bytes of struct clone_args (clone(2)), and of its first version. */
const CLONE_ARGS_SIZE = 88;
const CLONE_ARGS_MIN = 64;
const SET_TID_END = 80;

/** A request without a stack, TLS or tid addresses for the child. */
const plainly = (flags: number): CloneRequest => ({
  flags,
  exitSignal: SIGCHLD,
  stack: 0,
  tls: 0,
  parentTid: 0,
  childTid: 0,
  clearSighand: false,
  tid: undefined,
});

const fork = (task: Task): number | Promise<number> => doClone(task, plainly(0));

const vfork = (task: Task): number | Promise<number> => doClone(task, plainly(CLONE_VM | CLONE_VFORK));

function clone(
  task: Task,
  f: number,
  stack: number,
  parentTid: number,
  childTid: number,
  tls: number,
): number | Promise<number> {
  const cloneFlags = (f % 2 ** 32) | 0;
  return doClone(task, {
    flags: cloneFlags & ~CSIGNAL,
    exitSignal: cloneFlags & CSIGNAL,
    stack,
    tls,
    parentTid,
    childTid,
    clearSighand: false,
    tid: undefined,
  });
}

function clone3(task: Task, args: number, size: number): number | Promise<number> {
  if (size > 4096) return -E2BIG;
  if (size < CLONE_ARGS_MIN) return -EINVAL;
  const at = task.user.in(args, size);
  if (at < 0) return at;
  const { view, ram } = task.user;
  if (size > CLONE_ARGS_SIZE && ram.subarray(at + CLONE_ARGS_SIZE, at + size).some(byte => byte !== 0))
    return -E2BIG;
  const word = (i: number): number => getUint64(view, at + 8 * i);
  const [cloneFlags, exitSignal, stack, stackSize] = [word(0), word(4), word(5), word(6)];
  const high = Math.floor(cloneFlags / 2 ** 32);
  const clearSighand = high === CLONE_CLEAR_SIGHAND_HI;
  if ((high !== 0 && !clearSighand) || (cloneFlags & CSIGNAL) !== 0 || exitSignal > 64) return -EINVAL;
  if (clearSighand && (cloneFlags & CLONE_SIGHAND) !== 0) return -EINVAL;
  if ((stack === 0) !== (stackSize === 0)) return -EINVAL;
  if ((cloneFlags & (CLONE_THREAD | CLONE_PARENT)) !== 0 && exitSignal !== 0) return -EINVAL;
  const tid = size < SET_TID_END ? undefined : wantedTid(task, word(8), word(9));
  if (tid !== undefined && tid < 0) return tid;
  const request: CloneRequest = {
    flags: cloneFlags | 0,
    exitSignal,
    stack: stack + stackSize,
    tls: word(7),
    parentTid: word(3),
    childTid: word(2),
    clearSighand,
    tid,
  };
  return doClone(task, request, word(1));
}

/** The number requested for the child in the only PID namespace; undefined: any. Or -errno. */
function wantedTid(task: Task, addr: number, count: number): number | undefined {
  if ((addr === 0) !== (count === 0) || count > 1) return -EINVAL;
  if (count === 0) return undefined;
  const at = task.user.in(addr, 4);
  if (at < 0) return at;
  const tid = task.user.view.getInt32(at, true);
  if (tid <= 0) return -EINVAL;
  const may = capable(task.cred, CAP_SYS_ADMIN) || capable(task.cred, CAP_CHECKPOINT_RESTORE);
  return may ? tid : -EPERM;
}

function doClone(task: Task, r: CloneRequest, pidfdAt = r.parentTid): number | Promise<number> {
  const wantsPidfd = (r.flags & CLONE_PIDFD) !== 0;
  if (wantsPidfd && pidfdAt === r.parentTid && (r.flags & CLONE_PARENT_SETTID) !== 0) return -EINVAL;
  if (wantsPidfd && task.mm?.allows(pidfdAt, 4, PROT_WRITE) !== true) return -EFAULT;
  const noRoom = wantsPidfd ? roomForFile(task) : 0;
  if (noRoom < 0) return noRoom;
  // Children do not inherit SCHED_DEADLINE's guarantees (sched(7)).
  const { deadline, resetOnFork } = task.attributes.sched;
  if (deadline !== null && !resetOnFork) return -EAGAIN;
  const full = (r.flags & CLONE_NEWNS) === 0 ? 0 : mayUnshareMounts(task.kernel.vfs, task.fs);
  if (full < 0) return full;
  const child = copyProcess(task, r);
  if (typeof child === 'number') return child;
  if (wantsPidfd) givePidfd(task, child, pidfdAt);
  const { pid } = child;
  const done = isVfork(r.flags) ? vforkDone(child) : null;
  start(task, child, r);
  if (done === null) return pid;
  // Nothing else flushes the engine's orders: the parent waits, and the child does not run yet.
  task.mm?.space.flush();
  return afterVfork(task, done, pid);
}

async function afterVfork(task: Task, done: Promise<void>, pid: number): Promise<number> {
  task.state = 'D';
  await done;
  if (task.state === 'D') task.state = 'R';
  return pid;
}

function givePidfd(task: Task, child: Task, address: number): void {
  const fd = install(task, task.kernel.pidfs.open(child.group, 0), true);
  const at = fd < 0 ? fd : task.user.out(address, 4);
  if (at >= 0) task.user.view.setInt32(at, fd, true);
}

function execve(task: Task, filename: number, argv: number, envp: number): number | Promise<number> {
  return execveAt(task, AT_FDCWD, filename, argv, envp, 0);
}

function execveAt(
  task: Task,
  dir: number,
  filename: number,
  argv: number,
  envp: number,
  how: number,
): number | Promise<number> {
  if ((how & ~(AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW)) !== 0) return -EINVAL;
  const name = task.user.string(filename, PATH_MAX);
  if (typeof name === 'number') return name;
  const empty = (how & AT_EMPTY_PATH) !== 0 ? LOOKUP_EMPTY : 0;
  const at = startOf(task, dir, name, empty !== 0);
  if (typeof at === 'number') return at;
  const strings = readStrings(task, argv, envp);
  if (typeof strings === 'number') return strings;
  const follow = (how & AT_SYMLINK_NOFOLLOW) !== 0 ? 0 : LOOKUP_FOLLOW;
  const calledAs = at === null ? name : `/dev/fd/${dir}${name === '' ? '' : `/${name}`}`;
  const isLost = at !== null && task.files.isCloexec(dir);
  const result = exec(task, { at, filename: name, calledAs, isLost, flags: follow | empty, ...strings });
  const blocked = result === -EAGAIN ? task.kernel.vfs.leases.takeInTheWay() : null;
  if (blocked === null) return result;
  return pastLeases(task, blocked, () => execveAt(task, dir, filename, argv, envp, how));
}

function rtSigreturn(task: Task): number {
  if (!sigreturn(task)) forceSignal(task, faultInfo(SIGSEGV, SI_KERNEL, 0));
  return REGISTERS_SET;
}

function archPrctl(task: Task, code: number, address: number): number {
  const { thread } = task;
  if (thread === null) return -EINVAL;
  if (code === ARCH_SET_FS) {
    if (address >= TASK_SIZE) return -EPERM;
    thread.tls = address;
    setResult(task.kernel.memory.view, thread.context, 0);
    return REGISTERS_SET;
  }
  if (code === ARCH_GET_FS) {
    const at = task.user.out(address, 8);
    if (at < 0) return at;
    task.user.view.setUint32(at, thread.tls % 2 ** 32, true);
    task.user.view.setUint32(at + 4, Math.floor(thread.tls / 2 ** 32), true);
    return 0;
  }
  // CPUID always works, as arch_prctl(2) says of processors that cannot make it fault.
  if (code === ARCH_GET_CPUID) return 1;
  if (code === ARCH_SET_CPUID) return -ENODEV;
  // The engine keeps the gs base for itself.
  return code === ARCH_SET_GS || code === ARCH_GET_GS ? -ENOSYS : -EINVAL;
}

const NAMESPACES = 'only namespaces of mounts and host names (CLONE_NEWNS, CLONE_NEWUTS)';
const EXIT_SIGNAL = {
  mask: 0xff,
  show: (signal: number) => (signal === 0 ? '' : signalName(signal)),
  last: true,
};

const has = (flag: number) => (args: readonly number[]) => (args[0]! & flag) !== 0;
/** As strace writes them: with their names, the stack first, and only those that the flags ask for. */
const CLONE: readonly Arg[] = [
  {
    ...flags('flags', CLONE_FLAGS, EXIT_SIGNAL),
    show: (value, { args }) =>
      `child_stack=${showAddress(args[1]!)}, flags=${flagWord(value, CLONE_FLAGS, EXIT_SIGNAL)}`,
  },
  { ...pointer('stack'), taken: () => false },
  {
    ...shownAfter('parent_tid', (value, look) => `parent_tid=${structAt(INT)(value, look)}`),
    taken: has(CLONE_PARENT_SETTID),
  },
  {
    ...pointer('child_tid'),
    show: (value, { args }) =>
      [
        has(CLONE_SETTLS)(args) ? `tls=${showAddress(args[4]!)}` : '',
        has(CLONE_CHILD_SETTID | CLONE_CHILD_CLEARTID)(args) ? `child_tidptr=${showAddress(value)}` : '',
      ]
        .filter(text => text !== '')
        .join(', '),
    taken: has(CLONE_SETTLS | CLONE_CHILD_SETTID | CLONE_CHILD_CLEARTID),
  },
  { ...hex('tls'), taken: () => false },
];

const ARCH_CODES = { ARCH_SET_GS, ARCH_SET_FS, ARCH_GET_FS, ARCH_GET_GS, ARCH_GET_CPUID, ARCH_SET_CPUID };

const cloneArgs = { ...inBuffer('cl_args', 1), show: structAt(CLONE_ARGS) };
const programArgs = [{ ...strings('argv'), show: words(false) }, shown('envp', words(true))];

export const cloneCalls: readonly Syscall[] = [
  call('fork', [], fork),
  call('vfork', [], vfork),
  call('clone', CLONE, clone, NAMESPACES),
  call('clone3', [cloneArgs, ulong('size')], clone3, `${NAMESPACES}, no cgroup`),
  lasting(call('execve', [path('pathname'), ...programArgs], execve), ENOENT),
  call('execveat', [dirfd('dirfd'), path('pathname'), ...programArgs, int('flags')], execveAt),
  call('rt_sigreturn', [], rtSigreturn),
  call(
    'arch_prctl',
    [oneOf('code', ARCH_CODES), hex('addr')],
    archPrctl,
    'no gs base (ARCH_SET_GS, ARCH_GET_GS)',
  ),
];

/** Calls that read or replace registers (kernel/entry.ts). */
export const FRAME_CALLS: ReadonlySet<string> = new Set([
  'fork',
  'vfork',
  'clone',
  'clone3',
  'rt_sigreturn',
  'arch_prctl',
]);
