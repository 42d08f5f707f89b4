/** The superblock of a filesystem that lives only in the kernel: inode numbers, and no storage. */
import type { Clock } from '../../core/clock.ts';
import { PAGE_SIZE } from '../../mm/ram.ts';
import type { StatFs } from '../../uapi/statfs.ts';
import type { Inode } from '../inode.ts';
import { SuperBlock } from '../super.ts';
import { KernfsDir } from './inode.ts';

export abstract class KernfsSuper extends SuperBlock {
  private readonly magic: number;
  private lastIno = 0;

  constructor(type: string, magic: number, dev: number, clock: Clock) {
    super(type, dev, clock);
    this.magic = magic;
  }

  /** The first of `count` fresh inode numbers. */
  newIno(count = 1): number {
    const first = this.lastIno + 1;
    this.lastIno += count;
    return first;
  }

  override statfs(): StatFs {
    return {
      type: this.magic,
      bsize: PAGE_SIZE,
      blocks: 0,
      bfree: 0,
      bavail: 0,
      files: 0,
      ffree: 0,
      namelen: 255,
    };
  }

  override get volatileNames(): boolean {
    return true;
  }

  override get cachesAbsence(): boolean {
    return false;
  }

  override revalidate(dir: Inode, name: string, inode: Inode | null): boolean {
    return !(dir instanceof KernfsDir) || dir.holds(name, inode);
  }
}
