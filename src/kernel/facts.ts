/**
 * What a thread is told of its own process, so that it need not ask (engine/answers.ts, `ThreadFacts`): programs ask for it when
 * they start, and C libraries for every signal's disposition before they start another. It is told only what nobody but
 * the thread itself can change, or what is taken back before somebody does.
 */
import { RLIMIT_SIZE, writeRlimit } from '../arch/x86_64/structs/resource.ts';
import type { ThreadFacts } from '../engine/answers.ts';
import { PAGE_SIZE } from '../mm/ram.ts';
import { RLIMIT_AS, RLIMIT_DATA } from '../uapi/resource.ts';
import { CLONE_VFORK, CLONE_VM } from '../uapi/sched.ts';
import type { CloneRequest } from './fork.ts';
import type { Task } from './task.ts';
import type { ThreadGroup } from './thread-group.ts';

/** So far up a thread may move its break before the kernel hears of it: `mem=` is to be watched. */
const BREAK_AHEAD = 4 * 1024 * 1024;

/** A new program, whose thread is alone. */
export function tellProgram(task: Task): void {
  tellSelf(task);
  tellIds(task);
  tellActions(task);
  tellMask(task);
  tellLimits(task);
}

/** A thread that was just made; it has what it has inherited. */
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

/** The process has another parent: who was told of the old one may be running. */
export function tellOfParent(group: ThreadGroup): void {
  for (const { thread } of group.threads) thread?.facts?.tellParent(group.ppid);
}

/** Threads of one process may have different ids (credentials(7)): nobody else changes them. */
export function tellIds({ thread, cred, attributes }: Task): void {
  if (attributes.seccomp === null) thread?.facts?.tellIds(cred.uid, cred.euid, cred.gid, cred.egid);
}

export function tellActions(task: Task): void {
  const { sighand } = task.group;
  if (sighand.refs > 1) return;
  const facts = factsFor(task);
  if (facts !== null) sighand.tell(facts, task.kernel.memory.view);
}

/** A forked process, whose dispositions are its parent's: shells set some of them first of all. */
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
 * With the answer that the task is about to be given: where its break is, and how far it may move that by itself. All that
 * brk(2) looks at allows it, and nobody else can change what that is.
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

/** Before one of its limits changes, or all of them are to be asked for. */
export function untellLimits(group: ThreadGroup): void {
  for (const { thread, mm } of group.threads) {
    thread?.facts?.tellLimits(false);
    mm?.changing();
  }
}

/** Before somebody else gets to share something with the task (clone(2)). */
export function untellShared(task: Task, cloneFlags: number): void {
  if ((cloneFlags & CLONE_VM) === 0) return;
  // Who waits for its child finds nobody else when it goes on (vfork(2)).
  if ((cloneFlags & CLONE_VFORK) !== 0) task.mm?.untellBreak();
  else untellAll(task);
}

/** Before the task's calls are to be heard, each of them, or it gets another thread of the engine's, or none. */
export function untellAll({ group, signals, thread, mm }: Task): void {
  group.sighand.untell();
  signals.untell();
  mm?.untellBreak();
  thread?.facts?.forget();
}

/** Null where others could change what the thread was told, or where each call is somebody's business. */
function factsFor({ thread, group, attributes }: Task): ThreadFacts | null {
  return group.threads.size === 1 && attributes.seccomp === null ? (thread?.facts ?? null) : null;
}
