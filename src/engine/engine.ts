/**
 * The engine: how guest code runs. The kernel above knows guest addresses, registers and offsets into `memory`;
 * host addresses, host processes and seccomp stay below this interface.
 *
 * A space holds pages; what they should be (the areas) is the kernel's business. Mapping operations are queued
 * and are done, in order, before the thread that is being answered runs guest code again.
 * Private memory is the engine's own: the kernel reaches it with `read` and `write` only.
 */
import type {
  Channel,
  ChannelEnds,
  FileAlong,
  ForeseenCalls,
  KnownAnswers,
  KnownKey,
  PipeAlong,
  ThreadFacts,
  WindowAlong,
} from './answers.ts';

export const PROT_NONE = 0;
export const PROT_READ = 1;
export const PROT_WRITE = 2;
export const PROT_EXEC = 4;

/** The memory that kernel and guests share: one array. Bytes below `base` are the engine's own. */
export interface EngineMemory {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  /** The machine's memory is [base, base + size): sparse, zeros at first. */
  readonly base: number;
  readonly size: number;
  /** Gives the pages of a range back to the host: it reads as zeros again. Page-aligned. */
  discard(offset: number, len: number): void;
  /**
   * The two ways to fill whole pages that are not there yet, each cheaper than to touch them: with bytes of this memory,
   * and with those of a file of the host's. How many bytes, or -errno.
   */
  store(offset: number, from: number, len: number): number;
  load(offset: number, fd: number, pos: number, len: number): number;
  /** Of the pages from `offset` on: sets out[i] to 1 for each that was touched, by anybody, since it was zeros. */
  touched(offset: number, out: Uint8Array): void;
}

/** Why a thread came to the kernel. */
export const TRAP_CALL = 1;
export const TRAP_FAULT = 2;
/** `interrupt` was called, or `showFrame`: nothing is asked, all registers are there. */
export const TRAP_FRAME = 3;
/** An answer could not be copied to the guest's memory. */
export const TRAP_BADCOPY = 4;
/** The guest damaged what the engine needs to run it, or its process died: it cannot go on. */
export const TRAP_BROKEN = 5;

export interface Fault {
  readonly signal: number;
  readonly code: number;
  readonly address: number;
}

/** Processor time, in ns. */
export interface ThreadTimes {
  readonly user: number;
  readonly system: number;
}

export interface ThreadUsage {
  /** Page faults without and with input or output. */
  readonly minflt: number;
  readonly majflt: number;
  /** The host's processor that it ran on last. */
  readonly processor: number;
  /** Bytes of the whole space in memory. */
  readonly rss: number;
  /** The most there ever were, if that is known already. */
  readonly peak: number | null;
}

/** Bytes of a space that are in memory: private pages, the host's files, the machine's memory; the most ever. */
export interface SpaceUsage {
  readonly anonymous: number;
  readonly file: number;
  readonly shmem: number;
  readonly peak: number;
  readonly pageTables: number;
}

/** Pages that are there: private ones, and those of the machine's memory. */
export interface PagePresence {
  readonly own: number;
  readonly mapped: number;
}

/**
 * A thread of guest code. It either runs or is in the kernel: then exactly one of `answer`, `showFrame`, `resume`
 * sends it back, or `park` keeps it for later use.
 */
export interface EngineThread {
  readonly space: Space;
  /** Whatever the kernel wants to find again: its task. */
  owner: unknown;
  /** What it ended its process with by itself (answers.ts, `tellMayEnd`), if that was not heard before it died; null: it was killed. */
  readonly exitCode: number | null;
  readonly trap: number;
  /** The call's number, for TRAP_CALL; -1 for a call of a foreign ABI. */
  readonly nr: number;
  /**
   * An argument of the call: width 0 int32, 1 signed, 2 unsigned 64 bits (as far as a number goes); 3 the same, but
   * what is larger than 2^53 is exact in its pages, and no whole number of pages exactly if the argument was none.
   */
  arg(index: number, width: number): number;
  /** For TRAP_FAULT. */
  readonly fault: Fault;
  /** Whether all registers are at hand at `context` (else ask with `showFrame`). */
  readonly hasFrame: boolean;
  /** Of a call with all registers: whether it came from a patched site, and not by the host's slow way. */
  readonly fromPatched: boolean;
  /** Offset in memory of the registers, as struct sigcontext of the guest's architecture has them. */
  readonly context: number;
  /** Offset and size of the extended state (xsave area), 0 and 0 if there is none. */
  readonly fpstate: number;
  readonly fpstateSize: number;
  /** A frame of zeros, with room for so many bytes of extended state at `fpstate`; 0: as after reset. */
  newFrame(fpstateSize: number): void;
  /** A frame with another thread's registers, extended state and thread pointer (fork). */
  copyFrame(from: EngineThread): void;
  /** The largest extended state that a frame holds. */
  readonly maxFpstate: number;
  /** The thread pointer (fs base): as it was when the frame was made; a new one counts with `resume`. */
  tls: number;
  readonly stackPointer: number;
  /** Where the call came from. */
  readonly programCounter: number;

