/** clone(2), fork(2), vfork(2): a new task from an old one. */
import { RSP, setRegister, setResult } from '../arch/x86_64/registers.ts';
import { CAP_SYS_ADMIN, CAP_SYS_RESOURCE, capable } from '../core/cred.ts';
import { type EngineThread, PROT_WRITE } from '../engine/engine.ts';
import { unshareMounts } from '../fs/mounts.ts';
import type { Mm } from '../mm/mm.ts';
import { EAGAIN, EINVAL, EPERM } from '../uapi/errno.ts';
import { RLIMIT_NPROC } from '../uapi/resource.ts';
import {
  CLONE_CHILD_CLEARTID,
  CLONE_CHILD_SETTID,
  CLONE_FILES,
  CLONE_FS,
  CLONE_NEWCGROUP,
  CLONE_NEWIPC,
  CLONE_NEWNET,
  CLONE_NEWNS,
  CLONE_NEWPID,
  CLONE_NEWUSER,
  CLONE_NEWUTS,
  CLONE_PARENT,
  CLONE_PARENT_SETTID,
  CLONE_PIDFD,
  CLONE_SETTLS,
  CLONE_SIGHAND,
  CLONE_THREAD,
  CLONE_VFORK,
  CLONE_VM,
} from '../uapi/sched.ts';
import { registerTask } from './exit.ts';
import { tellThread, untellShared } from './facts.ts';
import { inheritSigHand, inheritThreadState } from './inherit.ts';
import { SignalState } from './signal-state.ts';
import { Task } from './task.ts';
import { ThreadGroup } from './thread-group.ts';
import { UserAccess } from './user-access.ts';
import { unshareUts } from './uts.ts';

/** Kinds of namespaces with one member each; processes may have mounts and a host name of their own. */
const MISSING = CLONE_NEWCGROUP | CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET;
const NAMESPACES = CLONE_NEWNS | CLONE_NEWUTS | MISSING;

/** Engine threads that forks leave over: programs that are executed may need new spaces. */
const KEPT_FOR_EXEC = 64;

export interface CloneRequest {
  /** CLONE_ flags without the exit signal. */
  readonly flags: number;
  readonly exitSignal: number;
  /** The child's stack pointer, 0: the parent's. */
  readonly stack: number;
  readonly tls: number;
  readonly parentTid: number;
  readonly childTid: number;
  /** CLONE_CLEAR_SIGHAND, and the number that the child shall have: only clone3(2) has these. */
  readonly clearSighand: boolean;
  readonly tid: number | undefined;
}

/** The new task, which has not run yet (`start` lets it), or -errno. The caller has a frame. */
export function copyProcess(parent: Task, r: CloneRequest): Task | number {
  const { kernel, thread, mm } = parent;
  const bad = checkFlags(r.flags) || mayUnshare(parent, r.flags);
  if (bad < 0) return bad;
  if (thread === null || mm === null) return -EINVAL;
  if (tooMany(parent) || kernel.engine.threadRoom <= KEPT_FOR_EXEC) return -EAGAIN;
  const pid = r.tid === undefined ? kernel.pids.alloc() : kernel.pids.take(r.tid);
  if (pid < 0) return pid;
  untellShared(parent, r.flags);
  const memory = copyMemory(mm, thread, r.flags);
  const group = (r.flags & CLONE_THREAD) !== 0 ? parent.group : newGroup(parent, pid, r);
  const child = newTask(parent, pid, group, memory.mm, r.flags);
  if (r.clearSighand === true) group.sighand.resetHandlers();
  if ((r.flags & CLONE_NEWNS) !== 0) unshareMounts(kernel.vfs, child.fs);
  child.thread = memory.thread;
  // Rights and places are the same, so both know the same answers.
  if ((r.flags & CLONE_NEWNS) === 0) memory.thread.knownBy = thread.knownBy;
  memory.thread.owner = child;
  inheritThreadState(parent, child, r.flags);
  if ((r.flags & CLONE_NEWUTS) !== 0) unshareUts(child, parent);
  setChildRegisters(kernel.memory.view, memory.thread, thread, r);
  if ((r.flags & CLONE_CHILD_CLEARTID) !== 0) child.setTidAddress(r.childTid);
  registerTask(child);
  tellThread(child, parent, r);
  return child;
}

/** Stores the thread numbers asked for, then lets the child run. */
export function start(parent: Task, child: Task, r: CloneRequest): void {
  const { thread } = child;
  if (thread === null) return;
  if ((r.flags & CLONE_PARENT_SETTID) !== 0) {
    if ((r.flags & CLONE_VM) !== 0) putTidNow(thread, child, r.parentTid);
    else putTid(parent.thread, child, r.parentTid);
  }
  if ((r.flags & CLONE_CHILD_SETTID) !== 0) putTid(thread, child, r.childTid);
  thread.resume();
}

