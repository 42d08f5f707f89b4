/**
 * The line discipline N_TTY, between a terminal's driver and the programs that read and write it (termios(3)):
 * canonical and raw input, editing, echo, signals, flow control, output processing.
 *
 * `receive` takes the driver's input, `read` and `write` serve programs; none of them waits. Flags that Linux
 * ignores (IMAXBEL, PENDIN, XCASE, delays, OFILL) are ignored here, too. Breaks and parity errors occur only on
 * serial lines, and there are none: BRKINT and INPCK have no effect.
 */
import { EAGAIN } from '../../uapi/errno.ts';
import { SIGINT, SIGQUIT, SIGTSTP } from '../../uapi/signal.ts';
import {
  DISABLED_CHAR,
  ECHO,
  ECHOCTL,
  ECHONL,
  EXTPROC,
  ICANON,
  ICRNL,
  IEXTEN,
  IGNCR,
  INLCR,
  ISIG,
  ISTRIP,
  IUCLC,
  IXANY,
  IXON,
  NOFLSH,
  OPOST,
  PARMRK,
  type Termios,
  VEOF,
  VEOL,
  VEOL2,
  VERASE,
  VINTR,
  VKILL,
  VLNEXT,
  VMIN,
  VQUIT,
  VREPRINT,
  VSTART,
  VSTOP,
  VSUSP,
  VTIME,
  VWERASE,
} from '../../uapi/termios.ts';
import { BACKSPACE, CARET, MARK, NEWLINE, RETURN, toLower } from './chars.ts';
import { Echo } from './echo.ts';
import { Eraser } from './erase.ts';
import { LineBuffer, N_TTY_BUF_SIZE } from './line-buffer.ts';
import { OutputProcessor } from './output.ts';

/** What the discipline needs from its terminal. */
export interface LineHost {
  readonly termios: Termios;
  /** Output is stopped, by VSTOP or by tcflow(3). */
  readonly stopped: boolean;
  /** Stopped by tcflow(3): only tcflow(3) starts it again. */
  readonly stoppedByProgram: boolean;
  start(): void;
  stop(): void;
  /** The driver's room for output in bytes; 0 while it is stopped. */
  outputRoom(): number;
  /** Hands bytes to the driver; returns how many it took. */
  output(buf: Uint8Array, off: number, len: number): number;
  /** Signals the foreground process group. */
  signal(signal: number): void;
  /** Drops output that has not reached the other side. */
  flushOutput(): void;
  /** Input was discarded. */
  inputFlushed(): void;
  /** There is input to read. */
  inputReady(): void;
}

export class NTty {
  private readonly host: LineHost;
  readonly line: LineBuffer = new LineBuffer();
  private readonly out = new OutputProcessor();
  private readonly echo = new Echo(this.out);
  private readonly eraser = new Eraser(this.line, this.echo);
  /** VLNEXT was typed: the next character is taken literally. */
  private literalNext = false;

  constructor(host: LineHost) {
    this.host = host;
  }

  // Input from the driver.

  /** Takes as many characters as there is room for; returns their number. */
  receive(buf: Uint8Array, off: number, len: number): number {
    let taken = 0;
    while (taken < len && this.makeRoom()) {
      this.receiveChar(buf[off + taken++]!);
      if (this.echo.isLong) this.flushEcho();
    }
    this.flushEcho();
    if (taken > 0 && !this.canonical && this.line.length > 0) this.host.inputReady();
    return taken;
  }

  /** A line that fills the buffer loses its last character to each new one, so that its end always gets in. */
  private makeRoom(): boolean {
    const { line } = this;
    const free = N_TTY_BUF_SIZE - line.length;
    const room = ((this.host.termios.iflag & PARMRK) !== 0 ? Math.ceil(free / 3) : free) - 1;
    if (room > 0) return true;
    if ((this.host.termios.lflag & ICANON) === 0 || line.canonHead !== line.tail) return false;
    if (room < 0) line.head--;
    return true;
  }

