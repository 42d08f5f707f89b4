/**
 * memfd_create(2): files of tmpfs that never had a name, and their seals (fcntl(2), F_ADD_SEALS).
 *
 * A seal forbids one kind of change for good. It belongs to the inode, so opening the file in another way does not
 * get around it.
 */
import type { Cred } from '../core/cred.ts';
import { Dentry, Path } from '../fs/dentry.ts';
import type { File } from '../fs/file.ts';
import type { Attributes } from '../fs/inode.ts';
import type { Mount } from '../fs/mount.ts';
import { TmpfsFile, TmpfsOpenFile } from '../fs/tmpfs/regular.ts';
import type { TmpfsSuper } from '../fs/tmpfs/super.ts';
import type { Result } from '../lib/result.ts';
import type { PageCache } from '../mm/page-cache.ts';
import { EBUSY, EINVAL, ENODEV, ENOMEM, ENOSPC, EPERM } from '../uapi/errno.ts';
import {
  F_SEAL_EXEC,
  F_SEAL_FUTURE_WRITE,
  F_SEAL_GROW,
  F_SEAL_SEAL,
  F_SEAL_SHRINK,
  F_SEAL_WRITE,
  MFD_ALLOW_SEALING,
  MFD_CLOEXEC,
  MFD_EXEC,
  MFD_HUGETLB,
  MFD_NOEXEC_SEAL,
} from '../uapi/eventfd.ts';
import { FALLOC_FL_PUNCH_HOLE, O_LARGEFILE, O_RDWR } from '../uapi/fcntl.ts';
import { HUGE_LOGS, HUGE_MASK, HUGE_SHIFT, USUAL_HUGE_LOG } from '../uapi/mman.ts';
import { S_IFREG } from '../uapi/stat.ts';

const NO_WRITING = F_SEAL_WRITE | F_SEAL_FUTURE_WRITE;
const ALL_SEALS = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | NO_WRITING | F_SEAL_EXEC;
const EXEC_BITS = 0o111;
const KNOWN_FLAGS = MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_NOEXEC_SEAL | MFD_EXEC;
/** The longest name: with its prefix "memfd:" it is as long as a file's name may be. */
const NAME_MAX = 249;

class MemfdInode extends TmpfsFile {
  seals: number;

  constructor(sb: TmpfsSuper, mode: number, cred: Cred, seals: number) {
    super(sb, { mode, uid: cred.fsuid, gid: cred.fsgid, rdev: 0 });
    this.seals = seals;
  }

  override open(flags: number, _cred: Cred): Result<File> {
    return new MemfdFile(this, flags);
  }

  override write(pos: number, buf: Uint8Array, off: number, len: number): number {
    if (this.sealedFromWriting) return -EPERM;
    if ((this.seals & F_SEAL_GROW) !== 0 && pos + len > this.size) return -EPERM;
    return super.write(pos, buf, off, len);
  }

  override overwritten(pos: number, len: number): PageCache | null {
    return this.sealedFromWriting ? null : super.overwritten(pos, len);
  }

  override setattr(attr: Attributes): number {
    const { size, mode } = attr;
    if (mode !== undefined && (this.seals & F_SEAL_EXEC) !== 0 && ((mode ^ this.mode) & EXEC_BITS) !== 0)
      return -EPERM;
    if (size !== undefined && size < this.size && (this.seals & F_SEAL_SHRINK) !== 0) return -EPERM;
    if (size !== undefined && size > this.size && (this.seals & F_SEAL_GROW) !== 0) return -EPERM;
    return super.setattr(attr);
  }

  override allocate(mode: number, offset: number, len: number): number {
    const punch = (mode & FALLOC_FL_PUNCH_HOLE) !== 0;
    if (punch && this.sealedFromWriting) return -EPERM;
    if (!punch && (this.seals & F_SEAL_GROW) !== 0 && offset + len > this.size) return -EPERM;
    return super.allocate(mode, offset, len);
  }

  get isMappable(): boolean {
    return true;
  }

  get sealedFromWriting(): boolean {
    return (this.seals & NO_WRITING) !== 0;
  }

