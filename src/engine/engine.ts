/**
 * The engine: how guest code runs. The kernel above it deals in guest addresses, registers and offsets into `memory`.
 * Host addresses, host processes and seccomp stay below this interface.
 *
 * A space holds pages; what they should be (the areas) is the kernel's business. Mapping operations are queued and are
 * done in order, before the thread that is being answered runs guest code again. Private memory is the engine's own:
 * the kernel reaches it only with `read` and `write`.
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

/** The memory that kernel and guests share, as one array. Bytes below `base` are the engine's own. */
export interface EngineMemory {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  /** The machine's memory is [base, base + size): sparse, initially zeros. */
  readonly base: number;
  readonly size: number;
  /** Gives the pages of a range back to the host: they read as zeros again. Page-aligned. */
  discard(offset: number, len: number): void;
  /**
   * Two ways to fill whole pages that are not there yet, both cheaper than touching them: from bytes of this memory, or
   * from a file of the host's. They return a number of bytes, or -errno.
   */
  store(offset: number, from: number, len: number): number;
  load(offset: number, fd: number, pos: number, len: number): number;
  /** For the pages from `offset` on, sets out[i] to 1 if the page has been touched, by anything, since it was zeros. */
  touched(offset: number, out: Uint8Array): void;
}

/** Why a thread came to the kernel. */
export const TRAP_CALL = 1;
export const TRAP_FAULT = 2;
/** `interrupt` or `showFrame` was called. The thread asks for nothing, and all its registers are there. */
export const TRAP_FRAME = 3;
/** An answer could not be copied to the guest's memory. */
export const TRAP_BADCOPY = 4;
/** The guest damaged what the engine needs to run it, or its process died. It cannot go on. */
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
  /** The host processor that it ran on last. */
  readonly processor: number;
  /** Bytes of the whole space in memory. */
  readonly rss: number;
  /** The highest value so far, if already known. */
  readonly peak: number | null;
}

/** Bytes of a space in memory: private pages, the host's files, the machine's memory. `peak`: the most ever. */
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
 * A thread of guest code. It either runs or is in the kernel. In the kernel, exactly one of `answer`, `showFrame` and
 * `resume` sends it back, or `park` keeps it for later use.
 */
export interface EngineThread {
  readonly space: Space;
  /** The kernel's own reference: the thread's task. */
  owner: unknown;
  /**
   * The status with which it ended its process on its own (answers.ts, `tellMayEnd`), if the kernel did not hear that
   * before the process died. Null: it was killed.
   */
  readonly exitCode: number | null;
  readonly trap: number;
  /** The call's number, for TRAP_CALL; -1 for a call in a foreign ABI. */
  readonly nr: number;
  /**
   * An argument of the call. Width 0 is int32, 1 signed and 2 unsigned 64 bits (as exact as a number can be). Width 3
   * is unsigned too, but above 2^53 the value is exact in whole pages, and page-aligned only if the argument is.
   */
  arg(index: number, width: number): number;
  /** For TRAP_FAULT. */
  readonly fault: Fault;
  /** Whether all registers are available at `context`; if not, ask with `showFrame`. */
  readonly hasFrame: boolean;
  /** For a call with all registers: whether it came from a patched site, not by the host's slow way. */
  readonly fromPatched: boolean;
  /** Offset in memory of the registers, laid out as the guest architecture's struct sigcontext. */
  readonly context: number;
  /** Offset and size of the extended state (xsave area); both 0 if there is none. */
  readonly fpstate: number;
  readonly fpstateSize: number;
  /** A frame of zeros with room for `fpstateSize` bytes of extended state at `fpstate`; 0: state as after reset. */
  newFrame(fpstateSize: number): void;
  /** A frame with another thread's registers, extended state and thread pointer (for fork). */
  copyFrame(from: EngineThread): void;
  /** The largest extended state that fits into a frame. */
  readonly maxFpstate: number;
  /** The thread pointer (fs base) as it was when the frame was made. A new one takes effect with `resume`. */
  tls: number;
  readonly stackPointer: number;
  /** Where the call came from. */
  readonly programCounter: number;

