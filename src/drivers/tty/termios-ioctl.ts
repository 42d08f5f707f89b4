/** The requests behind tcgetattr(3) and tcsetattr(3): struct termios, termios2 and System V's termio. */
import { CAP_SYS_ADMIN, capable } from '../../core/cred.ts';
import { ENOTTY, EPERM } from '../../uapi/errno.ts';
import * as T from '../../uapi/ioctl-tty.ts';
import { SIGTTOU } from '../../uapi/signal.ts';
import {
  keepLocked,
  noTermios,
  readTermio,
  readTermios,
  TERMIO_SIZE,
  TERMIOS_SIZE,
  TERMIOS2_SIZE,
  type Termios,
  writeTermio,
  writeTermios,
} from '../../uapi/termios.ts';
import { checkChange } from './job-control.ts';
import type { TtyRequest } from './tty-ioctl.ts';

/** -ENOTTY for any other request. */
export function termiosIoctl(request: TtyRequest, cmd: number, arg: number): number {
  const { tty, user } = request;
  switch (cmd) {
    case T.TCGETS:
      return get(request, arg, TERMIOS_SIZE);
    case T.TCGETS2:
      return get(request, arg, TERMIOS2_SIZE);
    case T.TCGETA:
      return get(request, arg, TERMIO_SIZE);
    case T.TCSETS:
    case T.TCSETSW:
      return set(request, arg, TERMIOS_SIZE, false);
    case T.TCSETSF:
      return set(request, arg, TERMIOS_SIZE, true);
    case T.TCSETS2:
    case T.TCSETSW2:
      return set(request, arg, TERMIOS2_SIZE, false);
    case T.TCSETSF2:
      return set(request, arg, TERMIOS2_SIZE, true);
    case T.TCSETA:
    case T.TCSETAW:
      return set(request, arg, TERMIO_SIZE, false);
    case T.TCSETAF:
      return set(request, arg, TERMIO_SIZE, true);
    case T.TIOCGLCKTRMIOS: {
      const at = user.out(arg, TERMIOS_SIZE);
      if (at >= 0) writeTermios(user.view, at, TERMIOS_SIZE, tty.locked);
      return Math.min(at, 0);
    }
    case T.TIOCSLCKTRMIOS:
      return lock(request, arg);
    default:
      return -ENOTTY;
  }
}

function get({ tty, user }: TtyRequest, arg: number, size: number): number {
  const at = user.out(arg, size);
  if (at < 0) return at;
  if (size === TERMIO_SIZE) writeTermio(user.view, at, tty.termios);
  else writeTermios(user.view, at, size, tty.termios);
  return 0;
}

/** Output is in the driver's hands as soon as it is written, so TCSETSW has nothing to drain. */
function set(request: TtyRequest, arg: number, size: number, flush: boolean): number {
  const { tty, user, current } = request;
  const refused = checkChange(tty, current, SIGTTOU);
  if (refused < 0) return refused;
  const at = user.in(arg, size);
  if (at < 0) return at;
  const next: Termios =
    size === TERMIO_SIZE
      ? readTermio(user.view, at, tty.termios)
      : readTermios(user.view, at, size, tty.termios);
  keepLocked(next, tty.termios, tty.locked);
  if (flush) tty.flushLine();
  tty.setTermios(next);
  return 0;
}

function lock({ tty, user, current }: TtyRequest, arg: number): number {
  if (!capable(current.cred, CAP_SYS_ADMIN)) return -EPERM;
  const at = user.in(arg, TERMIOS_SIZE);
  if (at < 0) return at;
  tty.locked = readTermios(user.view, at, TERMIOS_SIZE, noTermios());
  return 0;
}
