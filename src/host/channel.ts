/**
 * Channels: what a console or serial line of the guest is connected to on the host.
 *
 * When the poller reports a ready descriptor, the channel reads it and passes the input on, or sends pending output.
 * Nothing here waits, except `finish`.
 */
import { EAGAIN, EINTR, EPIPE } from '../uapi/errno.ts';
import { POLLIN, POLLOUT } from '../uapi/poll.ts';
import type { WinSize } from '../uapi/termios.ts';
import type { DescriptorCalls, DescriptorPoller, HostDescriptor } from './descriptors.ts';
import { windowSize } from './terminal.ts';

/** The line that a channel belongs to. */
export interface ChannelUser {
  /** Takes input from the host; returns the number of bytes taken. */
  input(buf: Uint8Array, off: number, len: number): number;
  /** The other side is gone for good; `hangup`: a terminal or the output's reader went, not just a file that ended. */
  ended(hangup: boolean): void;
  /** There is room for output again. */
  drained(): void;
}

export interface HostChannel {
  /** Begins to deliver input to `user`. */
  start(user: ChannelUser): void;
  /** Takes as much output as there is room for; returns the number of bytes taken. */
  write(buf: Uint8Array, off: number, len: number): number;
  room(): number;
  /** The number of bytes taken but not yet sent. */
  pending(): number;
  /** Drops output not yet sent. */
  discard(): void;
  /** The user, which had refused input, has room again. */
  unthrottle(): void;
  /** Sends pending output when the machine ends, waiting up to a second at a time for a slow reader. */
  finish(): void;
  /** The window's size; null if there is none. */
  size(): WinSize | null;
  close(): void;
}

/** Discards all output and has no input. */
export class NullChannel implements HostChannel {
  start(): void {}

  write(_buf: Uint8Array, _off: number, len: number): number {
    return len;
  }

  room(): number {
    return OUTPUT_LIMIT;
  }

  pending(): number {
    return 0;
  }

  discard(): void {}
  unthrottle(): void {}
  finish(): void {}

  size(): WinSize | null {
    return null;
  }

  close(): void {}
}

const OUTPUT_LIMIT = 16384;
const INPUT_CHUNK = 4096;
/** How long `finish` waits each time for a slow reader. */
const FINISH_MS = 1000;

/** A channel over descriptors of the host; either may be missing, both may be the same. */
export class FdChannel implements HostChannel {
  private readonly poller: DescriptorPoller;
  private readonly calls: DescriptorCalls;
  private readonly input: HostDescriptor | null;
  private readonly output: HostDescriptor | null;
  /** The input is a terminal: its end is a hangup. */
  private readonly fromTerminal: boolean;
  private user: ChannelUser | null = null;
  /** The events that the poller was last asked for. */
  private readonly asked: Map<HostDescriptor, number> = new Map();
  private readonly onReady = (events: number): void => this.ready(events);
  /** Input read but not yet taken by the user: chunk[chunkStart, chunkEnd). */
  private readonly chunk = new Uint8Array(INPUT_CHUNK);
  private chunkStart = 0;
  private chunkEnd = 0;
  private ended = false;
  private readonly waiting = new Uint8Array(OUTPUT_LIMIT);
  private waitingLength = 0;

  constructor(
    calls: DescriptorCalls,
    poller: DescriptorPoller,
    input: HostDescriptor | null,
    output: HostDescriptor | null,
  ) {
    this.calls = calls;
    this.poller = poller;
    this.input = input;
    this.output = output;
    this.fromTerminal = input !== null && windowSize(calls, input.fd) !== null;
  }

  start(user: ChannelUser): void {
    this.user = user;
    this.listen();
  }

  write(buf: Uint8Array, off: number, len: number): number {
    const taken = Math.min(len, this.room());
    this.waiting.set(buf.subarray(off, off + taken), this.waitingLength);
    const idle = this.waitingLength === 0;
    this.waitingLength += taken;
    if (idle) this.send();
    return taken;
  }

  room(): number {
    return OUTPUT_LIMIT - this.waitingLength;
  }

  pending(): number {
    return this.waitingLength;
  }

  discard(): void {
    this.waitingLength = 0;
    this.listen();
  }

  unthrottle(): void {
    if (this.chunkStart === this.chunkEnd || this.user === null) return;
    this.deliver();
    if (this.chunkStart === this.chunkEnd) this.listen();
  }

  size(): WinSize | null {
    for (const end of [this.input, this.output]) {
      const size = end === null ? null : windowSize(this.calls, end.fd);
      if (size !== null) return size;
    }
    return null;
  }

  finish(): void {
    if (this.output === null) return;
    while (this.waitingLength > 0 && this.output.poll(POLLOUT, FINISH_MS) > 0) if (!this.send()) return;
  }

  close(): void {
    this.finish();
    this.user = null;
    this.waitingLength = 0;
    for (const end of new Set([this.input, this.output])) {
      if (end === null) continue;
      this.poller.unwatch(end.fd);
      end.close();
    }
  }

  /** A descriptor is ready; called by the poller, and by tests. */
  ready(events: number): void {
    if ((events & ~POLLOUT) !== 0) this.receive();
    if (this.waitingLength > 0 && (events & ~POLLIN) !== 0 && this.send()) this.user?.drained();
  }

  /** Watches only for what we wait for: the level-triggered poller would report anything else over and over. */
  private listen(): void {
    const reads = this.user !== null && !this.ended && this.chunkStart === this.chunkEnd ? POLLIN : 0;
    const writes = this.waitingLength > 0 ? POLLOUT : 0;
    if (this.input === this.output) this.watch(this.input, reads | writes);
    else {
      this.watch(this.input, reads);
      this.watch(this.output, writes);
    }
  }

  private watch(end: HostDescriptor | null, events: number): void {
    if (end === null || this.asked.get(end) === events) return;
    this.asked.set(end, events);
    if (events === 0) this.poller.unwatch(end.fd);
    else if (this.poller.watch(end.fd, events, this.onReady) < 0) {
      // A descriptor that cannot be watched (a regular file, /dev/null) is always ready.
      this.asked.delete(end);
      queueMicrotask(() => this.ready(events));
    }
  }

  private receive(): void {
    if (this.user === null || this.ended || this.input === null || this.chunkStart < this.chunkEnd) return;
    const got = this.input.read(this.chunk, 0, INPUT_CHUNK);
    if (got === -EAGAIN || got === -EINTR) return;
    if (got <= 0) {
      this.ended = true;
      this.user.ended(this.fromTerminal);
    } else {
      this.chunkStart = 0;
      this.chunkEnd = got;
      this.deliver();
    }
    this.listen();
  }

  private deliver(): void {
    this.chunkStart += this.user?.input(this.chunk, this.chunkStart, this.chunkEnd - this.chunkStart) ?? 0;
  }

  /** Sends pending output; whether any of it was sent or dropped. */
  private send(): boolean {
    if (this.output === null) this.waitingLength = 0;
    let sent = 0;
    while (sent < this.waitingLength) {
      const n = this.output!.write(this.waiting, sent, this.waitingLength - sent);
      if (n === -EAGAIN || n === -EINTR) break;
      // The reader is gone: output is lost, and the line is hung up after this call has returned to the writer.
      if (n === -EPIPE) queueMicrotask(() => this.user?.ended(true));
      sent += n < 0 ? this.waitingLength - sent : n;
    }
    this.waiting.copyWithin(0, sent, this.waitingLength);
    this.waitingLength -= sent;
    this.listen();
    return sent > 0;
  }
}
