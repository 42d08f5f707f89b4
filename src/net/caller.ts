/** What sockets need of the task that makes a system call on them. */
import type { Cred } from '../core/cred.ts';
import type { Path } from '../fs/dentry.ts';
import type { Result } from '../lib/result.ts';

/** How names of sockets in the file system are made and found. */
export interface SocketPaths {
  /** Makes a socket's inode at a path of the file system; -EEXIST if the name is taken. */
  makeSocket(name: string, mode: number): Result<Path>;
  /** The path that a name refers to, which must be writable to the caller. */
  findSocket(name: string): Result<Path>;
}

export interface Sender {
  /** The process's number. */
  readonly pid: number;
  readonly cred: Cred;
  /** RLIMIT_NOFILE: also the most descriptors that its user may have in flight. */
  readonly fileLimit: number;
  processExists(pid: number): boolean;
}

export interface SocketCaller extends Sender, SocketPaths {}
