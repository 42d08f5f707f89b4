/**
 * The engine: how guest code runs. The kernel above knows guest addresses, registers and offsets into `memory`;
 * host addresses, host processes and seccomp stay below this interface.
 *
 * A space holds pages; what they should be (the areas) is the kernel's business. Mapping operations are queued
 * and are done, in order, before the thread that is being answered runs guest code again.
 * Private memory is the engine's own: the kernel reaches it with `read` and `write` only.
 */
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
  /** Makes the copies now, through the host: 0 or -EFAULT. After TRAP_BADCOPY: those of the last answer. */
  copyNow(): number;
}

/** A directory's `OpenedFile.size`: even a read of nothing is to be asked for. */
export const NO_BYTES = -1;

/**
 * A file that a thread has opened. What is mostly asked next goes along with answers: its attributes, its first bytes.
 * Until it asks the next time the thread may read them, look at and change its position, and close the file, by itself.
 */
export interface OpenedFile {
  /** Whether its attributes and bytes stay as they are, and closing it is no news; else only its position goes along. */
  readonly steady: boolean;
  readonly fd: number;
  /** As fcntl(2), F_GETFL, tells them. */
  readonly flags: number;
  /** How many bytes go along, of a file that does not change; and whether these are all. `NO_BYTES`: it has none to read. */
  readonly size: number;
  readonly whole: boolean;
  /** Where its attributes and bytes were written: `FileAlong.stat` at that time. */
  readonly place: number;
}

/** What the thread did with it. */
export interface FileUse {
  readonly position: number;
  readonly closed: boolean;
}

export interface FileAlong {
  /** Offset in memory where struct stat is to be written before a file is sent first. There it stays. */
  readonly stat: number;
  /** Where so many first bytes are to be written, `size` at most; 0: there is no room now. */
  place(size: number): number;
  readonly size: number;
  /** How large `size` is at best. */
  readonly most: number;
  /** The file goes with the answer that comes next, its position being this. False: it cannot. */
  send(file: OpenedFile, position: number): boolean;
  /** What the thread, which may be running, did with the file; from now on it asks. Null if it has none. */
  take(): FileUse | null;
}

/** Of `ForeseenCall.compared`, shifted by an argument's number: all of it is compared, its lower 32 bits are. */
export const COMPARE_WORD = 1;
export const COMPARE_INT = 0x100;

/** A call that a thread is about to make, if all comes as it mostly does, and its answer. */
export interface ForeseenCall {
  readonly nr: number;
  readonly args: readonly number[];
  /** COMPARE_ for each argument that is compared. */
  readonly compared: number;
  /** The string among the arguments, if there is one. */
  readonly name: string | null;
  readonly result: number;
  /** What is to be written where argument `out` says; null: nothing. */
  readonly written: Uint8Array | null;
  readonly out: number;
  readonly act: ForeseenAct;
  /** It holds only if the file that came along before is closed. */
  readonly afterClose: boolean;
}

/**
 * What the thread does itself: nothing; the host's call, which changes its own private memory (the answer holds if that is
 * 0); the file that it opens comes along.
 */
export type ForeseenAct = 'nothing' | 'call' | 'open';

/** The calls that a thread need not ask for if it makes them in this order. Others it asks for, and these stay foreseen. */
export interface ForeseenCalls {
  /** A list begins; nothing is foreseen until `send`. */
  begin(): void;
  /** Until the next `add`, what is written for the thread's `along` goes with a foreseen call. False: there is no room. */
  beginFile(): boolean;
  /** That file is not to come along after all. */
  cancelFile(): void;
  /** The list's next call, with the file that it opens. False: there is no room, or the thread cannot do its part. */
  add(call: ForeseenCall, opened: OpenedFile | null): boolean;
  /** The list goes with what the thread is answered next. */
  send(): void;
  /** How many of them the thread, which may be running, has made. */
  readonly made: number;
  /** No more of them are to be made. False: the thread, which runs, may be about to make one yet. */
  stop(): boolean;
  /** None is foreseen any more; of those from `made` on nothing is left where the program could find it. */
  end(made: number): void;
}

/**
 * What a thread is told of its own process and need not ask, until it is told otherwise. And what it says by itself:
 * calls that always succeed, and matter later.
 */
