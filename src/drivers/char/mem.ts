/**
 * The memory devices (mem(4), null(4), full(4), random(4)): major number 1.
 *
 * /dev/mem, /dev/kmem and /dev/port do not exist: the machine has no physical memory or ports to show.
 */

import { CAP_SYS_ADMIN, capable } from '../../core/cred.ts';
import type { KernelLog } from '../../core/log.ts';
import type { UserMemory } from '../../core/user.ts';
import { putInt } from '../../core/user-values.ts';
import type { OpenDevice } from '../../fs/devices.ts';
import { type Current, File } from '../../fs/file.ts';
import type { Inode } from '../../fs/inode.ts';
import { EINVAL, ENOSPC, EPERM } from '../../uapi/errno.ts';
import { SEEK_HOLE, SEEK_SET } from '../../uapi/fcntl.ts';
import {
  ENTROPY_BITS,
  RNDADDENTROPY,
  RNDADDTOENTCNT,
  RNDCLEARPOOL,
  RNDGETENTCNT,
  RNDRESEEDCRNG,
  RNDZAPENTCNT,
} from '../../uapi/random.ts';
import { KmsgFile } from './kmsg.ts';
import type { CharDevice } from './register.ts';

export interface MemDevices {
  readonly log: KernelLog;
  /** Fills a window with unpredictable bytes. */
  fillRandom(buf: Uint8Array, off: number, len: number): void;
}

export const MEM_MAJOR = 1;

export function memDevices(lent: MemDevices): CharDevice[] {
  const row = (minor: number, name: string, mode: number, open: OpenDevice): CharDevice => ({
    major: MEM_MAJOR,
    minor,
    name,
    mode,
    open,
  });
  const random: OpenDevice = (inode, flags) => new RandomFile(inode, flags, lent.fillRandom);
  return [
    row(3, 'null', 0o666, (inode, flags) => new NullFile(inode, flags)),
    row(5, 'zero', 0o666, (inode, flags) => new ZeroFile(inode, flags)),
    row(7, 'full', 0o666, (inode, flags) => new FullFile(inode, flags)),
    row(8, 'random', 0o666, random),
    row(9, 'urandom', 0o666, random),
    row(11, 'kmsg', 0o644, (inode, flags, current) => KmsgFile.open(inode, flags, current, lent.log)),
  ];
}

/** These devices ignore positions: any valid seek returns 0. */
abstract class MemFile extends File {
  override seek(_offset: number, whence: number): number {
    if (whence < SEEK_SET || whence > SEEK_HOLE) return -EINVAL;
    this.pos = 0;
    return 0;
  }
}

class NullFile extends MemFile {
  override get splices(): boolean {
    return false;
  }

  override read(): number {
    return 0;
  }

  override write(_buf: Uint8Array, _off: number, len: number): number {
    return len;
  }
}

class ZeroFile extends MemFile {
  override read(buf: Uint8Array, off: number, len: number): number {
    buf.fill(0, off, off + len);
    return len;
  }

  override write(_buf: Uint8Array, _off: number, len: number): number {
    return len;
  }

  override get mapsAnonymous(): boolean {
    return true;
  }
}

class FullFile extends MemFile {
  override get takesSpliced(): boolean {
    return false;
  }

  override read(buf: Uint8Array, off: number, len: number): number {
    buf.fill(0, off, off + len);
    return len;
  }

  override write(): number {
    return -ENOSPC;
  }
}

/** The most bytes of one read (getrandom(2)), and the number that most programs read at once. */
const MOST_RANDOM = 2 ** 25 - 1;
const USUAL_RANDOM = 32;

class RandomFile extends MemFile {
  private readonly fill: MemDevices['fillRandom'];

  constructor(inode: Inode, flags: number, fill: MemDevices['fillRandom']) {
    super(inode, flags);
    this.fill = fill;
  }

  override get closesQuietly(): boolean {
    return true;
  }

  override get readsAhead(): number {
    return USUAL_RANDOM;
  }

  override read(buf: Uint8Array, off: number, len: number): number {
    const n = Math.min(len, MOST_RANDOM);
    this.fill(buf, off, n);
    return n;
  }

  /** Accepted and ignored: the pool is the host's. */
  override write(_buf: Uint8Array, _off: number, len: number): number {
    return len;
  }

  override ioctl(cmd: number, arg: number, user: UserMemory, current: Current): number {
    const privileged = capable(current.cred, CAP_SYS_ADMIN);
    switch (cmd >>> 0) {
      case RNDGETENTCNT:
        return putInt(user, arg, ENTROPY_BITS);
      case RNDADDTOENTCNT:
      case RNDADDENTROPY: {
        if (!privileged) return -EPERM;
        const at = user.in(arg, 8);
        return at < 0 ? at : user.view.getInt32(at, true) < 0 ? -EINVAL : 0;
      }
      case RNDZAPENTCNT:
      case RNDCLEARPOOL:
      case RNDRESEEDCRNG:
        return privileged ? 0 : -EPERM;
      default:
        return -EINVAL;
    }
  }
}
