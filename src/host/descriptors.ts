/**
 * Descriptors of the host that were passed to us (standard input and output), used without waiting and without
 * changing them for the processes that share them. O_NONBLOCK belongs to the open file description, so a terminal or
 * a pipe is reopened through /proc/self/fd, and each call on a socket says MSG_DONTWAIT.
 */
import { fstatSync, readlinkSync, type Stats } from 'node:fs';
import { EACCES, EAGAIN, EBADF } from '../uapi/errno.ts';
import {
  AT_FDCWD,
  F_GETFL,
  F_SETFL,
  O_ACCMODE,
  O_CLOEXEC,
  O_NOCTTY,
  O_NONBLOCK,
  O_RDONLY,
  O_RDWR,
  O_TRUNC,
} from '../uapi/fcntl.ts';
import { POLLIN, POLLOUT } from '../uapi/poll.ts';
import type { Libc } from './libc.ts';

const SYS = {
  read: 0,
  write: 1,
  close: 3,
  poll: 7,
  ioctl: 16,
  sendto: 44,
  recvfrom: 45,
  fcntl: 72,
  openat: 257,
};
const MSG_DONTWAIT = 0x40;
const MSG_NOSIGNAL = 0x4000;

/** The most bytes that one call moves. */
const CHUNK = 65536;
/** The bytes that a writable terminal or pipe that could not be reopened takes without blocking. */
const SAFE_WRITE = 256;

/** How waiting is avoided: the descriptor is nonblocking, each call is, it never waits, or poll(2) is asked first. */
type Manner = 'nonblocking' | 'socket' | 'plain' | 'asked';

/** Reports that a descriptor is ready: see poller.ts. */
export interface DescriptorPoller {
  /** Calls `ready` whenever the descriptor has any of `events`; 0 or -errno (-EPERM: always ready). */
  watch(fd: number, events: number, ready: (events: number) => void): number;
  unwatch(fd: number): void;
}

/** The host's calls on descriptors, through one buffer with a known address. */
export class DescriptorCalls {
  readonly libc: Libc;
  private readonly bytes = new Uint8Array(CHUNK);
  readonly view: DataView = new DataView(this.bytes.buffer);
  private readonly address: number;

  constructor(libc: Libc) {
    this.libc = libc;
    this.address = libc.addressOf(this.bytes);
  }

  /** ioctl(2) with the buffer as argument; callers fill and read it through `view`. */
  ioctl(fd: number, request: number): number {
    return this.libc.syscall(SYS.ioctl, fd, request, this.address);
  }

  open(path: string, flags: number): number {
    const end = Buffer.from(this.bytes.buffer).write(`${path}\0`, 0);
    if (end > CHUNK - 1) return -EBADF;
    return this.libc.syscall(SYS.openat, AT_FDCWD, this.address, flags | O_CLOEXEC | O_NOCTTY);
  }

  close(fd: number): number {
    return this.libc.syscall(SYS.close, fd);
  }

  statusFlags(fd: number): number {
    return this.libc.syscall(SYS.fcntl, fd, F_GETFL);
  }

  /** Only for descriptors that no other process shares. */
  makeNonblocking(fd: number): number {
    const flags = this.statusFlags(fd);
    return flags < 0 ? flags : this.libc.syscall(SYS.fcntl, fd, F_SETFL, flags | O_NONBLOCK);
  }

  /** The POLL bits of `events` that hold now (and POLLERR, POLLHUP). */
  poll(fd: number, events: number, timeoutMs = 0): number {
    this.view.setInt32(0, fd, true);
    this.view.setInt32(4, events, true);
    const ready = this.libc.syscall(SYS.poll, this.address, 1, timeoutMs);
    return ready <= 0 ? ready : this.view.getInt16(6, true);
  }

  read(fd: number, buf: Uint8Array, off: number, len: number, socket: boolean): number {
    const most = Math.min(len, CHUNK);
    const got = socket
      ? this.libc.syscall(SYS.recvfrom, fd, this.address, most, MSG_DONTWAIT)
      : this.libc.syscall(SYS.read, fd, this.address, most);
    if (got > 0) buf.set(this.bytes.subarray(0, got), off);
    return got;
  }

