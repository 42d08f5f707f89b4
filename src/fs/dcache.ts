/**
 * The dentry cache: who made, moves and forgets dentries.
 *
 * A dentry that is cached ("hashed") stands in its parent's `children` and, if it names a file, holds one
 * reference to the inode. The number of dentries is bounded: when there are too many, a sweep forgets those
 * that nobody uses and that were not looked at since the sweep before.
 *
 * Answers that somebody gives without asking again (`rely`) are forgotten when the name changes that they are about; all
 * of them when something changes on the way to one: a directory's name or rights, a link.
 */
import { ENOENT } from '../uapi/errno.ts';
import { isDir } from '../uapi/stat.ts';
import { Dentry, NO_ANSWERS } from './dentry.ts';
import type { Inode } from './inode.ts';

const MANY_DENTRIES = 1 << 17;
/** As many answers about one name are forgotten one by one. */
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
  /** Who gives such answers. */
  relying: Relying | null = null;
  /** Told whenever all of them are forgotten. */
  onForget: (() => void) | null = null;
  /** Another number after all of them were forgotten. */
  epoch = 1;
  /** Another number after each change of a directory's name, place or rights, and of mounts. */
  generation = 0;

  constructor(limit: number = MANY_DENTRIES) {
    this.limit = limit;
    this.smallest = limit;
  }

  /** The dentry of a filesystem's root; `forgetRoot` when it is unmounted. */
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

  /** What `name` is in directory `dir`, asked of the filesystem if need be: a dentry, perhaps negative, or -errno. */
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

  /** A negative dentry now names `inode`, which was made, and is cached. */
  fill(dentry: Dentry, inode: Inode): Dentry {
    this.changes(dentry);
    return this.bind(dentry, inode);
  }

  /** An answer will be given again that is about the last of these dentries, and found by way of the others. */
  rely(dentries: readonly Dentry[], answer: number): void {
    const last = dentries.length - 1;
    for (let i = 0; i < last; i++) dentries[i]!.reliedIn = this.epoch;
    if (last < 0) return;
    const about = dentries[last]!;
    if (about.answers.length < MOST_ANSWERS) about.answers = [...about.answers, answer];
    else about.reliedIn = this.epoch;
    // It must be found when the name is made.
    if (about.unhashed && about.inode === null) this.hash(about);
  }

  /** What was found by way of these dentries, `inode`, is relied on as it is: all answers are forgotten when that ends. */
  relyOnAll(dentries: readonly Dentry[], inode: Inode): void {
    for (const dentry of dentries) dentry.reliedIn = this.epoch;
    inode.relied ??= () => this.forgetAnswers();
  }

  /** What the dentry says is so no more, or is about to change: its name, or its directory's rights. */
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

  /** A dentry for a file that never had a name (O_TMPFILE). Its inode's first path gives it a reference. */
  unnamed(dir: Dentry, inode: Inode): Dentry {
    const dentry = new Dentry(dir, `#${inode.ino}`, inode);
    dentry.unhashed = true;
    return dentry;
  }

  /** Forgets a name and all below it; open files keep their dentries, unhashed. */
  drop(dentry: Dentry): void {
    for (const one of treeOf(dentry).reverse()) this.dropOne(one);
  }

  /** `dentry` is now found as `name` in `dir`, where nothing else is cached (rename(2)). */
  move(dentry: Dentry, dir: Dentry, name: string): void {
    this.unhash(dentry);
    dentry.parent = dir;
    dentry.name = name;
    this.hash(dentry);
  }

  /** Two dentries trade places (RENAME_EXCHANGE). */
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

  /** Forgets all that nobody uses: memory is short. */
  shrink(): void {
    // What was looked at stays at the first time.
    this.sweep();
    this.sweep();
  }

  /** Forgets what nobody uses and nobody looked at; the limit follows what is in use. */
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

/** A dentry and all that is cached below it, parents first; without recursion, as guests decide how deep a tree is. */
function treeOf(top: Dentry): Dentry[] {
  const tree = [top];
  for (let i = 0; i < tree.length; i++) for (const child of tree[i]!.children.values()) tree.push(child);
  return tree;
}

/**
 * Nobody but the cache holds it. Directories of filesystems with names of their own stay: a removed
 * working directory below must find its parent's only dentry.
 */
function isIdle(dentry: Dentry): boolean {
  if (dentry.children.size > 0 || dentry.mounts !== null) return false;
  const inode = dentry.inode;
  return inode === null || (inode.refs === 1 && (!isDir(inode.mode) || inode.sb.volatileNames));
}