  /** What has been used since the thread was handed out. Costs one or two microseconds. */
  cpuTimes(): ThreadTimes;
  /** The same for faults and memory; zeros if the host does not tell. Ten times the cost. */
  usage(): ThreadUsage;
  /** `usage` costs nothing, as the figures came along with the call. */
  readonly saysUsage: boolean;

  /** Turns the thread's fault into a call, whose number and arguments are in its registers. */
  becomeCall(): void;

  /** Ends the call with `value` in the result register, once queued copies and mappings are done. */
  answer(value: number): void;
  /** Ends the call. The thread comes back at once with TRAP_FRAME. */
  showFrame(value: number): void;
  /** The call goes on with all registers: the thread comes back at once with TRAP_FRAME. What it brought stays. */
  needFrame(): void;
  /** Goes on from the registers at `context`. */
  resume(): void;
  /** The call will take time, so the thread need not spin for its answer. */
  waits(): void;
  /** Has the space's queued operations done while the kernel goes on with the call. */
  prepare(): void;
  /** Makes a running thread come soon with TRAP_FRAME. Harmless for a thread that is in the kernel. */
  interrupt(): void;
  /** Whether it runs its program, or is about to. */
  readonly runs: boolean;
  /** The thread did not come although it was interrupted. Ends its whole space; `died` follows. */
  abandon(): void;
  /** The program's thread is over. The engine may reuse it for another of the same space. */
  park(): void;

  /** The rights it asks with, so that it may be given known answers. Null: it has to ask everything. */
  knownBy: KnownKey | null;

  /** Null if it has to ask for facts too. */
  readonly facts: ThreadFacts | null;

  /** Null if files cannot go along with answers. */
  readonly along: FileAlong | null;
  /** Null if pipes cannot go along. */
  readonly pipe: PipeAlong | null;
  /** Null if it cannot share pipes with other threads. */
  readonly channels: ChannelEnds | null;
  /** Null if windows on files cannot go along. */
  readonly window: WindowAlong | null;
  /** Null if calls cannot be foreseen. */
  readonly foreseen: ForeseenCalls | null;

  /** Offset of the bytes [address, address + len) if the call brought them, else -1. */
  prefetched(address: number, len: number): number;
  /** How many bytes of the string at `address` were brought, its NUL included; 0: none. */
  prefetchedString(address: number): number;
  /**
   * How many bytes the call brought to `stringsWindow` of the arrays of strings at `address` and in the next argument:
   * two u32 with the number of strings in each, then all strings, each with its NUL. 0: none.
   */
  prefetchedStrings(address: number): number;
  readonly stringsWindow: number;
  /** An offset in memory to fetch `len` bytes to. Older ones are overwritten after 128 KiB. -1: `len` is too large. */
  stageIn(len: number): number;
  /** An offset to copy `len` bytes out from. When the stage is full, what it holds is copied now. -1: that failed. */
  stageOut(len: number): number;
  /** Queues staged bytes to be copied to the guest when the call is answered. */
  copyOut(address: number, offset: number, len: number): void;
  /** The offset of the queued bytes that will be copied to [address, address + len), or -1. */
  queued(address: number, len: number): number;
  /**
   * When the call is answered, the thread itself copies `len` bytes from byte `at` of the window, or to there if
   * `back`. False if other copies are queued or the thread came with a frame. The copy may fail: then the thread comes
   * with TRAP_BADCOPY and `copiedThrough`, and what was copied until then does not count.
   */
  copyThrough(address: number, window: FileWindow, at: number, len: number, back: boolean): boolean;
  /** Whether the copy of the latest answer went through a window. */
  readonly copiedThrough: boolean;
  /** The call that the thread was answered begins again, with what it brought. */
  begins(): void;
  /** Makes the queued copies now, through the host: 0 or -EFAULT. After TRAP_BADCOPY, those of the last answer. */
  copyNow(): number;
}

/** The most pieces of memory that are gathered at once (UIO_MAXIOV). */
export const GATHERED = 1024;

