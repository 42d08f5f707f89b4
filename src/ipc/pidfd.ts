/** pidfd_open(2): a process as a file, readable in poll's sense once it has exited. */
import type { Cred } from '../core/cred.ts';
import type { UserMemory } from '../core/user.ts';
import { copyOut } from '../core/user-copy.ts';
import type { WaitQueue } from '../core/wait.ts';
import { File } from '../fs/file.ts';
import type { Inode } from '../fs/inode.ts';
import { EINVAL, ENOTTY, ESRCH } from '../uapi/errno.ts';
import { POLLHUP, POLLIN, POLLRDNORM } from '../uapi/poll.ts';

/** What a pidfd needs of a process (or thread); kernel/ implements it. */
export interface PidSubject {
  readonly pid: number;
  /** All of its threads have exited: waitpid(2) would find it. */
  readonly exited: boolean;
  /** It was waited for: its number may belong to another process now. */
  readonly reaped: boolean;
  readonly ppid: number;
  readonly cred: Cred;
  /** The wait status, once it has exited. */
  readonly exitStatus: number;
  /** PR_SET_DUMPABLE, and whether it has left a core file. */
  readonly dumpable: number;
  readonly hasDumped: boolean;
  /** Woken when `exited` or `reaped` becomes true. */
  readonly exitQueue: WaitQueue;
}

/** _IOWR(0xff, 11); its size field says how much of the structure the program knows. */
const PIDFD_GET_INFO = 0xc000ff0b;
const SIZE_MASK = 0x3fff0000;
const INFO_SIZE = 64;
const KNOWN_SIZE = 72;
const PIDFD_INFO_PID = 1;
const PIDFD_INFO_CREDS = 2;
const PIDFD_INFO_CGROUPID = 4;
const PIDFD_INFO_EXIT = 8;
const PIDFD_INFO_COREDUMP = 16;
const PIDFD_COREDUMPED = 1;
const PIDFD_COREDUMP_USER = 4;
/** The root, which is the only control group. */
const ROOT_CGROUP = 1;

/**
 * struct pidfd_info (linux/pidfd.h): 0 mask u64 | 8 cgroupid u64 | 16 pid | 20 tgid | 24 ppid | 28 ruid | 32 rgid |
 * 36 euid | 40 egid | 44 suid | 48 sgid | 52 fsuid | 56 fsgid | 60 exit_code | 64 coredump_mask. Once a process was
 * waited for, only its exit status is left.
 */
function putInfo(of: PidSubject, user: UserMemory, addr: number, size: number): number {
  const asked = user.in(addr, 8);
  if (asked < 0) return asked;
  const mask = user.view.getUint32(asked, true);
  if (of.reaped && (mask & PIDFD_INFO_EXIT) === 0) return -ESRCH;
  const bytes = new Uint8Array(Math.max(size, KNOWN_SIZE));
  const view = new DataView(bytes.buffer);
  const told = of.reaped ? PIDFD_INFO_EXIT : PIDFD_INFO_PID | PIDFD_INFO_CREDS | (mask & PIDFD_INFO_COREDUMP);
  view.setUint32(0, told | PIDFD_INFO_CGROUPID, true);
  view.setUint32(8, ROOT_CGROUP, true);
  if (of.reaped) view.setInt32(60, of.exitStatus, true);
  else {
    const { uid, gid, euid, egid, suid, sgid, fsuid, fsgid } = of.cred;
    const ids = [of.pid, of.pid, of.ppid, uid, gid, euid, egid, suid, sgid, fsuid, fsgid];
    for (const [i, id] of ids.entries()) view.setUint32(16 + 4 * i, id, true);
    if ((mask & PIDFD_INFO_COREDUMP) !== 0) view.setUint32(64, dumpState(of), true);
  }
  return copyOut(user, addr, bytes.subarray(0, size));
}

const dumpState = (of: PidSubject): number =>
  of.exited ? (of.hasDumped ? PIDFD_COREDUMPED : 0) : of.dumpable === 1 ? PIDFD_COREDUMP_USER : 0;

export class PidFd extends File {
  readonly subject: PidSubject;

  constructor(inode: Inode, subject: PidSubject, flags: number) {
    super(inode, flags);
    this.subject = subject;
  }

  override get seekable(): boolean {
    return false;
  }

  override get waitq(): WaitQueue {
    return this.subject.exitQueue;
  }

  override get takesSpliced(): boolean {
    return false;
  }

  override get sendsSignals(): boolean {
    return false;
  }

  override get linkName(): string {
    return 'anon_inode:[pidfd]';
  }

  override fdinfo(): string {
    const pid = this.subject.reaped ? -1 : this.subject.pid;
    return `Pid:\t${pid}\nNSpid:\t${pid}\n`;
  }

  override ioctl(cmd: number, arg: number, user: UserMemory): number {
    const size = (cmd >>> 16) & 0x3fff;
    if ((cmd & ~SIZE_MASK) >>> 0 !== PIDFD_GET_INFO || size < INFO_SIZE) return -ENOTTY;
    return arg === 0 ? -EINVAL : putInfo(this.subject, user, arg, size);
  }

  override poll(): number {
    if (this.subject.reaped) return POLLIN | POLLRDNORM | POLLHUP;
    return this.subject.exited ? POLLIN | POLLRDNORM : 0;
  }
}
