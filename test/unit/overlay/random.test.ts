/** The same random operations on an overlay and on a plain copy of its lower directory: they stay alike. */
import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { ROOT_CRED } from '../../../src/core/cred.ts';
import type { Inode } from '../../../src/fs/inode.ts';
import { O_RDWR, RENAME_EXCHANGE } from '../../../src/uapi/fcntl.ts';
import { isDir, isReg, S_IFDIR, S_IFIFO, S_IFLNK, S_IFREG } from '../../../src/uapi/stat.ts';
import { dice } from '../dice.ts';
import { make, mounted, tempDir, writeAt } from '../hostfs/env.ts';
import { describe, overHost, overTmpfs } from './env.ts';

const NAMES = ['a', 'b', 'c', 'd'];

class Random {
  private readonly roll: (below: number) => number;

  constructor(seed: number) {
    this.roll = dice(seed);
  }

  below(n: number): number {
    return this.roll(n);
  }

  name(): string {
    return NAMES[this.below(NAMES.length)]!;
  }

  path(): string[] {
    return Array.from({ length: 1 + this.below(3) }, () => this.name());
  }
}

/** A lower directory with files, links and directories, some with several names. */
function populate(dir: string, random: Random, links = true, depth = 0): void {
  for (const name of NAMES) {
    const path = join(dir, name);
    const what = random.below(depth < 2 ? 6 : 4);
    if (what === 0)
      fs.writeFileSync(path, `${path.length}${'z'.repeat(random.below(5000))}`, { mode: 0o640 });
    else if (what === 1) fs.symlinkSync(`to-${name}`, path);
    else if (what === 2 && links && fs.existsSync(join(dir, 'a')) && fs.lstatSync(join(dir, 'a')).isFile()) {
      fs.linkSync(join(dir, 'a'), path);
    } else if (what > 3) {
      fs.mkdirSync(path);
      populate(path, random, links, depth + 1);
    }
  }
}

/** Operations by path, with the checks that namei makes for a filesystem. */
class Tree {
  readonly root: Inode;
  private readonly held: Inode[] = [];

  constructor(root: Inode) {
    this.root = root;
  }

  /** Lets go of all inodes that the last operation looked at. */
  done(result: number): number {
    for (const inode of this.held.splice(0)) inode.sb.iput(inode);
    return result;
  }

  private hold<T>(inode: T): T {
    if (typeof inode === 'object' && inode !== null) {
      (inode as unknown as Inode).refs++;
      this.held.push(inode as unknown as Inode);
    }
    return inode;
  }

  private walk(path: readonly string[]): Inode | null {
    let inode = this.root;
    for (const name of path) {
      if (!isDir(inode.mode)) return null;
      const next = this.hold(inode.lookup(name));
      if (typeof next === 'number') return null;
      inode = next;
    }
    return inode;
  }

  private parent(path: readonly string[]): Inode | null {
    const dir = this.walk(path.slice(0, -1));
    return dir !== null && isDir(dir.mode) ? dir : null;
  }

  create(path: string[], what: number): number {
    const dir = this.parent(path);
    const name = path.at(-1)!;
    if (dir === null || this.walk(path) !== null) return this.done(-1);
    const made =
      what === 0
        ? dir.mknod(name, make(S_IFREG | 0o600))
        : what === 1
          ? dir.mkdir(name, make(S_IFDIR | 0o750))
          : what === 2
            ? dir.symlink(name, 'somewhere', make(S_IFLNK | 0o777))
            : dir.mknod(name, make(S_IFIFO | 0o644));
    return this.done(typeof made === 'number' ? made : 0);
  }

  remove(path: string[]): number {
    const dir = this.parent(path);
    const inode = this.walk(path);
    if (dir === null || inode === null) return this.done(-1);
    const name = path.at(-1)!;
    return this.done(isDir(inode.mode) ? dir.rmdir(name, inode) : dir.unlink(name, inode));
  }

  link(from: string[], path: string[]): number {
    const file = this.walk(from);
    const dir = this.parent(path);
    if (file === null || dir === null || isDir(file.mode) || this.walk(path) !== null) return this.done(-1);
    return this.done(dir.link(path.at(-1)!, file));
  }

  rename(from: string[], path: string[], flags: number): number {
    const [dir, inode] = [this.parent(from), this.walk(from)];
    const [to, target] = [this.parent(path), this.walk(path)];
    if (dir === null || inode === null || to === null || inode === target) return this.done(-1);
    const below = (a: string[], b: string[]): boolean => b.join('/').startsWith(`${a.join('/')}/`);
    if (below(from, path) || below(path, from)) return this.done(-2);
    if (flags === 0 && target !== null && isDir(inode.mode) !== isDir(target.mode)) return this.done(-3);
    if (flags !== 0 && target === null) return this.done(-4);
    return this.done(dir.rename(from.at(-1)!, inode, to, path.at(-1)!, target, flags));
  }

