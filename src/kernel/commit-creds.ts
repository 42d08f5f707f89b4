/** Gives a task other credentials, and takes what depends on them along. */
import { type Cred, sameCred } from '../core/cred.ts';
import type { Task } from './task.ts';

export function commitCreds(task: Task, cred: Cred): void {
  const old = task.cred;
  // Mostly nothing changes: who knows it by its identity goes on doing so.
  if (sameCred(old, cred)) return;
  task.cred = cred;
  const { users } = task.kernel;
  if (old.uid !== cred.uid) {
    users.of(old.uid).tasks--;
    users.of(cred.uid).tasks++;
  }
  // A process that changed its mind about who it is must not be looked into by others (prctl(2), PR_SET_DUMPABLE).
  const changed =
    old.euid !== cred.euid || old.egid !== cred.egid || old.fsuid !== cred.fsuid || old.fsgid !== cred.fsgid;
  if (!changed) return;
  task.group.dumpable = 0;
  task.attributes.pdeathsig = 0;
}