/** The thread itself copies the number out before it goes on. */
function putTid(thread: EngineThread | null, child: Task, address: number): void {
  const offset = thread?.stageOut(4) ?? -1;
  if (offset < 0) return;
  child.kernel.memory.view.setInt32(offset, child.pid, true);
  thread!.copyOut(address, offset, 4);
}

/**
 * For memory that both share: either may look first, and the child may end, and clear the number, before the parent
 * goes on.
 */
function putTidNow(thread: EngineThread, child: Task, address: number): void {
  const { kernel, mm } = child;
  const offset = thread.stageOut(4);
  if (offset < 0 || mm === null || !mm.allows(address, 4, PROT_WRITE)) return;
  kernel.memory.view.setInt32(offset, child.pid, true);
  if (mm.space.write(address, offset, 4) === 0 || mm.populate(address, 4, true) <= 0) return;
  mm.space.settle();
  mm.space.write(address, offset, 4);
}

function checkFlags(flags: number): number {
  if ((flags & CLONE_FS) !== 0 && (flags & (CLONE_NEWNS | CLONE_NEWUSER)) !== 0) return -EINVAL;
  if ((flags & CLONE_SIGHAND) !== 0 && (flags & CLONE_VM) === 0) return -EINVAL;
  if ((flags & CLONE_THREAD) !== 0 && (flags & CLONE_SIGHAND) === 0) return -EINVAL;
  return (flags & CLONE_THREAD) !== 0 && (flags & CLONE_PIDFD) !== 0 ? -EINVAL : 0;
}

/** New namespaces need privilege; kinds that a kernel was built without are EINVAL (clone(2)). */
export function mayUnshare(task: Task, flags: number): number {
  if ((flags & NAMESPACES) === 0) return 0;
  const privileged = (flags & CLONE_NEWUSER) !== 0 || capable(task.cred, CAP_SYS_ADMIN);
  if (!privileged) return -EPERM;
  return (flags & MISSING) !== 0 ? -EINVAL : 0;
}

function tooMany(parent: Task): boolean {
  const { kernel, cred } = parent;
  if (capable(cred, CAP_SYS_RESOURCE) || capable(cred, CAP_SYS_ADMIN)) return false;
  return kernel.users.of(cred.uid).tasks >= parent.rlimit(RLIMIT_NPROC);
}

function copyMemory(mm: Mm, thread: EngineThread, flags: number): { mm: Mm; thread: EngineThread } {
  if ((flags & CLONE_VM) === 0) {
    const forked = mm.space.fork(thread);
    return { mm: mm.fork(forked.space), thread: forked };
  }
  mm.users++;
  const another = mm.space.newThread();
  another.copyFrame(thread);
  return { mm, thread: another };
}

function newGroup(parent: Task, pid: number, r: CloneRequest): ThreadGroup {
  const sibling = (r.flags & CLONE_PARENT) !== 0;
  const { group } = parent;
  return new ThreadGroup({
    tgid: pid,
    parent: sibling ? group.parent : group,
    creator: sibling ? group.creator : parent,
    copyOf: group,
    processGroup: group.processGroup,
    sighand: inheritSigHand(parent, r.flags),
    rlimits: group.rlimits,
    exitSignal: sibling ? group.exitSignal : r.exitSignal,
  });
}

function newTask(parent: Task, pid: number, group: ThreadGroup, mm: Mm, flags: number): Task {
  const { kernel } = parent;
  return new Task(kernel, pid, group, {
    comm: parent.comm,
    cred: parent.cred,
    mm,
    files: (flags & CLONE_FILES) !== 0 ? parent.files.share() : parent.files.clone(),
    fs: (flags & CLONE_FS) !== 0 ? parent.fs.share() : parent.fs.clone(),
    user: task => new UserAccess(kernel.memory.bytes, kernel.memory.view, task),
    signals: new SignalState(group),
  });
}

function setChildRegisters(
  view: DataView,
  thread: EngineThread,
  parent: EngineThread,
  r: CloneRequest,
): void {
  setResult(view, thread.context, 0);
  if (r.stack !== 0) setRegister(view, thread.context, RSP, r.stack);
  thread.tls = (r.flags & CLONE_SETTLS) !== 0 ? r.tls : parent.tls;
}

/** vfork(2): the parent waits until the child has its own memory or is gone. Only a deadly signal ends the wait. */
export function vforkDone(child: Task): Promise<void> {
  return new Promise(resolve => {
    child.execDone = () => {
      child.execDone = null;
      child.kernel.promiseResolved();
      resolve();
    };
  });
}

export const isVfork = (flags: number): boolean => (flags & CLONE_VFORK) !== 0;
