/**
 * The host's terminal that we were started on: raw mode and back, and the size of its window.
 *
 * In raw mode every key reaches the guest, ^C and ^Z included, and output is passed unchanged. `restore` may be
 * called at any time and any number of times.
 */
import { readFileSync } from 'node:fs';
import { O_RDWR } from '../uapi/fcntl.ts';
import { TCGETS, TCSETSW, TIOCGPTN, TIOCGWINSZ, TIOCSPTLCK } from '../uapi/ioctl-tty.ts';
import {
  BRKINT,
  CS8,
  CSIZE,
  copyTermios,
  defaultTermios,
  ECHO,
  ECHONL,
  ICANON,
  ICRNL,
  IEXTEN,
  IGNBRK,
  IGNCR,
  INLCR,
  ISIG,
  ISTRIP,
  IXON,
  OPOST,
  PARENB,
  PARMRK,
  readTermios,
  readWinSize,
  TERMIOS_SIZE,
  type Termios,
  VMIN,
  VTIME,
  type WinSize,
  writeTermios,
} from '../uapi/termios.ts';
import type { DescriptorCalls } from './descriptors.ts';
import { keepSettings } from './terminal-keeper.ts';

/** A copy in raw mode, as by cfmakeraw(3). */
function makeRaw(t: Termios): Termios {
  const raw = copyTermios(t);
  raw.iflag &= ~(IGNBRK | BRKINT | PARMRK | ISTRIP | INLCR | IGNCR | ICRNL | IXON);
  raw.oflag &= ~OPOST;
  raw.lflag &= ~(ECHO | ECHONL | ICANON | ISIG | IEXTEN);
  raw.cflag = (raw.cflag & ~(CSIZE | PARENB)) | CS8;
  raw.cc[VMIN] = 1;
  raw.cc[VTIME] = 0;
  return raw;
}

export function getAttributes(calls: DescriptorCalls, fd: number): Termios | number {
  const result = calls.ioctl(fd, TCGETS);
  return result < 0 ? result : readTermios(calls.view, 0, TERMIOS_SIZE, defaultTermios());
}

/** Whether it is a terminal without output processing. */
export function isRaw(calls: DescriptorCalls, fd: number): boolean {
  const attributes = getAttributes(calls, fd);
  return typeof attributes !== 'number' && (attributes.oflag & OPOST) === 0;
}

function setAttributes(calls: DescriptorCalls, fd: number, t: Termios): number {
  writeTermios(calls.view, 0, TERMIOS_SIZE, t);
  return calls.ioctl(fd, TCSETSW);
}

/** The size of its window; null if it is no terminal. */
export const windowSize = (calls: DescriptorCalls, fd: number): WinSize | null =>
  calls.ioctl(fd, TIOCGWINSZ) < 0 ? null : readWinSize(calls.view, 0);

/** Signals that end us; each is raised again after the terminal has been restored. */
const FATAL = ['SIGHUP', 'SIGINT', 'SIGQUIT', 'SIGTERM', 'SIGABRT'] as const;

/** Whether this process is a background job of a shell on its terminal (proc_pid_stat(5): pgrp and tpgid). */
export function isInBackground(): boolean {
  const stat = readFileSync('/proc/self/stat', 'latin1');
  const [, , group, , , foreground] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return Number(foreground) > 0 && group !== foreground;
}

export class HostTerminal {
  private readonly calls: DescriptorCalls;
  private readonly fd: number;
  private saved: Termios | null = null;
  private unguard: () => void = () => {};

  constructor(calls: DescriptorCalls, fd: number) {
    this.calls = calls;
    this.fd = fd;
  }

  get isTerminal(): boolean {
    return typeof getAttributes(this.calls, this.fd) !== 'number';
  }

  /**
   * In the background of a shell, stops this process (SIGTTOU, tcsetattr(3)) until it is in the foreground. Call this
   * before any signal listener is installed, so that a signal can end the process meanwhile.
   */
  awaitForeground(): void {
    const now = getAttributes(this.calls, this.fd);
    if (typeof now !== 'number') setAttributes(this.calls, this.fd, now);
  }

  /** 0, or -errno (-ENOTTY). Keeps the old settings for `restore`. */
  setRaw(): number {
    const now = getAttributes(this.calls, this.fd);
    if (typeof now === 'number') return now;
    const result = setAttributes(this.calls, this.fd, makeRaw(now));
    if (result === 0) this.saved ??= now;
    return result;
  }

  restore(): void {
    this.unguard();
    this.unguard = () => {};
    if (this.saved === null) return;
    setAttributes(this.calls, this.fd, this.saved);
    this.saved = null;
  }

  /** Calls back whenever the window's size may have changed, until `restore`. */
  onResize(changed: () => void): void {
    process.on('SIGWINCH', changed);
    const { unguard } = this;
    this.unguard = () => {
      unguard();
      process.off('SIGWINCH', changed);
    };
  }

  /**
   * Call this before `setRaw`. Restores the terminal when this process ends, even by a signal, and sets raw mode again
   * when the process is continued (a shell has set its own settings in between). A keeper process restores it after
   * SIGKILL, which we cannot notice.
   */
  guard(): void {
    const settings = getAttributes(this.calls, this.fd);
    const dismissKeeper = typeof settings === 'number' ? () => {} : keepSettings(this.fd, settings);
    const onExit = (): void => this.restore();
    const onContinue = (): void => void this.setRaw();
    const onSignal = (signal: NodeJS.Signals): void => {
      this.restore();
      process.kill(process.pid, signal);
    };
    process.on('exit', onExit).on('SIGCONT', onContinue);
    for (const signal of FATAL) process.on(signal, onSignal);
    this.unguard = () => {
      dismissKeeper();
      process.off('exit', onExit).off('SIGCONT', onContinue);
      for (const signal of FATAL) process.off(signal, onSignal);
    };
  }
}

/** A pseudo-terminal of the host, to which users can attach. */
export interface HostPty {
  readonly master: number;
  /** Kept open, so that the master does not hang up while no user is attached. */
  readonly slave: number;
  readonly name: string;
}

/** A fresh pair in raw mode, or -errno. */
export function openHostPty(calls: DescriptorCalls): HostPty | number {
  const master = calls.open('/dev/ptmx', O_RDWR);
  if (master < 0) return master;
  calls.view.setInt32(0, 0, true);
  const unlocked = calls.ioctl(master, TIOCSPTLCK);
  const number = unlocked < 0 ? unlocked : calls.ioctl(master, TIOCGPTN);
  const name = `/dev/pts/${calls.view.getInt32(0, true)}`;
  const slave = number < 0 ? number : calls.open(name, O_RDWR);
  if (slave < 0) {
    calls.close(master);
    return slave;
  }
  const settings = getAttributes(calls, slave);
  if (typeof settings !== 'number') setAttributes(calls, slave, makeRaw(settings));
  return { master, slave, name };
}
