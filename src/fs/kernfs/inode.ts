/**
 * Inodes of filesystems that live only in the kernel.
 *
 * A directory makes the inode of an entry on first use and keeps it, so that inode numbers and cached names stay
 * valid. Directories whose content is not a table (processes, descriptors) override `find` and `list`.
 */
import type { Cred } from '../../core/cred.ts';
import type { Result } from '../../lib/result.ts';
import { ELOOP, ENOENT, EPERM } from '../../uapi/errno.ts';
import { dirType } from '../../uapi/stat.ts';
import type { WalkContext } from '../context.ts';
import type { Path } from '../dentry.ts';
import { type EmitEntry, File } from '../file.ts';
import { type Attributes, Inode } from '../inode.ts';
import type { Entry } from './entry.ts';
import type { KernfsSuper } from './super.ts';

export abstract class KernfsInode extends Inode {
  declare readonly sb: KernfsSuper;

  constructor(sb: KernfsSuper, mode: number, ino: number = sb.newIno()) {
    super(sb, ino, mode, sb.clock.coarse());
  }

  /** The current owner of an inode of this mode; null: always root. Children of a directory inherit this. */
  owner: ((mode: number) => { readonly uid: number; readonly gid: number }) | null = null;

  override refresh(): number {
    if (this.owner === null) return 0;
    const { uid, gid } = this.owner(this.mode);
    this.uid = uid;
    this.gid = gid;
    return 0;
  }

  /** The mode bits decide, with the current owner. */
  override permission(_mask: number, _cred: Cred): number | null {
    this.refresh();
    return null;
  }

  /** Truncation (O_TRUNC of a setting) and times have no effect; owner and mode are the kernel's. */
  override setattr(attr: Attributes): number {
    return attr.mode === undefined && attr.uid === undefined && attr.gid === undefined ? 0 : -EPERM;
  }
}

export class KernfsFile extends KernfsInode {
  private readonly opener: (inode: Inode, flags: number, cred: Cred) => Result<File>;

  constructor(
    sb: KernfsSuper,
    mode: number,
    opener: (inode: Inode, flags: number, cred: Cred) => Result<File>,
  ) {
    super(sb, mode);
    this.opener = opener;
  }

  override open(flags: number, cred: Cred): Result<File> {
    return this.opener(this, flags, cred);
  }
}

export class KernfsLink extends KernfsInode {
  private readonly target: (who: WalkContext) => Result<string>;
  private readonly destination: ((who: WalkContext) => Result<Path>) | null;

  constructor(
    sb: KernfsSuper,
    mode: number,
    target: (who: WalkContext) => Result<string>,
    destination: ((who: WalkContext) => Result<Path>) | null,
    ino?: number,
  ) {
    super(sb, mode, ino);
    this.target = target;
    this.destination = destination;
  }

  override open(): number {
    return -ELOOP;
  }

  override readlink(who: WalkContext): Result<string> {
    return this.target(who);
  }

  override follow(who: WalkContext): Path | number | null {
    return this.destination === null ? null : this.destination(who);
  }
}

/** Positions of a directory: 0 is '.', 1 is '..', then the entries in order, then what `list` adds. */
const FIRST_ENTRY = 2;
/** Where the positions of `list` begin. */
export const LISTED = 2 ** 16;

export class KernfsDir extends KernfsInode {
  /** Entries by name, in order; a value is the maker until its inode is first used. */
  private readonly entries: Map<string, KernfsInode | (() => KernfsInode)> = new Map();
  private links = 2;

  constructor(sb: KernfsSuper, mode: number) {
    super(sb, mode);
    this.nlink = 2;
  }

  addAll<C>(entries: readonly Entry<C>[], context: C): this {
    for (const entry of entries) this.add(entry, context);
    return this;
  }

  add<C>(entry: Entry<C>, context: C): void {
    this.entries.set(entry.name, () => this.adopt(entry.make(this.sb, context)));
    if (dirType(entry.mode) === DT_DIR) this.nlink = ++this.links;
  }

  /** Adds an existing inode. */
  put(name: string, inode: KernfsInode): void {
    this.entries.set(name, inode);
    if (inode instanceof KernfsDir) this.nlink = ++this.links;
  }

  /** The entry of that name; null if there is none. */
  child(name: string): KernfsInode | null {
    const entry = this.entries.get(name);
    if (entry === undefined) return null;
    if (typeof entry !== 'function') return entry;
    const inode = entry();
    this.entries.set(name, inode);
    return inode;
  }

  /** The inode of a name not in the table (a process, a descriptor): the same one while it is the same object. */
  protected find(_name: string): KernfsInode | null {
    return null;
  }

  /** Emits what `find` finds, from position `pos` >= LISTED; false if there was no room for all. */
  protected list(_pos: number, _emit: EmitEntry): boolean {
    return true;
  }

  /** 0, or the -errno that says why the directory no longer has content. */
  protected gone(): number {
    return 0;
  }

  protected adopt(inode: KernfsInode): KernfsInode {
    inode.owner ??= this.owner;
    inode.refresh();
    return inode;
  }

  /** Whether `name` still leads to `inode`. */
  holds(name: string, inode: Inode | null): boolean {
    return this.gone() === 0 && (this.child(name) ?? this.find(name)) === inode;
  }

  override lookup(name: string): Result<Inode> {
    if (this.gone() < 0) return -ENOENT;
    return this.child(name) ?? this.find(name) ?? -ENOENT;
  }

  override open(flags: number): Result<File> {
    return new KernfsDirFile(this, flags);
  }

  /** Emits all entries from `pos`; 0 or -errno. */
  emit(pos: number, parent: number, emit: EmitEntry): number {
    if (this.gone() < 0) return -ENOENT;
    if (pos <= 0 && !emit('.', this.ino, DT_DIR, 1)) return 0;
    if (pos <= 1 && !emit('..', parent, DT_DIR, FIRST_ENTRY)) return 0;
    let at = FIRST_ENTRY;
    for (const name of this.entries.keys()) {
      if (pos > at++) continue;
      const inode = this.child(name)!;
      if (!emit(name, inode.ino, dirType(inode.mode), at)) return 0;
    }
    this.list(Math.max(pos, LISTED), emit);
    return 0;
  }
}

const DT_DIR = 4;

class KernfsDirFile extends File {
  override readdir(pos: number, emit: EmitEntry): number {
    const parent = this.path?.dentry.parent.inode?.ino ?? this.inode.ino;
    return (this.inode as KernfsDir).emit(pos, parent, emit);
  }
}
