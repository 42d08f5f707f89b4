/**
 * The dentry cache: makes, moves and forgets dentries.
 *
 * A cached ("hashed") dentry is in its parent's `children` and, if it names a file, holds one reference to the inode.
 * The number of dentries is bounded: when there are too many, a sweep forgets those that are unused and were not looked
 * at since the previous sweep.
 *
 * Known answers, repeated without asking again (`rely`), are forgotten when the name that they are about changes. All
 * are forgotten when something on the way to one changes: a directory's name or rights, or a link.
 */
import { ENOENT } from '../uapi/errno.ts';
import { isDir } from '../uapi/stat.ts';
import { Dentry, NO_ANSWERS } from './dentry.ts';
import type { Inode } from './inode.ts';

const MANY_DENTRIES = 1 << 17;
/** The most answers about one name that are forgotten one by one; with more, all answers are. */
const MOST_ANSWERS = 8;

export interface Relying {
  forget(answer: number): void;
  forgetAll(): void;
}

export class Dcache {
  private readonly roots: Set<Dentry> = new Set();
  private limit: number;
  private readonly smallest: number;
  /** Cached dentries, roots not counted. */
  count = 0;
  /** The table of known answers. */
  relying: Relying | null = null;
  /** Called whenever all known answers are forgotten. */
  onForget: (() => void) | null = null;
  /** Incremented whenever all known answers are forgotten. */
  epoch = 1;
  /** Incremented by each change of a directory's name, place or rights, and of mounts. */
  generation = 0;

  constructor(limit: number = MANY_DENTRIES) {
    this.limit = limit;
    this.smallest = limit;
  }

  /** Makes the dentry of a filesystem's root; call `forgetRoot` when it is unmounted. */
  addRoot(inode: Inode): Dentry {
    const dentry = new Dentry(null, '', inode);
    inode.refs++;
    this.roots.add(dentry);
    return dentry;
  }

  forgetRoot(root: Dentry): void {
    this.roots.delete(root);
    for (const dentry of treeOf(root).reverse()) if (dentry !== root) this.dropOne(dentry);
    const inode = root.inode!;
    inode.sb.iput(inode);
  }

  /** What `name` is in `dir`; asks the filesystem if it is not cached. A dentry, perhaps negative, or -errno. */
  lookup(dir: Dentry, name: string): Dentry | number {
    const inode = dir.inode!;
    const sb = inode.sb;
    const cached = dir.children.get(name);
    if (cached !== undefined) {
      cached.used = true;
      if (!sb.volatileNames || cached.mounts !== null || sb.revalidate(inode, name, cached.inode))
        return cached;
      this.drop(cached);
    }
    if (dir.dead) return -ENOENT;
    const found = inode.lookup(name);
    if (typeof found === 'number') return found === -ENOENT ? this.absent(dir, name) : found;
    return this.bind(new Dentry(dir, name, null), found);
  }

  /** Makes a negative dentry name the new `inode`, and caches it. */
  fill(dentry: Dentry, inode: Inode): Dentry {
    this.changes(dentry);
    return this.bind(dentry, inode);
  }

  /** Records that `answer` will be repeated: it is about the last of these dentries, found by way of the others. */
  rely(dentries: readonly Dentry[], answer: number): void {
    const last = dentries.length - 1;
    for (let i = 0; i < last; i++) dentries[i]!.reliedIn = this.epoch;
    if (last < 0) return;
    const about = dentries[last]!;
    if (about.answers.length < MOST_ANSWERS) about.answers = [...about.answers, answer];
    else about.reliedIn = this.epoch;
    // When the name is made, the change must find this dentry.
    if (about.unhashed && about.inode === null) this.hash(about);
  }

  /** Records that `inode`, found by way of these dentries, is relied on to stay as it is; a change ends all answers. */
  relyOnAll(dentries: readonly Dentry[], inode: Inode): void {
    for (const dentry of dentries) dentry.reliedIn = this.epoch;
    inode.relied ??= () => this.forgetAnswers();
  }

