/** What stands behind a terminal: the other side of a pty, or a channel of the host. */
import type { Termios } from '../../uapi/termios.ts';

export interface TtyDriver {
  /** The device number that TIOCGDEV and proc(5) tell. */
  readonly rdev: number;
  /** A pseudo-terminal: when its session's leader exits, only the foreground learns of it. */
  readonly isPty: boolean;
  /** Takes output; how many bytes it took. */
  write(buf: Uint8Array, off: number, len: number): number;
  /** How many bytes `write` would take. */
  room(): number;
  /** Bytes that it took and that are not yet out (TIOCOUTQ). */
  pending(): number;
  /** Drops output that is not yet out. */
  flush(): void;
  /** The window's size is asked for: a change that nobody has told yet is to be told now. */
  sizeAsked(): void;
  /** There is room for input again. */
  unthrottle(): void;
  // What packet mode tells the other side; nothing for others.
  stopped(): void;
  started(): void;
  inputFlushed(): void;
  settingsChanged(now: Termios, old: Termios): void;
  /** All files are closed, or the line is hung up. */
  closed(): void;
}