  write(path: string[], text: string, pos: number): number {
    const inode = this.walk(path);
    if (inode === null || !isReg(inode.mode)) return this.done(-1);
    const file = inode.open(O_RDWR, ROOT_CRED);
    if (typeof file === 'number') return this.done(file);
    const n = writeAt(file, text, pos);
    file.put();
    return this.done(n);
  }

  change(path: string[], what: number, value: number): number {
    const inode = this.walk(path);
    if (inode === null) return this.done(-1);
    if (what === 0 && isReg(inode.mode)) return this.done(inode.setattr({ size: value * 10 }));
    if (what === 1 && isReg(inode.mode)) return this.done(inode.setxattr('user.x', String(value), 0));
    if ((inode.mode & S_IFMT) === S_IFLNK) return this.done(-2);
    return this.done(inode.setattr({ mode: (inode.mode & ~0o777) | 0o700 | (value & 0o77) }));
  }
}

const S_IFMT = 0o170000;

/** The same operation on all trees: one answer. */
function step(random: Random, trees: readonly Tree[]): string {
  const [from, to] = [random.path(), random.path()];
  const what = random.below(10);
  const kind = random.below(4);
  const value = random.below(500);
  const ops: ((tree: Tree) => number)[] = [
    tree => tree.create(from, kind),
    tree => tree.create(from, kind),
    tree => tree.remove(from),
    tree => tree.remove(from),
    tree => tree.link(from, to),
    tree => tree.rename(from, to, 0),
    tree => tree.rename(from, to, 0),
    tree => tree.rename(from, to, kind === 0 ? RENAME_EXCHANGE : 0),
    tree => tree.write(from, String.fromCharCode(65 + (value % 26)).repeat(1 + value), value * 7),
    tree => tree.change(from, kind % 3, value),
  ];
  const answers = trees.map(ops[what]!);
  const text = `op ${what} kind ${kind} ${from.join('/')} ${to.join('/')}`;
  for (const answer of answers) assert.equal(answer, answers[0], `${text}: ${answers}`);
  return text;
}

for (let seed = 1; seed <= 12; seed++) {
  test(`an overlay behaves as a plain directory, seed ${seed}`, t => {
    const random = new Random(seed);
    const lower = tempDir(t);
    populate(lower, random);
    const copy = join(tempDir(t), 'copy');
    fs.cpSync(lower, copy, { recursive: true, verbatimSymlinks: true });
    relink(lower, copy);
    const before = describe(mounted(lower, { readOnly: true }).root);
    const plain = new Tree(mounted(copy).root);
    const { sb } = seed % 2 === 0 ? overTmpfs(lower) : overHost(t, [lower]);
    const overlay = new Tree(sb.root);
    assert.deepEqual(describe(sb.root), describe(plain.root));
    for (let i = 0; i < 150; i++) {
      const text = step(random, [plain, overlay]);
      assert.deepEqual(describe(sb.root), describe(plain.root), `step ${i}: ${text}`);
    }
    assert.deepEqual(
      describe(mounted(lower, { readOnly: true }).root),
      before,
      'the lower side is as it was',
    );
  });
}

test('what is in the upper directory survives a remount', t => {
  for (let seed = 100; seed < 106; seed++) {
    const random = new Random(seed);
    const lower = tempDir(t);
    populate(lower, random, false);
    const copy = join(tempDir(t), 'copy');
    fs.cpSync(lower, copy, { recursive: true, verbatimSymlinks: true });
    const plain = new Tree(mounted(copy).root);
    const base = tempDir(t);
    for (let round = 0; round < 8; round++) {
      const overlay = new Tree(overHost(t, [lower], base).sb.root);
      for (let i = 0; i < 20; i++) {
        const text = step(new NoLinks(random.below(2 ** 32)), [plain, overlay]);
        assert.deepEqual(describe(overlay.root, false), describe(plain.root, false), text);
      }
    }
  }
});

/** Operations but link(2): a lower file's names part when one is copied up and the overlay is mounted anew. */
class NoLinks extends Random {
  override below(n: number): number {
    const got = super.below(n);
    return n === 10 && got === 4 ? 5 : got;
  }
}

/** cp does not keep hard links: makes them again. */
function relink(from: string, to: string): void {
  const first = new Map<number, string>();
  const visit = (path: string): void => {
    for (const entry of fs.readdirSync(join(from, path), { withFileTypes: true })) {
      const name = join(path, entry.name);
      if (entry.isDirectory()) visit(name);
      if (!entry.isFile()) continue;
      const { ino } = fs.lstatSync(join(from, name));
      const known = first.get(ino);
      if (known === undefined) first.set(ino, name);
      else {
        fs.unlinkSync(join(to, name));
        fs.linkSync(join(to, known), join(to, name));
      }
    }
  };
  visit('');
}
