/**
 * The echo: a queue of small orders, carried out as far as output has room and is not stopped.
 *
 * Orders are queued rather than bytes, since the bytes of a tab or of its erasure depend on the column at output.
 */
import type { Termios } from '../../uapi/termios.ts';
import { ECHOCTL } from '../../uapi/termios.ts';
import { CARET, isControl, MARK, TAB } from './chars.ts';
import type { OutputProcessor } from './output.ts';

/** An order is a byte for output processing, or one of these with a byte or a number in its low 8 bits. */
const CARET_FORM = 0x100;
const ERASE_TAB = 0x200;
const ERASE_TAB_AFTER_TAB = 0x300;
const MARK_COLUMN = 0x400;
const BACK_COLUMN = 0x500;
const PLAIN_MARK = 0x600;

const MAX_ORDERS = 4096;
const LONG = 256;

export class Echo {
  private readonly output: OutputProcessor;
  private orders: number[] = [];

  constructor(output: OutputProcessor) {
    this.output = output;
  }

  get pending(): boolean {
    return this.orders.length > 0;
  }

  /** Whether to send some of it now, even in the middle of a batch of input. */
  get isLong(): boolean {
    return this.orders.length >= LONG;
  }

  /** Echoes a typed character; with ECHOCTL, a control character other than a tab as ^X. */
  char(c: number, termios: Termios): void {
    if (c === MARK) this.order(PLAIN_MARK);
    else if ((termios.lflag & ECHOCTL) !== 0 && isControl(c) && c !== TAB) this.order(CARET_FORM | c);
    else this.order(c);
  }

  /** Echoes a byte through output processing. */
  byte(c: number): void {
    this.order(c === MARK ? PLAIN_MARK : c);
  }

  /** Records the column that output will have reached as the start of the line being edited. */
  markColumn(): void {
    this.order(MARK_COLUMN);
  }

  backColumn(): void {
    this.order(BACK_COLUMN);
  }

  /** Moves back over a tab that stands `columns` columns after an earlier tab, or else after the line's start. */
  eraseTab(columns: number, afterTab: boolean): void {
    this.order((afterTab ? ERASE_TAB_AFTER_TAB : ERASE_TAB) | (columns & 7));
  }

  clear(): void {
    this.orders = [];
  }

  /** Carries out as many orders as the output processor's batch has room for. */
  make(termios: Termios): void {
    let done = 0;
    while (done < this.orders.length && this.carryOut(this.orders[done]!, termios)) done++;
    // While output is stopped, thousands of orders may wait, and each typed character comes here: copy nothing then.
    if (done > 0) this.orders = this.orders.slice(done);
  }

  private order(order: number): void {
    if (this.orders.length < MAX_ORDERS) this.orders.push(order);
  }

  private carryOut(order: number, termios: Termios): boolean {
    const output = this.output;
    const low = order & 0xff;
    switch (order & ~0xff) {
      case CARET_FORM:
        return this.caretForm(low);
      case ERASE_TAB:
        return this.backOverTab(low + output.canonColumn);
      case ERASE_TAB_AFTER_TAB:
        return this.backOverTab(low);
      case MARK_COLUMN:
        output.canonColumn = output.column;
        return true;
      case BACK_COLUMN:
        if (output.column > 0) output.column--;
        return true;
      case PLAIN_MARK:
        if (!output.raw(MARK)) return false;
        output.column++;
        return true;
      default:
        return output.put(low, termios);
    }
  }

  private caretForm(c: number): boolean {
    if (!this.output.hasRoom(2)) return false;
    this.output.raw(CARET);
    this.output.raw(c ^ 0x40);
    this.output.column += 2;
    return true;
  }

  private backOverTab(columnsBefore: number): boolean {
    const width = 8 - (columnsBefore & 7);
    if (!this.output.hasRoom(width)) return false;
    for (let i = 0; i < width; i++) this.output.backspace();
    return true;
  }
}
