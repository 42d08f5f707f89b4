/**
 * Advisory locks on files: record locks of fcntl(2), owned by processes (POSIX) or open files (OFD), and flock(2).
 *
 * Nothing waits here: a conflicting lock answers -EAGAIN, and a caller that wants to wait sleeps on `waitq` and
 * tries again. Owners are opaque objects: a descriptor table for POSIX locks, a File for OFD locks and flock.
 */
import { WaitQueue } from '../core/wait.ts';
import { EAGAIN, EDEADLK, ENOLCK } from '../uapi/errno.ts';
import { F_RDLCK, F_UNLCK, F_WRLCK, LOCK_EX, LOCK_UN } from '../uapi/fcntl.ts';
import type { File } from './file.ts';
import type { Inode } from './inode.ts';
import type { Leases } from './leases.ts';

/** A lock on bytes [start, end) of a file; `end` Infinity: to the end of the file, however far it grows. */
export interface RecordLock {
  readonly owner: object;
  /** F_RDLCK or F_WRLCK; in requests also F_UNLCK. */
  readonly type: number;
  readonly start: number;
  readonly end: number;
  /** For F_GETLK: the process that holds it, -1 for OFD locks. */
  readonly pid: number;
}

/** Per file, because each operation looks at all of them. */
const MOST_RECORDS = 1 << 13;

export class FileLocks {
  /** Woken when a lock goes or is downgraded. */
  readonly waitq = new WaitQueue();
  /** Of all owners, sorted by start. One owner's locks never overlap; those of the same type never touch. */
  private records: RecordLock[] = [];
  private readonly flocks: Map<File, number> = new Map();
  /** Made with the first lease. */
  leases: Leases | null = null;

  /** The locks held, for /proc/locks: records, and locks of flock(2) as LOCK_SH or LOCK_EX. */
  get held(): readonly RecordLock[] {
    return this.records;
  }

  get flocked(): ReadonlyMap<File, number> {
    return this.flocks;
  }

  /** The first record that `request` conflicts with. */
  conflict(request: RecordLock): RecordLock | null {
    for (const held of this.records) {
      if (held.start >= request.end) return null;
      if (held.end <= request.start || held.owner === request.owner) continue;
      if (held.type === F_WRLCK || request.type === F_WRLCK) return held;
    }
    return null;
  }

  /** Sets, changes or (F_UNLCK) removes a lock: 0, -EAGAIN, or -ENOLCK if there are too many. */
  set(request: RecordLock): number {
    if (request.type !== F_UNLCK && this.conflict(request) !== null) return -EAGAIN;
    if (this.records.length >= MOST_RECORDS && request.type !== F_UNLCK) return -ENOLCK;
    this.replace(request);
    if (request.type !== F_WRLCK) this.waitq.wake();
    return 0;
  }

  /** Removes all of an owner's records (close(2) of any descriptor for the file). */
  removeOwner(owner: object): void {
    const left = this.records.filter(held => held.owner !== owner);
    if (left.length === this.records.length) return;
    this.records = left;
    this.waitq.wake();
  }

  /** The last reference to an open file is gone: removes its own locks and its lease. */
  fileReleased(file: File): void {
    this.removeOwner(file);
    this.leases?.fileReleased(file);
    if (this.flocks.delete(file)) this.waitq.wake();
  }

  /** flock(2): LOCK_SH, LOCK_EX or LOCK_UN; 0 or -EAGAIN. A conversion gives up the old lock first. */
  flock(file: File, operation: number): number {
    const held = this.flocks.get(file);
    if (held === operation) return 0;
    if (this.flocks.delete(file)) this.waitq.wake();
    if (operation === LOCK_UN) return 0;
    for (const other of this.flocks.values()) {
      if (operation === LOCK_EX || other === LOCK_EX) return -EAGAIN;
    }
    this.flocks.set(file, operation);
    return 0;
  }

  /** Cuts the owner's locks of another type out of the request's range, and joins those of its type to it. */
  private replace(request: RecordLock): void {
    const left: RecordLock[] = [];
    let { start, end } = request;
    for (const held of this.records) {
      const same = held.type === request.type;
      const apart = same ? held.end < start || held.start > end : held.end <= start || held.start >= end;
      if (held.owner !== request.owner || apart) {
        left.push(held);
      } else if (same) {
        start = Math.min(start, held.start);
        end = Math.max(end, held.end);
      } else {
        if (held.start < start) left.push({ ...held, end: start });
        if (held.end > end) left.push({ ...held, start: end });
      }
    }
    if (request.type !== F_UNLCK) left.push({ ...request, start, end });
    this.records = left.sort((a, b) => a.start - b.start);
  }
}

/** The locks of an inode, made on first use. */
export function locksOf(inode: Inode): FileLocks {
  inode.locks ??= new FileLocks();
  return inode.locks;
}

/** Which owner waits for which POSIX locks, each thread for one: detects cycles of waiting processes before they close. */
export class LockWaits {
  private readonly waits: Map<object, Map<RecordLock, FileLocks>> = new Map();

  /**
   * F_SETLK, or with `wait` F_SETLKW: 0, -ENOLCK, -EAGAIN (with `wait`: sleep on the file's `waitq`, then call
   * again with the same request, or `cancel` that if a signal came first), or -EDEADLK if the owner would wait for itself.
   */
  set(inode: Inode, request: RecordLock, wait: boolean): number {
    const locks = locksOf(inode);
    const result = locks.set(request);
    this.cancel(request);
    if (result !== -EAGAIN || !wait) return result;
    if (request.pid < 0) return result;
    if (this.leadsTo(locks, request)) return -EDEADLK;
    const others = this.waits.get(request.owner) ?? new Map<RecordLock, FileLocks>();
    this.waits.set(request.owner, others.set(request, locks));
    return result;
  }

  cancel(request: RecordLock): void {
    const waits = this.waits.get(request.owner);
    if (waits?.delete(request) === true && waits.size === 0) this.waits.delete(request.owner);
  }

  private leadsTo(first: FileLocks, request: RecordLock): boolean {
    const blockers = new Set([first.conflict(request)?.owner]);
    for (const blocker of blockers) {
      if (blocker === request.owner) return true;
      const waits = blocker === undefined ? undefined : this.waits.get(blocker);
      if (waits === undefined) continue;
      for (const [wait, locks] of waits) blockers.add(locks.conflict(wait)?.owner);
    }
    return false;
  }
}

/** F_GETLK: the lock that conflicts with `request`, or null. */
export const blockingLock = (inode: Inode, request: RecordLock): RecordLock | null =>
  inode.locks === null ? null : inode.locks.conflict(request);

/** Whether `type` is one that fcntl knows. */
export const isLockType = (type: number): boolean => type === F_RDLCK || type === F_WRLCK || type === F_UNLCK;
