/**
 * Descriptors of host files that mapping threads borrow to map them. They travel the other way over the notes' socket
 * (unix(7), SCM_RIGHTS). All mapping threads hold that end of it, so one space has to receive its loans before another
 * space gets one.
 */
import type { Libc } from '../../host/libc.ts';
import { monotonicNow } from '../../host/monotonic.ts';
import { setInt64 } from '../../lib/int64.ts';
import { ANSWERS, MESSAGE, SIZE, VA } from './layout.ts';
import type { Lives } from './lives.ts';
import type { MemoryFile } from './memory-file.ts';
import type { NativeSpace } from './native-space.ts';
import type { Notes } from './notes.ts';
import { SCRATCH } from './scratch.ts';

const NR = { ioctl: 16, recvfrom: 45, sendmsg: 46 } as const;
const SOL_SOCKET = 1;
const SCM_RIGHTS = 1;
const MSG_DONTWAIT = 0x40;
const MSG_NOSIGNAL = 0x4000;
/** SIOCOUTQ: how much of what was sent is still unreceived. */
const UNRECEIVED = 0x5411;
/** struct msghdr, an iovec, its one byte, struct cmsghdr with an int; the answer of SIOCOUTQ. */
const HEADER = SCRATCH.LOAN;
const IOVEC = HEADER + 56;
const BYTE = IOVEC + 16;
const CONTROL = BYTE + 8;
const LEFT = CONTROL + 24;
/** How long the kernel waits for another space to receive its loan, ns. */
const PATIENCE = 2e6;
const CONTROL_LENGTH = 20;
const CONTROL_SPACE = 24;

export class Loans {
  private readonly libc: Libc;
  private readonly memory: MemoryFile;
  private readonly notes: Notes;
  private readonly lives: Lives;
  /** The latest borrower, and how many orders came before the one that receives the loan. */
  private borrower: NativeSpace | null = null;
  private lentAt = 0;

  constructor(libc: Libc, memory: MemoryFile, notes: Notes, lives: Lives) {
    this.libc = libc;
    this.memory = memory;
    this.notes = notes;
    this.lives = lives;
    const { view, address } = memory;
    setInt64(view, HEADER + 16, address + IOVEC);
    setInt64(view, HEADER + 24, 1);
    setInt64(view, HEADER + 32, address + CONTROL);
    setInt64(view, HEADER + 40, CONTROL_SPACE);
    setInt64(view, IOVEC, address + BYTE);
    setInt64(view, IOVEC + 8, 1);
    setInt64(view, CONTROL, CONTROL_LENGTH);
    view.setInt32(CONTROL + 8, SOL_SOCKET, true);
    view.setInt32(CONTROL + 12, SCM_RIGHTS, true);
  }

  /** Sends a descriptor, which the space's next order must receive as `prepare` says. False: not possible now. */
  lend(space: NativeSpace, fd: number): boolean {
    if (this.borrower !== space && this.areOut && !this.takeBack()) return false;
    const { libc, memory, notes } = this;
    memory.view.setInt32(CONTROL + 16, fd, true);
    if (libc.syscall(NR.sendmsg, notes.fd, memory.address + HEADER, MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
      return false;
    this.borrower = space;
    this.lentAt = space.orders.posted;
    return true;
  }

  /**
   * Writes the struct msghdr for recvmsg(2) into the answers' page of the space whose pages are at `file`. Returns its
   * address in the space. The guest can write to that page, too. If it does, it gets no file, or has the host write
   * where it may write itself.
   */
  prepare(file: number): number {
    const { view } = this.memory;
    const page = file + SIZE.SPACE_SIZE;
    for (let at = 0; at < MESSAGE.MESSAGE_SIZE; at += 8) setInt64(view, page + ANSWERS.W_MESSAGE + at, 0);
    setInt64(view, page + ANSWERS.W_MESSAGE + 32, VA.STUB_ANSWERS + ANSWERS.W_CONTROL);
    setInt64(view, page + ANSWERS.W_MESSAGE + 40, CONTROL_SPACE);
    return VA.STUB_ANSWERS + ANSWERS.W_MESSAGE;
  }

  /**
   * Takes back what the latest borrower has not received within a short time and never will, because it is dead or its
   * program wrote where it should not. False: it may receive it yet.
   */
  private takeBack(): boolean {
    const { libc, memory, notes } = this;
    const borrower = this.borrower!;
    if (!borrower.dead) borrower.flushWithNote();
    for (const until = monotonicNow() + PATIENCE; this.mayReceive(borrower) && this.areOut; ) {
      if (monotonicNow() > until) break;
      notes.wait(1);
      this.lives.readNotes();
    }
    if (this.mayReceive(borrower)) return !this.areOut;
    while (this.areOut)
      if (libc.syscall(NR.recvfrom, notes.peer, memory.address + BYTE, 1, MSG_DONTWAIT, 0, 0) < 0) break;
    return true;
  }

  /** Whether its order to receive is perhaps still to be done. Only notes tell (orders.ts). */
  private mayReceive(borrower: NativeSpace): boolean {
    return !borrower.dead && borrower.orders.acknowledged <= this.lentAt;
  }

  private get areOut(): boolean {
    const { libc, memory, notes } = this;
    return (
      libc.syscall(NR.ioctl, notes.fd, UNRECEIVED, memory.address + LEFT) >= 0 &&
      memory.view.getInt32(LEFT, true) > 0
    );
  }
}
