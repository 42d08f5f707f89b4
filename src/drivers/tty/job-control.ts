/**
 * Job control (POSIX General Terminal Interface; credentials(7), "Sessions and process groups"): which processes may
 * use a terminal, and which session's controlling terminal it is.
 */

import { CAP_SYS_ADMIN, capable } from '../../core/cred.ts';
import type { Current, Session } from '../../core/current.ts';
import { EINVAL, EIO, ENOTTY, EPERM, ERESTARTSYS, ESRCH } from '../../uapi/errno.ts';
import { SIGCONT, SIGHUP, SIGTTIN, SIGTTOU } from '../../uapi/signal.ts';
import type { Tty, TtyEnvironment } from './tty.ts';

/**
 * Whether this task may read from its terminal (SIGTTIN) or change it (SIGTTOU). A background group gets the signal,
 * and the call restarts after it has been handled (-ERESTARTSYS). -EIO if the group is orphaned, so that no shell
 * would ever continue it, or if SIGTTIN is ignored or blocked.
 */
export function checkChange(tty: Tty, current: Current, signal: number): number {
  if (current.tty !== tty || tty.foreground === 0 || tty.foreground === current.pgid) return 0;
  if (current.ignoresOrBlocks(signal)) return signal === SIGTTIN ? -EIO : 0;
  const { groups } = tty.env;
  if (groups.isOrphaned(current.pgid)) return -EIO;
  groups.signalGroup(current.pgid, signal);
  return -ERESTARTSYS;
}

function own(tty: Tty, current: Current): void {
  tty.session = current.session;
  tty.foreground = current.pgid;
  current.session.tty = tty;
}

/** A session leader without a controlling terminal gets the first one it opens for reading (unless O_NOCTTY). */
export function acquireOnOpen(tty: Tty, current: Current): void {
  if (current.isSessionLeader && current.session.tty === null && tty.session === null) own(tty, current);
}

/** TIOCSCTTY: `steal` takes it from another session, with CAP_SYS_ADMIN. */
export function setControlling(tty: Tty, current: Current, steal: boolean, readable: boolean): number {
  const { session } = current;
  if (current.isSessionLeader && tty.session === session) return 0;
  if (!current.isSessionLeader || session.tty !== null) return -EPERM;
  const admin = capable(current.cred, CAP_SYS_ADMIN);
  if (tty.session !== null && !(steal && admin)) return -EPERM;
  if (!readable && !admin) return -EPERM;
  tty.disown();
  own(tty, current);
  return 0;
}

/** TIOCNOTTY: a session leader gives the terminal up for the whole session, any other process for itself. */
export function giveUp(tty: Tty, current: Current): number {
  if (current.tty !== tty) return -ENOTTY;
  if (!current.isSessionLeader) {
    current.giveUpTty();
    return 0;
  }
  const { foreground } = tty;
  tty.disown();
  if (foreground > 0) {
    tty.env.groups.signalGroup(foreground, SIGHUP);
    tty.env.groups.signalGroup(foreground, SIGCONT);
  }
  return 0;
}

/** TIOCGPGRP: through a pty's master, a task may ask about a terminal that is not its own. */
export function getForeground(tty: Tty, current: Current, fromMaster: boolean): number {
  return !fromMaster && current.tty !== tty ? -ENOTTY : tty.foreground;
}

/** TIOCGSID. */
export function getSession(tty: Tty, current: Current, fromMaster: boolean): number {
  if ((!fromMaster && current.tty !== tty) || tty.session === null) return -ENOTTY;
  return tty.session.sid;
}

/** Whether the caller may set the foreground group (TIOCSPGRP). A background group is stopped, as in `checkChange`. */
export function maySetForeground(tty: Tty, current: Current): number {
  const changed = checkChange(tty, current, SIGTTOU);
  if (changed < 0) return changed === -EIO ? -ENOTTY : changed;
  return current.tty !== tty || tty.session !== current.session ? -ENOTTY : 0;
}

export function setForeground(tty: Tty, current: Current, pgid: number): number {
  if (pgid < 0) return -EINVAL;
  const { groups } = tty.env;
  if (!groups.exists(pgid)) return -ESRCH;
  if (!groups.groupInSession(pgid, current.session.sid)) return -EPERM;
  tty.foreground = pgid;
  return 0;
}

/**
 * A session's leader exits: the foreground group gets SIGHUP, and a terminal that is no pty is hung up. If the
 * terminal was hung up before, the group then in its foreground gets SIGHUP and SIGCONT now.
 */
export function leaderExits(session: Session, env: TtyEnvironment): void {
  const { groups } = env;
  const tty = session.tty as Tty | null;
  if (tty === null) {
    const foreground = env.hungUp.get(session) ?? 0;
    if (foreground > 0) {
      groups.signalGroup(foreground, SIGHUP);
      groups.signalGroup(foreground, SIGCONT);
    }
    return;
  }
  const { foreground } = tty;
  if (tty.driver.isPty) tty.disown();
  else tty.hangup();
  if (foreground > 0) groups.signalGroup(foreground, SIGHUP);
}