  /** Call when what the dentry says has changed or is about to: its name, or the directory's rights. */
  changes(dentry: Dentry): void {
    if (dentry.inode !== null && isDir(dentry.inode.mode)) this.generation++;
    if (dentry.answers !== NO_ANSWERS) {
      for (const answer of dentry.answers) this.relying?.forget(answer);
      dentry.answers = NO_ANSWERS;
    }
    if (dentry.reliedIn === this.epoch) this.forgetAnswers();
  }

  forgetAnswers(): void {
    this.epoch++;
    this.generation++;
    this.relying?.forgetAll();
    this.onForget?.();
  }

  /** A dentry for a file that never had a name (O_TMPFILE). It takes no reference: the first path to it does. */
  unnamed(dir: Dentry, inode: Inode): Dentry {
    const dentry = new Dentry(dir, `#${inode.ino}`, inode);
    dentry.unhashed = true;
    return dentry;
  }

  /** Forgets a name and everything below it; open files keep their dentries, unhashed. */
  drop(dentry: Dentry): void {
    for (const one of treeOf(dentry).reverse()) this.dropOne(one);
  }

  /** Moves `dentry` to `name` in `dir` (rename(2)); nothing else may be cached there. */
  move(dentry: Dentry, dir: Dentry, name: string): void {
    this.unhash(dentry);
    dentry.parent = dir;
    dentry.name = name;
    this.hash(dentry);
  }

  /** Swaps the places of two dentries (RENAME_EXCHANGE). */
  exchange(a: Dentry, b: Dentry): void {
    const { parent, name } = a;
    const other = b.parent;
    const otherName = b.name;
    this.unhash(b);
    this.move(a, other, otherName);
    b.parent = parent;
    b.name = name;
    this.hash(b);
  }

  private bind(dentry: Dentry, inode: Inode): Dentry {
    dentry.inode = inode;
    inode.refs++;
    this.hash(dentry);
    return dentry;
  }

  private absent(dir: Dentry, name: string): Dentry {
    const dentry = new Dentry(dir, name, null);
    if (dir.inode!.sb.cachesAbsence) this.hash(dentry);
    else dentry.unhashed = true;
    return dentry;
  }

  private hash(dentry: Dentry): void {
    const { parent } = dentry;
    const before = parent.children.size;
    parent.addChild(dentry);
    dentry.unhashed = false;
    this.count += parent.children.size - before;
    if (this.count > this.limit) this.sweep();
  }

  /** Forgets everything unused, because memory is short. */
  shrink(): void {
    // The first sweep keeps what was looked at since the last one.
    this.sweep();
    this.sweep();
  }

  /** Forgets what is unused and was not looked at since the last sweep; the limit follows what remains. */
  private sweep(): void {
    for (const root of this.roots) this.sweepBelow(root);
    this.limit = Math.max(this.smallest, this.count * 2);
  }

  private sweepBelow(root: Dentry): void {
    for (const dentry of treeOf(root).reverse()) {
      if (dentry === root) continue;
      if (!dentry.used && isIdle(dentry)) this.dropOne(dentry);
      else dentry.used = false;
    }
  }

  private dropOne(dentry: Dentry): void {
    if (dentry.unhashed) return;
    this.unhash(dentry);
    const inode = dentry.inode;
    if (inode === null) return;
    if (inode.nlink === 0) inode.sb.fileHandles?.forget(inode);
    inode.sb.iput(inode);
  }

  private unhash(dentry: Dentry): void {
    if (dentry.parent.removeChild(dentry)) this.count--;
    this.changes(dentry);
    dentry.unhashed = true;
  }
}

/** A dentry and all that is cached below it, parents first. Not recursive, because guests decide how deep a tree is. */
function treeOf(top: Dentry): Dentry[] {
  const tree = [top];
  for (let i = 0; i < tree.length; i++) for (const child of tree[i]!.children.values()) tree.push(child);
  return tree;
}

/**
 * Whether only the cache holds the dentry. Directories stay, except where names are volatile: a removed working
 * directory below must find its parent's only dentry.
 */
function isIdle(dentry: Dentry): boolean {
  if (dentry.children.size > 0 || dentry.mounts !== null) return false;
  const inode = dentry.inode;
  return inode === null || (inode.refs === 1 && (!isDir(inode.mode) || inode.sb.volatileNames));
}
