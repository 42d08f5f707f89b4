/**
 * rename(2) in an overlay.
 *
 * What moves is copied up first. Of a directory, only its upper part moves: a redirect says where its lower parts
 * remain. The old name is whited out if a lower layer has it, too.
 */
import { RENAME_EXCHANGE } from '../../uapi/fcntl.ts';
import { isDir } from '../../uapi/stat.ts';
import { copyUp } from './copy-up.ts';
import type { OverlayInode } from './inode.ts';
import { isWhiteout, lookupReal } from './layers.ts';
import {
  clearWhiteout,
  discardWhiteout,
  placeWhiteout,
  prepareWhiteout,
  purgeWhiteouts,
  renameReal,
} from './upper.ts';

/** Moves `name` of `from` to `newName` of `to`, over `target` if there is one; 0 or -errno. */
export function moveName(
  from: OverlayInode,
  name: string,
  moved: OverlayInode,
  to: OverlayInode,
  newName: string,
  target: OverlayInode | null,
): number {
  let r = target !== null && isDir(target.mode) ? target.checkEmpty() : 0;
  if (r >= 0) r = prepareMove(from, name, moved, to, newName);
  if (r < 0) return r;
  const whiteout = from.lowerHas(name) ? prepareWhiteout(from) : '';
  if (typeof whiteout === 'number') return whiteout;
  const counted = target !== null && hasUpper(to, newName);
  r = renameOver(from, name, moved, to, newName);
  if (r < 0) {
    if (whiteout !== '') discardWhiteout(from, whiteout);
    return r;
  }
  if (whiteout !== '') r = placeWhiteout(from, name, whiteout);
  target?.lostName(to, newName, counted);
  moved.addName(to, newName);
  for (const touched of [from, to, moved]) touched.sync();
  return r;
}

/** Exchanges the files of two names; 0 or -errno. */
export function exchangeNames(
  dir: OverlayInode,
  name: string,
  file: OverlayInode,
  otherDir: OverlayInode,
  otherName: string,
  other: OverlayInode,
): number {
  let r = prepareMove(dir, name, file, otherDir, otherName);
  if (r >= 0) r = prepareMove(otherDir, otherName, other, dir, name);
  if (r >= 0) {
    r = dir.upper!.rename(name, file.upper!, otherDir.upper!, otherName, other.upper!, RENAME_EXCHANGE);
  }
  if (r < 0) return r;
  file.addName(otherDir, otherName);
  other.addName(dir, name);
  for (const touched of [dir, otherDir, file, other]) touched.sync();
  return 0;
}

/** Copies everything involved up, and marks a directory with what it merges with at its new place; 0 or -errno. */
function prepareMove(
  from: OverlayInode,
  name: string,
  moved: OverlayInode,
  to: OverlayInode,
  newName: string,
): number {
  for (const inode of [moved, from, to]) {
    const r = copyUp(inode);
    if (r < 0) return r;
  }
  const r = ensureUpperName(from, name, moved);
  if (r < 0 || !isDir(moved.mode)) return r;
  const { layers } = moved.sb;
  if (moved.lowers.length > 0) return layers.setRedirect(moved.upper!, moved.path);
  return to.lowerHas(newName) ? layers.setOpaque(moved.upper!) : 0;
}

/** Links a name that the upper layer may lack, of a copied file with several names; 0 or -errno. */
function ensureUpperName(dir: OverlayInode, name: string, file: OverlayInode): number {
  if (hasUpper(dir, name)) return 0;
  const r = dir.upper!.link(name, file.upper!);
  if (r >= 0) file.countName();
  return r;
}

function renameOver(
  from: OverlayInode,
  name: string,
  moved: OverlayInode,
  to: OverlayInode,
  newName: string,
): number {
  let there = lookupReal(to.upper, newName);
  if (typeof there === 'number') return there;
  const hidden = there !== null && isWhiteout(there) && isDir(moved.mode);
  if (hidden) {
    // A directory cannot replace a whiteout, which is a device.
    const cleared = clearWhiteout(to, newName);
    if (cleared < 0) return cleared;
    there = null;
  }
  const emptied = there !== null && isDir(there.mode) ? purgeWhiteouts(there) : 0;
  if (emptied < 0) return emptied;
  return renameReal(from.upper!, name, moved.upper!, to.upper!, newName, there, 0);
}

function hasUpper(dir: OverlayInode, name: string): boolean {
  const there = lookupReal(dir.upper, name);
  return there !== null && typeof there !== 'number' && !isWhiteout(there);
}
