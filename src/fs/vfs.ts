/**
 * The virtual filesystem of one machine: what all file operations share.
 *
 * The operations themselves are functions whose first argument is a `Vfs`: open.ts, create.ts, remove.ts, rename.ts,
 * attr.ts, xattr.ts, mounts.ts. They check permissions as Linux does and hold no references for the caller, except
 * those in the files that they return.
 */
import { WaitQueue } from '../core/wait.ts';
import type { Result } from '../lib/result.ts';
import { ENODEV, ENXIO } from '../uapi/errno.ts';
import type { WalkContext } from './context.ts';
import { Dcache } from './dcache.ts';
import { Dentry, Path } from './dentry.ts';
import { DeviceTable, type OpenDevice } from './devices.ts';
import type { File } from './file.ts';
import type { Inode } from './inode.ts';
import { LeaseRules } from './leases.ts';
import { LockWaits } from './locks.ts';
import { Mount } from './mount.ts';
import { Walker } from './namei.ts';
import { PeerGroups } from './peer-group.ts';
import { Protections } from './protections.ts';
import type { FileSystemType, FsEnvironment, SuperBlock } from './super.ts';

/**
 * Notified of changes to names and to files found by name: an IN_* event of inotify(7), the directory, the name in it,
 * and the file. `cookie` is nonzero and the same for the two halves of a rename.
 */
export type Notify = (event: number, dir: Dentry, name: string, inode: Inode, cookie: number) => void;

export class Vfs {
  readonly env: FsEnvironment;
  readonly dcache: Dcache = new Dcache();
  readonly protections = new Protections();
  readonly walker: Walker = new Walker(this.dcache, this.protections);
  readonly types: Map<string, FileSystemType> = new Map();
  readonly charDevices = new DeviceTable();
  readonly blockDevices = new DeviceTable();
  readonly lockWaits = new LockWaits();
  readonly leases = new LeaseRules();
  /** The roots of all mounted filesystems. */
  readonly roots: Set<Dentry> = new Set();
  readonly peerGroups = new PeerGroups();
  /** The number of mounts in all namespaces. */
  mountCount = 0;
  /** Woken when a mount has come, gone or changed; and how often that has happened. */
  readonly mountsChanged: WaitQueue = new WaitQueue();
  mountGeneration = 0;
  notify: Notify | null = null;
  /** Called before a watch begins. */
  onWatch: () => void = () => {};
  /** Called when an open file has lost its last name. */
  onNameless: (inode: Inode) => void = () => {};
  /** Opens a FIFO; set by the pipes of ipc/. */
  openFifo: (inode: Inode, flags: number, ctx: WalkContext) => Result<File> = () => -ENXIO;
  private lastMountId = 0;
  private lastNamespaceId = 0;
  private lastCookie = 0;
  private readonly anonymous: Map<SuperBlock, Mount> = new Map();

  constructor(env: FsEnvironment) {
    this.env = env;
  }

  registerFileSystem(type: FileSystemType): void {
    this.types.set(type.name, type);
  }

  fileSystem(name: string): Result<FileSystemType> {
    return this.types.get(name) ?? -ENODEV;
  }

  registerCharDevice(name: string, major: number, firstMinor: number, count: number, open: OpenDevice): void {
    this.charDevices.register(name, major, firstMinor, count, open);
  }

  mountsHaveChanged(): void {
    this.mountGeneration++;
    this.dcache.forgetAnswers();
    this.mountsChanged.wake();
  }

  /** A name of the file has gone. */
  lostName(inode: Inode): void {
    if (inode.nlink === 0 && inode.readers + Math.max(0, inode.writers) > 0) this.onNameless(inode);
  }

  nextMountId(): number {
    return ++this.lastMountId;
  }

  nextNamespaceId(): number {
    return ++this.lastNamespaceId;
  }

  /** For the two halves of a rename. */
  nextCookie(): number {
    this.lastCookie = (this.lastCookie + 1) >>> 0 || 1;
    return this.lastCookie;
  }

  /**
   * A path for a nameless file (a pipe, a socket, an anonymous inode), so that a link in /proc/PID/fd can lead to it.
   * `pathString` shows it as `name`.
   */
  anonymousPath(inode: Inode, name: string): Path {
    const { sb } = inode;
    let mount = this.anonymous.get(sb);
    if (mount === undefined) {
      mount = new Mount(this.nextMountId(), sb, new Dentry(null, '', sb.root), sb.type, 0);
      this.anonymous.set(sb, mount);
    }
    return new Path(mount, new Dentry(null, name, inode));
  }
}
