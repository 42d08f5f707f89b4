/**
 * A terminal (tty_struct): its settings, its line discipline, its session, and the files open on it.
 *
 * Input goes driver -> `receive` -> discipline -> `TtyFile.read`; output `TtyFile.write` -> discipline -> driver.
 * The rules of job control are in job-control.ts.
 */
import type { Clock, Timers } from '../../core/clock.ts';
import type { ProcessGroups, Session } from '../../core/current.ts';
import { WaitQueue } from '../../core/wait.ts';
import { POLLHUP, POLLIN, POLLOUT, POLLRDNORM, POLLWRNORM } from '../../uapi/poll.ts';
import { SIGCONT, SIGHUP, SIGWINCH } from '../../uapi/signal.ts';
import {
  copyTermios,
  noTermios,
  resolveSpeeds,
  sameSize,
  type Termios,
  type WinSize,
} from '../../uapi/termios.ts';
import { ByteQueue } from './byte-queue.ts';
import type { TtyDriver } from './driver.ts';
import { type LineHost, NTty } from './n-tty.ts';

/** What the machine provides to terminals. */
export interface TtyEnvironment {
  readonly clock: Clock;
  readonly timers: Timers;
  readonly groups: ProcessGroups;
  /** The foreground group at the time of the hang-up, by session whose terminal was hung up. */
  readonly hungUp: WeakMap<Session, number>;
}

/** A file open on the terminal, as hang-up sees it. */
export interface HangsUp {
  hungUp: boolean;
}

/** The most input, in bytes, that waits for room in the discipline. */
const INPUT_LIMIT = 16384;
/** poll(2) reports POLLOUT only while fewer bytes than this wait in the driver. */
const WAKEUP_CHARS = 256;

export class Tty implements LineHost {
  readonly env: TtyEnvironment;
  readonly driver: TtyDriver;
  readonly ldisc: NTty;
  readonly waitq: WaitQueue = new WaitQueue();
  readonly files: Set<HangsUp> = new Set();
  termios: Termios;
  /** The settings after a hang-up. */
  private readonly initial: Termios;
  size: WinSize = { rows: 0, cols: 0, xpixel: 0, ypixel: 0 };
  session: Session | null = null;
  /** The foreground process group; 0 if there is none. */
  foreground = 0;
  /** Settings that cannot be changed (TIOCSLCKTRMIOS): the bits set here, and control characters not 0 here. */
  locked: Termios = noTermios();
  /** TIOCEXCL. */
  exclusive = false;
  /** The other side is gone (a pty's master). */
  otherClosed = false;
  stopped = false;
  stoppedByProgram = false;
  private readonly input = new ByteQueue(INPUT_LIMIT);

  constructor(env: TtyEnvironment, driver: TtyDriver, termios: Termios) {
    this.env = env;
    this.driver = driver;
    this.termios = termios;
    this.initial = copyTermios(termios);
    this.ldisc = new NTty(this);
  }

  // The driver's side.

  /** Takes input; returns the number of bytes that there was room for. */
  receive(buf: Uint8Array, off: number, len: number): number {
    const direct = this.input.length === 0 ? this.ldisc.receive(buf, off, len) : 0;
    return direct + this.input.push(buf, off + direct, len - direct);
  }

  /** Whether the discipline has seen all input so far. */
  get inputIsSeen(): boolean {
    return this.input.length === 0;
  }

  /** Room for input in bytes, for drivers that can hold input back. */
  get inputRoom(): number {
    return this.input.room;
  }

  /** The driver has room again: sends pending echo first, then wakes writers. */
  wakeWriters(): void {
    this.ldisc.flushEcho();
    this.waitq.wake(POLLOUT | POLLWRNORM);
  }

  /** Moves waiting input into the room that the discipline now has. */
  pump(): void {
    let moved = false;
    while (this.input.length > 0) {
      const front = this.input.front();
      const taken = this.ldisc.receive(front, 0, front.length);
      this.input.drop(taken);
      moved ||= taken > 0;
      if (taken < front.length) break;
    }
    if (moved || this.input.length === 0) this.driver.unthrottle();
  }

  // Called by the discipline.

  outputRoom(): number {
    return this.stopped ? 0 : this.driver.room();
  }

