/** Changing the upper layer: whiteouts, and names that come and go. */
import { ENOTEMPTY } from '../../uapi/errno.ts';
import { RENAME_EXCHANGE } from '../../uapi/fcntl.ts';
import { isDir, S_IFCHR } from '../../uapi/stat.ts';
import type { Inode } from '../inode.ts';
import type { OverlayInode } from './inode.ts';
import { isWhiteout, lookupReal } from './layers.ts';
import { listLayer } from './listing.ts';

const WHITEOUT = { mode: S_IFCHR, uid: 0, gid: 0, rdev: 0 };

/** Removes a name from a layer, and with its last name the file; 0 or -errno. */
export function removeReal(dir: Inode, name: string, file: Inode): number {
  file.refs++;
  const r = isDir(file.mode) ? dir.rmdir(name, file) : dir.unlink(name, file);
  file.sb.iput(file);
  return r;
}

/** Removes a name; for a directory, first the whiteouts left in it. 0 or -errno. */
export function removeWhole(dir: Inode, name: string, file: Inode): number {
  const r = isDir(file.mode) ? purgeWhiteouts(file) : 0;
  return r < 0 ? r : removeReal(dir, name, file);
}

/** Moves a file of the upper layer to where `replaced` is; 0 or -errno. */
export function renameReal(
  dir: Inode,
  name: string,
  file: Inode,
  to: Inode,
  newName: string,
  replaced: Inode | null,
  flags: number,
): number {
  if (replaced !== null) replaced.refs++;
  const r = dir.rename(name, file, to, newName, replaced, flags);
  if (replaced !== null) replaced.sb.iput(replaced);
  return r;
}

/** Makes a whiteout in the work directory, for `placeWhiteout`; returns its name there, or -errno. */
export function prepareWhiteout(dir: OverlayInode): string | number {
  const { sb } = dir;
  const name = sb.temporaryName();
  const made = sb.work!.mknod(name, WHITEOUT);
  return typeof made === 'number' ? made : name;
}

/**
 * Moves a prepared whiteout to `name`, in place of what the upper layer has there; 0 or -errno. Both at once: what lies
 * below must not show if that fails. Then the whiteout is discarded.
 */
export function placeWhiteout(dir: OverlayInode, name: string, prepared: string): number {
  const r = cover(dir.sb.work!, prepared, dir.upper!, name);
  if (r < 0) discardWhiteout(dir, prepared);
  return r;
}

function cover(work: Inode, prepared: string, upper: Inode, name: string): number {
  const whiteout = lookupReal(work, prepared) as Inode;
  const replaced = lookupReal(upper, name);
  if (typeof replaced === 'number') return replaced;
  if (replaced === null || !isDir(replaced.mode))
    return renameReal(work, prepared, whiteout, upper, name, replaced, 0);
  // Only a directory can be renamed over a directory.
  if (work.rename(prepared, whiteout, upper, name, replaced, RENAME_EXCHANGE) >= 0) {
    removeWhole(work, prepared, replaced);
    return 0;
  }
  // The host's user may remove a directory that he may not write to, but not move it.
  const removed = removeWhole(upper, name, replaced);
  return removed < 0 ? removed : renameReal(work, prepared, whiteout, upper, name, null, 0);
}

export function discardWhiteout(dir: OverlayInode, prepared: string): void {
  const work = dir.sb.work!;
  removeReal(work, prepared, lookupReal(work, prepared) as Inode);
}

/** Removes a whiteout, so that something can be made in its place: 1 if there was one, otherwise 0, or -errno. */
export function clearWhiteout(dir: OverlayInode, name: string): number {
  const there = lookupReal(dir.upper, name);
  if (there === null) return 0;
  if (typeof there === 'number') return there;
  if (!isWhiteout(there)) return 0;
  const r = removeReal(dir.upper!, name, there);
  return r < 0 ? r : 1;
}

/** Removes whiteouts from a directory's upper part: 0, -ENOTEMPTY if there is anything else, or -errno. */
export function purgeWhiteouts(upper: Inode): number {
  const listing = listLayer(upper);
  if (typeof listing === 'number') return listing;
  for (const name of listing.names) {
    const child = lookupReal(upper, name);
    if (child === null) continue;
    if (typeof child === 'number') return child;
    if (!isWhiteout(child)) return -ENOTEMPTY;
    const r = removeReal(upper, name, child);
    if (r < 0) return r;
  }
  return 0;
}
