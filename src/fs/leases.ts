/**
 * Leases on files (fcntl(2), "Leases"): the holder is told before a conflicting open of the file, which waits until the
 * lease has been given up, downgraded or taken away.
 *
 * Nothing waits here: an open that must wait answers -EAGAIN and leaves what it waits for in `LeaseRules.inTheWay`.
 */
import { WaitQueue } from '../core/wait.ts';
import { EAGAIN } from '../uapi/errno.ts';
import { F_RDLCK, F_UNLCK, F_WRLCK, O_ACCMODE, O_NONBLOCK, O_RDONLY } from '../uapi/fcntl.ts';
import type { File } from './file.ts';
import type { Inode } from './inode.ts';

const NS = 1e9;

/** What applies to all leases of a machine. */
export class LeaseRules {
  /** fs.leases-enable, and fs.lease-break-time in seconds (proc_sys_fs(5)); 0: no time limit for holders. */
  enabled = true;
  breakTime = 45;
  /** What made an open, or truncate(2), answer -EAGAIN just now, until `takeInTheWay`. */
  inTheWay: BlockedOpen | null = null;

  takeInTheWay(): BlockedOpen | null {
    const blocked = this.inTheWay;
    this.inTheWay = null;
    return blocked;
  }
}

/** An open that must wait for the holders of leases. */
export interface BlockedOpen {
  readonly leases: Leases;
  readonly writes: boolean;
}

export interface Lease {
  readonly file: File;
  /** The process that took it. */
  readonly owner: number;
  /** F_RDLCK or F_WRLCK. */
  type: number;
  /** What it must become, F_RDLCK or F_UNLCK, and by when (CLOCK_MONOTONIC, ns); null: it may stay. */
  breaking: number | null;
  deadline: number;
  /** Tells the holder to give it up. */
  readonly tell: () => void;
}

/** The leases on one file: one for writing, or any number for reading. */
export class Leases {
  /** Woken when a lease goes or is downgraded. */
  readonly waitq = new WaitQueue();
  /** Waiting opens, by kind; they count as if the file were open already. */
  readonly waiting = { readers: 0, writers: 0 };
  private readonly held: Map<File, Lease> = new Map();

  get all(): Iterable<Lease> {
    return this.held.values();
  }

  /** F_GETLEASE: for a lease that is being broken, what it must become. */
  typeOf(file: File): number {
    const lease = this.held.get(file);
    return lease === undefined ? F_UNLCK : (lease.breaking ?? lease.type);
  }

  /** F_SETLEASE: 0, or -EAGAIN if opens of the file or other leases conflict, or there is no lease to give up. */
  set(file: File, type: number, owner: number, tell: () => void): number {
    const own = this.held.get(file);
    if (type === F_UNLCK) return own === undefined ? -EAGAIN : this.remove(own);
    if (!this.agreesWithOpens(file, type) || !this.agreesWithOthers(file, type)) return -EAGAIN;
    if (own === undefined) {
      this.held.set(file, { file, owner, type, breaking: null, deadline: Number.POSITIVE_INFINITY, tell });
      return 0;
    }
    this.change(own, type);
    return 0;
  }

  private change(lease: Lease, type: number): void {
    lease.type = type;
    if (lease.breaking === type) {
      lease.breaking = null;
      lease.deadline = Number.POSITIVE_INFINITY;
    }
    this.waitq.wake();
  }

  /** A read lease needs no writers; a write lease needs the file to be open nowhere else. */
  private agreesWithOpens(file: File, type: number): boolean {
    const { inode } = file;
    const { readers, writers } = this.waiting;
    if (type === F_RDLCK) return inode.writers <= 0 && writers === 0;
    if (readers + writers > 0) return false;
    return inode.writers === Number(file.countsAsWriter) && inode.readers === Number(file.countsAsReader);
  }

  private agreesWithOthers(file: File, type: number): boolean {
    for (const lease of this.held.values()) {
      if (lease.file !== file && (type === F_WRLCK || lease.breaking === F_UNLCK)) return false;
    }
    return true;
  }

  /** The file is about to be opened: returns whether that must wait. Tells each holder in the way once. */
  break(writes: boolean, now: number, rules: LeaseRules): boolean {
    this.expire(now);
    const wanted = writes ? F_UNLCK : F_RDLCK;
    let waits = false;
    for (const lease of this.held.values()) {
      if (!writes && lease.type !== F_WRLCK) continue;
      waits = true;
      if (lease.breaking === F_UNLCK || lease.breaking === wanted) continue;
      lease.breaking = wanted;
      lease.deadline = rules.breakTime === 0 ? Number.POSITIVE_INFINITY : now + rules.breakTime * NS;
      lease.tell();
    }
    return waits;
  }

  /** When the next holder's time is up (ns), or Infinity. */
  get deadline(): number {
    let first = Number.POSITIVE_INFINITY;
    for (const { deadline } of this.held.values()) first = Math.min(first, deadline);
    return first;
  }

  /** The last reference to an open file is gone. */
  fileReleased(file: File): void {
    const lease = this.held.get(file);
    if (lease !== undefined) this.remove(lease);
  }

  private remove(lease: Lease): number {
    this.held.delete(lease.file);
    this.waitq.wake();
    return 0;
  }

  /** Holders that were told and did not react in time lose the lease, or have it downgraded. */
  private expire(now: number): void {
    for (const lease of [...this.held.values()]) {
      if (lease.breaking === null || now < lease.deadline) continue;
      if (lease.breaking === F_UNLCK) this.remove(lease);
      else this.change(lease, lease.breaking);
    }
  }
}

/** Call before a file is opened with `flags` or truncated: 0, or -EAGAIN if leases conflict. */
export function breakLeases(inode: Inode, flags: number, rules: LeaseRules): number {
  const { locks } = inode;
  if (locks === null || locks.leases === null) return 0;
  // O_TRUNC alone does not count, as on Linux.
  const writes = (flags & O_ACCMODE) !== O_RDONLY;
  if (!locks.leases.break(writes, inode.sb.clock.monotonic(), rules)) return 0;
  rules.inTheWay = (flags & O_NONBLOCK) === 0 ? { leases: locks.leases, writes } : null;
  return -EAGAIN;
}