  /** What has been used since the thread was given out. Costs one or two microseconds. */
  cpuTimes(): ThreadTimes;
  /** The same of faults, and of memory; zeros if the host does not tell. Ten times as dear. */
  usage(): ThreadUsage;
  /** `usage` costs nothing: it came along with the call. */
  readonly saysUsage: boolean;

  /** The thread, which came with a fault, is to be seen as having made a call: number and arguments are in its registers. */
  becomeCall(): void;

  /** Ends the call with `value` in the result register, once the queued copies and mappings are done. */
  answer(value: number): void;
  /** Ends the call and comes back at once with TRAP_FRAME. */
  showFrame(value: number): void;
  /** The call goes on with all registers: comes back at once with TRAP_FRAME, and what was brought along stays. */
  needFrame(): void;
  /** Goes on from the registers at `context`. */
  resume(): void;
  /** The call will take time: the thread need not look for its answer. */
  waits(): void;
  /** What is queued for the space is to be done while the kernel goes on with the call. */
  prepare(): void;
  /** Makes a running thread come with TRAP_FRAME, soon. Harmless for a thread that is in the kernel. */
  interrupt(): void;
  /** Whether it runs its program, or is about to. */
  readonly runs: boolean;
  /** It does not come though it was interrupted: its whole space is ended, `died` follows. */
  abandon(): void;
  /** The program's thread is over; the engine may use it for another of the same space. */
  park(): void;

  /** With whose rights it asks, so that it may be given answers that are known; null: everything is to be asked. */
  knownBy: KnownKey | null;

  /** Null if it is to ask whatever it wants to know. */
  readonly facts: ThreadFacts | null;

  /** Null if files cannot go along with answers. */
  readonly along: FileAlong | null;
  /** Null if pipes cannot. */
  readonly pipe: PipeAlong | null;
  /** Null if it cannot have pipes together with others. */
  readonly channels: ChannelEnds | null;
  /** Null if windows on files cannot. */
  readonly window: WindowAlong | null;
  /** Null if calls cannot be foreseen. */
  readonly foreseen: ForeseenCalls | null;

  /** Where the bytes [address, address + len) were already brought with the call, or -1. */
  prefetched(address: number, len: number): number;
  /** How many bytes of the string at `address` were brought, its NUL included; 0: none. */
  prefetchedString(address: number): number;
  /**
   * How many bytes of the arrays of strings at `address`, and in the next argument, were brought to `stringsWindow`: two
   * u32, how many strings each has, then all strings, each with its NUL. 0: none.
   */
  prefetchedStrings(address: number): number;
  readonly stringsWindow: number;
  /** An offset in memory for `len` bytes to be fetched; older ones are overwritten after some 100 KiB. -1: too many. */
  stageIn(len: number): number;
  /** An offset for `len` bytes to be copied out; when there is no more room, what is staged is copied now. -1: failed. */
  stageOut(len: number): number;
  /** Bytes to copy to the guest when the call is answered. They were staged. */
  copyOut(address: number, offset: number, len: number): void;
  /** An offset of the bytes that wait to be copied to [address, address + len), or -1. */
  queued(address: number, len: number): number;
  /**
   * The thread copies `len` bytes itself from byte `at` of the window, or to there (`back`), when the call is answered. False
   * if other copies are queued, or the thread came with a frame. It may fail: the thread comes with TRAP_BADCOPY and `copiedThrough`, and what
   * was copied until then counts for nothing.
   */
  copyThrough(address: number, window: FileWindow, at: number, len: number, back: boolean): boolean;
  /** What the latest answer had to copy went through a window. */
  readonly copiedThrough: boolean;
  /** The call that the thread was answered begins anew, with what it brought. */
  begins(): void;
  /** Makes the copies now, through the host: 0 or -EFAULT. After TRAP_BADCOPY: those of the last answer. */
  copyNow(): number;
}

