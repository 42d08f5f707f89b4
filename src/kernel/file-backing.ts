/** A file as mappings hold it (mm/vma.ts): counted, and named for /proc. */
import type { Path } from '../fs/dentry.ts';
import type { File } from '../fs/file.ts';
import type { PageCache } from '../mm/page-cache.ts';
import type { Backing } from '../mm/vma.ts';

export class FileBacking implements Backing {
  readonly cache: PageCache;
  readonly file: File;

  /** Takes a reference to the file. */
  constructor(file: File, cache: PageCache) {
    this.file = file.get();
    this.cache = cache;
  }

  get dev(): number {
    return this.file.inode.sb.dev;
  }

  get ino(): number {
    return this.file.inode.ino;
  }

  /** Where it was opened: what /proc/PID/maps and /proc/PID/exe show. */
  get path(): Path | null {
    return this.file.path;
  }

  get(): FileBacking {
    this.file.get();
    return this;
  }

  put(): void {
    this.file.put();
  }

  sync(pos: number, len: number): number {
    return this.file.inode.writeback(pos, len);
  }
}
