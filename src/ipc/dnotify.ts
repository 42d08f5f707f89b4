/**
 * F_NOTIFY (fcntl(2), "File and directory change notification"): an open directory's interest in what happens to
 * it and to the files in it. Programs that share the open directory, but not their descriptors, each have their own,
 * which ends when they close any descriptor of it. A signal reports that something happened, but not what: once, or with DN_MULTISHOT
 * each time.
 */
import type { FilesStruct } from '../fs/fd-table.ts';
import type { File, FileObserver } from '../fs/file.ts';
import type { Inode } from '../fs/inode.ts';
import {
  DN_ACCESS,
  DN_ATTRIB,
  DN_CREATE,
  DN_DELETE,
  DN_MODIFY,
  DN_MULTISHOT,
  DN_RENAME,
} from '../uapi/fcntl.ts';
import {
  IN_ACCESS,
  IN_ATTRIB,
  IN_CREATE,
  IN_DELETE,
  IN_MODIFY,
  IN_MOVED_FROM,
  IN_MOVED_TO,
} from '../uapi/inotify.ts';
import type { InodeWatch, InotifyHub } from './inotify-hub.ts';

/** Each DN_* bit and the inotify events that it covers. */
const EVENTS: readonly (readonly [number, number])[] = [
  [DN_ACCESS, IN_ACCESS],
  [DN_MODIFY, IN_MODIFY],
  [DN_CREATE, IN_CREATE | IN_MOVED_TO],
  [DN_DELETE, IN_DELETE | IN_MOVED_FROM],
  [DN_ATTRIB, IN_ATTRIB],
];

class DirectoryWatch implements InodeWatch, FileObserver {
  readonly inode: Inode;
  /** The table of descriptors through which it was asked for. */
  readonly owner: FilesStruct;
  private readonly hub: InotifyHub;
  private readonly file: File;
  private mask = 0;
  private signal: () => void;
  /** Cookie of the latest rename out of this directory. */
  private leaving = 0;

  constructor(hub: InotifyHub, file: File, owner: FilesStruct, signal: () => void) {
    this.hub = hub;
    this.file = file;
    this.inode = file.inode;
    this.owner = owner;
    this.signal = signal;
    file.observers ??= new Set();
    file.observers.add(this);
    hub.add(this);
  }

  /** Asks for more; `signal` tells of the descriptor that was used last. */
  extend(mask: number, signal: () => void): void {
    this.mask |= mask;
    this.signal = signal;
  }

  tell(event: number, _name: string, cookie: number): void {
    const within = (event & IN_MOVED_TO) !== 0 && cookie === this.leaving;
    if ((event & IN_MOVED_FROM) !== 0) this.leaving = cookie;
    const told = EVENTS.some(([bit, events]) => (this.mask & bit) !== 0 && (event & events) !== 0);
    if (!told && !(within && (this.mask & DN_RENAME) !== 0)) return;
    this.signal();
    if ((this.mask & DN_MULTISHOT) === 0) this.end();
  }

  released(): void {
    this.end();
  }

  closedIn(table: FilesStruct): void {
    if (table === this.owner) this.end();
  }

  /** The directory is gone. */
  drop(): void {
    this.end();
  }

  private end(): void {
    this.file.observers?.delete(this);
    this.hub.remove(this);
  }
}

/** Adds `mask` to what `owner` watches the open directory `file` for; 0 or DN_MULTISHOT alone ends the watch. */
export function notifyOf(
  hub: InotifyHub,
  file: File,
  owner: FilesStruct,
  mask: number,
  signal: () => void,
): void {
  const watch = watchOf(file, owner);
  if ((mask & ~DN_MULTISHOT) === 0) watch?.drop();
  else (watch ?? new DirectoryWatch(hub, file, owner, signal)).extend(mask, signal);
}

function watchOf(file: File, owner: FilesStruct): DirectoryWatch | null {
  for (const observer of file.observers ?? [])
    if (observer instanceof DirectoryWatch && observer.owner === owner) return observer;
  return null;
}
