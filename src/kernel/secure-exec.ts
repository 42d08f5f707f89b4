/**
 * Protects a program that has more rights than its caller, or that its caller may not read, from that caller: what it
 * inherits, with whom it shares, and who may look into it (execve(2), prctl(2), personality(2)).
 */

import { capSubset } from '../core/capset.ts';
import type { Cred } from '../core/cred.ts';
import { PER_CLEAR_ON_SETID } from '../uapi/personality.ts';
import { RLIMIT_STACK } from '../uapi/resource.ts';
import type { Task } from './task.ts';

/** The largest stack limit of such a program, bytes: a larger one would put its memory where its caller wants it. */
const MOST_STACK = 8 << 20;

/** Whether threads outside the task's process could move its root and working directory (CLONE_FS). */
export function sharesFs({ fs, group }: Task): boolean {
  let own = 0;
  for (const thread of group.threads) if (thread.fs === fs) own++;
  return fs.refs > own;
}

/** For a program with AT_SECURE. */
export function dropUnsafe({ attributes, group }: Task): void {
  attributes.pdeathsig = 0;
  attributes.personality &= ~PER_CLEAR_ON_SETID;
  const { soft, hard } = group.rlimits[RLIMIT_STACK]!;
  group.rlimits[RLIMIT_STACK] = { soft: Math.min(soft, MOST_STACK), hard };
}

/** Whether others of the same user may look into a new program with the credentials `now`. */
export const mayBeDumped = (old: Cred, now: Cred, readable: boolean): boolean =>
  readable && now.euid === now.uid && now.egid === now.gid && capSubset(now.permitted, old.permitted);
