/** Mounted filesystems (super_block) and their types. */
import type { Clock } from '../core/clock.ts';
import type { Result } from '../lib/result.ts';
import { PAGE_SIZE, type Ram } from '../mm/ram.ts';
import type { StatFs } from '../uapi/statfs.ts';
import type { Path } from './dentry.ts';
import type { FileHandles } from './handles.ts';
import type { Inode } from './inode.ts';

/** Notified of what is done to a filesystem's open files: an IN_* event of inotify(7), the file's path and inode. */
export interface FileWatcher {
  happened(event: number, path: Path, inode: Inode): void;
  /** The filesystem is not mounted any more. */
  unmounted(sb: SuperBlock): void;
}

export abstract class SuperBlock {
  /** Anonymous device number (st_dev); unique within a machine. */
  readonly dev: number;
  readonly type: string;
  readonly clock: Clock;
  readOnly = false;
  /** Not null while any of its inodes is watched. */
  watcher: FileWatcher | null = null;
  /** Whether files have handles (name_to_handle_at(2)); and those that have been asked for. */
  readonly findsFiles: boolean = false;
  fileHandles: FileHandles | null = null;
  /** The number of its mounts and of overlays that it is a layer of, and of its files that are open for writing. */
  mounts = 0;
  writers = 0;
  /** Set while the VFS knows the filesystem's root: makes it forget that. */
  forgetRoot: (() => void) | null = null;
  /** The size in bytes that programs should read and write at once (st_blksize). */
  readonly blksize: number = PAGE_SIZE;
  /** Largest file size, in bytes. */
  maxBytes: number = Number.MAX_SAFE_INTEGER;
  /** No names can be made in it, whoever asks: -ENOENT (proc). */
  readonly namesOnly: boolean = false;
  /** Whether inodes keep access control lists that say more than permission bits. */
  readonly keepsAccessLists: boolean = false;
  abstract readonly root: Inode;

  constructor(type: string, dev: number, clock: Clock) {
    this.type = type;
    this.dev = dev;
    this.clock = clock;
  }

  abstract statfs(): StatFs;

  /** Drops a reference to an inode; dropping the last one evicts an inode without links. */
  iput(inode: Inode): void {
    if (--inode.refs <= 0 && inode.nlink === 0) inode.evict();
  }

  /** Whether a cached name must be checked again before use: hostfs and proc, whose names change behind us. */
  get volatileNames(): boolean {
    return false;
  }

  /** With volatile names: whether a cached name still means `inode` or, if that is null, still does not exist. */
  revalidate(_dir: Inode, _name: string, _inode: Inode | null): boolean {
    return true;
  }

  /** Whether absent names are worth caching; false where `lookup` costs no more than the cache. */
  get cachesAbsence(): boolean {
    return true;
  }

  /** Changes the options of a mounted filesystem (MS_REMOUNT); 0 or -errno. */
  remount(_data: string, _readOnly: boolean): number {
    return 0;
  }

  /** Options as /proc/mounts shows them, after ro or rw: '' or ',size=4k'. */
  showOptions(): string {
    return '';
  }

  sync(): void {}

  /** A mount, or what counts as one, is gone: the last one shuts the filesystem down. */
  unmount(): void {
    if (--this.mounts > 0) return;
    this.sync();
    this.fileHandles?.clear();
    this.forgetRoot?.();
    this.forgetRoot = null;
    this.watcher?.unmounted(this);
    this.shutdown();
  }

  /** The last mount is gone: nothing refers to it any more. */
  shutdown(): void {}
}

/** What a filesystem is given to be mounted with. */
export interface MountRequest {
  /** The device or directory named in mount(2), '' if none. */
  readonly source: string;
  /** The data argument: comma-separated options. */
  readonly data: string;
  readonly readOnly: boolean;
  /** Resolves a path for the caller, for filesystems made of other filesystems' directories (overlay). */
  readonly resolve?: ((path: string) => Result<Inode>) | undefined;
}

/** What the machine provides to filesystems. */
export interface FsEnvironment {
  readonly clock: Clock;
  readonly ram: Ram;
  /** A fresh anonymous device number. */
  newDev(): number;
}

export interface FileSystemType {
  readonly name: string;
  /** Whether mount(2) needs a block device as source (shown as "nodev" in /proc/filesystems otherwise). */
  readonly requiresDevice: boolean;
  mount(request: MountRequest, env: FsEnvironment): Result<SuperBlock>;
}