  write(fd: number, buf: Uint8Array, off: number, len: number, socket: boolean): number {
    const most = Math.min(len, CHUNK);
    this.bytes.set(buf.subarray(off, off + most));
    return socket
      ? this.libc.syscall(SYS.sendto, fd, this.address, most, MSG_DONTWAIT | MSG_NOSIGNAL)
      : this.libc.syscall(SYS.write, fd, this.address, most);
  }
}

/** One descriptor, read and written without waiting. */
export class HostDescriptor {
  /** The descriptor to use and to watch: our own if we reopened it, else `given`. */
  readonly fd: number;
  readonly stat: Stats;
  private readonly calls: DescriptorCalls;
  /** The descriptor that was passed; -1 if none was. */
  readonly given: number;
  private readonly manner: Manner;
  private closed: () => void = () => {};

  private constructor(calls: DescriptorCalls, given: number, fd: number, stat: Stats, manner: Manner) {
    this.calls = calls;
    this.given = given;
    this.fd = fd;
    this.stat = stat;
    this.manner = manner;
  }

  /** -EBADF if it is not open. */
  static of(calls: DescriptorCalls, given: number): HostDescriptor | number {
    const flags = calls.statusFlags(given);
    if (flags < 0) return flags;
    const stat = fstatSync(given);
    if (stat.isSocket()) return new HostDescriptor(calls, given, given, stat, 'socket');
    if (!stat.isFIFO() && !stat.isCharacterDevice())
      return new HostDescriptor(calls, given, given, stat, 'plain');
    const ours = calls.open(`/proc/self/fd/${given}`, (flags & O_ACCMODE) | O_NONBLOCK);
    if (ours < 0) return new HostDescriptor(calls, given, given, stat, 'asked');
    return new HostDescriptor(calls, given, ours, stat, 'nonblocking');
  }

  /** Reopens what `given` refers to, with a position of its own, and with no more access than `given` has. */
  static again(calls: DescriptorCalls, given: number, flags: number): HostDescriptor | number {
    const known = calls.statusFlags(given);
    if (known < 0) return known;
    const [may, wants] = [known & O_ACCMODE, flags & O_ACCMODE];
    if (may !== O_RDWR && may !== wants) return -EACCES;
    const truncate = wants === O_RDONLY ? 0 : flags & O_TRUNC;
    const fd = calls.open(`/proc/self/fd/${given}`, wants | truncate | O_NONBLOCK);
    if (fd < 0) return fd;
    const stat = fstatSync(fd);
    return new HostDescriptor(calls, given, fd, stat, stat.isFile() ? 'plain' : 'nonblocking');
  }

  /** Takes over a descriptor of our own and makes it nonblocking; `close` closes it and calls `closed`. */
  static adopt(calls: DescriptorCalls, fd: number, closed: () => void): HostDescriptor | number {
    const set = calls.makeNonblocking(fd);
    if (set < 0) return set;
    const end = new HostDescriptor(calls, -1, fd, fstatSync(fd), 'nonblocking');
    end.closed = closed;
    return end;
  }

  /** The host's name for it (proc_pid_fd(5)). */
  get name(): string {
    return readlinkSync(`/proc/self/fd/${this.fd}`, 'latin1');
  }

  /** The bytes read, 0 at the end, or -errno; -EAGAIN if there are none now. */
  read(buf: Uint8Array, off: number, len: number): number {
    if (this.manner === 'asked' && this.calls.poll(this.fd, POLLIN) === 0) return -EAGAIN;
    return this.calls.read(this.fd, buf, off, len, this.manner === 'socket');
  }

  /** The bytes written, perhaps fewer than asked for, or -errno; -EAGAIN if there is no room. */
  write(buf: Uint8Array, off: number, len: number): number {
    if (this.manner !== 'asked') return this.calls.write(this.fd, buf, off, len, this.manner === 'socket');
    if ((this.calls.poll(this.fd, POLLOUT) & POLLOUT) === 0) return -EAGAIN;
    return this.calls.write(this.fd, buf, off, Math.min(len, SAFE_WRITE), false);
  }

  /** The POLL bits of `events` that hold now, or within `timeoutMs`. */
  poll(events: number, timeoutMs = 0): number {
    return this.manner === 'plain' ? events : this.calls.poll(this.fd, events, timeoutMs);
  }

  /** Closes a descriptor of our own; `given` stays open. */
  close(): void {
    if (this.fd !== this.given) this.calls.close(this.fd);
    this.closed();
  }
}
