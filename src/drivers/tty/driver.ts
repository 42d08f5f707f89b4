/** The far side of a terminal: the master of a pty, or a channel of the host. */
import type { Termios } from '../../uapi/termios.ts';

export interface TtyDriver {
  /** The device number that TIOCGDEV and proc(5) show. */
  readonly rdev: number;
  /** A pseudo-terminal is not hung up when its session's leader exits; only its foreground group gets SIGHUP. */
  readonly isPty: boolean;
  /** Takes output; returns the number of bytes taken. */
  write(buf: Uint8Array, off: number, len: number): number;
  /** How many bytes `write` would take. */
  room(): number;
  /** The number of bytes taken but not yet sent (TIOCOUTQ). */
  pending(): number;
  /** Drops output not yet sent. */
  flush(): void;
  /** A program is about to read the window size: the driver must report any change now. */
  sizeAsked(): void;
  /** There is room for input again. */
  unthrottle(): void;
  // Reported to the master in packet mode; drivers that are no pty ignore these.
  stopped(): void;
  started(): void;
  inputFlushed(): void;
  settingsChanged(now: Termios, old: Termios): void;
  /** All files are closed, or the line is hung up. */
  closed(): void;
}
