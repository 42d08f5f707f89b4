/**
 * Which inodes of a machine are watched, and where the VFS's notifications go.
 *
 * While nothing is watched, `vfs.notify` is null and filesystems have no `watcher`, so inotify costs nothing until
 * it is used. One reference of ours keeps a watched inode in memory. Once only that reference and the inode's dying
 * name are left, the file is gone: IN_DELETE_SELF.
 */
import type { Dentry, Path } from '../fs/dentry.ts';
import type { Inode } from '../fs/inode.ts';
import type { FileWatcher, SuperBlock } from '../fs/super.ts';
import type { Notify } from '../fs/vfs.ts';
import {
  IN_ATTRIB,
  IN_CREATE,
  IN_DELETE,
  IN_DELETE_SELF,
  IN_ISDIR,
  IN_MOVE_SELF,
  IN_MOVED_FROM,
  IN_MOVED_TO,
  IN_UNMOUNT,
} from '../uapi/inotify.ts';
import { isDir } from '../uapi/stat.ts';

/** Events of a directory and a name in it, not of the file itself. */
const OF_NAMES = IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO;

/** The part of the VFS that the hub needs: where notifications are sent. */
export interface Notifier {
  notify: Notify | null;
  /** Called when an inode gets its first watch: what happened without the kernel must be reported from now on. */
  readonly onWatch: () => void;
}

/** One owner's interest in an inode. */
export interface InodeWatch {
  /** Who asked. An inotify instance has at most one watch of an inode, which `find` finds by it. */
  readonly owner: object;
  readonly inode: Inode;
  /** `name`: of a file in the watched directory; `unlinked`: the file no longer has that name. */
  tell(event: number, name: string, cookie: number, unlinked: boolean): void;
  /** The inode is gone: the watch ends. */
  drop(): void;
}

export interface InotifyAccount {
  instances: number;
  watches: number;
}

export class InotifyHub implements FileWatcher {
  /** Per user: instances, and watches in all of them. Per instance: queued events (proc_sys_fs(5)). */
  readonly limits = { instances: 128, watches: 65536, queued: 16384 };
  private readonly vfs: Notifier;
  private readonly accounts = new Map<number, InotifyAccount>();
  private readonly watched = new Map<Inode, InodeWatch[]>();
  /** How many watched inodes a filesystem has. */
  private readonly inodes = new Map<SuperBlock, number>();

  constructor(vfs: Notifier) {
    this.vfs = vfs;
  }

  accountOf(uid: number): InotifyAccount {
    const known = this.accounts.get(uid);
    if (known !== undefined) return known;
    const account = { instances: 0, watches: 0 };
    this.accounts.set(uid, account);
    return account;
  }

  find(inode: Inode, owner: object): InodeWatch | null {
    return this.watched.get(inode)?.find(watch => watch.owner === owner) ?? null;
  }

  add(watch: InodeWatch): void {
    const { inode } = watch;
    const watches = this.watched.get(inode);
    if (watches !== undefined) {
      watches.push(watch);
      return;
    }
    inode.refs++;
    this.watched.set(inode, [watch]);
    inode.sb.watcher = this;
    this.inodes.set(inode.sb, (this.inodes.get(inode.sb) ?? 0) + 1);
    this.vfs.onWatch();
    this.vfs.notify = (event, dir, name, of, cookie) => this.named(event, dir, name, of, cookie);
  }

  remove(watch: InodeWatch): void {
    const { inode } = watch;
    const watches = this.watched.get(inode)?.filter(other => other !== watch) ?? [];
    if (watches.length > 0) {
      this.watched.set(inode, watches);
      return;
    }
    if (!this.watched.delete(inode)) return;
    this.forget(inode.sb);
    inode.sb.iput(inode);
    if (this.watched.size === 0) this.vfs.notify = null;
  }

  /** One inode less of `sb` is watched. */
  private forget(sb: SuperBlock): void {
    const left = this.inodes.get(sb)! - 1;
    if (left > 0) {
      this.inodes.set(sb, left);
      return;
    }
    this.inodes.delete(sb);
    sb.watcher = null;
  }

  /** Something was done to an open file. */
  happened(event: number, { dentry }: Path, inode: Inode): void {
    this.toChildAndParent(event, dentry.parent, dentry.name, inode, dentry.unhashed);
    if (inode.nlink === 0 && this.watched.has(inode)) this.checkGone(inode, 1);
  }

  unmounted(sb: SuperBlock): void {
    for (const [inode, watches] of [...this.watched]) {
      if (inode.sb !== sb) continue;
      for (const watch of [...watches]) {
        watch.tell(isDir(inode.mode) ? IN_UNMOUNT | IN_ISDIR : IN_UNMOUNT, '', 0, false);
        watch.drop();
      }
    }
  }

  /** The VFS reports a change of a name, or of a file found by name. */
  private named(event: number, dir: Dentry, name: string, inode: Inode, cookie: number): void {
    if ((event & OF_NAMES) === 0) {
      this.toChildAndParent(event, dir, name, inode, false);
      return;
    }
    if ((event & (IN_CREATE | IN_DELETE)) !== 0) this.linksChanged(event, inode);
    // The name goes first, so the file's watches learn of its end before the directory's do.
    if ((event & IN_DELETE) !== 0 && inode.nlink === 0) this.checkGone(inode, 2);
    this.tell(dir.inode, event, name, cookie);
    if ((event & IN_MOVED_TO) !== 0) this.arrived(inode);
  }

  /** A file has a new name; a file that had it before may be gone. */
  private arrived(inode: Inode): void {
    const replaced = [...this.watched.keys()].filter(other => other.nlink === 0 && other !== inode);
    for (const other of replaced)
      this.tell(other, isDir(other.mode) ? IN_ATTRIB | IN_ISDIR : IN_ATTRIB, '', 0);
    this.tell(inode, IN_MOVE_SELF, '', 0);
    for (const other of replaced) this.checkGone(other, 1);
  }

  /** A file's link count is one of its attributes. */
  private linksChanged(event: number, inode: Inode): void {
    if (isDir(inode.mode)) return;
    if ((event & IN_DELETE) !== 0 || inode.nlink > 1) this.tell(inode, IN_ATTRIB, '', 0);
  }

  private toChildAndParent(event: number, dir: Dentry, name: string, inode: Inode, unlinked: boolean): void {
    const what = isDir(inode.mode) ? event | IN_ISDIR : event;
    if (dir.inode !== inode) this.tell(dir.inode, what, name, 0, unlinked);
    this.tell(inode, what, '', 0);
  }

  private tell(inode: Inode | null, event: number, name: string, cookie: number, unlinked = false): void {
    const watches = inode === null ? undefined : this.watched.get(inode);
    if (watches !== undefined) for (const watch of watches) watch.tell(event, name, cookie, unlinked);
  }

  /** Ends the watches of an inode without links, unless it is open; `ours` references do not count as users. */
  private checkGone(inode: Inode, ours: number): void {
    const watches = this.watched.get(inode);
    if (watches === undefined || inode.refs > ours) return;
    for (const watch of watches) {
      watch.tell(IN_DELETE_SELF, '', 0, false);
      watch.drop();
    }
  }
}
