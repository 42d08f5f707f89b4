/** When a read changes a file's access time: mount(2), MS_NOATIME, MS_RELATIME; open(2), O_NOATIME. */
import { O_NOATIME } from '../uapi/fcntl.ts';
import { MS_NOATIME, MS_NODIRATIME, MS_RELATIME } from '../uapi/mount.ts';
import { isDir } from '../uapi/stat.ts';
import type { File } from './file.ts';
import { hasNoAtime } from './flags.ts';
import type { Inode } from './inode.ts';
import type { Mount } from './mount.ts';

const A_DAY = 24 * 60 * 60;

/** An open file was read, executed, mapped or listed. Filesystems call this from `read` and `readdir`. */
export function fileAccessed(file: File): void {
  const { path } = file;
  if (path !== null && (file.flags & O_NOATIME) === 0) accessed(path.mount, file.inode);
}

/** An inode was read through a mount. */
export function accessed(mount: Mount, inode: Inode): void {
  const { flags, sb } = mount;
  if ((flags & MS_NOATIME) !== 0 || mount.readOnly || hasNoAtime(inode)) return;
  if ((flags & MS_NODIRATIME) !== 0 && isDir(inode.mode)) return;
  const now = sb.clock.coarse();
  if ((flags & MS_RELATIME) === 0 || isStale(inode, now.sec)) inode.atime = now;
}

/** Whether the access time is not later than the last change, or a day old. */
function isStale({ atime, mtime, ctime }: Inode, now: number): boolean {
  return !isLater(atime, mtime) || !isLater(atime, ctime) || now - atime.sec >= A_DAY;
}

const isLater = (a: { sec: number; nsec: number }, b: { sec: number; nsec: number }): boolean =>
  a.sec !== b.sec ? a.sec > b.sec : a.nsec > b.nsec;
