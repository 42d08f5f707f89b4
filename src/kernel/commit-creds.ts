/** Gives a task other credentials and updates what depends on them. */
import { capSubset } from '../core/capset.ts';
import { type Cred, sameCred } from '../core/cred.ts';
import type { Task } from './task.ts';

export function commitCreds(task: Task, cred: Cred): void {
  const old = task.cred;
  // Usually nothing changes: what others know by this object's identity stays valid.
  if (sameCred(old, cred)) return;
  task.cred = cred;
  const { users } = task.kernel;
  if (old.uid !== cred.uid) {
    users.of(old.uid).tasks--;
    users.of(cred.uid).tasks++;
  }
  const sameIds =
    old.euid === cred.euid && old.egid === cred.egid && old.fsuid === cred.fsuid && old.fsgid === cred.fsgid;
  if (sameIds && capSubset(cred.permitted, old.permitted)) return;
  // Others must not look into a process that has become someone else, or may do more (prctl(2), PR_SET_DUMPABLE).
  task.dumpable = 0;
  task.attributes.pdeathsig = 0;
}
