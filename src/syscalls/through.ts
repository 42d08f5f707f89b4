/**
 * Reads and writes of files whose pages the program sees through a window (mm/page-window.ts): it makes the copy itself. The
 * bytes so stay in its processor's cache, and the kernel's time does not depend on how many they are.
 *
 * A file gets a window when it was read or written often; one at a time. Whoever copies finds out if the window was closed
 * meanwhile: the call then begins anew (`Entry`, TRAP_BADCOPY), and the file has had its last window.
 */
import type { File } from '../fs/file.ts';
import type { Task } from '../kernel/task.ts';
import { bringWindow } from '../kernel/window-along.ts';
import type { PageCache } from '../mm/page-cache.ts';
import { PageWindow } from '../mm/page-window.ts';
import { O_DSYNC } from '../uapi/fcntl.ts';
import { IN_ACCESS } from '../uapi/inotify.ts';
import { writeLimit, writePosition } from './io.ts';

/** The answer if the copy is to be made in the usual way: no transfer of so few bytes is made through a window. */
export const NOT_THROUGH = 0;
/** Fewer bytes are cheap to bring. */
const LEAST = 1024;
/** So many transfers later a file gets a window, or another. */
const OFTEN = 16;

/** Bytes read, or NOT_THROUGH. `pos` as `readFile` has it. */
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

/** Bytes written: all, or NOT_THROUGH. Only what is there is written over. */
export function writeThrough(
  task: Task,
  file: File,
  fd: number,
  addr: number,
  len: number,
  pos: number,
): number {
  if (len < LEAST || !isOften(file) || !file.readable) return NOT_THROUGH;
  // Whoever hears of it would look before the bytes are there.
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

/** The file's window if it is the task's and shows what is wanted; else, after a while, a new one. */
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
  // It was read first.
  return fits ? open() : null;
}
