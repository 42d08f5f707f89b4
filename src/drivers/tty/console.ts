/**
 * Console lines (con): terminals whose driver is a channel of the host.
 *
 * The line lives as long as the machine. A host terminal that goes away hangs it up. At the end of any other input
 * the reader gets end of file once, as if VEOF had been typed.
 */
import type { ChannelUser, HostChannel } from '../../host/channel.ts';
import {
  B38400,
  CREAD,
  CS8,
  defaultTermios,
  HUPCL,
  sameSize,
  VEOF,
  type WinSize,
} from '../../uapi/termios.ts';
import type { TtyDriver } from './driver.ts';
import { Tty, type TtyEnvironment } from './tty.ts';

export class ConsoleLine implements TtyDriver, ChannelUser {
  readonly rdev: number;
  readonly tty: Tty;
  readonly channel: HostChannel;
  readonly isPty = false;
  /** The size of the host's window when it was last read. */
  private hostSize: WinSize | null;
  /** The most VEOFs still to be given to the reader. */
  private owedEofs = 0;

  constructor(env: TtyEnvironment, rdev: number, channel: HostChannel) {
    this.rdev = rdev;
    this.channel = channel;
    this.tty = new Tty(env, this, { ...defaultTermios(), cflag: B38400 | CS8 | CREAD | HUPCL });
    this.hostSize = channel.size();
    this.tty.size = this.hostSize ?? this.tty.size;
    channel.start(this);
  }

  /** Takes over the host's window size if that has changed; until then the size that programs have set holds. */
  sizeAsked(): void {
    const now = this.channel.size();
    if (now === null || (this.hostSize !== null && sameSize(now, this.hostSize))) return;
    this.hostSize = now;
    this.tty.resize(now);
  }

  /** Prints the kernel's own text (the log), past the line discipline; drops what there is no room for. */
  print(text: string): void {
    const bytes = Buffer.from(text.replaceAll('\n', '\r\n'), 'latin1');
    this.channel.write(bytes, 0, bytes.length);
  }

  // Called by the channel.

  input(buf: Uint8Array, off: number, len: number): number {
    return this.tty.receive(buf, off, len);
  }

  ended(hangup: boolean): void {
    if (hangup) this.tty.hangup();
    else {
      this.owedEofs = 2;
      this.giveEofs();
    }
  }

  /** After a line that has no newline, the first VEOF ends only that line (termios(3)): then it comes again. */
  private giveEofs(): void {
    const { tty } = this;
    while (this.owedEofs > 0 && tty.inputIsSeen) {
      const endsLine = tty.ldisc.canonical && tty.ldisc.line.editing;
      this.owedEofs = endsLine ? this.owedEofs - 1 : 0;
      tty.receive(Uint8Array.of(tty.termios.cc[VEOF]!), 0, 1);
    }
  }

  drained(): void {
    this.tty.wakeWriters();
  }

  // Called by the terminal, as its driver.

  write(buf: Uint8Array, off: number, len: number): number {
    return this.channel.write(buf, off, len);
  }

  room(): number {
    return this.channel.room();
  }

  pending(): number {
    return this.channel.pending();
  }

  flush(): void {
    this.channel.discard();
  }

  unthrottle(): void {
    this.channel.unthrottle();
    this.giveEofs();
  }

  stopped(): void {}
  started(): void {}
  inputFlushed(): void {}
  settingsChanged(): void {}
  closed(): void {}
}
