/** Who calls: what sockets want of the task that makes a system call on them. */
import type { Cred } from '../core/cred.ts';
import type { Path } from '../fs/dentry.ts';
import type { Result } from '../lib/result.ts';

export interface SocketCaller {
  /** The process's number. */
  readonly pid: number;
  readonly cred: Cred;
  /** RLIMIT_NOFILE: also the most descriptors that its user may have in flight. */
  readonly fileLimit: number;
  /** Makes a socket's inode at a path of the file system; -EEXIST if the name is taken. */
  makeSocket(name: string, mode: number): Result<Path>;
  /** The path that a name means, which must be writable to the caller. */
  findSocket(name: string): Result<Path>;
  processExists(pid: number): boolean;
}