  output(buf: Uint8Array, off: number, len: number): number {
    return this.stopped ? 0 : this.driver.write(buf, off, len);
  }

  signal(signal: number): void {
    if (this.foreground > 0) this.env.groups.signalGroup(this.foreground, signal);
  }

  flushOutput(): void {
    this.driver.flush();
  }

  inputFlushed(): void {
    this.driver.inputFlushed();
  }

  inputReady(): void {
    this.waitq.wake(POLLIN | POLLRDNORM);
  }

  stop(): void {
    if (this.stopped) return;
    this.stopped = true;
    this.driver.stopped();
  }

  start(): void {
    if (!this.stopped || this.stoppedByProgram) return;
    this.stopped = false;
    this.driver.started();
    this.waitq.wake(POLLOUT | POLLWRNORM);
  }

  /** tcflow(3): TCOOFF and TCOON. */
  stopByProgram(stop: boolean): void {
    if (this.stoppedByProgram === stop) return;
    if (stop) this.stop();
    this.stoppedByProgram = stop;
    if (!stop) this.start();
  }

  // Settings.

  setTermios(next: Termios): void {
    const old = this.termios;
    resolveSpeeds(next);
    this.termios = next;
    this.driver.settingsChanged(next, old);
    this.ldisc.settingsChanged(old);
    this.pump();
  }

  /** TIOCSWINSZ: a new size sends SIGWINCH to the foreground group. */
  resize(size: WinSize): void {
    if (sameSize(this.size, size)) return;
    this.size = size;
    this.signal(SIGWINCH);
  }

  /** tcflush(3): drops all input that was received but not read. */
  flushInput(): void {
    this.ldisc.flushInput();
    this.dropPendingInput();
  }

  /** TCSAFLUSH (tcsetattr(3)): drops the discipline's input, but lets in what waited for room there. */
  flushLine(): void {
    this.ldisc.flushInput();
    this.pump();
  }

  /** Drops input that the discipline has not yet taken. */
  dropPendingInput(): void {
    this.input.truncate(0);
    this.driver.unthrottle();
  }

  poll(): number {
    let events = 0;
    if (this.ldisc.inputAvailable(true)) events |= POLLIN | POLLRDNORM;
    if (this.otherClosed) events |= POLLHUP;
    if (this.driver.pending() < WAKEUP_CHARS && this.outputRoom() > 0) events |= POLLOUT | POLLWRNORM;
    return events;
  }

  // Its session.

  /** The session loses this terminal as its controlling terminal. */
  disown(): void {
    if (this.session !== null && this.session.tty === this) this.session.tty = null;
    this.session = null;
    this.foreground = 0;
  }

  /**
   * Hang-up: open files are dead from now on, and the session's leader gets SIGHUP and SIGCONT (termios(3),
   * credentials(7)). The foreground group is signalled when the leader exits.
   */
  hangup(): void {
    for (const file of this.files) file.hungUp = true;
    this.files.clear();
    const { session, foreground } = this;
    this.disown();
    if (session !== null) {
      this.env.hungUp.set(session, foreground);
      this.env.groups.signalSessionLeader(session.sid, SIGHUP);
      this.env.groups.signalSessionLeader(session.sid, SIGCONT);
    }
    this.reset();
    this.waitq.wake();
  }

  /** A file was closed; tells the driver if it was the last one. */
  fileReleased(file: HangsUp): void {
    if (!this.files.delete(file) || this.files.size > 0) return;
    if (!this.driver.isPty) {
      this.disown();
      this.unlock();
    }
    this.driver.closed();
  }

  /**
   * What programs have set that lasts no longer than a line is open; a pty is open as long as its master. Settings
   * (termios) last, and so does unread input: it may have come while nobody had the line open.
   */
  private unlock(): void {
    this.exclusive = false;
    this.locked = noTermios();
    this.stoppedByProgram = false;
    this.start();
  }

  /** Keeps pending output: the last words of a session that has ended. */
  private reset(): void {
    this.stopped = false;
    this.stoppedByProgram = false;
    this.ldisc.reset();
    this.termios = copyTermios(this.initial);
    this.dropPendingInput();
    if (!this.driver.isPty) this.unlock();
    this.driver.closed();
  }
}
