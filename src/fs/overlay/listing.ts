/** Directories as an overlay shows them: the entries of all parts, each name once, without what whiteouts hide. */
import { ROOT_CRED } from '../../core/cred.ts';
import { O_DIRECTORY } from '../../uapi/fcntl.ts';
import { dirType, S_IFCHR } from '../../uapi/stat.ts';
import { fileAccessed } from '../atime.ts';
import type { File } from '../file.ts';
import type { Inode } from '../inode.ts';
import { type Listing, SnapshotDir } from '../snapshot-dir.ts';
import type { OverlayInode } from './inode.ts';
import { isWhiteout } from './layers.ts';

const DT_CHR = dirType(S_IFCHR);

/** All entries of one layer's directory; `opened` is a file of it, if there is one. */
export function listLayer(dir: Inode, opened: File | null = null): Listing | number {
  const file = opened?.get() ?? dir.open(O_DIRECTORY, ROOT_CRED);
  if (typeof file === 'number') return file;
  const listing: Listing = { names: [], inos: [], types: [] };
  const r = file.readdir(0, (name, ino, type) => {
    if (name === '.' || name === '..') return true;
    listing.names.push(name);
    listing.inos.push(ino);
    listing.types.push(type);
    return true;
  });
  file.put();
  return r < 0 ? r : listing;
}

/** All entries of an overlay's directory; `opened` is a file of its real one. */
export function listMerged(dir: OverlayInode, opened: File | null = null): Listing | number {
  const { upper, lowers, sb } = dir;
  const merged: Listing = { names: [], inos: [], types: [] };
  const seen: Set<string> | null = lowers.length + (upper === null ? 0 : 1) > 1 ? new Set() : null;
  if (upper !== null) {
    const r = addLayer(merged, seen, upper, opened, name => dir.entryIno(name));
    if (r < 0) return r;
  }
  for (const { inode } of lowers) {
    const base = sb.rangeOf(inode.sb);
    const r = addLayer(merged, seen, inode, opened, (_name, ino) => base + ino);
    if (r < 0) return r;
  }
  return merged;
}

function addLayer(
  to: Listing,
  seen: Set<string> | null,
  dir: Inode,
  opened: File | null,
  inoOf: (name: string, ino: number) => number,
): number {
  const layer = listLayer(dir, opened?.inode === dir ? opened : null);
  if (typeof layer === 'number') return layer;
  for (let i = 0; i < layer.names.length; i++) {
    const name = layer.names[i]!;
    if (seen?.has(name)) continue;
    seen?.add(name);
    if (layer.types[i] === DT_CHR && isHidden(dir, name)) continue;
    to.names.push(name);
    to.inos.push(inoOf(name, layer.inos[i]!));
    to.types.push(layer.types[i]!);
  }
  return 0;
}

function isHidden(dir: Inode, name: string): boolean {
  const found = dir.lookup(name);
  return typeof found === 'number' || isWhiteout(found);
}

export class OverlayDir extends SnapshotDir {
  declare readonly inode: OverlayInode;
  /** The real directory, opened with this one; the first listing takes it. */
  private real: File | null;

  constructor(inode: OverlayInode, flags: number, real: File) {
    super(inode, flags);
    this.real = real;
  }

  override release(): void {
    super.release();
    this.letGo();
  }

  private letGo(): void {
    this.real?.put();
    this.real = null;
  }

  protected override get parentIno(): number {
    return this.inode.parent?.ino ?? this.inode.ino;
  }

  protected override list(): Listing | number {
    if (this.inode.upper !== null) {
      fileAccessed(this);
      this.inode.upper.atime = this.inode.atime;
    }
    const listing = listMerged(this.inode, this.real);
    this.letGo();
    return listing;
  }
}
