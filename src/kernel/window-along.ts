/**
 * Files that a thread reads and writes at positions through a window (mm/page-window.ts), without asking. Reads and
 * writes show in a file's times, so the kernel checks every tick what was done, and at once when the times are asked
 * for.
 */

import type { WindowUse } from '../engine/answers.ts';
import type { File } from '../fs/file.ts';
import { O_APPEND, O_DSYNC } from '../uapi/fcntl.ts';
import { RLIMIT_FSIZE } from '../uapi/resource.ts';
import { S_ISGID, S_ISUID } from '../uapi/stat.ts';
import { isAlone } from './along.ts';
import type { Kernel } from './kernel.ts';
import { Rounds } from './rounds.ts';
import type { Task } from './task.ts';

/** How old a file's times may be, ns: as old as the clock they are taken from. */
const TICK = 4e6;
/** A window that was not used for so many ticks, or calls to the kernel, goes along no more. */
const MOST_IDLE = 8;
/** After so many it makes room for another that is in use. */
const FEW_IDLE = 1;

export class WindowGoesAlong {
  readonly file: File;
  readonly fd: number;
  private idle = 0;
  private readonly task: Task;

  constructor(task: Task, file: File, fd: number) {
    this.task = task;
    this.file = file;
    this.fd = fd;
  }

  /** Whether the thread no longer uses it. */
  get isIdle(): boolean {
    return this.idle > FEW_IDLE;
  }

  /** Sends it with the answer that the task is about to get. Returns whether it goes, or is there already. */
  send(): boolean {
    const { task, file, fd } = this;
    const { window } = file;
    if (window === null || window.owner !== task.mm || window.holder !== task.files || !window.view.isOpen)
      return false;
    if (window.isLent) return true;
    if (!this.mayGo || task.thread?.window == null || this.idle >= MOST_IDLE) return false;
    const { inode, writable } = file;
    const mayWrite = writable && (file.flags & (O_APPEND | O_DSYNC)) === 0 && (inode.mode & PRIVILEGED) === 0;
    const to = mayWrite ? Math.min(inode.size, task.rlimit(RLIMIT_FSIZE)) : inode.size;
    window.lend(task.thread.window, fd, to, mayWrite, this.used);
    return true;
  }

  /** Checks what was done. Returns whether the window stays. */
  look(): boolean {
    const { window } = this.file;
    if (window === null || !window.isLent) return false;
    if (window.look()) this.idle = 0;
    else this.idle++;
    if (this.mayGo && this.idle < MOST_IDLE) return true;
    window.recall();
    return false;
  }

  /** Applies what the thread has done, before the kernel looks at anything else of it. */
  settle(): void {
    this.idle++;
    this.file.window?.recall();
  }

  /** Whether only this thread can use the descriptor, and no watch has to see what it does. */
  private get mayGo(): boolean {
    const { task, file, fd } = this;
    return isAlone(task) && task.kernel.vfs.notify === null && task.files.get(fd) === file;
  }

  private readonly used = ({ read, written }: WindowUse): void => {
    this.idle = 0;
    if (written) this.file.overwritten(0, 0);
    if (read) this.file.seen();
  };
}

/** Windows lent to threads that may be running. */
export class LentWindows extends Rounds<WindowGoesAlong> {
  constructor(kernel: Pick<Kernel, 'timers' | 'clock'>) {
    super(kernel, TICK);
  }

  /** Makes all threads ask again. */
  recall(): void {
    for (const { file } of this) file.window?.recall();
  }
}

const PRIVILEGED = S_ISUID | S_ISGID;

/** The task reads or writes the file at positions through a window, by descriptor `fd`. One goes along at a time. */
export function bringWindow(task: Task, file: File, fd: number): void {
  const { windowAlong } = task;
  if (windowAlong !== null) {
    if (!windowAlong.isIdle || (windowAlong.file === file && windowAlong.fd === fd)) return;
    windowAlong.settle();
  }
  task.windowAlong = new WindowGoesAlong(task, file, fd);
}

/** Sends the window with the answer that the task is about to get. */
export function sendWindow(task: Task): void {
  const { windowAlong, kernel } = task;
  if (windowAlong === null) return;
  if (windowAlong.send()) kernel.lentWindows.add(windowAlong);
  else task.windowAlong = null;
}
