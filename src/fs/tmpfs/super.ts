/** tmpfs(5): a filesystem in the machine's memory. ramfs, rootfs and devtmpfs are built on it, too. */
import type { Result } from '../../lib/result.ts';
import { PAGE_SIZE } from '../../mm/ram.ts';
import { EINVAL, ENOSPC } from '../../uapi/errno.ts';
import { S_IFDIR } from '../../uapi/stat.ts';
import type { StatFs } from '../../uapi/statfs.ts';
import { type FileSystemType, type FsEnvironment, type MountRequest, SuperBlock } from '../super.ts';
import { TmpfsDir } from './dir.ts';
import { parseOptions, showOptions, type TmpfsOptions } from './options.ts';

export const TMPFS_MAGIC = 0x01021994;
/** A limit for the whole filesystem, because attributes are kept outside of pages. */
const MOST_XATTR_BYTES = 64 << 20;

export class TmpfsSuper extends SuperBlock {
  override readonly findsFiles: boolean = true;
  override readonly keepsAccessLists: boolean = true;
  override readonly root: TmpfsDir;
  readonly env: FsEnvironment;
  private options: TmpfsOptions;
  private usedBlocks = 0;
  private usedInodes = 0;
  private usedXattrBytes = 0;
  private lastIno = 0;

  constructor(type: string, env: FsEnvironment, options: TmpfsOptions) {
    super(type, env.newDev(), env.clock);
    this.env = env;
    this.options = options;
    const { mode, uid, gid } = options;
    this.takeInode();
    this.root = new TmpfsDir(this, { mode: S_IFDIR | mode, uid, gid, rdev: 0 }, null);
  }

  override get cachesAbsence(): boolean {
    return false;
  }

  get freeBlocks(): number {
    return this.options.blocks - this.usedBlocks;
  }

  nextIno(): number {
    return ++this.lastIno;
  }

  /** Counts an inode that is about to be made, and the bytes of its extended attributes: 0 or -ENOSPC. */
  takeInode(xattrBytes = 0): number {
    if (this.usedInodes >= this.options.inodes) return -ENOSPC;
    const err = this.takeXattrBytes(xattrBytes);
    if (err >= 0) this.usedInodes++;
    return err;
  }

  giveInode(): void {
    this.usedInodes--;
  }

  /** Counts blocks that came into use, or (negative) were freed. */
  countBlocks(blocks: number): void {
    this.usedBlocks += blocks;
  }

  /** Takes a page that belongs to no file (a long link's target): 0 or -ENOSPC. */
  takeBlock(): number {
    if (this.freeBlocks < 1 || !this.env.ram.charge(1)) return -ENOSPC;
    this.usedBlocks++;
    return 0;
  }

  giveBlock(): void {
    this.usedBlocks--;
    this.env.ram.charge(-1);
  }

  /** Counts bytes of extended attributes, or (negative) releases them: 0 or -ENOSPC. */
  takeXattrBytes(bytes: number): number {
    if (this.usedXattrBytes + bytes > MOST_XATTR_BYTES) return -ENOSPC;
    this.usedXattrBytes += bytes;
    return 0;
  }

  override statfs(): StatFs {
    const { blocks, inodes } = this.options;
    const bfree = Number.isFinite(blocks) ? Math.max(0, this.freeBlocks) : 0;
    return {
      type: TMPFS_MAGIC,
      bsize: PAGE_SIZE,
      blocks: Number.isFinite(blocks) ? blocks : 0,
      bfree,
      bavail: bfree,
      files: Number.isFinite(inodes) ? inodes : 0,
      ffree: Number.isFinite(inodes) ? inodes - this.usedInodes : 0,
      namelen: 255,
    };
  }

  /** Changes the limits only: mode and owner are those of the root when it was made. */
  override remount(data: string, _readOnly: boolean): number {
    const { options, usedBlocks, usedInodes } = this;
    const asked = parseOptions(data, options, this.env.ram.totalPages);
    if (typeof asked === 'number') return asked;
    const { blocks, inodes } = asked;
    if (!mayLimit(options.blocks, blocks, usedBlocks) || !mayLimit(options.inodes, inodes, usedInodes))
      return -EINVAL;
    this.options = { ...options, blocks, inodes };
    return 0;
  }

  override showOptions(): string {
    return showOptions(this.options);
  }

  override shutdown(): void {
    this.root.destroyTree();
  }
}

/** As on Linux, what has had no limit never gets one. */
const mayLimit = (from: number, to: number, used: number): boolean =>
  to === from || to === Number.POSITIVE_INFINITY || (from !== Number.POSITIVE_INFINITY && to >= used);

/** The filesystem type. Its limits are half of memory unless options say otherwise. */
export const tmpfsType = (): FileSystemType => ({
  name: 'tmpfs',
  requiresDevice: false,
  mount({ data }: MountRequest, env: FsEnvironment): Result<TmpfsSuper> {
    const half = Math.floor(env.ram.totalPages / 2);
    const base = { blocks: half, inodes: half, mode: 0o1777, uid: 0, gid: 0, usual: half };
    const options = parseOptions(data, base, env.ram.totalPages);
    return typeof options === 'number' ? options : new TmpfsSuper('tmpfs', env, options);
  },
});
