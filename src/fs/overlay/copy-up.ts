/**
 * Copies a file from a lower layer to the upper one, before it is changed for the first time.
 *
 * The copy is made in the work directory and moved into place when complete. Directories above it come first, and keep
 * their times. A file with several names gets one in the work directory, too, for the sake of its other names.
 */
import { ROOT_CRED } from '../../core/cred.ts';
import type { Result } from '../../lib/result.ts';
import { EIO, ENOENT, EROFS } from '../../uapi/errno.ts';
import { O_RDONLY, O_WRONLY } from '../../uapi/fcntl.ts';
import { isDir, isLnk, isReg } from '../../uapi/stat.ts';
import type { Inode } from '../inode.ts';
import type { OverlayInode } from './inode.ts';
import { isWhiteout, lookupReal } from './layers.ts';
import { removeReal, renameReal } from './upper.ts';

const CHUNK = 1 << 20;

/** Ensures that a file has an upper part, with at least its first `size` bytes; 0 or -errno. */
export function copyUp(inode: OverlayInode, size: number = Number.POSITIVE_INFINITY): number {
  if (inode.upper !== null) return 0;
  if (inode.sb.work === null) return -EROFS;
  const missing: OverlayInode[] = [];
  for (let at: OverlayInode | null = inode; at !== null && at.upper === null; at = at.parent)
    missing.push(at);
  for (let one = missing.pop(); one !== undefined; one = missing.pop()) {
    const r = copyOne(one, one === inode ? size : 0);
    if (r < 0) return r;
  }
  return 0;
}

function copyOne(inode: OverlayInode, size: number): number {
  const work = inode.sb.work!;
  const lower = inode.real;
  const refreshed = lower.refresh();
  if (refreshed < 0) return refreshed;
  if (isDir(inode.mode) && inode.parent === null) return -ENOENT;
  const name = inode.sb.temporaryName();
  const upper = makeLike(work, name, lower, inode);
  if (typeof upper === 'number') return upper;
  upper.refs++;
  let r = copyContent(lower, upper, inode, size);
  if (r >= 0) r = putInPlace(inode, upper, name);
  if (r >= 0) inode.becomeUpper(upper);
  else if (lookupReal(work, name) === upper) removeReal(work, name, upper);
  upper.sb.iput(upper);
  return r;
}

function makeLike(work: Inode, name: string, lower: Inode, inode: OverlayInode): Result<Inode> {
  const { mode, uid, gid, rdev } = lower;
  const init = { mode, uid, gid, rdev };
  if (isDir(mode)) return work.mkdir(name, init);
  if (!isLnk(mode)) return work.mknod(name, init);
  const target = lower.readlink(inode.sb.linkReader);
  return typeof target === 'number' ? target : work.symlink(name, target, init);
}

function copyContent(lower: Inode, upper: Inode, inode: OverlayInode, size: number): number {
  const copied = isReg(lower.mode) ? copyData(lower, upper, Math.min(size, lower.size)) : 0;
  if (copied < 0) return copied;
  const { layers } = inode.sb;
  for (const name of lower.listxattr()) {
    if (layers.isOwnAttribute(name)) continue;
    const value = lower.getxattr(name);
    // Attributes that the upper filesystem does not keep (a label) are lost; the copy goes on.
    if (typeof value === 'string') upper.setxattr(name, value, 0);
  }
  if (!isDir(lower.mode)) layers.setOrigin(upper, inode.ino);
  lower.learnLists();
  const { mode, atime, mtime, acl, defaultAcl } = lower;
  return upper.setattr(isLnk(mode) ? { atime, mtime } : { mode, atime, mtime, acl, defaultAcl });
}

function copyData(lower: Inode, upper: Inode, size: number): number {
  if (size === 0) return 0;
  const from = lower.open(O_RDONLY, ROOT_CRED);
  if (typeof from === 'number') return from;
  const to = upper.open(O_WRONLY, ROOT_CRED);
  if (typeof to === 'number') {
    from.put();
    return to;
  }
  const buf = Buffer.allocUnsafeSlow(Math.min(size, CHUNK));
  const zeros = lower.blocks * 512 < size ? Buffer.alloc(buf.length) : null;
  let r = 0;
  for (let pos = 0; pos < size && r >= 0; ) {
    const n = from.read(buf, 0, Math.min(buf.length, size - pos), pos);
    if (n <= 0) {
      r = n;
      break;
    }
    const isHole = zeros !== null && buf.compare(zeros, 0, n, 0, n) === 0;
    for (let done = 0; done < n && !isHole && r >= 0; ) {
      const written = to.write(buf, done, n - done, pos + done);
      if (written <= 0) r = written < 0 ? written : -EIO;
      else done += written;
    }
    pos += n;
  }
  if (r >= 0 && zeros !== null) r = upper.setattr({ size });
  from.put();
  to.put();
  return r;
}

/** Gives the copy its name, or none if the file has none any more; 0 or -errno. */
function putInPlace(inode: OverlayInode, upper: Inode, temporary: string): number {
  const work = inode.sb.work!;
  const { parent } = inode;
  const manyNames = inode.hasOtherNames;
  if (manyNames) {
    const r = work.link(linkName(inode), upper);
    if (r < 0) return r;
  }
  if (parent === null) return work.unlink(temporary, upper);
  const dir = parent.upper!;
  const { atime, mtime } = dir;
  const there = lookupReal(dir, inode.name);
  const replaced = there !== null && typeof there !== 'number' && isWhiteout(there) ? there : null;
  const r = renameReal(work, temporary, upper, dir, inode.name, replaced, 0);
  if (r >= 0) dir.setattr({ atime, mtime });
  else if (manyNames) removeReal(work, linkName(inode), upper);
  return r;
}

/** The name in the work directory of a copied file that has, or had, several names. */
export const linkName = (inode: OverlayInode): string => `#link-${inode.ino}`;
