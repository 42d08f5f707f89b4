/** Common to every open of a terminal: TIOCEXCL, and the controlling terminal of a session leader (tty(4)). */
import { CAP_SYS_ADMIN, capable } from '../../core/cred.ts';
import type { Current } from '../../core/current.ts';
import type { Inode } from '../../fs/inode.ts';
import type { Result } from '../../lib/result.ts';
import { EBUSY } from '../../uapi/errno.ts';
import { O_ACCMODE, O_NOCTTY, O_WRONLY } from '../../uapi/fcntl.ts';
import { acquireOnOpen } from './job-control.ts';
import type { Tty } from './tty.ts';
import { TtyFile } from './tty-file.ts';

/** `isConsole`: opened as /dev/console, which has no job control and never becomes a controlling terminal. */
export function openTty(
  tty: Tty,
  inode: Inode,
  flags: number,
  current: Current | null,
  isConsole = false,
): Result<TtyFile> {
  if (tty.exclusive && (current === null || !capable(current.cred, CAP_SYS_ADMIN))) return -EBUSY;
  const file = new TtyFile(inode, flags, tty, !isConsole);
  const readable = (flags & O_ACCMODE) !== O_WRONLY;
  if (current !== null && !isConsole && readable && (flags & O_NOCTTY) === 0) acquireOnOpen(tty, current);
  return file;
}