  private receiveChar(raw: number): void {
    const { iflag, lflag } = this.host.termios;
    let c = raw;
    if ((iflag & ISTRIP) !== 0) c &= 0x7f;
    if ((iflag & IUCLC) !== 0 && (lflag & IEXTEN) !== 0) c = toLower(c);
    if ((lflag & EXTPROC) !== 0) {
      this.line.put(c);
      return;
    }
    if (this.literalNext) {
      this.literalNext = false;
      this.resumeOnAny();
      this.ordinary(c);
      return;
    }
    if (this.flowControl(c) || this.signals(c)) return;
    this.resumeOnAny();
    const mapped = mapNewline(c, iflag);
    if (mapped < 0) return;
    if ((lflag & ICANON) !== 0 && this.edit(mapped)) return;
    // In raw mode, a newline mapped from a return is echoed as it is; a typed one is a control character like any
    // other.
    this.ordinary(mapped, mapped === NEWLINE && c !== NEWLINE);
  }

  private flowControl(c: number): boolean {
    const { iflag, cc } = this.host.termios;
    if ((iflag & IXON) === 0 || c === DISABLED_CHAR) return false;
    if (c === cc[VSTART]) {
      this.host.start();
      this.flushEcho();
      return true;
    }
    if (c !== cc[VSTOP]) return false;
    this.host.stop();
    return true;
  }

  private signals(c: number): boolean {
    const { lflag, iflag, cc } = this.host.termios;
    if ((lflag & ISIG) === 0 || c === DISABLED_CHAR) return false;
    const signal = c === cc[VINTR] ? SIGINT : c === cc[VQUIT] ? SIGQUIT : c === cc[VSUSP] ? SIGTSTP : 0;
    if (signal === 0) return false;
    this.interrupt(signal);
    if ((iflag & IXON) !== 0) this.host.start();
    if ((lflag & ECHO) !== 0) this.echo.char(c, this.host.termios);
    else this.flushEcho();
    return true;
  }

  /** Signals the foreground group, and (unless NOFLSH) discards pending input and output. */
  interrupt(signal: number): void {
    this.host.signal(signal);
    if ((this.host.termios.lflag & NOFLSH) !== 0) return;
    this.echo.clear();
    this.host.flushOutput();
    this.flushInput();
  }

  private resumeOnAny(): void {
    const { host } = this;
    if (!host.stopped || host.stoppedByProgram) return;
    if ((host.termios.iflag & (IXON | IXANY)) !== (IXON | IXANY)) return;
    host.start();
    this.flushEcho();
  }

  /** Editing and line ends of canonical mode; false if `c` is an ordinary character. */
  private edit(c: number): boolean {
    const { lflag, cc } = this.host.termios;
    const extended = (lflag & IEXTEN) !== 0;
    // A newline may be one of the editing characters, which are tested first: then it does not end the line.
    if (c === DISABLED_CHAR) return false;
    if (c === cc[VERASE]) this.eraser.erase('char', this.host.termios);
    else if (c === cc[VWERASE] && extended) this.eraser.erase('word', this.host.termios);
    else if (c === cc[VKILL]) this.eraser.erase('line', this.host.termios);
    else if (c === cc[VLNEXT] && extended) this.takeNextLiterally();
    else if (c === cc[VREPRINT] && extended && (lflag & ECHO) !== 0) this.reprint(c);
    else if (c === NEWLINE) this.endLineByNewline();
    else if (c === cc[VEOF]) this.endLine(DISABLED_CHAR);
    else if (c === cc[VEOL] || (c === cc[VEOL2] && extended)) this.endLineBy(c);
    else return false;
    return true;
  }

  private takeNextLiterally(): void {
    const { lflag } = this.host.termios;
    this.literalNext = true;
    if ((lflag & ECHO) === 0) return;
    this.eraser.finish();
    if ((lflag & ECHOCTL) === 0) return;
    this.echo.byte(CARET);
    this.echo.byte(BACKSPACE);
  }

  private reprint(c: number): void {
    const { line, echo } = this;
    this.eraser.finish();
    echo.char(c, this.host.termios);
    echo.byte(NEWLINE);
    for (let at = line.canonHead; at < line.head; at++) echo.char(line.at(at), this.host.termios);
  }

  private endLineByNewline(): void {
    if ((this.host.termios.lflag & (ECHO | ECHONL)) !== 0) this.echo.byte(NEWLINE);
    this.endLine(NEWLINE);
  }

  private endLineBy(c: number): void {
    const { termios } = this.host;
    if ((termios.lflag & ECHO) !== 0) {
      if (!this.line.editing) this.echo.markColumn();
      this.echo.char(c, termios);
    }
    if (c === MARK && (termios.iflag & PARMRK) !== 0) this.line.put(c);
    this.endLine(c);
  }

