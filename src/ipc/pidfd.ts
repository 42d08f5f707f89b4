/** pidfd_open(2): a process as a file, readable in poll's sense once it has exited. */
import type { WaitQueue } from '../core/wait.ts';
import { File } from '../fs/file.ts';
import type { Inode } from '../fs/inode.ts';
import { O_NONBLOCK, O_RDWR } from '../uapi/fcntl.ts';
import { POLLHUP, POLLIN, POLLRDNORM } from '../uapi/poll.ts';

/** A process (or thread), as a pidfd needs to know it; kernel/ implements it. */
export interface PidSubject {
  readonly pid: number;
  /** All of its threads have exited: waitpid(2) would find it. */
  readonly exited: boolean;
  /** It was waited for: the number may belong to somebody else now. */
  readonly reaped: boolean;
  /** Woken when one of these becomes true. */
  readonly exitQueue: WaitQueue;
}

export class PidFd extends File {
  readonly subject: PidSubject;

  constructor(inode: Inode, subject: PidSubject, flags: number) {
    super(inode, O_RDWR | (flags & O_NONBLOCK));
    this.subject = subject;
  }

  override get seekable(): boolean {
    return false;
  }

  override get waitq(): WaitQueue {
    return this.subject.exitQueue;
  }

  override get linkName(): string {
    return 'anon_inode:[pidfd]';
  }

  override fdinfo(): string {
    const pid = this.subject.reaped ? -1 : this.subject.pid;
    return `Pid:\t${pid}\nNSpid:\t${pid}\n`;
  }

  override poll(): number {
    if (this.subject.reaped) return POLLIN | POLLRDNORM | POLLHUP;
    return this.subject.exited ? POLLIN | POLLRDNORM : 0;
  }
}
