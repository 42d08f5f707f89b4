/**
 * Readiness of the host's descriptors, through a level-triggered epoll instance (epoll(7)).
 *
 * The engine's reaper watches the epoll descriptor itself and wakes the kernel, which then calls `dispatch`.
 */
import type { Libc } from './libc.ts';

const NR = { close: 3, epoll_wait: 232, epoll_ctl: 233, epoll_create1: 291 } as const;
const EPOLL_CLOEXEC = 0o2000000;
const CTL = { add: 1, del: 2, mod: 3 } as const;
const MAX_EVENTS = 64;
/** struct epoll_event is packed on x86-64: events u32, data u64. */
const EVENT_SIZE = 12;

export type ReadyCallback = (events: number) => void;

export class HostPoller {
  readonly fd: number;
  private readonly libc: Libc;
  private readonly buffer = new Uint8Array(MAX_EVENTS * EVENT_SIZE);
  private readonly view = new DataView(this.buffer.buffer);
  private readonly address: number;
  private readonly watched: Map<number, ReadyCallback> = new Map();

  constructor(libc: Libc) {
    this.libc = libc;
    this.address = libc.addressOf(this.buffer);
    this.fd = libc.syscall(NR.epoll_create1, EPOLL_CLOEXEC);
  }

  /** Calls `ready` whenever the descriptor has any of `events` (POLL bits); 0 or -errno (-EPERM: always ready). */
  watch(fd: number, events: number, ready: ReadyCallback): number {
    const known = this.watched.has(fd);
    const result = this.control(known ? CTL.mod : CTL.add, fd, events);
    if (result === 0) this.watched.set(fd, ready);
    return result;
  }

  unwatch(fd: number): void {
    if (this.watched.delete(fd)) this.control(CTL.del, fd, 0);
  }

  /** Calls back for each descriptor that is ready now, up to MAX_EVENTS. */
  dispatch(): void {
    const count = this.libc.syscall(NR.epoll_wait, this.fd, this.address, MAX_EVENTS, 0);
    const ready: { fd: number; events: number }[] = [];
    for (let i = 0; i < count; i++) {
      const at = i * EVENT_SIZE;
      ready.push({ fd: this.view.getInt32(at + 4, true), events: this.view.getUint32(at, true) });
    }
    for (const { fd, events } of ready) this.watched.get(fd)?.(events);
  }

  close(): void {
    this.libc.syscall(NR.close, this.fd);
  }

  private control(operation: number, fd: number, events: number): number {
    this.view.setUint32(0, events, true);
    this.view.setInt32(4, fd, true);
    this.view.setInt32(8, 0, true);
    return this.libc.syscall(NR.epoll_ctl, this.fd, operation, fd, this.address);
  }
}
