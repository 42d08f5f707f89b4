/**
 * The input of a terminal: a ring of 4096 characters, some of which end a line.
 *
 * Positions only grow; a character lies at its position modulo the ring's size. The line being edited lies between
 * `canonHead` and `head`, complete lines between `tail` and `canonHead`.
 */
import { DISABLED_CHAR } from '../../uapi/termios.ts';

export const N_TTY_BUF_SIZE = 4096;

export class LineBuffer {
  private readonly chars = new Uint8Array(N_TTY_BUF_SIZE);
  /** 1 where a line ends. */
  private readonly ends = new Uint8Array(N_TTY_BUF_SIZE);
  head = 0;
  tail = 0;
  canonHead = 0;

  get length(): number {
    return this.head - this.tail;
  }

  /** Whether a line is being edited. */
  get editing(): boolean {
    return this.head !== this.canonHead;
  }

  at(position: number): number {
    return this.chars[position % N_TTY_BUF_SIZE]!;
  }

  endsLine(position: number): boolean {
    return this.ends[position % N_TTY_BUF_SIZE] === 1;
  }

  /** A line ended by EOF ends with a character that no read returns. */
  isEof(position: number): boolean {
    return this.endsLine(position) && this.at(position) === DISABLED_CHAR;
  }

  put(c: number): void {
    this.chars[this.head % N_TTY_BUF_SIZE] = c;
    this.ends[this.head % N_TTY_BUF_SIZE] = 0;
    this.head++;
  }

  /** Ends the line with `c`: from now on it can be read, but no longer edited. */
  endLine(c: number): void {
    this.put(c);
    this.ends[(this.head - 1) % N_TTY_BUF_SIZE] = 1;
    this.canonHead = this.head;
  }

  clear(): void {
    this.tail = this.head;
    this.canonHead = this.head;
  }

  /** ICANON has changed: everything in the ring becomes one complete line, or none. */
  regroup(asLine: boolean): void {
    this.ends.fill(0);
    this.canonHead = asLine ? this.head : this.tail;
    if (asLine && this.length > 0) this.ends[(this.head - 1) % N_TTY_BUF_SIZE] = 1;
  }

  /** The bytes of complete lines that read(2) could return, without EOF marks. */
  get lineBytes(): number {
    let count = 0;
    for (let at = this.tail; at < this.canonHead; at++) if (!this.isEof(at)) count++;
    return count;
  }

  /** Moves characters out, regardless of line ends. */
  take(buf: Uint8Array, off: number, len: number): number {
    const count = Math.min(len, this.length);
    for (let i = 0; i < count; i++) buf[off + i] = this.at(this.tail + i);
    this.tail += count;
    return count;
  }

  /** Moves out the rest of a line, up to `len` bytes. Consumes an EOF mark that comes next. */
  takeLine(buf: Uint8Array, off: number, len: number): number {
    let count = 0;
    while (this.tail < this.canonHead) {
      if (this.isEof(this.tail)) {
        this.tail++;
        break;
      }
      if (count === len) break;
      const last = this.endsLine(this.tail);
      buf[off + count++] = this.at(this.tail++);
      if (last) break;
    }
    return count;
  }
}
