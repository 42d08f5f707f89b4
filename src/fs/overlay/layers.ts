/**
 * Looks up names through the layers of an overlay.
 *
 * A file is found in the highest layer that has its name. Directories of the same name merge, down to an opaque one;
 * a whiteout (a character device 0:0) hides what lies below it. A directory that was moved has a redirect, which says
 * where its lower parts are: a path from the layers' roots, or a name in the same directory, as Linux writes it when
 * that is where it was moved (overlayfs.rst, "redirect_dir").
 */
import { ENOENT } from '../../uapi/errno.ts';
import { isChr, isDir } from '../../uapi/stat.ts';
import type { Inode } from '../inode.ts';

/** A file in a lower layer; layer 0 is the highest. */
export interface LowerPart {
  readonly inode: Inode;
  readonly layer: number;
}

/** The parts of an overlay's file. Only directories have several lower parts. */
export interface Parts {
  readonly upper: Inode | null;
  readonly lowers: readonly LowerPart[];
  /** Where a directory's lower parts are, from the layers' roots. */
  readonly path: string;
}

const NO_PARTS: readonly LowerPart[] = [];

export const isWhiteout = (inode: Pick<Inode, 'mode' | 'rdev'>): boolean =>
  isChr(inode.mode) && inode.rdev === 0;

/** What a layer has under a name: an inode, null if nothing, or -errno. */
export function lookupReal(dir: Inode | null, name: string): Inode | number | null {
  if (dir === null) return null;
  const found = dir.lookup(name);
  return found === -ENOENT ? null : found;
}

/** Whether a redirect may lead there: nothing of what it says is to be believed. */
const isName = (name: string): boolean => /^(?!\.{1,2}$)[^/]{1,255}$/s.test(name);

export class Layers {
  readonly roots: readonly LowerPart[];
  private readonly prefix: string;

  /** `prefix` begins the names of the overlay's own extended attributes. */
  constructor(roots: readonly Inode[], prefix: string) {
    this.roots = roots.map((inode, layer) => ({ inode, layer }));
    this.prefix = prefix;
  }

  /** What `name` is in a directory of these parts, or -errno. */
  find(dir: Parts, name: string): Parts | number {
    const upper = lookupReal(dir.upper, name);
    if (typeof upper === 'number') return upper;
    if (upper === null) {
      const lowers = this.descend(dir.lowers, name);
      if (typeof lowers === 'number') return lowers;
      const first = lowers[0];
      if (first === undefined) return -ENOENT;
      return { upper, lowers, path: isDir(first.inode.mode) ? `${dir.path}/${name}` : '' };
    }
    if (isWhiteout(upper)) return -ENOENT;
    return isDir(upper.mode) ? this.merge(upper, dir, name) : { upper, lowers: NO_PARTS, path: '' };
  }

  /** The visible lower parts of `name` in a directory: none, a file, or directories; or -errno. */
  descend(dir: readonly LowerPart[], name: string): readonly LowerPart[] | number {
    let parts = NO_PARTS;
    let wanted = name;
    for (let i = 0; i < dir.length; i++) {
      const { inode, layer } = dir[i]!;
      const found = lookupReal(inode, wanted);
      if (typeof found === 'number') return found;
      if (found === null) continue;
      if (isWhiteout(found)) break;
      const part = { inode: found, layer };
      if (!isDir(found.mode)) return parts.length === 0 ? [part] : parts;
      // push() would reserve room for many more elements.
      parts = parts.length === 0 ? [part] : [...parts, part];
      if (layer === this.roots.length - 1 || this.isOpaque(found)) break;
      const redirect = this.redirectOf(found);
      if (redirect === null) continue;
      if (!redirect.startsWith('/')) {
        wanted = redirect;
        continue;
      }
      const rest = this.at(redirect, layer + 1);
      return typeof rest === 'number' ? rest : [...parts, ...rest];
    }
    return parts;
  }

  isOpaque(dir: Inode): boolean {
    return dir.getxattr(`${this.prefix}opaque`) === 'y';
  }

  setOpaque(dir: Inode): number {
    return dir.setxattr(`${this.prefix}opaque`, 'y', 0);
  }

  setRedirect(dir: Inode, path: string): number {
    return dir.setxattr(`${this.prefix}redirect`, path, 0);
  }

  /** The inode number that a file had before copy-up, or 0. */
  originOf(file: Inode): number {
    const text = file.getxattr(`${this.prefix}origin`);
    const ino = typeof text === 'string' && /^\d{1,16}$/.test(text) ? Number(text) : 0;
    return Number.isSafeInteger(ino) ? ino : 0;
  }

  setOrigin(file: Inode, ino: number): number {
    return file.setxattr(`${this.prefix}origin`, String(ino), 0);
  }

  isOwnAttribute(name: string): boolean {
    return name.startsWith(this.prefix);
  }

  private redirectOf(dir: Inode): string | null {
    const path = dir.getxattr(`${this.prefix}redirect`);
    return typeof path === 'string' && (path.startsWith('/') || isName(path)) ? path : null;
  }

  private merge(upper: Inode, dir: Parts, name: string): Parts | number {
    const redirect = this.redirectOf(upper);
    const away = redirect?.startsWith('/') === true;
    const path = away ? redirect : `${dir.path}/${redirect ?? name}`;
    if (redirect === null && (dir.lowers.length === 0 || this.isOpaque(upper)))
      return { upper, lowers: [], path };
    const lowers = away ? this.at(redirect, 0) : this.descend(dir.lowers, redirect ?? name);
    if (typeof lowers === 'number') return lowers;
    return { upper, lowers: lowers.filter(part => isDir(part.inode.mode)), path };
  }

  /** The parts at a path, in layer `from` and below; or -errno. */
  private at(path: string, from: number): readonly LowerPart[] | number {
    let parts: readonly LowerPart[] = this.roots.slice(from);
    for (const name of path.split('/')) {
      if (name === '') continue;
      if (!isName(name)) return NO_PARTS;
      const next = this.descend(parts, name);
      if (typeof next === 'number') return next;
      parts = next;
    }
    return parts;
  }
}

/** The part that shows: the highest. */
export const realOf = (parts: Parts): Inode => parts.upper ?? parts.lowers[0]!.inode;