/** An address space. Addresses and lengths are page-aligned; protections are PROT_ bits. */
export interface Space {
  readonly id: number;
  /** Its program has ended on its own (answers.ts, `tellMayEnd`), not yet heard here. Its memory may be gone. */
  readonly hasLeft: boolean;
  /** Fresh private zero pages. `overShared`: pages of `memory` may be mapped there, which must be certain to go. */
  mapAnonymous(address: number, len: number, prot: number, overShared: boolean): void;
  /** Pages of `memory` at `offset`. A private mapping copies on write. `writable`: a shared one may ever be written. */
  mapMemory(
    address: number,
    len: number,
    prot: number,
    offset: number,
    shared: boolean,
    writable: boolean,
  ): void;
  /** A window on `len` bytes of `memory` at `offset`; null if that is too large. */
  openWindow(offset: number, len: number, writable: boolean): FileWindow | null;
  /**
   * Maps pages of a host file privately, from byte `pos` on. False: not possible now. If the host refuses, as it does
   * on mounts without the right to execute, nothing is mapped there afterwards.
   */
  mapFile(address: number, len: number, prot: number, file: HostFile, pos: number): boolean;
  unmap(address: number, len: number, shared: boolean): void;
  protect(address: number, len: number, prot: number): void;
  /** Extends private memory in place. What follows it is free. */
  grow(address: number, len: number, newLen: number): void;
  /** Moves pages [from, from + len) to `to`, growing or shrinking them to `newLen`. `to` has been unmapped. */
  move(from: number, len: number, newLen: number, to: number): void;
  /** madvise(2) of private memory: DONTNEED, FREE and whatever else the host accepts. */
  advise(address: number, len: number, advice: number): void;
  /** Waits until all queued operations are done. Slow. */
  settle(): void;
  /** Has queued operations done although no thread of the space is being answered. */
  flush(): void;
  /** Calls back once all operations queued so far are certain to be done, or the space is gone. */
  whenDone(done: () => void): void;
  /** Maps pages as they are touched. */
  pager: Pager | null;
  /** Copies guest memory to memory[offset, offset + len): 0 or -EFAULT. Protections apply. */
  read(address: number, offset: number, len: number): number;
  /**
   * The same for at most GATHERED pieces, one after another: `words` has bases at even places and lengths at odd ones,
   * `total` bytes in all.
   */
  gather(words: Float64Array, count: number, offset: number, total: number): number;
  write(address: number, offset: number, len: number): number;
  /** Sets an int32's highest bit atomically if it is writable. The caller checks the address. Slow, like `settle`. */
  setHighBit(address: number): void;
  /** A copy of this space, as fork(2) makes it, with one thread that has the registers of `thread`. */
  fork(thread: EngineThread): EngineThread;
  /** Another program begins: wipes what the last one's calls left in the engine's places. */
  wipeTraces(): void;
  /** One more thread in this space. It is in the kernel and has no frame: give it one. */
  newThread(): EngineThread;
  /** What is in memory by the host's count, the engine's own few pages included. Costs some tens of microseconds. */
  usage(): SpaceUsage;
  /** Bytes of private memory, where a page that fork left to several counts in part. Slow: looks at all pages. */
  share(): number;
  presence(address: number, len: number): PagePresence;
  /** Whether one of its threads has run since the last time this was asked. */
  hasRun(): boolean;
  /** For the pages from `address` on, sets out[i] to 1 if the page is there. */
  present(address: number, out: Uint8Array): void;
  /**
   * For the pages of a private mapping from `address` on, sets out[i] to 1 if the page is a copy (it was written), else
   * to 0, as of the end of all queued operations. Slow, like `settle`.
   */
  copied(address: number, out: Uint8Array): void;
  /** membarrier(2) of the host, with a command that it has, for all threads of this space (or of all spaces). */
  barrier(command: number): void;
  /** As a debugger reads and writes, ignoring protections: a number of bytes, or -EIO. The caller checks addresses. */
  peek(address: number, buf: Uint8Array): number;
  poke(address: number, buf: Uint8Array): number;
  /** Stops all threads for good and gives the pages back. */
  destroy(): void;
  /** Address ranges that the engine keeps: [from, to) pairs, lowest first. */
  readonly reserved: readonly { readonly from: number; readonly to: number }[];
}

