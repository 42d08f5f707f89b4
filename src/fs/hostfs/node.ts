/**
 * A file of the host: its identity, its names there, and the descriptors by which we reach it.
 *
 * A file is reached through its directory's descriptor and a name. Every descriptor that is opened is checked against
 * the file's known identity, because the host may have put another file there: -ESTALE if it differs.
 */
import type { Timespec } from '../../core/clock.ts';
import { CAP_DAC_OVERRIDE, type Cred, capable } from '../../core/cred.ts';
import type { HostStat } from '../../host/files.ts';
import { EACCES, EMFILE, ENFILE, ENOENT, ESTALE } from '../../uapi/errno.ts';
import { O_DIRECTORY, O_PATH, O_RDONLY, O_RDWR, O_WRONLY } from '../../uapi/fcntl.ts';
import { S_IFDIR, S_IFLNK, S_IRWXG } from '../../uapi/stat.ts';
import { Inode } from '../inode.ts';
import { hostLists } from './access-lists.ts';
import { Handle } from './handles.ts';
import type { HostDevice, HostSuperBlock } from './super.ts';

/** A directory entry that leads to a file. */
interface HostName {
  readonly dir: HostNode;
  readonly name: string;
}

const NO_NAMES: readonly HostName[] = [];
/** The most names of a file that are remembered; a lookup brings a forgotten one back. */
const MOST_NAMES = 64;
/** Deeper directories are not reopened: their chain of parents may have become a cycle behind us. */
const MOST_PARENTS = 8192;

export abstract class HostNode extends Inode {
  declare readonly sb: HostSuperBlock;
  readonly device: HostDevice;
  readonly inoLow: number;
  readonly inoHigh: number;
  /** We did something that changed the attributes: ask the host again. */
  protected stale = false;
  /** The host's access control lists have been read since the attributes last changed. */
  private listsKnown = false;
  /** Known names, the most recently seen first. A directory has one, the root none. */
  protected names: readonly HostName[] = NO_NAMES;
  /** An O_PATH descriptor: for walking through a directory and for changing attributes. */
  private place: Handle | null = null;
  private reader: Handle | null = null;
  private writer: Handle | null = null;
  private writerReads = false;

  constructor(sb: HostSuperBlock, device: HostDevice, seen: HostStat) {
    super(sb, sb.inoOf(device, seen.ino), seen.mode, { sec: seen.ctimeSec, nsec: seen.ctimeNsec });
    this.device = device;
    this.inoLow = seen.inoLow;
    this.inoHigh = seen.inoHigh;
    this.rdev = seen.rdev;
    this.btime = seen.btimeSec < 0 ? null : { sec: seen.btimeSec, nsec: seen.btimeNsec };
    this.copyAttributes(seen);
  }

  /** Makes this the root directory; its descriptor `fd` stays open. */
  becomeRoot(fd: number): void {
    this.place = new Handle();
    this.place.fd = fd;
    this.place.pins = 1;
  }

  /** Whether `seen` describes this file, and not a later one with the same inode number. */
  is(seen: HostStat): boolean {
    return (
      seen.inoLow === this.inoLow &&
      seen.inoHigh === this.inoHigh &&
      seen.dev === this.device.dev &&
      seen.type === this.type &&
      isTime(this.btime ?? UNKNOWN, seen.btimeSec, seen.btimeNsec)
    );
  }

  /** Whether both are the same file: a directory that was forgotten and looked up again is another object. */
  isSame(other: HostNode): boolean {
    return (
      this === other ||
      (this.inoLow === other.inoLow && this.inoHigh === other.inoHigh && this.device === other.device)
    );
  }

  /** Takes over the host's attributes, and reports a change of content that they show. */
  adopt(seen: HostStat): void {
    const changed = seen.size !== this.size || !isTime(this.mtime, seen.mtimeSec, seen.mtimeNsec);
    this.copyAttributes(seen);
    if (changed) this.contentChanged();
  }

  /** Called when the content of the host's file has changed. */
  protected abstract contentChanged(): void;

