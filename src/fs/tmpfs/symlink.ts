/** Symbolic links of tmpfs. A long target takes a page, as on Linux, so that links cannot fill memory uncounted. */
import type { Result } from '../../lib/result.ts';
import type { NewInode } from '../inode.ts';
import { TmpfsInode } from './inode.ts';
import type { TmpfsSuper } from './super.ts';

export const SHORT_LINK = 128;

export class TmpfsSymlink extends TmpfsInode {
  private readonly target: string;

  /** The caller has taken a block if the target is not short. */
  constructor(sb: TmpfsSuper, init: NewInode, target: string) {
    super(sb, init);
    this.target = target;
    this.size = target.length;
    this.blocks = isLong(target) ? 8 : 0;
  }

  override readlink(): Result<string> {
    return this.target;
  }

  override evict(): void {
    if (isLong(this.target)) this.sb.giveBlock();
    super.evict();
  }
}

export const isLong = (target: string): boolean => target.length >= SHORT_LINK;