export interface ThreadFacts {
  /**
   * Its number (gettid(2)), as long as nobody else is in its memory: then it may set its thread pointer, say what `robustList`
   * and `clearTid` answer, and wakes nobody by a private futex. 0: it may not.
   */
  tellSelf(tid: number): void;
  /**
   * It knows what its signals do, and may change that: the actions of the signals in two words of bits stand at `actions`,
   * those of others are as they are by default.
   */
  tellActions(lo: number, hi: number): void;
  untellActions(): void;
  /** Where in memory they are, as rt_sigaction(2) has them, from signal 1 on. */
  readonly actions: number;
  /** Which stand there by now, what the thread has set among them. */
  readonly ownActions: readonly [number, number];
  /** Another number whenever the thread has set one; odd while it does. */
  readonly actionsSet: number;
  /**
   * It knows its signal mask, and may change it, unless that lets a signal through which is pending. Masks and sets are two
   * words of bits. `tellPending` comes before whoever sends a signal looks at the mask.
   */
  tellMask(lo: number, hi: number): void;
  tellPending(lo: number, hi: number): void;
  untellMask(): void;
  /** The mask as the thread, which may be running, has set it. */
  readonly maskLo: number;
  readonly maskHi: number;
  /** Where in memory an array of struct rlimit is to be written before `tellLimits(true)`: all that there are. */
  readonly limits: number;
  tellLimits(told: boolean): void;
  /** Its user and group ids, real and effective, as long as nothing else is told. */
  tellIds(uid: number, euid: number, gid: number, egid: number): void;
  /** It has to ask for them. */
  untellIds(): void;
  /** The end of its data (brk(2)); 0: it has to ask. It has to ask for another, too. */
  tellBreak(address: number): void;
  /** It may move that by itself, to any place from `lowest` to `highest`, and maps or unmaps its private memory there. */
  letBreak(lowest: number, highest: number): void;
  /** It has to ask for another from now on. */
  stopBreak(): void;
  /** The lower halves, as int32, of where it has put it by now, and of the highest place where it was since it was told. */
  readonly breakNow: number;
  readonly breakTop: number;
  /** All that it was told holds no more. */
  forget(): void;
  /** Arguments of its latest set_robust_list(2), set_tid_address(2); null: it has not made the call by itself. */
  readonly robustList: number | null;
  readonly clearTid: number | null;
  /** What it said counts no more. */
  unsay(): void;
}

/** An address space. Addresses and lengths are page-aligned; protections are PROT_ bits. */
export interface Space {
  readonly id: number;
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
  write(address: number, offset: number, len: number): number;
  /** Sets the highest bit of an int32, atomically, if it may be written, then calls back. The address is the caller's to check. */
  setHighBit(address: number, done: () => void): void;
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

/** A file of the host's that spaces may map themselves. */
export interface HostFile {
  /** Open for reading, or -errno. It may be closed as soon as something else is asked for. */
  descriptor(): number;
}

/** Asked when the kernel finds no memory at [address, address + len): how many pages it has queued to be mapped there, or -errno. */
export interface Pager {
  populate(address: number, len: number): number;
}

/**
 * What to bring along with a call: for up to two arguments, a string or a buffer; of `strings`, the next one's too. Or
 * what the program has used so far, which `cpuTimes` and `usage` then say.
 */
export interface Prefetch {
  readonly arg: number;
  readonly kind: 'string' | 'strings' | 'buffer' | 'struct' | 'usage';
  /** The argument with a buffer's length, or a structure's size. */
  readonly lengthArg?: number;
  readonly size?: number;
}

/** Who asks: threads with the same key get the same answers. 64 random bits, not all 0, that they and the kernel know. */
export interface KnownKey {
  readonly low: number;
  readonly high: number;
}

/**
 * A call whose answer may be known beforehand: its first string is a name; `numbers` are the arguments that matter, and `out`
 * the one that says where it writes, -1 if it does not.
 */
export interface KnownCall {
  readonly nr: number;
  readonly numbers: readonly number[];
  readonly out: number;
}

/** What a call answers: its result, negative for errors, and the bytes of `memory` that it writes. */
export interface KnownAnswer {
  readonly result: number;
  readonly offset: number;
  readonly length: number;
}

/** Answers that threads may be given without asking the kernel, until they are forgotten: of calls that change nothing. */
export interface KnownAnswers {
  /** To be said before a call's first answer is learned. */
  addCall(call: KnownCall): void;
  /**
   * `args` are the call's, 32 bits of each of its `numbers` count. Answers what to call the answer by; -1 if it was not
   * learned: names can be too long, or what it writes.
   */
  learn(key: KnownKey, call: KnownCall, args: readonly number[], name: string, answer: KnownAnswer): number;
  /** Perhaps another answer goes with it. */
  forget(answer: number): void;
  forgetAll(): void;
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
