/**
 * Resolution of names: path_resolution(7), the hot path of stat and open.
 *
 * A machine has one `Walker`. A walk leaves its result in `mount` and `dentry` (and `last`, if it is to find a parent
 * directory) and answers 0 or -errno. The result holds no references and is valid until the next walk. The target of
 * a symbolic link is prepended to the rest of the name, so that walks never nest.
 */
import type { Cred } from '../core/cred.ts';
import { EACCES, ELOOP, ENAMETOOLONG, ENOENT, ENOTDIR, EXDEV } from '../uapi/errno.ts';
import {
  MS_NOSYMFOLLOW,
  RESOLVE_BENEATH,
  RESOLVE_IN_ROOT,
  RESOLVE_NO_MAGICLINKS,
  RESOLVE_NO_SYMLINKS,
  RESOLVE_NO_XDEV,
} from '../uapi/mount.ts';
import { S_IFDIR, S_IFLNK, S_IFMT } from '../uapi/stat.ts';
import { accessed } from './atime.ts';
import type { WalkContext } from './context.ts';
import type { Dcache } from './dcache.ts';
import { type Dentry, Path } from './dentry.ts';
import type { Mount } from './mount.ts';
import { maySearch } from './permission.ts';
import type { Protections } from './protections.ts';
import type { Trail } from './trail.ts';
import { WalkMemo } from './walk-memo.ts';

export const PATH_MAX = 4096;
export const NAME_MAX = 255;
const MAX_LINKS = 40;
const SLASH = 47;
const DOT = 46;

// How to walk. The RESOLVE_* flags of openat2(2) are added, shifted by `RESOLVE_SHIFT`.

/** Follow the last component, too, if it is a symbolic link. */
export const LOOKUP_FOLLOW = 1;
/** The result must be a directory. */
export const LOOKUP_DIRECTORY = 2;
/** An empty name stands for the starting point (AT_EMPTY_PATH). */
export const LOOKUP_EMPTY = 4;
/** Stop at the parent directory of the last component, and leave that component in `last`. */
export const LOOKUP_PARENT = 8;
export const RESOLVE_SHIFT = 8;

/** Kinds of last components, for walks to a parent directory. */
export const LAST_NORM = 0;
export const LAST_DOT = 1;
export const LAST_DOTDOT = 2;
export const LAST_ROOT = 3;

export class Walker {
  mount!: Mount;
  dentry!: Dentry;
  /** After a walk with LOOKUP_PARENT: the last component, its kind, and whether slashes followed it. */
  last = '';
  lastType: number = LAST_NORM;
  trailing = false;

  /** Records what walks pass through, while somebody needs that. */
  trail: Trail | null = null;

  private readonly dcache: Dcache;
  private readonly protections: Protections;
  private readonly memo: WalkMemo = new WalkMemo();
  private links = 0;
  private flags = 0;
  private topMount!: Mount;
  private topDentry!: Dentry;
  /** What remains to be walked after a link: its target, and the rest of the name behind it. */
  private rest = '';

  constructor(dcache: Dcache, protections: Protections) {
    this.dcache = dcache;
    this.protections = protections;
  }

  /** Walks `name`, starting at `at` (null: the working directory). */
  walk(ctx: WalkContext, at: Path | null, name: string, flags: number): number {
    this.links = 0;
    this.flags = flags;
    this.trail?.begin(name);
    const start = at ?? ctx.cwd;
    const top =
      flags >= 1 << RESOLVE_SHIFT && this.resolves(RESOLVE_BENEATH | RESOLVE_IN_ROOT) ? start : ctx.root;
    this.topMount = top.mount;
    this.topDentry = top.dentry;
    // An absolute name starts at the root; that does not count as crossing a mount (openat2(2), RESOLVE_NO_XDEV).
    const from = name.charCodeAt(0) === SLASH ? top : start;
    this.mount = from.mount;
    this.dentry = from.dentry;
    if (name.length >= PATH_MAX) return -ENAMETOOLONG;
    if (name === '') return (flags & LOOKUP_EMPTY) !== 0 ? this.finish() : -ENOENT;
    if (top !== ctx.root && (top.dentry.inode!.mode & S_IFMT) !== S_IFDIR) return -ENOTDIR;
    return this.run(ctx, name);
  }

