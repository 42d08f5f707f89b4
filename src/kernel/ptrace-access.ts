/** Who may look into whom (ptrace(2), "Ptrace access mode checking"). */
import { CAP_SYS_PTRACE, type CapSet, capable } from '../core/cred.ts';
import { capSubset } from './capset.ts';
import type { Task } from './task.ts';

/** PTRACE_MODE_ATTACH_REALCREDS, and PTRACE_MODE_READ_REALCREDS, which differ for security modules only. */
export const mayAttach = (task: Task, target: Task): boolean =>
  mayLook(task, target, task.cred.uid, task.cred.gid, task.cred.permitted);

/** PTRACE_MODE_READ_FSCREDS. */
export const mayRead = (task: Task, target: Task): boolean =>
  mayLook(task, target, task.cred.fsuid, task.cred.fsgid, task.cred.effective);

function mayLook(task: Task, target: Task, uid: number, gid: number, caps: CapSet): boolean {
  if (task.group === target.group || capable(task.cred, CAP_SYS_PTRACE)) return true;
  const to = target.cred;
  const sameUser = uid === to.euid && uid === to.suid && uid === to.uid;
  const sameGroup = gid === to.egid && gid === to.sgid && gid === to.gid;
  // Who gets into a process gets all that it may do.
  return sameUser && sameGroup && target.group.dumpable === 1 && capSubset(to.permitted, caps);
}
