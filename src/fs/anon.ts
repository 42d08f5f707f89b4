/**
 * Filesystems that are never mounted (pipefs, sockfs, anon_inodefs): the inodes of nameless files live there. They have
 * a device number and hand out inode numbers, for fstat(2) and /proc/PID/fd.
 */
import type { Clock } from '../core/clock.ts';
import type { Cred } from '../core/cred.ts';
import type { Result } from '../lib/result.ts';
import { PAGE_SIZE } from '../mm/ram.ts';
import { ENXIO, EOPNOTSUPP } from '../uapi/errno.ts';
import { S_IFDIR } from '../uapi/stat.ts';
import type { StatFs } from '../uapi/statfs.ts';
import type { File } from './file.ts';
import { type Attributes, Inode } from './inode.ts';
import { SuperBlock } from './super.ts';

/** Magic numbers of statfs(2). */
export const PIPEFS_MAGIC = 0x50495045;
export const SOCKFS_MAGIC = 0x534f434b;
export const MQUEUE_MAGIC = 0x19800202;
export const ANON_INODE_FS_MAGIC = 0x09041934;

/** An inode without a name. Reopening it (through /proc/PID/fd) answers -ENXIO unless a subclass overrides `open`. */
export class AnonInode extends Inode {
  /** A socket's protocol, as the attribute system.sockprotoname gives it; '' if this is not a socket. */
  protocol = '';

  override open(_flags: number, _cred: Cred): Result<File> {
    return -ENXIO;
  }

  override setattr(attr: Attributes): number {
    if (attr.mode !== undefined) this.mode = attr.mode;
    if (attr.uid !== undefined) this.uid = attr.uid;
    if (attr.gid !== undefined) this.gid = attr.gid;
    if (attr.atime !== undefined) this.atime = attr.atime;
    if (attr.mtime !== undefined) this.mtime = attr.mtime;
    if (attr.ctime !== undefined) this.ctime = attr.ctime;
    return 0;
  }
}

/** The inode of files of the kernel's own (eventfd(2) and the like): root's, with fixed attributes. */
class FixedInode extends AnonInode {
  override get keepsAttributes(): boolean {
    return true;
  }

  override setattr(): number {
    return -EOPNOTSUPP;
  }
}

export class AnonSuper extends SuperBlock {
  override readonly root: Inode;
  private readonly magic: number;
  private lastIno = 1;

  constructor(type: string, magic: number, dev: number, clock: Clock) {
    super(type, dev, clock);
    this.magic = magic;
    this.root = new AnonInode(this, 1, S_IFDIR | 0o555, clock.coarse());
  }

  nextIno(): number {
    return ++this.lastIno;
  }

  /** A fresh inode owned by its creator. */
  newInode(mode: number, cred: Cred): AnonInode {
    const inode = new AnonInode(this, this.nextIno(), mode, this.clock.coarse());
    inode.uid = cred.fsuid;
    inode.gid = cred.fsgid;
    return inode;
  }

  override statfs(): StatFs {
    const none = { blocks: 0, bfree: 0, bavail: 0, files: 0, ffree: 0 };
    return { type: this.magic, bsize: PAGE_SIZE, ...none, namelen: 255 };
  }
}

/** anon_inodefs: its files have no owner but root. */
export class AnonInodeFs extends AnonSuper {
  override newInode(mode: number): AnonInode {
    return new FixedInode(this, this.nextIno(), mode, this.clock.coarse());
  }
}