  /**
   * After a walk to a parent directory, if the last component has turned out to be a symbolic link: walks on to the
   * parent of the link's target. After a magic link, or a target that has no last component, the result is the target
   * itself and `lastType` is LAST_ROOT.
   */
  followLast(ctx: WalkContext, link: Dentry): number {
    const err = this.enter(ctx, link, '', true);
    if (err < 0) return err;
    if (this.rest !== '') return this.run(ctx, this.rest);
    this.lastType = LAST_ROOT;
    return 0;
  }

  /** Looks up `last` in the directory where a walk to a parent has ended. Does not cross a mount on it. */
  lookupLast(): Dentry | number {
    return this.dcache.lookup(this.dentry, this.last);
  }

  /** Goes from a mountpoint to the topmost mount there. 0, or -EXDEV where RESOLVE_NO_XDEV forbids it. */
  cross(): number {
    let { mount, dentry } = this;
    while (dentry.mounts !== null) {
      const upper = dentry.mounts.get(mount);
      if (upper === undefined) break;
      if (this.resolves(RESOLVE_NO_XDEV)) return -EXDEV;
      mount = upper;
      dentry = upper.root;
    }
    this.mount = mount;
    this.dentry = dentry;
    return 0;
  }

  /** The result as an object; call `get` on it to keep it. */
  path(): Path {
    return new Path(this.mount, this.dentry);
  }

  private resolves(flag: number): boolean {
    return (this.flags & (flag << RESOLVE_SHIFT)) !== 0;
  }

  /**
   * Walks `start` from the current position. This is one long function on purpose: with parts of it as methods of their
   * own, walks take 2 to 5% longer, even once V8 has optimised them.
   */
  private run(ctx: WalkContext, start: string): number {
    const cred = ctx.cred;
    let name = start;
    let i = 0;
    if (name.charCodeAt(0) === SLASH) {
      const err = this.toRoot();
      if (err < 0) return err;
    }
    // A plain walk skips the directories that it has in common with the latest one (walk-memo.ts).
    const { mount, dentry } = this;
    const { generation } = this.dcache;
    let isPlain = this.flags < 1 << RESOLVE_SHIFT && !mount.sb.volatileNames;
    const known = isPlain ? this.memo.skip(name, mount, dentry, cred, generation) : 0;
    if (known > 0) {
      i = known;
      this.dentry = this.memo.dentry!;
      if (this.trail !== null) this.memo.tell(this.trail);
    }
    for (;;) {
      // The component is [from, to); `i` goes on to the next one.
      const length = name.length;
      while (i < length && name.charCodeAt(i) === SLASH) i++;
      if (i === length) break;
      const from = i;
      while (i < length && name.charCodeAt(i) !== SLASH) i++;
      const to = i;
      while (i < length && name.charCodeAt(i) === SLASH) i++;
      const last = i === length;
      if (to - from > NAME_MAX) return -ENAMETOOLONG;

      const dir = this.dentry;
      const err = dirError(dir, cred);
      if (err < 0) return err;
      if (last && isPlain && from > known && dir !== dentry && this.mount === mount)
        this.memo.keep(name.substring(0, from), mount, dentry, dir, cred, generation);
      if (last && (this.flags & LOOKUP_PARENT) !== 0) return this.stopAt(name.substring(from, to), i > to);
      if (name.charCodeAt(from) === DOT) {
        const dots = to - from === 1 ? 1 : to - from === 2 && name.charCodeAt(from + 1) === DOT ? 2 : 0;
        const up = dots === 2 ? this.up() : 0;
        if (up < 0) return up;
        if (dots > 0) {
          isPlain &&= dots === 1;
          this.trail?.pass(dir, this.dentry, this.mount.sb.volatileNames);
          continue;
        }
      }
      const component = name.substring(from, to);
      const cached = dir.children.get(component);
      const changes = this.mount.sb.volatileNames;
      const found = cached === undefined || changes ? this.dcache.lookup(dir, component) : cached;
      if (typeof found === 'number') return found;
      found.used = true;
      if (this.trail !== null) this.trail.pass(dir, found, changes);
      const inode = found.inode;
      if (inode === null) return -ENOENT;
      const type = inode.mode & S_IFMT;
      if (type === S_IFLNK && (!last || i > to || (this.flags & LOOKUP_FOLLOW) !== 0)) {
        const entered = this.enter(ctx, found, last && i === to ? '' : name.substring(to), last);
        if (entered < 0) return entered;
        name = this.rest;
        isPlain = false;
        i = 0;
        continue;
      }
      this.dentry = found;
      if (found.mounts !== null) {
        const crossed = this.cross();
        if (crossed < 0) return crossed;
      }
      if (last && i > to && (this.dentry.inode!.mode & S_IFMT) !== S_IFDIR) return -ENOTDIR;
    }
    if ((this.flags & LOOKUP_PARENT) !== 0) return this.stopAt('', false);
    return this.finish();
  }

