/** VERASE, VWERASE and VKILL: erase typed characters from the line and from the screen. */
import {
  ECHO,
  ECHOCTL,
  ECHOE,
  ECHOK,
  ECHOKE,
  ECHOPRT,
  IUTF8,
  type Termios,
  VERASE,
  VKILL,
} from '../../uapi/termios.ts';
import {
  BACKSLASH,
  BACKSPACE,
  isContinuation,
  isControl,
  isWordChar,
  NEWLINE,
  SLASH,
  SPACE,
  TAB,
} from './chars.ts';
import type { Echo } from './echo.ts';
import type { LineBuffer } from './line-buffer.ts';

/** How much to erase: a character, a word, or the line. */
export type EraseKind = 'char' | 'word' | 'line';

export class Eraser {
  private readonly line: LineBuffer;
  private readonly echo: Echo;
  /** ECHOPRT: the opening backslash was echoed, the closing slash is still due. */
  private printing = false;

  constructor(line: LineBuffer, echo: Echo) {
    this.line = line;
    this.echo = echo;
  }

  erase(kind: EraseKind, termios: Termios): void {
    const { line } = this;
    if (!line.editing) return;
    if (kind === 'line' && this.killsAtOnce(termios)) return;
    let inWord = false;
    while (line.editing) {
      const start = this.previousChar(termios);
      const c = line.at(start);
      if (isContinuationIn(c, termios)) break;
      if (kind === 'word') {
        if (isWordChar(c)) inWord = true;
        else if (inWord) break;
      }
      this.eraseOne(start, kind, termios);
      if (kind === 'char') break;
    }
    if (!line.editing && (termios.lflag & ECHO) !== 0) this.finish();
  }

  /** Ends the printing of erased characters (ECHOPRT). */
  finish(): void {
    if (!this.printing) return;
    this.echo.byte(SLASH);
    this.printing = false;
  }

  reset(): void {
    this.printing = false;
  }

  /** Kills the line in one step, unless ECHO, ECHOE, ECHOK and ECHOKE are all set; then false. */
  private killsAtOnce(termios: Termios): boolean {
    const { lflag, cc } = termios;
    const visibly = ECHO | ECHOE | ECHOK | ECHOKE;
    if ((lflag & visibly) === visibly) return false;
    this.line.head = this.line.canonHead;
    if ((lflag & ECHO) === 0) return true;
    this.finish();
    this.echo.char(cc[VKILL]!, termios);
    if ((lflag & ECHOK) !== 0) this.echo.byte(NEWLINE);
    return true;
  }

  /** Where the last character begins; with IUTF8 it may have several bytes. */
  private previousChar(termios: Termios): number {
    const { line } = this;
    let at = line.head - 1;
    while (at > line.canonHead && isContinuationIn(line.at(at), termios)) at--;
    return at;
  }

  private eraseOne(start: number, kind: EraseKind, termios: Termios): void {
    const { line, echo } = this;
    const end = line.head;
    const c = line.at(start);
    line.head = start;
    if ((termios.lflag & ECHO) === 0) return;
    if ((termios.lflag & ECHOPRT) !== 0) this.print(start, end, termios);
    else if (kind === 'char' && (termios.lflag & ECHOE) === 0) echo.char(termios.cc[VERASE]!, termios);
    else if (c === TAB) this.rubOutTab(termios);
    else this.rubOut(c, termios);
  }

  /** ECHOPRT: prints the erased characters between a backslash and a slash, as on a printing terminal. */
  private print(start: number, end: number, termios: Termios): void {
    const { line, echo } = this;
    if (!this.printing) {
      echo.byte(BACKSLASH);
      this.printing = true;
    }
    echo.char(line.at(start), termios);
    for (let at = start + 1; at < end; at++) {
      echo.byte(line.at(at));
      echo.backColumn();
    }
  }

  private rubOut(c: number, termios: Termios): void {
    const inCaretForm = (termios.lflag & ECHOCTL) !== 0;
    if (isControl(c) && !inCaretForm) return;
    for (let columns = isControl(c) ? 2 : 1; columns > 0; columns--) {
      this.echo.byte(BACKSPACE);
      this.echo.byte(SPACE);
      this.echo.byte(BACKSPACE);
    }
  }

  /** The width of a tab depends on the columns before it, back to an earlier tab or the line's start. */
  private rubOutTab(termios: Termios): void {
    const { line } = this;
    let columns = 0;
    for (let at = line.head - 1; at >= line.canonHead; at--) {
      const c = line.at(at);
      if (c === TAB) {
        this.echo.eraseTab(columns, true);
        return;
      }
      if (isControl(c)) columns += (termios.lflag & ECHOCTL) !== 0 ? 2 : 0;
      else if (!isContinuationIn(c, termios)) columns++;
    }
    this.echo.eraseTab(columns, false);
  }
}

const isContinuationIn = (c: number, termios: Termios): boolean =>
  (termios.iflag & IUTF8) !== 0 && isContinuation(c);