  addSeals(asked: number): number {
    if ((asked & ~ALL_SEALS) !== 0) return -EINVAL;
    if ((this.seals & F_SEAL_SEAL) !== 0) return -EPERM;
    // A file that will always be executable must not change either.
    const forGood = (asked & F_SEAL_EXEC) !== 0 && (this.mode & EXEC_BITS) !== 0;
    const seals = forGood ? asked | F_SEAL_SHRINK | F_SEAL_GROW | NO_WRITING : asked;
    if ((seals & F_SEAL_WRITE) !== 0 && (this.seals & F_SEAL_WRITE) === 0 && this.cache.writers > 0)
      return -EBUSY;
    this.cache.closeWindowsForGood();
    this.seals |= seals;
    return 0;
  }
}

/** A file of huge pages (MFD_HUGETLB). The machine has none, so it has a size but no content. */
class HugeInode extends MemfdInode {
  private readonly pageSize: number;

  constructor(sb: TmpfsSuper, mode: number, cred: Cred, seals: number, pageSize: number) {
    super(sb, mode, cred, seals);
    this.pageSize = pageSize;
  }

  override write(): number {
    return -EINVAL;
  }

  override overwritten(): null {
    return null;
  }

  override setattr(attr: Attributes): number {
    return (attr.size ?? 0) % this.pageSize !== 0 ? -EINVAL : super.setattr(attr);
  }

  override allocate(): number {
    return -ENOSPC;
  }

  override get isMappable(): boolean {
    return false;
  }
}

class MemfdFile extends TmpfsOpenFile {
  declare readonly inode: MemfdInode;

  /** Closing it frees its memory. */
  override get closesQuietly(): boolean {
    return false;
  }

  override get mapsToWrite(): boolean {
    return this.writable && !this.inode.sealedFromWriting;
  }

  override mmap(shared: boolean, write: boolean): Result<PageCache> {
    if (shared && write && !this.mapsToWrite) return -EPERM;
    return this.inode.isMappable ? super.mmap(shared, write) : -ENOMEM;
  }
}

/** memfd_create(2) on the machine's own tmpfs; the caller handles close-on-exec. */
export function createMemfd(mount: Mount, name: string, flags: number, cred: Cred): Result<File> {
  const huge = (flags & MFD_HUGETLB) !== 0;
  const known = huge ? KNOWN_FLAGS | MFD_HUGETLB | (HUGE_MASK << HUGE_SHIFT) : KNOWN_FLAGS;
  if ((flags & ~known) !== 0 || name.length > NAME_MAX) return -EINVAL;
  if ((flags & MFD_EXEC) !== 0 && (flags & MFD_NOEXEC_SEAL) !== 0) return -EINVAL;
  const log = (flags >>> HUGE_SHIFT) & HUGE_MASK;
  if (huge && !HUGE_LOGS.includes(log)) return -ENODEV;
  const sb = mount.sb as TmpfsSuper;
  const taken = sb.takeInode();
  if (taken < 0) return taken;
  const noexec = (flags & MFD_NOEXEC_SEAL) !== 0;
  const sealable = noexec || (flags & MFD_ALLOW_SEALING) !== 0;
  const seals = (noexec ? F_SEAL_EXEC : 0) | (sealable ? 0 : F_SEAL_SEAL);
  const mode = S_IFREG | (noexec ? 0o666 : 0o777);
  const inode = huge
    ? new HugeInode(sb, mode, cred, seals, 2 ** (log || USUAL_HUGE_LOG))
    : new MemfdInode(sb, mode, cred, seals);
  inode.nlink = 0;
  const file = new MemfdFile(inode, O_RDWR | O_LARGEFILE);
  file.path = new Path(mount, new Dentry(null, `/memfd:${name} (deleted)`, inode)).get();
  return file;
}

/** F_ADD_SEALS. Files of tmpfs that have names count as sealed with F_SEAL_SEAL. */
export function addSeals(file: File, seals: number): number {
  const { inode } = file;
  if (!(inode instanceof TmpfsFile)) return -EINVAL;
  return file.writable && inode instanceof MemfdInode ? inode.addSeals(seals) : -EPERM;
}

/** F_GET_SEALS. */
export function getSeals({ inode }: File): number {
  if (inode instanceof MemfdInode) return inode.seals;
  return inode instanceof TmpfsFile ? F_SEAL_SEAL : -EINVAL;
}
