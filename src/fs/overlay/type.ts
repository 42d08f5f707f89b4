/**
 * mount(2) of an overlay: `lowerdir=A:B,upperdir=U,workdir=W`, the highest lower directory first. Without an
 * upperdir it is read-only. A backslash escapes a colon or comma in a path. `userxattr` is as in overlayfs.
 * `redirect_dir=`, `index=`, `xino=`, `metacopy=off`, `nfs_export=off` and `volatile` are accepted: what they ask for
 * is done anyway, or costs nothing.
 */
import type { Result } from '../../lib/result.ts';
import { EBUSY, EINVAL, ENOTDIR } from '../../uapi/errno.ts';
import { isDir, S_IFDIR } from '../../uapi/stat.ts';
import type { Inode } from '../inode.ts';
import type { FileSystemType, FsEnvironment, MountRequest, SuperBlock } from '../super.ts';
import { listLayer } from './listing.ts';
import { OverlaySuperBlock } from './super.ts';
import { removeReal } from './upper.ts';

interface Options {
  lowers: string[];
  upper: string | null;
  work: string | null;
  userXattr: boolean;
}

const MAX_LAYERS = 500;
const IGNORED = /^(redirect_dir=\w+|index=\w+|xino=\w+|metacopy=off|nfs_export=off|volatile)$/;
const DIRECTORY = { mode: S_IFDIR | 0o755, uid: 0, gid: 0, rdev: 0 };

export const overlayType: FileSystemType = {
  name: 'overlay',
  requiresDevice: false,
  mount(request: MountRequest, env: FsEnvironment): Result<SuperBlock> {
    const options = parseOptions(request.data);
    const { resolve } = request;
    if (typeof options === 'number') return options;
    if (resolve === undefined) return -EINVAL;
    const lowers: Inode[] = [];
    for (const path of options.lowers) {
      const dir = directory(resolve, path);
      if (typeof dir === 'number') return dir;
      lowers.push(dir);
    }
    const upper = options.upper === null ? null : upperOf(resolve, options.upper, options.work!);
    if (typeof upper === 'number') return upper;
    const { userXattr } = options;
    const shown = request.data === '' ? '' : `,${request.data}`;
    return new OverlaySuperBlock(env.clock, env.newDev(), { upper, lowers, userXattr, shown });
  },
};

/** An overlay whose changes go to a new directory in `upperFs`, the root of a fresh tmpfs. */
export function overlayOn(
  env: FsEnvironment,
  upperFs: Inode,
  lowers: readonly Inode[],
): Result<OverlaySuperBlock> {
  const root = upperFs.mkdir('upper', DIRECTORY);
  const work = upperFs.mkdir('work', DIRECTORY);
  if (typeof root === 'number') return root;
  if (typeof work === 'number') return work;
  const { mode, uid, gid, atime, mtime } = lowers[0]!;
  const r = root.setattr({ mode, uid, gid, atime, mtime });
  if (r < 0) return r;
  return new OverlaySuperBlock(env.clock, env.newDev(), { upper: { root, work }, lowers });
}

type Resolve = (path: string) => Result<Inode>;

function directory(resolve: Resolve, path: string): Result<Inode> {
  const found = resolve(path);
  if (typeof found === 'number') return found;
  return isDir(found.mode) ? found : -ENOTDIR;
}

/** As in overlayfs, the work directory is `work` in the workdir, emptied of what an earlier mount left. */
function upperOf(resolve: Resolve, upper: string, workdir: string): { root: Inode; work: Inode } | number {
  const root = directory(resolve, upper);
  const base = directory(resolve, workdir);
  if (typeof root === 'number') return root;
  if (typeof base === 'number') return base;
  if (root.sb !== base.sb || root === base) return -EINVAL;
  const there = base.lookup('work');
  const work = typeof there === 'number' ? base.mkdir('work', { ...DIRECTORY, mode: S_IFDIR }) : there;
  if (typeof work === 'number') return work;
  const r = emptyWork(work);
  return r < 0 ? r : { root, work };
}

function emptyWork(work: Inode): number {
  const left = listLayer(work);
  if (typeof left === 'number') return left;
  for (const name of left.names) {
    const file = work.lookup(name);
    if (typeof file === 'number') return file;
    if (removeReal(work, name, file) < 0) return -EBUSY;
  }
  return 0;
}

function parseOptions(data: string): Options | number {
  const options: Options = { lowers: [], upper: null, work: null, userXattr: false };
  for (const word of splitUnescaped(data, ',')) {
    const eq = word.indexOf('=');
    const value = word.slice(eq + 1);
    const name = eq < 0 ? word : word.slice(0, eq);
    if (name === 'lowerdir') options.lowers = splitUnescaped(value, ':').map(plain);
    else if (name === 'upperdir') options.upper = plain(value);
    else if (name === 'workdir') options.work = plain(value);
    else if (word === 'userxattr') options.userXattr = true;
    else if (word !== '' && !IGNORED.test(word)) return -EINVAL;
  }
  const { lowers, upper, work } = options;
  if (lowers.length === 0 || lowers.length > MAX_LAYERS || lowers.includes('')) return -EINVAL;
  return (upper === null) === (work === null) ? options : -EINVAL;
}

function splitUnescaped(text: string, separator: string): string[] {
  const parts = [''];
  for (let i = 0; i < text.length; i++) {
    if (text[i] === '\\' && i + 1 < text.length) parts[parts.length - 1] += text[i]! + text[++i]!;
    else if (text[i] === separator) parts.push('');
    else parts[parts.length - 1] += text[i]!;
  }
  return parts;
}

const plain = (text: string): string => text.replace(/\\(.)/gs, '$1');