/** So many pieces of memory are gathered at once (UIO_MAXIOV). */
export const GATHERED = 1024;

/** An address space. Addresses and lengths are page-aligned; protections are PROT_ bits. */
export interface Space {
  readonly id: number;
  /** Its program has ended by itself (answers.ts, `tellMayEnd`), which is still to be heard: its memory may be gone. */
  readonly hasLeft: boolean;
  /** Fresh private zero pages. `overShared`: pages of `memory` may be mapped there, and must surely be gone then. */
  mapAnonymous(address: number, len: number, prot: number, overShared: boolean): void;
  /** Pages of `memory` at `offset`; a private mapping copies on write. `writable`: shared and may ever be written. */
  mapMemory(
    address: number,
    len: number,
    prot: number,
    offset: number,
    shared: boolean,
    writable: boolean,
  ): void;
  /** A window on `len` bytes of `memory` at `offset`; null where that is too much. */
  openWindow(offset: number, len: number, writable: boolean): FileWindow | null;
  /**
   * Pages of a file of the host's, privately, from byte `pos` on. False: not now. Where the host refuses, as it does on
   * mounts without the right to execute, there is nothing afterwards.
   */
  mapFile(address: number, len: number, prot: number, file: HostFile, pos: number): boolean;
  unmap(address: number, len: number, shared: boolean): void;
  protect(address: number, len: number, prot: number): void;
  /** Makes private memory longer where it is; what follows is free. */
  grow(address: number, len: number, newLen: number): void;
  /** Moves pages [from, from + len) to `to`, growing or shrinking to `newLen`. What was at `to` was unmapped. */
  move(from: number, len: number, newLen: number, to: number): void;
  /** madvise(2) of private memory: DONTNEED, FREE and what else the host takes. */
  advise(address: number, len: number, advice: number): void;
  /** Waits until all queued operations are done: slow. */
  settle(): void;
  /** Makes queued operations happen although no thread of the space is being answered. */
  flush(): void;
  /** Calls back once all operations queued so far have surely been done, or the space is gone. */
  whenDone(done: () => void): void;
  /** Who maps pages as they are touched. */
  pager: Pager | null;
  /** Copies guest memory to memory[offset, offset + len): 0 or -EFAULT. Protections hold. */
  read(address: number, offset: number, len: number): number;
  /** The same of pieces, one after the other: bases at even places of `words`, lengths at odd ones, `total` bytes in all; no more than GATHERED. */
  gather(words: Float64Array, count: number, offset: number, total: number): number;
  write(address: number, offset: number, len: number): number;
  /** Sets the highest bit of an int32, atomically, if it may be written. The address is the caller's to check. Slow, as `settle`. */
  setHighBit(address: number): void;
  /** A copy of this space as fork(2) makes it, with one thread, whose registers are those of `thread`. */
  fork(thread: EngineThread): EngineThread;
  /** Another program begins: what calls of the last one have left where the engine keeps its things is wiped. */
  wipeTraces(): void;
  /** One more thread in this space; it is in the kernel, without a frame: give it one. */
  newThread(): EngineThread;
  /** What is in memory, as the host counts it: the engine's own few pages too. Costs some tens of microseconds. */
  usage(): SpaceUsage;
  /** Bytes of private memory, of what fork has left to several a part each. Slow: all pages are looked at. */
  share(): number;
  presence(address: number, len: number): PagePresence;
  /** Whether a thread of it has run since this was asked last. */
  hasRun(): boolean;
  /** Of the pages from `address` on: sets out[i] to 1 for each that is there. */
  present(address: number, out: Uint8Array): void;
  /**
   * Of the pages of a private mapping from `address` on: sets out[i] to 1 for each that is a copy (it was written), as it is
   * after all that is queued; to 0 for the others. Slow, as `settle`.
   */
  copied(address: number, out: Uint8Array): void;
  /** membarrier(2) of the host, for all threads of this space (or of all): a command that it has. */
  barrier(command: number): void;
  /** As a debugger reads and writes, protections aside: how many bytes, or -EIO. Addresses are the caller's to check. */
  peek(address: number, buf: Uint8Array): number;
  poke(address: number, buf: Uint8Array): number;
  /** All threads are stopped for good, the pages are given back. */
  destroy(): void;
  /** Ranges of addresses that the engine keeps: [from, to) pairs, lowest first. */
  readonly reserved: readonly { readonly from: number; readonly to: number }[];
}

