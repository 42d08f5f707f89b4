/** pidfs: one inode per process, so that pidfds of one process are the same file to fstat(2) (pidfd_open(2)). */
import type { Clock } from '../core/clock.ts';
import { AnonInode, AnonSuper } from '../fs/anon.ts';
import { EOPNOTSUPP } from '../uapi/errno.ts';
import { O_NONBLOCK, O_RDWR } from '../uapi/fcntl.ts';
import { PidFd, type PidSubject } from './pidfd.ts';

const PIDFS_MAGIC = 0x50494446;
const MODE = 0o700;

class PidInode extends AnonInode {
  private readonly subject: PidSubject;

  constructor(sb: PidFs, ino: number, subject: PidSubject) {
    super(sb, ino, MODE, sb.clock.coarse());
    this.subject = subject;
  }

  override open(flags: number): PidFd {
    return new PidFd(this, this.subject, flags);
  }

  override get keepsAttributes(): boolean {
    return true;
  }

  override setattr(): number {
    return -EOPNOTSUPP;
  }
}

export class PidFs extends AnonSuper {
  private readonly inodes: WeakMap<PidSubject, PidInode> = new WeakMap();

  constructor(dev: number, clock: Clock) {
    super('pidfs', PIDFS_MAGIC, dev, clock);
  }

  /** `flags`: PIDFD_NONBLOCK or none. */
  open(subject: PidSubject, flags: number): PidFd {
    let inode = this.inodes.get(subject);
    if (inode === undefined) {
      inode = new PidInode(this, this.nextIno(), subject);
      this.inodes.set(subject, inode);
    }
    return inode.open(O_RDWR | (flags & O_NONBLOCK));
  }
}