  protected copyAttributes(seen: HostStat): void {
    this.stale = false;
    if (this.listsKnown && !isTime(this.ctime, seen.ctimeSec, seen.ctimeNsec)) this.listsKnown = false;
    this.mode = seen.mode;
    this.nlink = seen.nlink;
    this.uid = seen.uid;
    this.gid = seen.gid;
    this.size = seen.size;
    this.blocks = seen.blocks;
    this.atime = keepTime(this.atime, seen.atimeSec, seen.atimeNsec);
    this.mtime = keepTime(this.mtime, seen.mtimeSec, seen.mtimeNsec);
    this.ctime = keepTime(this.ctime, seen.ctimeSec, seen.ctimeNsec);
  }

  /** Reads the lists, unless they do not matter: for the owner, without group bits, or with CAP_DAC_OVERRIDE. */
  override permission(_mask: number, cred: Cred): number | null {
    if (this.listsKnown || cred.fsuid === this.uid || (this.mode & S_IRWXG) === 0) return null;
    if (!capable(cred, CAP_DAC_OVERRIDE)) this.learnLists();
    return null;
  }

  override learnLists(): void {
    if (this.listsKnown || this.type === S_IFLNK) return;
    const fd = this.device.hidden ? -1 : this.anyFd();
    if (fd < 0) return;
    this.listsKnown = true;
    const { acl, defaultAcl } = hostLists(this.sb.files, fd, this.type === S_IFDIR);
    this.acl = acl;
    this.defaultAcl = defaultAcl;
  }

  /** The inode number of '..'. */
  get parentIno(): number {
    return this.names[0]?.dir.ino ?? this.ino;
  }

  // Names.

  addName(dir: HostNode, name: string): void {
    const latest = this.names[0];
    if (latest === undefined || this.type === S_IFDIR) {
      this.names = [{ dir, name }];
      return;
    }
    if (latest.dir === dir && latest.name === name) return;
    this.removeName(dir, name);
    this.names = [{ dir, name }, ...this.names.slice(0, MOST_NAMES - 1)];
  }

  removeName(dir: HostNode, name: string): void {
    this.names = this.names.filter(known => known.name !== name || !known.dir.isSame(dir));
  }

  // Descriptors.

  /** A descriptor of this directory for looking up names, or -errno. Valid until the next descriptor is asked for. */
  directoryFd(): number {
    const open = this.openHandle();
    if (open === null) return this.openDirectory();
    this.sb.handles.touch(open);
    return open.fd;
  }

  /** Like `directoryFd`, but returns a pinned handle. */
  pinDirectory(): Handle | number {
    const fd = this.directoryFd();
    return fd < 0 ? fd : this.pinned(this.openHandle()!);
  }

  /** A descriptor for listing this directory, or -errno, as if it may not be read. Valid as long as `directoryFd`'s. */
  protected listFd(): number {
    this.reader ??= new Handle();
    if (this.reader.fd >= 0) {
      this.sb.handles.touch(this.reader);
      return this.reader.fd;
    }
    const open = this.openHandle();
    const fd = open === null ? this.openHost(O_RDONLY | O_DIRECTORY) : this.sb.files.openList(open.fd);
    if (fd >= 0) this.sb.handles.fill(this.reader, fd);
    return fd;
  }

  /** A descriptor of any kind, for attributes of any type of file; or -errno. */
  protected anyFd(): number {
    const open = this.openedFd();
    if (open >= 0) return open;
    if (this.type === S_IFDIR) return this.directoryFd();
    const fd = this.openHost(O_PATH);
    if (fd < 0) return fd;
    this.place ??= new Handle();
    this.sb.handles.fill(this.place, fd);
    return fd;
  }

  /** A descriptor that is already open, or -1. */
  protected openedFd(): number {
    return this.openHandle()?.fd ?? -1;
  }

  private openHandle(): Handle | null {
    const { place, reader, writer } = this;
    if (place !== null && place.fd >= 0) return place;
    if (reader !== null && reader.fd >= 0) return reader;
    return writer !== null && writer.fd >= 0 ? writer : null;
  }

