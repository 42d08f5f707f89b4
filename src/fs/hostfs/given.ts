/**
 * Files and directories of the host that were passed to us open, as files of the machine. Each distinct one is a
 * filesystem of its own that is mounted nowhere and read-only unless one of its descriptors can write. Nothing else of
 * the host can be reached through it (host/given-files.ts), not even what a directory lists.
 *
 * Device and inode numbers differ where the host's do, so that `cat <f >>f` notices that both are one file.
 */

import { ROOT_CRED } from '../../core/cred.ts';
import { type HostFiles, HostStat } from '../../host/files.ts';
import { GivenFiles } from '../../host/given-files.ts';
import type { Result } from '../../lib/result.ts';
import { O_ACCMODE, O_APPEND, O_PATH, SEEK_CUR, SEEK_END, SEEK_SET } from '../../uapi/fcntl.ts';
import { isDir, isReg } from '../../uapi/stat.ts';
import type { File } from '../file.ts';
import type { FsEnvironment } from '../super.ts';
import type { Vfs } from '../vfs.ts';
import { HostFile } from './file.ts';
import type { Handle } from './handles.ts';
import type { HostInode } from './inode.ts';
import { HostSuperBlock, keyOf } from './super.ts';

export class GivenDescriptors {
  private readonly files: HostFiles;
  private readonly vfs: Vfs;
  private readonly seen: HostStat = new HostStat();
  private readonly supers: Map<string, GivenSuper> = new Map();
  /** The machine's device numbers, by the host's device number. */
  private readonly devices: Map<number, number> = new Map();

  constructor(files: HostFiles, vfs: Vfs) {
    this.files = files;
    this.vfs = vfs;
  }

  /** The open file behind a descriptor with O_* `flags`; null if it is neither a regular file nor a directory. */
  open(fd: number, flags: number): Result<File> | null {
    const err = this.files.stat(fd, this.seen);
    if (err < 0) return err;
    if (!isReg(this.seen.mode) && !isDir(this.seen.mode)) return null;
    const sb = this.superOf(fd, flags & O_ACCMODE);
    if (typeof sb === 'number') return sb;
    const file = isReg(sb.root.mode) ? openGiven(sb.root, fd, flags) : sb.root.open(flags, ROOT_CRED);
    if (typeof file === 'number') return file;
    file.path = this.vfs.anonymousPath(sb.root, this.nameOf(fd)).get();
    if (isReg(sb.root.mode) && file.writable) file.becomeWriter();
    return file;
  }

  private superOf(fd: number, access: number): Result<GivenSuper> {
    const key = `${this.seen.dev} ${keyOf(this.seen)}`;
    const known = this.supers.get(key);
    if (known !== undefined) {
      known.lend(fd, access);
      return known;
    }
    const place = this.files.reopen(fd, O_PATH);
    if (place < 0) return place;
    const sb = new GivenSuper(new GivenFiles(this.files), this.vfs.env, this.deviceOf(this.seen.dev), place);
    sb.lend(fd, access);
    this.supers.set(key, sb);
    return sb;
  }

  private deviceOf(dev: number): number {
    const known = this.devices.get(dev) ?? this.vfs.env.newDev();
    this.devices.set(dev, known);
    return known;
  }

  /** The host's path of the file, as a process sees files that were opened outside its root. */
  private nameOf(fd: number): string {
    const dir = this.files.openRoot('/proc/self/fd');
    const name = dir < 0 ? dir : this.files.readlink(dir, String(fd));
    if (dir >= 0) this.files.close(dir);
    return typeof name === 'string' ? name : '/';
  }
}

class GivenSuper extends HostSuperBlock {
  declare readonly files: GivenFiles;

  constructor(files: GivenFiles, env: FsEnvironment, dev: number, place: number) {
    super(files, env, dev, place, '', { readOnly: true, staysReadOnly: true, cacheAlways: false });
  }

  lend(fd: number, access: number): void {
    this.files.add(fd, access);
    this.readOnly = !this.files.writable || isDir(this.root.mode);
  }

  /** No other file can be reached through a given one, not even in the host's procfs. */
  protected override isProc(): boolean {
    return false;
  }
}

function openGiven(inode: HostInode, fd: number, flags: number): Result<File> {
  const opened = inode.open(flags, ROOT_CRED);
  if (typeof opened === 'number') return opened;
  const { reader, writer } = opened as HostFile;
  return new GivenFile(inode, flags, reader, writer, fd);
}

/**
 * A file that other host processes may still be using: sequential reads and writes use the host's own position
 * (`(a; b) > file`) and its atomic operations (`(a & b) > file`).
 */
class GivenFile extends HostFile {
  private readonly fd: number;
  /** The host's position after our latest read or write. */
  private hostPos = 0;

  constructor(inode: HostInode, flags: number, reader: Handle | null, writer: Handle | null, fd: number) {
    super(inode, flags, reader, writer);
    this.fd = fd;
    this.seek(0, SEEK_CUR);
  }

  /** Seeking moves the host's position, too. */
  override get seeksFreely(): boolean {
    return false;
  }

  override read(buf: Uint8Array, off: number, len: number, pos: number): number {
    if (!this.isNext(pos)) return super.read(buf, off, len, pos);
    this.catchUp(pos);
    const { mapped, sb } = this.inode;
    if (mapped === null) return this.moved(sb.files.read(this.fd, buf, off, len));
    return this.moveBy(super.read(buf, off, len, this.whereNow()));
  }

  override write(buf: Uint8Array, off: number, len: number, pos: number): number {
    const append = (this.flags & O_APPEND) !== 0;
    if (!append && !this.isNext(pos)) return super.write(buf, off, len, pos);
    if (append) this.hostPos = this.inode.sb.files.seek(this.fd, 0, SEEK_END);
    else this.catchUp(pos);
    const { mapped, sb } = this.inode;
    if (mapped !== null) return this.moveBy(super.write(buf, off, len, this.whereNow()));
    const n = this.moved(sb.files.write(this.fd, buf, off, len));
    if (n > 0) this.inode.changedByUs(this.fd);
    return n;
  }

  override seek(offset: number, whence: number): number {
    const pos = this.inode.sb.files.seek(this.fd, offset, whence);
    if (pos < 0) return pos;
    this.pos = pos;
    this.hostPos = pos;
    return pos;
  }

  override release(): void {
    if ((this.flags & O_APPEND) === 0) this.catchUp(this.pos);
    super.release();
  }

  /** Whether a transfer is sequential: it starts at the file's position, or where a long transfer has got to. */
  private isNext(pos: number): boolean {
    return pos === this.pos || pos === this.hostPos;
  }

  /** Puts the host's position back after a pread(2) at our position has moved it. */
  private catchUp(pos: number): void {
    if (this.hostPos === pos) return;
    this.inode.sb.files.seek(this.fd, pos, SEEK_SET);
    this.hostPos = pos;
  }

  private whereNow(): number {
    return this.inode.sb.files.seek(this.fd, 0, SEEK_CUR);
  }

  private moveBy(n: number): number {
    if (n > 0) this.inode.sb.files.seek(this.fd, n, SEEK_CUR);
    return this.moved(n);
  }

  private moved(n: number): number {
    if (n > 0) this.hostPos += n;
    return n;
  }
}
