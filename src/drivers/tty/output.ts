/**
 * Output processing (OPOST and the flags that depend on it, termios(3)) and the cursor's column.
 *
 * The bytes go into `made[0, length)`, and the caller hands them to the driver. A character is written whole or,
 * if it does not fit, not at all.
 */
import {
  IUTF8,
  OCRNL,
  OLCUC,
  ONLCR,
  ONLRET,
  ONOCR,
  OPOST,
  TABDLY,
  type Termios,
  XTABS,
} from '../../uapi/termios.ts';
import { BACKSPACE, isContinuation, isControl, NEWLINE, RETURN, SPACE, TAB, toUpper } from './chars.ts';

const TAB_WIDTH = 8;

export class OutputProcessor {
  readonly made: Uint8Array = new Uint8Array(4096);
  length = 0;
  column = 0;
  /** The column at which the line being edited began: erasing a tab goes back to it. */
  canonColumn = 0;
  private room = 0;

  /** Starts a batch of at most `room` bytes. */
  begin(room: number): void {
    this.length = 0;
    this.room = Math.min(room, this.made.length);
  }

  /** Adds the bytes that `c` is sent as; false if there is no room for them. */
  put(c: number, termios: Termios): boolean {
    if ((termios.oflag & OPOST) === 0) return this.raw(c);
    if (c === NEWLINE) return this.newline(termios.oflag);
    if (c === RETURN) return this.carriageReturn(termios.oflag);
    if (c === TAB) return this.tab(termios.oflag);
    if (c === BACKSPACE) return this.backspace();
    if (isControl(c)) return this.raw(c);
    if (!this.raw((termios.oflag & OLCUC) !== 0 ? toUpper(c) : c)) return false;
    if ((termios.iflag & IUTF8) === 0 || !isContinuation(c)) this.column++;
    return true;
  }

  /** Adds a byte unchanged, without moving the column; false if there is no room. */
  raw(c: number): boolean {
    if (this.length >= this.room) return false;
    this.made[this.length++] = c;
    return true;
  }

  /** Adds a backspace, regardless of the settings, and moves one column back. */
  backspace(): boolean {
    if (!this.raw(BACKSPACE)) return false;
    if (this.column > 0) this.column--;
    return true;
  }

  hasRoom(count: number): boolean {
    return this.length + count <= this.room;
  }

  private newline(oflag: number): boolean {
    if ((oflag & ONLCR) !== 0) {
      if (!this.hasRoom(2)) return false;
      this.raw(RETURN);
      this.column = 0;
    }
    if (!this.raw(NEWLINE)) return false;
    if ((oflag & ONLRET) !== 0) this.column = 0;
    this.canonColumn = this.column;
    return true;
  }

  private carriageReturn(oflag: number): boolean {
    if ((oflag & ONOCR) !== 0 && this.column === 0) return true;
    const asNewline = (oflag & OCRNL) !== 0;
    if (!this.raw(asNewline ? NEWLINE : RETURN)) return false;
    if (asNewline && (oflag & ONLRET) === 0) return true;
    this.column = 0;
    this.canonColumn = 0;
    return true;
  }

  private tab(oflag: number): boolean {
    const width = TAB_WIDTH - (this.column % TAB_WIDTH);
    if ((oflag & TABDLY) !== XTABS) {
      if (!this.raw(TAB)) return false;
    } else {
      if (!this.hasRoom(width)) return false;
      for (let i = 0; i < width; i++) this.raw(SPACE);
    }
    this.column += width;
    return true;
  }
}
