/** Directory listings of an overlay: the entries of all parts, each name once, without what whiteouts hide. */
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

/** A listing under construction. */
interface Growing extends Listing {
  readonly names: string[];
  readonly inos: number[];
  readonly types: number[];
}

const nothing = (): Growing => ({ names: [], inos: [], types: [] });

/** All entries of one layer's directory, read-only; `opened` is an open file of it, if there is one. */
export function listLayer(dir: Inode, opened: File | null = null): Listing | number {
  const file = opened?.get() ?? dir.open(O_DIRECTORY, ROOT_CRED);
  if (typeof file === 'number') return file;
  const listing = file instanceof SnapshotDir ? file.list() : entriesOf(file);
  file.put();
  return listing;
}

function entriesOf(file: File): Listing | number {
  const listing = nothing();
  const r = file.readdir(0, (name, ino, type) => {
    if (name === '.' || name === '..') return true;
    listing.names.push(name);
    listing.inos.push(ino);
    listing.types.push(type);
    return true;
  });
  return r < 0 ? r : listing;
}

/** All entries of an overlay's directory, read-only; `opened` is an open file of its real directory. */
export function listMerged(dir: OverlayInode, opened: File | null = null): Listing | number {
  const { upper, lowers, sb } = dir;
  if (upper === null && lowers.length === 1) return listLower(dir, opened);
  const merged = nothing();
  const seen: Set<string> | null = lowers.length > 0 ? new Set() : null;
  if (upper !== null) {
    const layer = listLayer(upper, opened?.inode === upper ? opened : null);
    if (typeof layer === 'number') return layer;
    addLayer(merged, seen, upper, layer, name => dir.entryIno(name));
  }
  for (const { inode } of lowers) {
    const layer = listLayer(inode, opened?.inode === inode ? opened : null);
    if (typeof layer === 'number') return layer;
    const base = sb.rangeOf(inode.sb);
    addLayer(merged, seen, inode, layer, (_name, ino) => base + ino);
  }
  return merged;
}

/** A directory that is only in one lower layer shows the entries of that layer, mostly as they are. */
function listLower({ lowers, sb }: OverlayInode, opened: File | null): Listing | number {
  const { inode } = lowers[0]!;
  const layer = listLayer(inode, opened?.inode === inode ? opened : null);
  const base = sb.rangeOf(inode.sb);
  if (typeof layer === 'number' || (base === 0 && !layer.types.includes(DT_CHR))) return layer;
  const shown = nothing();
  addLayer(shown, null, inode, layer, (_name, ino) => base + ino);
  return shown;
}

function addLayer(
  to: Growing,
  seen: Set<string> | null,
  dir: Inode,
  layer: Listing,
  inoOf: (name: string, ino: number) => number,
): void {
  for (let i = 0; i < layer.names.length; i++) {
    const name = layer.names[i]!;
    if (seen?.has(name)) continue;
    seen?.add(name);
    if (layer.types[i] === DT_CHR && isHidden(dir, name)) continue;
    to.names.push(name);
    to.inos.push(inoOf(name, layer.inos[i]!));
    to.types.push(layer.types[i]!);
  }
}

function isHidden(dir: Inode, name: string): boolean {
  const found = dir.lookup(name);
  return typeof found === 'number' || isWhiteout(found);
}

export class OverlayDir extends SnapshotDir {
  declare readonly inode: OverlayInode;
  /** The real directory, opened together with this one; closed after the first listing. */
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

  override list(): Listing | number {
    if (this.inode.upper !== null) {
      fileAccessed(this);
      this.inode.upper.atime = this.inode.atime;
    }
    const listing = listMerged(this.inode, this.real);
    this.letGo();
    return listing;
  }
}
