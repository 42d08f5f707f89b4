/** Who may look into whom (ptrace(2), "Ptrace access mode checking"). */
import { CAP_SYS_PTRACE, capable } from '../core/cred.ts';
import type { Task } from './task.ts';

/** PTRACE_MODE_ATTACH_REALCREDS. */
export function mayAttach(task: Task, target: Task): boolean {
  if (task.group === target.group || capable(task.cred, CAP_SYS_PTRACE)) return true;
  const { uid, gid } = task.cred;
  const to = target.cred;
  const sameUser = uid === to.euid && uid === to.suid && uid === to.uid;
  const sameGroup = gid === to.egid && gid === to.sgid && gid === to.gid;
  return sameUser && sameGroup && target.group.dumpable === 1;
}
