/**
 * Descriptors in flight (SCM_RIGHTS, unix(7)): files that a message holds.
 *
 * A socket whose references are all in flight may be unreachable, like two closed sockets of which each lies in the
 * other's queue. `collect` finds such sockets and empties their queues. It looks at the sockets whose references are
 * all in flight, and keeps those that a queue outside this group refers to, as well as whatever lies in the queues of
 * these, and so on. The rest is garbage.
 *
 * Letting go of a file may release a socket whose queue holds files, and so on: `drop` handles one after the other,
 * so that a long chain costs no stack.
 */
import { CAP_SYS_ADMIN, CAP_SYS_RESOURCE, capable } from '../../core/cred.ts';
import type { File } from '../../fs/file.ts';
import { EINVAL, ETOOMANYREFS } from '../../uapi/errno.ts';
import { SCM_MAX_FD } from '../../uapi/socket.ts';
import type { Sender } from '../caller.ts';
import { UnixSocket } from './socket.ts';

/** For each socket that is released, this many in flight may be looked at. */
const LOOKED_AT = 16;

export class InFlight {
  /** How many times each socket is in flight. */
  private readonly sockets = new Map<UnixSocket, number>();
  private readonly users = new Map<number, number>();
  private readonly senders = new WeakMap<readonly File[], number>();
  private readonly dropping: File[] = [];
  private busy = false;
  /** Sockets released since the last search for garbage. */
  private released = 0;

  /** Whether the caller may send that many files: 0, -EINVAL or -ETOOMANYREFS. */
  check(count: number, caller: Sender): number {
    if (count > SCM_MAX_FD) return -EINVAL;
    const { cred } = caller;
    const used = this.users.get(cred.uid) ?? 0;
    if (used <= caller.fileLimit || capable(cred, CAP_SYS_RESOURCE) || capable(cred, CAP_SYS_ADMIN)) return 0;
    return -ETOOMANYREFS;
  }

  /** Puts files into a message, with a reference each. */
  depart(files: readonly File[], uid: number): readonly File[] {
    const rights = files.map(file => file.get());
    for (const file of rights) {
      if (file instanceof UnixSocket) this.sockets.set(file, (this.sockets.get(file) ?? 0) + 1);
    }
    this.users.set(uid, (this.users.get(uid) ?? 0) + rights.length);
    this.senders.set(rights, uid);
    return rights;
  }

  /** Takes files out of a message; their references now belong to the caller. */
  arrive(rights: readonly File[]): void {
    for (const file of rights) {
      if (!(file instanceof UnixSocket)) continue;
      const count = this.sockets.get(file)! - 1;
      if (count === 0) this.sockets.delete(file);
      else this.sockets.set(file, count);
    }
    const uid = this.senders.get(rights)!;
    const left = this.users.get(uid)! - rights.length;
    if (left === 0) this.users.delete(uid);
    else this.users.set(uid, left);
  }

  /** Lets go of the files of a message that will not be received. */
  drop(rights: readonly File[]): void {
    this.arrive(rights);
    this.dropping.push(...rights);
    this.drain();
  }

  /**
   * Frees sockets in flight that are unreachable. Called whenever a socket has been released. While many sockets are in
   * flight it looks less often, as otherwise a task that sends many would slow down all others.
   */
  collect(): void {
    if (this.sockets.size === 0 || this.busy) return;
    if (++this.released * LOOKED_AT < this.sockets.size) return;
    this.released = 0;
    const inside = this.referencesFromWithin();
    if (inside.size === 0) return;
    const alive: UnixSocket[] = [];
    for (const [socket, count] of inside) if (count < this.sockets.get(socket)!) alive.push(socket);
    for (const socket of alive) inside.delete(socket);
    for (let socket = alive.pop(); socket !== undefined; socket = alive.pop()) {
      socket.eachInQueue(held => {
        if (inside.delete(held)) alive.push(held);
      });
    }
    this.busy = true;
    for (const socket of inside.keys()) socket.dropRights();
    this.busy = false;
    this.drain();
  }

  /** Sockets all of whose references are in flight -> how many of these lie in the queues of such sockets. */
  private referencesFromWithin(): Map<UnixSocket, number> {
    const counts = new Map<UnixSocket, number>();
    for (const [socket, count] of this.sockets) if (socket.refs === count) counts.set(socket, 0);
    for (const socket of counts.keys()) {
      socket.eachInQueue(held => {
        const count = counts.get(held);
        if (count !== undefined) counts.set(held, count + 1);
      });
    }
    return counts;
  }

  private drain(): void {
    if (this.busy) return;
    this.busy = true;
    for (let file = this.dropping.pop(); file !== undefined; file = this.dropping.pop()) file.put();
    this.busy = false;
  }
}
