/**
 * All terminals of a machine, by device number: consoles, pseudo-terminals, /dev/tty and /dev/console (tty(4),
 * console(4), pts(4)).
 */
import type { Current, Session } from '../../core/current.ts';
import type { OpenDevice } from '../../fs/devices.ts';
import type { Devpts } from '../../fs/devpts/devpts.ts';
import type { File } from '../../fs/file.ts';
import type { Inode } from '../../fs/inode.ts';
import type { HostChannel } from '../../host/channel.ts';
import type { Result } from '../../lib/result.ts';
import { ENODEV, ENXIO } from '../../uapi/errno.ts';
import { O_NOCTTY } from '../../uapi/fcntl.ts';
import { makedev, minor } from '../../uapi/stat.ts';
import { ConsoleLine } from './console.ts';
import { leaderExits } from './job-control.ts';
import { openTty } from './open.ts';
import { type InstallFile, Ptmx } from './ptmx.ts';
import { UNIX98_PTY_SLAVE_MAJOR } from './pty.ts';
import type { Tty, TtyEnvironment } from './tty.ts';

export const TTY_MAJOR = 4;
export const TTYAUX_MAJOR = 5;
/** Minors of major 4: consoles tty0 to tty15, and serial lines ttyS0 to ttyS63, as in UML; no serial line exists. */
export const MAX_CONSOLES = 16;
export const FIRST_SERIAL = 64;
export const MAX_SERIAL = 64;
const PTS_MINORS = 2 ** 20;

/** Where to register drivers: the VFS. */
export interface CharDeviceRegistry {
  registerCharDevice(name: string, major: number, firstMinor: number, count: number, open: OpenDevice): void;
}

export class Terminals {
  private readonly env: TtyEnvironment;
  private readonly ptmx: Ptmx;
  /** Configured lines by minor number of major 4. */
  private readonly lines: Map<number, ConsoleLine> = new Map();
  /** The line behind /dev/console (console=). */
  private console: ConsoleLine | null = null;

  constructor(env: TtyEnvironment, devpts: Devpts, install: InstallFile) {
    this.env = env;
    this.ptmx = new Ptmx(env, devpts, install);
  }

  register(vfs: CharDeviceRegistry): void {
    vfs.registerCharDevice('tty', TTY_MAJOR, 0, MAX_CONSOLES, (...open) => this.openLine(...open));
    vfs.registerCharDevice('ttyS', TTY_MAJOR, FIRST_SERIAL, MAX_SERIAL, (...open) => this.openLine(...open));
    vfs.registerCharDevice('/dev/tty', TTYAUX_MAJOR, 0, 1, (...open) => this.openCurrent(...open));
    vfs.registerCharDevice('/dev/console', TTYAUX_MAJOR, 1, 1, (...open) => this.openConsole(...open));
    vfs.registerCharDevice('/dev/ptmx', TTYAUX_MAJOR, 2, 1, (...open) => this.ptmx.openMaster(...open));
    vfs.registerCharDevice('pts', UNIX98_PTY_SLAVE_MAJOR, 0, PTS_MINORS, (...open) =>
      this.ptmx.openSlave(...open),
    );
  }

  /** con N=: the first line added becomes /dev/console. */
  addConsole(index: number, channel: HostChannel): ConsoleLine {
    const line = new ConsoleLine(this.env, makedev(TTY_MAJOR, index), channel);
    this.lines.set(index, line);
    this.console ??= line;
    return line;
  }

  /** A session's leader exits. Call this before the session is dropped. */
  sessionEnded(session: Session): void {
    leaderExits(session, this.env);
  }

  /** The machine ends: sends pending output and releases the host's descriptors. */
  shutdown(): void {
    for (const line of this.lines.values()) line.channel.close();
    this.lines.clear();
    this.console = null;
  }

  private openLine(inode: Inode, flags: number, current: Current | null): Result<File> {
    const line = this.lines.get(minor(inode.rdev));
    return line === undefined ? -ENODEV : openTty(line.tty, inode, flags, current);
  }

  private openConsole(inode: Inode, flags: number, current: Current | null): Result<File> {
    return this.console === null ? -ENODEV : openTty(this.console.tty, inode, flags, current, true);
  }

  /** /dev/tty: the caller's controlling terminal. */
  private openCurrent(inode: Inode, flags: number, current: Current | null): Result<File> {
    const tty = (current?.tty ?? null) as Tty | null;
    return tty === null ? -ENXIO : openTty(tty, inode, flags | O_NOCTTY, current);
  }
}