/** Some of `memory` as a space's threads see it, to copy from and to; not its children's. It closes when others are opened. */
export interface FileWindow {
  readonly isOpen: boolean;
  /** Before anything happens to what is seen there: what was copied through it later is copied again in another way. */
  close(): void;
}

/** A file of the host's that spaces may map themselves. */
export interface HostFile {
  /** Open for reading, or -errno. It may be closed as soon as something else is asked for. */
  descriptor(): number;
}

/**
 * Asked when the kernel finds no memory at [address, address + len), or none that it may store to: how many pages are queued
 * to be mapped there, or may be stored to, -errno.
 */
export interface Pager {
  populate(address: number, len: number, stores: boolean): number;
}

/**
 * What to bring along with a call: for up to two arguments, a string or a buffer; of `strings`, the next one's too. Or
 * what the program has used so far, which `cpuTimes` and `usage` then say.
 */
export interface Prefetch {
  readonly arg: number;
  readonly kind: 'string' | 'strings' | 'buffer' | 'struct' | 'usage';
  /** The argument with a buffer's length, or a structure's size. */
  readonly lengthArg: number | undefined;
  readonly size: number | undefined;
  /** The call has no fourth argument: a few bytes may come in its place. */
  readonly small: boolean;
}

export interface EngineEvents {
  /** A thread came: answer it, now or later. */
  trap(thread: EngineThread): void;
  /** The host has ended a thread and its space (the guest broke what it runs on, the host lacks memory). */
  died(thread: EngineThread): void;
  /** Descriptors watched by the host's poller have news. */
  hostEvents(): void;
  /** What runs guests is gone, and they with it. */
  lost(): void;
}

export interface Engine {
  readonly memory: EngineMemory;
  /** Address of a vDSO in every space, 0 if there is none. */
  readonly vdso: number;
  /** Null if calls cannot be made faster than they are. */
  readonly callSites: CallSites | null;
  /** Null if threads always ask. */
  readonly known: KnownAnswers | null;
  setPrefetch(nr: number, plan: readonly Prefetch[]): void;
  /** A pipe between two threads, in `channelSize` bytes of memory at `offset`. */
  channel(offset: number): Channel;
  readonly channelSize: number;
  /** An empty space with one thread, which is in the kernel without a frame. */
  newSpace(): EngineThread;
  /** Handles all threads that came; how many. */
  poll(): number;
  /** Calls back once every space has surely done all that was queued for it so far. */
  whenAllDone(done: () => void): void;
  /** How many threads can still be made, in all spaces together: to be asked before a space or a thread is. */
  readonly threadRoom: number;
  /** Threads that run guest code now. */
  readonly runningCount: number;
  /** Those of them that are on their way: not still to be made, or to be woken. */
  readonly busyCount: number;
  /** Those that do not share the kernel's own processor, as far as is known. */
  readonly elsewhereCount: number;
  /** Sleeps until a thread comes, the host has events, or `timeout` nanoseconds have passed. */
  sleep(timeout: number): void;
  /** Guests stand still, or go on: this process is about to be stopped, or was continued. */
  pause(still: boolean): void;
  shutdown(): void;
}

/** Call sites that an engine can make fast by patching program text (x86-64). */
export interface CallSites {
  /** A number for a new text; -1 when there are no more. */
  newText(): number;
  /**
   * A number for a new site, whose calls return to `offset` of its text; `nr` if the jump replaces what loads the call's
   * number. -1 when there are no more.
   */
  newSite(text: number, offset: number, nr: number | null): number;
  /** Writes the jump (seven bytes) at this offset of memory, which nothing maps yet. */
  patch(offset: number, site: number): void;
  /** Where the text lies in this space. */
  setText(space: Space, text: number, address: number): void;
  /** A forked space has its parent's texts. */
  copyTexts(from: Space, to: Space): void;
}
