/** What all tmpfs inodes share: attributes and extended attributes in memory. */

import type { Cred } from '../../core/cred.ts';
import type { Result } from '../../lib/result.ts';
import { EEXIST, ENODATA, ENOSPC, ENXIO, EOPNOTSUPP } from '../../uapi/errno.ts';
import { XATTR_CREATE, XATTR_REPLACE } from '../../uapi/fcntl.ts';
import { isDir, isReg } from '../../uapi/stat.ts';
import { accessListSize } from '../access-list.ts';
import type { File } from '../file.ts';
import { type Attributes, Inode, type NewInode } from '../inode.ts';
import type { TmpfsSuper } from './super.ts';

/** The bytes that access control lists count as: they are extended attributes. */
export const listBytes = ({ acl = null, defaultAcl = null }: Pick<NewInode, 'acl' | 'defaultAcl'>): number =>
  accessListSize(acl) + accessListSize(defaultAcl);

/** An inode of tmpfs. This class itself serves devices, FIFOs and sockets, whose files are made elsewhere. */
export class TmpfsInode extends Inode {
  declare readonly sb: TmpfsSuper;
  private xattrs: Map<string, string> | null = null;
  private flags = 0;

  constructor(sb: TmpfsSuper, init: NewInode) {
    const now = sb.clock.coarse();
    super(sb, sb.nextIno(), init.mode, now);
    this.uid = init.uid;
    this.gid = init.gid;
    this.rdev = init.rdev;
    this.btime = now;
    this.acl = init.acl ?? null;
    this.defaultAcl = init.defaultAcl ?? null;
  }

  override open(_flags: number, _cred: Cred): Result<File> {
    return -ENXIO;
  }

  override setattr(attr: Attributes): number {
    if (attr.size !== undefined) {
      const err = this.resize(attr.size);
      if (err < 0) return err;
    }
    if (attr.acl !== undefined || attr.defaultAcl !== undefined) {
      const err = this.setLists(attr);
      if (err < 0) return err;
    }
    if (attr.mode !== undefined) this.mode = attr.mode;
    if (attr.uid !== undefined) this.uid = attr.uid;
    if (attr.gid !== undefined) this.gid = attr.gid;
    if (attr.atime !== undefined) this.atime = attr.atime;
    if (attr.mtime !== undefined) this.mtime = attr.mtime;
    if (attr.ctime !== undefined) this.ctime = attr.ctime;
    return 0;
  }

  private setLists({ acl = this.acl, defaultAcl = this.defaultAcl }: Attributes): number {
    const err = this.sb.takeXattrBytes(listBytes({ acl, defaultAcl }) - listBytes(this));
    if (err < 0) return err;
    this.acl = acl;
    this.defaultAcl = defaultAcl;
    return 0;
  }

  /** Null (none) for devices, FIFOs and sockets. */
  override get fsFlags(): number | null {
    return isReg(this.mode) || isDir(this.mode) ? this.flags : null;
  }

  override setFsFlags(flags: number): number {
    this.flags = flags;
    this.ctime = this.sb.clock.coarse();
    return 0;
  }

  /** Sets the size of a regular file: 0 or -errno. */
  protected resize(_size: number): number {
    return -EOPNOTSUPP;
  }

  override getxattr(name: string): Result<string> {
    return this.xattrs?.get(name) ?? -ENODATA;
  }

  override setxattr(name: string, value: string, flags: number): number {
    const old = this.xattrs?.get(name);
    if (old !== undefined && (flags & XATTR_CREATE) !== 0) return -EEXIST;
    if (old === undefined && (flags & XATTR_REPLACE) !== 0) return -ENODATA;
    const more = old === undefined ? name.length + value.length : value.length - old.length;
    if (this.sb.takeXattrBytes(more) < 0) return -ENOSPC;
    this.xattrs ??= new Map();
    this.xattrs.set(name, value);
    this.ctime = this.sb.clock.coarse();
    return 0;
  }

  override listxattr(): string[] {
    return this.xattrs === null ? [] : [...this.xattrs.keys()];
  }

  override removexattr(name: string): number {
    const old = this.xattrs?.get(name);
    if (old === undefined) return -ENODATA;
    this.xattrs!.delete(name);
    this.sb.takeXattrBytes(-name.length - old.length);
    this.ctime = this.sb.clock.coarse();
    return 0;
  }

  override evict(): void {
    for (const name of this.listxattr()) this.removexattr(name);
    this.setLists({ acl: null, defaultAcl: null });
    this.sb.giveInode();
  }
}
