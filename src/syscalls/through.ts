/**
 * Reads and writes of files whose pages the program sees through a window (mm/page-window.ts): the thread copies the
 * bytes itself. So they stay in its processor's cache, and the kernel's time does not depend on their number.
 *
 * A file that is read or written often gets a window, one at a time. If the window is closed meanwhile, the copying
 * thread notices: the call then begins anew (`Entry`, TRAP_BADCOPY), and the file gets no window again.
 */
import type { File } from '../fs/file.ts';
import type { Task } from '../kernel/task.ts';
import { bringWindow } from '../kernel/window-along.ts';
import type { PageCache } from '../mm/page-cache.ts';
import { PageWindow } from '../mm/page-window.ts';
import { O_DSYNC } from '../uapi/fcntl.ts';
import { IN_ACCESS } from '../uapi/inotify.ts';
import { writeLimit, writePosition } from './io.ts';

/** The answer if the copy must be made the usual way; no transfer through a window has so few bytes. */
export const NOT_THROUGH = 0;
/** Bytes; it is cheap to bring fewer with the answer. */
const LEAST = 1024;
/** A file gets a window, or another one, after more than this many transfers. */
const OFTEN = 16;

/** Bytes read, or NOT_THROUGH. `pos` is as for `readFile`. */
export function readThrough(
  task: Task,
  file: File,
  fd: number,
  addr: number,
  len: number,
  pos: number,
): number {
  if (len < LEAST || !isOften(file)) return NOT_THROUGH;
  const start = pos < 0 ? file.pos : pos;
  const cache = file.seen();
  if (cache === null) return NOT_THROUGH;
  const n = Math.min(len, cache.size - start);
  const window = n < LEAST ? null : windowFor(task, file, cache, start, n, false);
  if (window === null || !task.user.through(addr, window.view, start - window.pos, n, false))
    return NOT_THROUGH;
  file.happened(IN_ACCESS);
  return wentThrough(task, file, fd, pos, start, n);
}

/** Bytes written: all, or NOT_THROUGH. Overwrites only what is there. */
export function writeThrough(
  task: Task,
  file: File,
  fd: number,
  addr: number,
  len: number,
  pos: number,
): number {
  if (len < LEAST || !isOften(file) || !file.readable) return NOT_THROUGH;
  // A watcher would look before the bytes are there.
  if (task.kernel.vfs.notify !== null || (file.flags & O_DSYNC) !== 0) return NOT_THROUGH;
  const start = writePosition(file, pos);
  if (start + len > file.inode.size || writeLimit(task, file, start, len) !== len) return NOT_THROUGH;
  const cache = file.overwritten(start, len);
  const window = cache === null ? null : windowFor(task, file, cache, start, len, true);
  if (window === null || !task.user.through(addr, window.view, start - window.pos, len, true))
    return NOT_THROUGH;
  return wentThrough(task, file, fd, pos, start, len);
}

const isOften = (file: File): boolean => file.window !== null || ++file.transfers > OFTEN;

function wentThrough(task: Task, file: File, fd: number, pos: number, start: number, n: number): number {
  if (pos < 0) file.pos = start + n;
  else bringWindow(task, file, fd);
  task.wentThrough = file;
  task.movedThrough = pos < 0 ? n : 0;
  return n;
}

/** The file's window if it is the task's and shows the wanted range; else a new one, but not at once. */
function windowFor(
  { mm, files }: Task,
  file: File,
  cache: PageCache,
  start: number,
  len: number,
  writable: boolean,
): PageWindow | null {
  const { window } = file;
  const open = (): PageWindow | null => {
    file.transfers = 0;
    file.window = PageWindow.open({ owner: mm!, holder: files, cache, writable }, start);
    return file.window?.covers(start, len) ? file.window : null;
  };
  if (window === null) return open();
  const isOwn = window.owner === mm && window.holder === files;
  const fits = isOwn && window.cache === cache && window.covers(start, len);
  if (fits && (window.writable || !writable)) return window;
  if (!isOwn && window.view.isOpen) return null;
  file.closeWindow();
  file.transfers = 0;
  // If the window only lacked the right to write, a writable one replaces it at once.
  return fits ? open() : null;
}