  /** The end of a walk: checks that the result is a directory, if it must be one. */
  private finish(): number {
    const directory = (this.flags & LOOKUP_DIRECTORY) !== 0;
    return directory && (this.dentry.inode!.mode & S_IFMT) !== S_IFDIR ? -ENOTDIR : 0;
  }

  private stopAt(last: string, trailing: boolean): number {
    this.last = last;
    this.trailing = trailing;
    this.lastType =
      last === '' ? LAST_ROOT : last === '.' ? LAST_DOT : last === '..' ? LAST_DOTDOT : LAST_NORM;
    return 0;
  }

  private toRoot(): number {
    if (this.resolves(RESOLVE_BENEATH)) return -EXDEV;
    if (this.resolves(RESOLVE_NO_XDEV) && this.mount !== this.topMount) return -EXDEV;
    this.mount = this.topMount;
    this.dentry = this.topDentry;
    return this.dentry.mounts === null ? 0 : this.cross();
  }

  /** '..': leads out of a mount from its root, but never above the caller's root. */
  private up(): number {
    let { mount, dentry } = this;
    for (;;) {
      if (mount === this.topMount && dentry === this.topDentry) {
        if (this.resolves(RESOLVE_BENEATH)) return -EXDEV;
        break;
      }
      if (dentry !== mount.root) {
        dentry = dentry.parent;
        break;
      }
      if (mount.parent === null) break;
      if (this.resolves(RESOLVE_NO_XDEV)) return -EXDEV;
      dentry = mount.mountpoint!;
      mount = mount.parent;
    }
    this.mount = mount;
    this.dentry = dentry;
    return dentry.mounts === null ? 0 : this.cross();
  }

  /** Follows a link: leaves its target, with `tail` behind it, in `rest`. `last`: `tail` contains no more names. */
  private enter(ctx: WalkContext, link: Dentry, tail: string, last: boolean): number {
    const inode = link.inode!;
    if (++this.links > MAX_LINKS) return -ELOOP;
    const refused = last ? this.protections.mayFollow(this.dentry.inode!, inode, ctx.cred) : 0;
    if (refused < 0) return refused;
    if (this.resolves(RESOLVE_NO_SYMLINKS)) return -ELOOP;
    if ((this.mount.flags & MS_NOSYMFOLLOW) !== 0) return -ELOOP;
    accessed(this.mount, inode);
    const target = inode.follow(ctx);
    if (typeof target === 'number') return target;
    if (target !== null) {
      if (this.trail !== null) this.trail.unsure = true;
      return this.jump(target, tail);
    }
    const text = inode.readlink(ctx);
    if (typeof text === 'number') return text;
    if (text === '') return -ENOENT;
    this.rest = tail === '' ? text : text + tail;
    if (text.charCodeAt(0) === SLASH) return this.toRoot();
    return 0;
  }

  private jump(target: Path, tail: string): number {
    if (this.resolves(RESOLVE_NO_MAGICLINKS)) return -ELOOP;
    if (this.resolves(RESOLVE_BENEATH | RESOLVE_IN_ROOT)) return -EXDEV;
    if (this.resolves(RESOLVE_NO_XDEV) && target.mount !== this.mount) return -EXDEV;
    this.mount = target.mount;
    this.dentry = target.dentry;
    // The tail begins with a slash, but is relative to the target.
    this.rest = tail === '' ? '' : `.${tail}`;
    return 0;
  }
}

/** Whether names can be looked up here: 0, -ENOTDIR or -EACCES. */
function dirError(dentry: Dentry, cred: Cred): number {
  const inode = dentry.inode;
  if (inode === null) return -EACCES;
  if ((inode.mode & S_IFMT) !== S_IFDIR) return -ENOTDIR;
  return maySearch(inode, cred);
}