/** Part of `memory` as a space's threads see it, to copy from and to. Not inherited. Closes when others are opened. */
export interface FileWindow {
  readonly isOpen: boolean;
  /** Call it before anything happens to the pages. What is copied through later is copied again in another way. */
  close(): void;
}

/** A host file that spaces may map themselves. */
export interface HostFile {
  /** A descriptor open for reading, or -errno. It may be closed as soon as anything else is asked for. */
  descriptor(): number;
}

/**
 * Asked when the kernel finds no memory at [address, address + len), or none that it may store to. Returns how many
 * pages were queued to be mapped there, or may now be stored to, or -errno.
 */
export interface Pager {
  populate(address: number, len: number, stores: boolean): number;
}

/**
 * What a call brings along: for up to two arguments, a string or a buffer; with `strings`, the next argument's too. Or
 * what the program has used so far, which `cpuTimes` and `usage` then report.
 */
export interface Prefetch {
  readonly arg: number;
  readonly kind: 'string' | 'strings' | 'buffer' | 'struct' | 'usage';
  /** The argument that has a buffer's length, or else a structure's size. */
  readonly lengthArg: number | undefined;
  readonly size: number | undefined;
  /** The call has no fourth argument, so a few bytes may come in its place. */
  readonly small: boolean;
}

export interface EngineEvents {
  /** A thread came: answer it, now or later. */
  trap(thread: EngineThread): void;
  /** The host has ended a thread and its space (the guest broke what it runs on, or the host lacks memory). */
  died(thread: EngineThread): void;
  /** Descriptors that the host's poller watches have news. */
  hostEvents(): void;
  /** The engine's own processes are gone, and the guests with them. */
  lost(): void;
}

export interface Engine {
  readonly memory: EngineMemory;
  /** Address of a vDSO in every space, 0 if there is none. */
  readonly vdso: number;
  /** Null if calls cannot be made faster. */
  readonly callSites: CallSites | null;
  /** Null if threads always ask. */
  readonly known: KnownAnswers | null;
  setPrefetch(nr: number, plan: readonly Prefetch[]): void;
  /** A pipe between two threads, in `channelSize` bytes of memory at `offset`. */
  channel(offset: number): Channel;
  readonly channelSize: number;
  /** An empty space with one thread, which is in the kernel without a frame. */
  newSpace(): EngineThread;
  /** Handles all threads that came. Returns how many. */
  poll(): number;
  /** Calls back once every space is certain to have done all that was queued for it so far. */
  whenAllDone(done: () => void): void;
  /** How many more threads can be made in all spaces together. Ask before making a space or a thread. */
  readonly threadRoom: number;
  /** Threads that run guest code now. */
  readonly runningCount: number;
  /** How many of them are under way, not still to be made or to be woken. */
  readonly busyCount: number;
  /** How many of them do not share the kernel's own processor, as far as is known. */
  readonly elsewhereCount: number;
  /** Sleeps until a thread comes, the host has events, or `timeout` nanoseconds have passed. */
  sleep(timeout: number): void;
  /** Stops guests, or lets them go on: this process is about to be stopped, or was continued. */
  pause(still: boolean): void;
  shutdown(): void;
}

/** Call sites that an engine can make fast by patching program text (x86-64). */
export interface CallSites {
  /** A number for a new text; -1 when there are no more. */
  newText(): number;
  /**
   * A number for a new site, whose calls return to `offset` of its text; `nr` if the jump replaces the instruction that
   * loads the call's number. -1 when there are no more.
   */
  newSite(text: number, offset: number, nr: number | null): number;
  /** Writes the jump (seven bytes) at this offset of memory. Nothing may map it yet. */
  patch(offset: number, site: number): void;
  /** Where the text lies in this space. */
  setText(space: Space, text: number, address: number): void;
  /** Gives a forked space its parent's texts. */
  copyTexts(from: Space, to: Space): void;
}
