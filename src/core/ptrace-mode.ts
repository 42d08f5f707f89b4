/** Which process may look into which (ptrace(2), "Ptrace access mode checking"). */
import { capSubset } from './capset.ts';
import { CAP_SYS_PTRACE, type Cred, capable } from './cred.ts';

/** Which of the caller's ids and capabilities count: PTRACE_MODE_REALCREDS or PTRACE_MODE_FSCREDS. */
export type PtraceMode = 'real' | 'fs';

/** Whether a process with credentials `cred` may look into another one. Each may look into itself. */
export function mayLook(cred: Cred, mode: PtraceMode, target: Cred, dumpable: boolean): boolean {
  if (capable(cred, CAP_SYS_PTRACE)) return true;
  const isReal = mode === 'real';
  const [uid, gid] = isReal ? [cred.uid, cred.gid] : [cred.fsuid, cred.fsgid];
  const sameUser = uid === target.euid && uid === target.suid && uid === target.uid;
  const sameGroup = gid === target.egid && gid === target.sgid && gid === target.gid;
  // Access to a process gives all that the process may do.
  const caps = isReal ? cred.permitted : cred.effective;
  return sameUser && sameGroup && dumpable && capSubset(target.permitted, caps);
}
