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

  get hearsStores(): boolean {
    return this.file.inode.hearsStores;
  }

  stored(): void {
    this.file.inode.stored();
  }

  sync(pos: number, len: number): number {
    return this.file.inode.writeback(pos, len);
  }
}

/** The program that an address space runs. While it does, the file cannot be opened for writing (open(2), ETXTBSY). */
export class ExeBacking extends FileBacking {
  constructor(file: File, cache: PageCache) {
    super(file, cache);
    file.inode.writers--;
  }

  override get(): FileBacking {
    this.file.inode.writers--;
    return super.get();
  }

  override put(): void {
    this.file.inode.writers++;
    super.put();
  }
}