  /** A pinned handle for reading, or -errno. */
  pinReader(): Handle | number {
    if (this.writerReads && this.writer !== null && this.writer.fd >= 0) return this.pinned(this.writer);
    this.reader ??= new Handle();
    if (this.reader.fd < 0) {
      const fd = this.openHost(O_RDONLY);
      if (fd < 0) return fd;
      // Opening may have shown that the file changed; reloading its pages may then have filled this handle.
      this.sb.handles.close(this.reader);
      this.sb.handles.fill(this.reader, fd);
    }
    return this.pinned(this.reader);
  }

  /** A pinned handle for writing, and for reading if the host allows it; or -errno. */
  pinWriter(): Handle | number {
    this.writer ??= new Handle();
    if (this.writer.fd < 0) {
      let fd = this.openHost(O_RDWR);
      const reads = fd !== -EACCES;
      if (!reads) fd = this.openHost(O_WRONLY);
      if (fd < 0) return fd;
      this.setWriter(fd, reads);
    }
    return this.pinned(this.writer);
  }

  unpin(handle: Handle): void {
    this.sb.handles.unpin(handle);
    // An unused descriptor for writing would make the host's execve answer ETXTBSY.
    if (handle === this.writer) this.sb.handles.close(handle);
  }

  /** How often reader and writer are pinned. */
  protected get pinCount(): number {
    return (this.reader?.pins ?? 0) + (this.writer?.pins ?? 0);
  }

  /** Sets the writer's descriptor; `reads`: it can read, too. */
  protected setWriter(fd: number, reads: boolean): void {
    this.writer ??= new Handle();
    this.sb.handles.close(this.writer);
    this.writerReads = reads;
    this.sb.handles.fill(this.writer, fd);
  }

  protected closeHandles(): void {
    for (const handle of [this.place, this.reader, this.writer]) this.sb.handles.close(handle);
  }

  private pinned(handle: Handle): Handle {
    this.sb.handles.pin(handle);
    return handle;
  }

  private openHost(flags: number): number {
    if (this.device.hidden) return -EACCES;
    if ((flags & (O_PATH | O_DIRECTORY)) === 0 && this.sb.handles.full) return -ENFILE;
    const fd = this.openByName(flags);
    if (fd !== -EMFILE && fd !== -ENFILE) return fd;
    this.sb.handles.closeIdle();
    return this.openByName(flags);
  }

  private openByName(flags: number): number {
    let err: number = -ESTALE;
    for (const { dir, name } of this.names) {
      const at = dir.directoryFd();
      if (at < 0) {
        err = at;
        continue;
      }
      const fd = this.sb.files.open(at, name, flags, 0);
      if (fd >= 0 && this.isBehind(fd)) return fd;
      if (fd >= 0) this.sb.files.close(fd);
      else if (fd !== -ENOENT) return fd;
    }
    const other = this.openedFd();
    return other < 0 ? err : this.sb.files.reopen(other, flags);
  }

  private isBehind(fd: number): boolean {
    const { seen, files } = this.sb;
    if (files.stat(fd, seen) < 0 || !this.is(seen)) return false;
    this.adopt(seen);
    return true;
  }

  /** Opens this directory and all above it that are not open; a descriptor, or -errno. */
  private openDirectory(): number {
    const closed: HostNode[] = [];
    let above: HostNode = this;
    while (above.openHandle() === null) {
      if (above.device.hidden) return -EACCES;
      const parent = above.names[0]?.dir;
      if (parent === undefined) return -ENOENT;
      if (closed.push(above) > MOST_PARENTS) return -ESTALE;
      above = parent;
    }
    for (let dir = closed.pop(); dir !== undefined; dir = closed.pop()) {
      const fd = dir.openHost(O_PATH | O_DIRECTORY);
      if (fd < 0) return fd;
      dir.place ??= new Handle();
      this.sb.handles.fill(dir.place, fd);
    }
    return this.place!.fd;
  }
}

const UNKNOWN: Timespec = { sec: -1, nsec: 0 };

const isTime = (time: Timespec, sec: number, nsec: number): boolean => time.sec === sec && time.nsec === nsec;

/** Keeps the same object if the time is the same. */
const keepTime = (time: Timespec, sec: number, nsec: number): Timespec =>
  isTime(time, sec, nsec) ? time : { sec, nsec };