  private endLine(c: number): void {
    this.line.endLine(c);
    this.host.inputReady();
  }

  private ordinary(c: number, plainNewline = false): void {
    const { termios } = this.host;
    if ((termios.lflag & ECHO) !== 0) {
      this.eraser.finish();
      if (plainNewline) this.echo.byte(c);
      else {
        if (!this.line.editing) this.echo.markColumn();
        this.echo.char(c, termios);
      }
    }
    if (c === MARK && (termios.iflag & PARMRK) !== 0) this.line.put(c);
    this.line.put(c);
  }

  // Output from programs.

  /** Writes as much as there is room for; returns the number of bytes taken, or -EAGAIN. */
  write(buf: Uint8Array, off: number, len: number): number {
    this.flushEcho();
    const taken =
      (this.host.termios.oflag & OPOST) === 0
        ? this.writeRaw(buf, off, len)
        : this.writeCooked(buf, off, len);
    return taken === 0 && len > 0 ? -EAGAIN : taken;
  }

  private writeRaw(buf: Uint8Array, off: number, len: number): number {
    const room = Math.min(len, this.host.outputRoom());
    return room <= 0 ? 0 : this.host.output(buf, off, room);
  }

  private writeCooked(buf: Uint8Array, off: number, len: number): number {
    const { host, out } = this;
    let taken = 0;
    while (taken < len) {
      out.begin(host.outputRoom());
      const before = taken;
      while (taken < len && out.put(buf[off + taken]!, host.termios)) taken++;
      if (out.length > 0) host.output(out.made, 0, out.length);
      if (taken === before) break;
    }
    return taken;
  }

  /** Sends as much of the pending echo as there is room for. */
  flushEcho(): void {
    while (this.echo.pending) {
      this.out.begin(this.host.outputRoom());
      this.echo.make(this.host.termios);
      if (this.out.length === 0) return;
      this.host.output(this.out.made, 0, this.out.length);
    }
  }

  // Input to programs.

  /** Whether reads return lines rather than characters. */
  get canonical(): boolean {
    return (this.host.termios.lflag & (ICANON | EXTPROC)) === ICANON;
  }

  /** Whether there is input to read; for poll(2) in raw mode without VTIME, at least VMIN characters. */
  inputAvailable(forPoll: boolean): boolean {
    const { line } = this;
    if (this.canonical) return line.canonHead !== line.tail;
    const { cc } = this.host.termios;
    return line.length >= (forPoll && cc[VTIME] === 0 ? Math.max(1, cc[VMIN]!) : 1);
  }

  /** Returns what is there, even if less than VMIN: all or part of a line, or characters. 0 is end of file. */
  read(buf: Uint8Array, off: number, len: number): number {
    return this.canonical ? this.line.takeLine(buf, off, len) : this.line.take(buf, off, len);
  }

  /** FIONREAD. */
  get readable(): number {
    return this.canonical ? this.line.lineBytes : this.line.length;
  }

  flushInput(): void {
    this.line.clear();
    this.eraser.reset();
    this.host.inputFlushed();
  }

  /** The settings have changed from `old` to `host.termios`. */
  settingsChanged(old: Termios): void {
    const { host, line } = this;
    const { iflag, lflag } = host.termios;
    if (((old.lflag ^ lflag) & (ICANON | EXTPROC)) !== 0) {
      line.regroup((lflag & ICANON) !== 0 && line.length > 0);
      this.eraser.reset();
      this.literalNext = false;
    }
    if ((iflag & IXON) === 0 && (old.iflag & IXON) !== 0 && !host.stoppedByProgram) {
      host.start();
      this.flushEcho();
    }
    host.inputReady();
  }

  /** Hang-up: discards input and pending echo. */
  reset(): void {
    this.echo.clear();
    this.flushInput();
    this.literalNext = false;
  }
}

/** ICRNL, IGNCR, INLCR: the character that `c` is mapped to, or -1 to ignore it. */
function mapNewline(c: number, iflag: number): number {
  if (c === RETURN) {
    if ((iflag & IGNCR) !== 0) return -1;
    return (iflag & ICRNL) !== 0 ? NEWLINE : c;
  }
  return c === NEWLINE && (iflag & INLCR) !== 0 ? RETURN : c;
}
