/**
 * What a thread is told of its own process, so that it need not ask (engine/answers.ts, `ThreadFacts`). Programs ask
 * for it when they start, and C libraries ask for every signal's disposition before they start another program. A
 * thread is told only what it alone can change, or what the kernel takes back before another changes it.
 */
import { RLIMIT_SIZE, writeRlimit } from '../arch/x86_64/structs/resource.ts';
import type { ThreadFacts } from '../engine/answers.ts';
import { PAGE_SIZE } from '../mm/ram.ts';
import { RLIMIT_AS, RLIMIT_DATA } from '../uapi/resource.ts';
import { CLONE_VFORK, CLONE_VM } from '../uapi/sched.ts';
import type { CloneRequest } from './fork.ts';
import type { Task } from './task.ts';
import type { ThreadGroup } from './thread-group.ts';

/** How far up, bytes, a thread may move its break before the kernel, which watches `mem=`, learns of it. */
const BREAK_AHEAD = 4 * 1024 * 1024;

/** For the only thread of a new program. */
export function tellProgram(task: Task): void {
  tellSelf(task);
  tellIds(task);
  tellActions(task);
  tellMask(task);
  tellLimits(task);
}

/** For a thread that was just made, which has what it inherited. */
export function tellThread(task: Task, parent: Task, r: CloneRequest): void {
  if ((r.flags & CLONE_VM) === 0) {
    tellSelf(task);
    if (!r.clearSighand) tellActionsLike(task, parent);
  }
  tellIds(task);
  tellMask(task);
}

function tellSelf(task: Task): void {
  const facts = factsFor(task);
  if (facts === null) return;
  facts.tellParent(task.group.ppid);
  facts.tellSelf(task.pid);
  task.mm?.ownEnd.tell(task.mm, facts);
}

/** The process has another parent; threads that were told of the old one may be running. */
export function tellOfParent(group: ThreadGroup): void {
  for (const { thread } of group.threads) thread?.facts?.tellParent(group.ppid);
}

/** Threads of one process may have different ids (credentials(7)): each thread alone changes its own. */
export function tellIds({ thread, cred, attributes }: Task): void {
  if (attributes.seccomp === null) thread?.facts?.tellIds(cred.uid, cred.euid, cred.gid, cred.egid);
}

export function tellActions(task: Task): void {
  const { sighand } = task.group;
  if (sighand.refs > 1) return;
  const facts = factsFor(task);
  if (facts !== null) sighand.tell(facts, task.kernel.memory.view);
}

/** A forked process has its parent's dispositions; the first thing that shells do is to set some of them. */
function tellActionsLike(task: Task, parent: Task): void {
  const facts = factsFor(task);
  if (facts !== null) task.group.sighand.tellLike(parent.group.sighand, facts, task.kernel.memory);
}

export function tellMask(task: Task): void {
  const facts = factsFor(task);
  if (facts !== null) task.signals.tell(facts);
}

export function tellLimits(task: Task): void {
  const facts = factsFor(task);
  if (facts === null) return;
  const { view } = task.kernel.memory;
  task.group.rlimits.forEach((limit, i) => {
    writeRlimit(view, facts.limits + RLIMIT_SIZE * i, limit);
  });
  facts.tellLimits(true);
}

/**
 * Sends, with the answer that the task is about to get, where its break is and how far it may move that on its own.
 * Everything that brk(2) checks allows such a move, and no other task can change that.
 */
export function tellBreak(task: Task): void {
  const { mm } = task;
  if (mm === null || !mm.breakUntold || mm.users > 1) return;
  const facts = factsFor(task);
  if (facts === null) return;
  mm.tellBreak(facts, mayMoveBreak(task) ? BREAK_AHEAD : 0);
  mm.ownEnd.tell(mm, facts);
}

const mayMoveBreak = (task: Task): boolean =>
  !Number.isFinite(task.rlimit(RLIMIT_DATA)) &&
  !Number.isFinite(task.rlimit(RLIMIT_AS)) &&
  task.kernel.memoryRules.neverRefuses(BREAK_AHEAD / PAGE_SIZE);

/** Before a limit changes, or when the process must ask for its limits from now on. */
export function untellLimits(group: ThreadGroup): void {
  for (const { thread, mm } of group.threads) {
    thread?.facts?.tellLimits(false);
    mm?.changing();
  }
}

/** Called before another task begins to share something with this one (clone(2)). */
export function untellShared(task: Task, cloneFlags: number): void {
  if ((cloneFlags & CLONE_VM) === 0) return;
  // A parent that waits for its child is alone again when it goes on (vfork(2)).
  if ((cloneFlags & CLONE_VFORK) !== 0) task.mm?.untellBreak();
  else untellAll(task);
}

/**
 * Called before the kernel must see each of the task's calls, and before the task gets another engine thread, or none.
 */
export function untellAll({ group, signals, thread, mm }: Task): void {
  group.sighand.untell();
  signals.untell();
  mm?.untellBreak();
  thread?.facts?.forget();
}

/** Null where others could change what the thread was told, or where the kernel must see each call. */
function factsFor({ thread, group, attributes }: Task): ThreadFacts | null {
  return group.threads.size === 1 && attributes.seccomp === null ? (thread?.facts ?? null) : null;
}
