/**
 * The objects of one kind of System V IPC (sysvipc(7)): found by key or by id, with owner and permissions.
 *
 * An id combines a slot with a sequence number that counts how often slots were given out, so that the id of a removed
 * object is not soon reused: it answers EINVAL, whether its slot is empty or taken by another object.
 */
import { CAP_IPC_OWNER, CAP_SYS_ADMIN, type Cred, capable } from '../../core/cred.ts';
import { Bitmap } from '../../lib/bitmap.ts';
import type { Result } from '../../lib/result.ts';
import { EACCES, EEXIST, EINVAL, ENOENT, ENOSPC, EPERM } from '../../uapi/errno.ts';
import { IPC_CREAT, IPC_EXCL, IPC_PRIVATE } from '../../uapi/ipc.ts';

const SLOT_BITS = 15;
const SLOT_MASK = (1 << SLOT_BITS) - 1;
const SEQUENCES = 1 << 16;
const MODE = 0o777;

/** Permission bits for `permits`. */
export const IPC_READ = 4;
export const IPC_WRITE = 2;

/** What IPC_SET may change. */
export interface PermChange {
  readonly uid: number;
  readonly gid: number;
  readonly mode: number;
}

export class IpcObject {
  key: number;
  readonly cuid: number;
  readonly cgid: number;
  uid: number;
  gid: number;
  mode: number;
  /** Set by `IpcTable.add`. */
  id = -1;
  seq = 0;
  removed = false;
  /** Of the last IPC_SET or the creation, in seconds. */
  ctime: number;

  constructor(key: number, flags: number, cred: Cred, now: number) {
    this.key = key;
    this.cuid = cred.euid;
    this.cgid = cred.egid;
    this.uid = cred.euid;
    this.gid = cred.egid;
    this.mode = flags & MODE;
    this.ctime = now;
  }

  /** The index that the *_STAT commands take. */
  get slot(): number {
    return this.id & SLOT_MASK;
  }

  /** 0 or -EACCES; `wanted` are permission bits, of any class. */
  permits(cred: Cred, wanted: number): number {
    const asked = (wanted >> 6) | (wanted >> 3) | wanted;
    let granted = this.mode;
    if (cred.euid === this.cuid || cred.euid === this.uid) granted >>= 6;
    else if (inIpcGroup(cred, this.cgid) || inIpcGroup(cred, this.gid)) granted >>= 3;
    return (asked & ~granted & 7) === 0 || capable(cred, CAP_IPC_OWNER) ? 0 : -EACCES;
  }

  /** 0 or -EPERM: only owner and creator may IPC_SET and IPC_RMID. */
  mayControl(cred: Cred): number {
    const owns = cred.euid === this.cuid || cred.euid === this.uid;
    return owns || capable(cred, CAP_SYS_ADMIN) ? 0 : -EPERM;
  }

  setPerm(change: PermChange, now: number): void {
    this.uid = change.uid;
    this.gid = change.gid;
    this.mode = (this.mode & ~MODE) | (change.mode & MODE);
    this.ctime = now;
  }
}

const inIpcGroup = (cred: Cred, gid: number): boolean => cred.egid === gid || cred.groups.includes(gid);

export class IpcTable<T extends IpcObject> {
  private readonly slots: (T | undefined)[] = [];
  private readonly taken = new Bitmap();
  private readonly keys: Map<number, T> = new Map();
  private seq = 0;
  private used = 0;
  /** The most objects that may exist. */
  max: number;
  /** The id for the next object, if that slot is free; -1: any (proc_sys_kernel(5), msg_next_id). */
  nextId = -1;

  constructor(max: number) {
    this.max = max;
  }

  get count(): number {
    return this.used;
  }

  /** The highest slot in use, which the *_INFO commands return; 0 if there is none. */
  get highest(): number {
    return Math.max(0, this.slots.length - 1);
  }

  *[Symbol.iterator](): Generator<T> {
    for (const object of this.slots) if (object !== undefined) yield object;
  }

  /** msgget(2) and the like: `fits` checks an existing object, `make` creates a missing one. The id or -errno. */
  get(key: number, flags: number, cred: Cred, fits: (found: T) => number, make: () => Result<T>): number {
    const found = key === IPC_PRIVATE ? undefined : this.keys.get(key);
    if (found === undefined) {
      if (key !== IPC_PRIVATE && (flags & IPC_CREAT) === 0) return -ENOENT;
      return this.add(make);
    }
    if ((flags & IPC_CREAT) !== 0 && (flags & IPC_EXCL) !== 0) return -EEXIST;
    return fits(found) || found.permits(cred, flags & MODE) || found.id;
  }

  private add(make: () => Result<T>): number {
    if (this.used >= this.max) return -ENOSPC;
    const object = make();
    if (typeof object === 'number') return object;
    object.id = this.newId();
    object.seq = object.id >> SLOT_BITS;
    this.slots[object.slot] = object;
    this.taken.set(object.slot, object.slot + 1);
    this.used++;
    if (object.key !== IPC_PRIVATE) this.keys.set(object.key, object);
    return object.id;
  }

  private newId(): number {
    const wish = this.nextId;
    this.nextId = -1;
    if (wish >= 0 && this.slots[wish & SLOT_MASK] === undefined) return wish;
    const seq = wish >= 0 ? wish >> SLOT_BITS : this.seq;
    this.seq = (this.seq + 1) % SEQUENCES;
    return seq * 2 ** SLOT_BITS + this.taken.next(0, false);
  }

  find(id: number): Result<T> {
    if (id < 0) return -EINVAL;
    const found = this.slots[id & SLOT_MASK];
    if (found === undefined) return -EINVAL;
    return found.id === id ? found : -EINVAL;
  }

  /** Finds an object by its slot alone; -EINVAL if there is none. */
  at(slot: number): Result<T> {
    return (slot >= 0 ? this.slots[slot & SLOT_MASK] : undefined) ?? -EINVAL;
  }

  /** Makes the key of an object marked for destruction find it no longer. */
  forgetKey(object: T): void {
    if (this.keys.get(object.key) === object) this.keys.delete(object.key);
    object.key = IPC_PRIVATE;
  }

  remove(object: T): void {
    if (object.removed) return;
    object.removed = true;
    this.forgetKey(object);
    this.slots[object.slot] = undefined;
    this.taken.clear(object.slot, object.slot + 1);
    this.used--;
    while (this.slots.length > 0 && this.slots[this.slots.length - 1] === undefined) this.slots.pop();
  }
}
