/**
 * What the engine's host processes tell the kernel, over a socket on which the host says who sent it (SO_PASSCRED,
 * unix(7)). The kernel believes nothing else about a space's process. Several notes are read at once.
 */
import type { Libc } from '../../host/libc.ts';
import { setInt64 } from '../../lib/int64.ts';
import type { MemoryFile } from './memory-file.ts';
import { SCRATCH } from './scratch.ts';
import { NOTE } from './words.ts';

const NR = { poll: 7, socketpair: 53, setsockopt: 54, recvmmsg: 299 } as const;
const AF_UNIX = 1;
const SOCK_SEQPACKET_CLOEXEC = 5 | 0o2000000;
const SOL_SOCKET = 1;
const SO_PASSCRED = 16;
const SO_RCVBUF = 8;
const MSG_DONTWAIT = 0x40;
const POLLIN = 1;
/** How many notes are read at once. */
const BATCH = 16;
/**
 * BATCH of each: struct mmsghdr (msghdr: 16 the iovec, 24 how many, 32 the control buffer, 40 its size;
 * 56 how much came), iovecs, notes, room for one struct cmsghdr with a ucred.
 */
const HEADERS = SCRATCH.NOTES;
const HEADER_SIZE = 64;
const IOVECS = HEADERS + BATCH * HEADER_SIZE;
const IOVEC_SIZE = 16;
const BODIES = IOVECS + BATCH * IOVEC_SIZE;
const CONTROLS = BODIES + BATCH * NOTE.NOTE_SIZE;
const CONTROL_SIZE = 32;
/** Where the struct ucred in it ends. */
const CREDENTIALS_END = 28;
const OPTION = CONTROLS + BATCH * CONTROL_SIZE;
const POLLFD = OPTION + 8;
export const NOTES_END: number = POLLFD + 8;

export interface Note {
  readonly kind: number;
  readonly value: number;
  /** The sender's host process id. */
  readonly pid: number;
}

export class Notes {
  readonly fd: number;
  /** The end for the engine's processes. */
  readonly peer: number;
  private readonly libc: Libc;
  private readonly memory: MemoryFile;
  /** How many the last batch has, and how many of them were handed out. */
  private came = 0;
  private given = 0;

  constructor(libc: Libc, memory: MemoryFile) {
    this.libc = libc;
    this.memory = memory;
    const { view, address } = memory;
    libc.syscall(NR.socketpair, AF_UNIX, SOCK_SEQPACKET_CLOEXEC, 0, address + OPTION);
    this.fd = view.getInt32(OPTION, true);
    this.peer = view.getInt32(OPTION + 4, true);
    view.setInt32(OPTION, 1, true);
    libc.syscall(NR.setsockopt, this.fd, SOL_SOCKET, SO_PASSCRED, address + OPTION, 4);
    view.setInt32(OPTION, 1 << 20, true);
    libc.syscall(NR.setsockopt, this.fd, SOL_SOCKET, SO_RCVBUF, address + OPTION, 4);
    for (let i = 0; i < BATCH; i++) this.prepare(i);
  }

  /** The next note, or null if there is none now. */
  next(): Note | null {
    for (;;) {
      if (this.given === this.came && !this.receive()) return null;
      const i = this.given++;
      const { view } = this.memory;
      const header = HEADERS + HEADER_SIZE * i;
      // Whole, and signed: the rest of the buffers is from older notes.
      if (view.getUint32(header + 56, true) < NOTE.NOTE_SIZE) continue;
      if (view.getUint32(header + 40, true) < CREDENTIALS_END) continue;
      const body = BODIES + NOTE.NOTE_SIZE * i;
      return {
        kind: view.getUint32(body, true),
        value: view.getUint32(body + 4, true),
        pid: view.getUint32(CONTROLS + CONTROL_SIZE * i + 16, true),
      };
    }
  }

  /** Waits until there is one, the time is over, or a signal comes. */
  wait(milliseconds: number): void {
    if (this.given < this.came) return;
    const { view, address } = this.memory;
    view.setInt32(POLLFD, this.fd, true);
    view.setInt32(POLLFD + 4, POLLIN, true);
    this.libc.syscall(NR.poll, address + POLLFD, 1, milliseconds);
  }

  private receive(): boolean {
    const { view, address } = this.memory;
    // The host overwrote the sizes of the control buffers.
    for (let i = 0; i < this.came; i++) setInt64(view, HEADERS + HEADER_SIZE * i + 40, CONTROL_SIZE);
    this.given = 0;
    this.came = 0;
    const got = this.libc.syscall(NR.recvmmsg, this.fd, address + HEADERS, BATCH, MSG_DONTWAIT, 0);
    if (got <= 0) return false;
    this.came = got;
    return true;
  }

  private prepare(i: number): void {
    const { view, address } = this.memory;
    const header = HEADERS + HEADER_SIZE * i;
    setInt64(view, header + 16, address + IOVECS + IOVEC_SIZE * i);
    setInt64(view, header + 24, 1);
    setInt64(view, header + 32, address + CONTROLS + CONTROL_SIZE * i);
    setInt64(view, header + 40, CONTROL_SIZE);
    setInt64(view, IOVECS + IOVEC_SIZE * i, address + BODIES + NOTE.NOTE_SIZE * i);
    setInt64(view, IOVECS + IOVEC_SIZE * i + 8, NOTE.NOTE_SIZE);
  }
}
