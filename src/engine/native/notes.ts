/**
 * What host processes of the engine tell the kernel, over a socket whose host end says who sent it
 * (SO_PASSCRED, unix(7)): the only thing about a space's process that the kernel believes.
 */
import type { Libc } from '../../host/libc.ts';
import { FILE, NOTE } from './layout.ts';
import type { MemoryFile } from './memory-file.ts';

const NR = { poll: 7, recvmsg: 47, socketpair: 53, setsockopt: 54 } as const;
const AF_UNIX = 1;
const SOCK_SEQPACKET_CLOEXEC = 5 | 0o2000000;
const SOL_SOCKET = 1;
const SO_PASSCRED = 16;
const SO_RCVBUF = 8;
const MSG_DONTWAIT = 0x40;
const POLLIN = 1;
/** In the scratch page: msghdr (56), iovec (16), the note, room for one struct cmsghdr with a ucred. */
const HEADER = FILE.FILE_SCRATCH;
const IOVEC = HEADER + 64;
const BODY = HEADER + 96;
const CONTROL = HEADER + 128;
const CONTROL_SIZE = 32;
const OPTION = HEADER + 192;
const POLLFD = HEADER + 0xa00;

export interface Note {
  readonly kind: number;
  readonly value: number;
  /** The host's process id of the sender. */
  readonly pid: number;
}

export class Notes {
  readonly fd: number;
  /** The end for the engine's processes. */
  readonly peer: number;
  private readonly libc: Libc;
  private readonly memory: MemoryFile;

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
  }

  /** The next note, or null when there is none now. */
  next(): Note | null {
    const { view, address } = this.memory;
    setPointer(view, HEADER, 0);
    view.setUint32(HEADER + 8, 0, true);
    setPointer(view, HEADER + 16, address + IOVEC);
    setPointer(view, HEADER + 24, 1);
    setPointer(view, HEADER + 32, address + CONTROL);
    setPointer(view, HEADER + 40, CONTROL_SIZE);
    setPointer(view, IOVEC, address + BODY);
    setPointer(view, IOVEC + 8, NOTE.NOTE_SIZE);
    const got = this.libc.syscall(NR.recvmsg, this.fd, address + HEADER, MSG_DONTWAIT);
    if (got < NOTE.NOTE_SIZE) return null;
    return {
      kind: view.getUint32(BODY, true),
      value: view.getUint32(BODY + 4, true),
      pid: view.getUint32(CONTROL + 16, true),
    };
  }

  /** Until there is one, or the time is over, or a signal came. */
  wait(milliseconds: number): void {
    const { view, address } = this.memory;
    view.setInt32(POLLFD, this.fd, true);
    view.setInt32(POLLFD + 4, POLLIN, true);
    this.libc.syscall(NR.poll, address + POLLFD, 1, milliseconds);
  }
}

function setPointer(view: DataView, offset: number, value: number): void {
  view.setUint32(offset, value % 2 ** 32, true);
  view.setUint32(offset + 4, Math.floor(value / 2 ** 32), true);
}
