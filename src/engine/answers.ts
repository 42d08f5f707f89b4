/**
 * What threads are told beforehand and answer on their own, without asking the kernel (engine.ts): files that came
 * along, foreseen calls, facts of their own process, known answers.
 */
import type { FileWindow } from './engine.ts';

/** `OpenedFile.size` of a directory: the thread asks even for a read of nothing. */
export const NO_BYTES = -1;

/**
 * What a thread may do with a file on its own until it next asks. `SEEKS`: look at its position and change it. `READS`:
 * read what came along, from its position on. `CLOSES`: close it. `STEADY`: bytes and attributes came along,
 * unchanging.
 */
export const ALONG = { SEEKS: 1, READS: 2, CLOSES: 4, STEADY: 8 } as const;

/** A file that a thread has opened. Its attributes and first bytes, mostly asked for next, go along with answers. */
export interface OpenedFile {
  /** Bits of ALONG. */
  readonly may: number;
  readonly fd: number;
  /** As fcntl(2) F_GETFL returns them. */
  readonly flags: number;
  /** How many bytes go along, and whether these are the whole file. `NO_BYTES`: it has none to read. */
  readonly size: number;
  readonly whole: boolean;
  /** Where its attributes and bytes were written, if they come along: the value of `FileAlong.stat` then. */
  readonly place: number;
}

/** What the thread did with the file. */
export interface FileUse {
  readonly position: number;
  readonly closed: boolean;
}

export interface FileAlong {
  /** Offset in memory of the file's struct stat, to be written before the file is first sent. It stays there. */
  readonly stat: number;
  /** Where to write the file's first `size` bytes; 0: there is no room now. */
  place(size: number): number;
  readonly size: number;
  /** The largest value that `size` can have. */
  readonly most: number;
  /** Sends the file, at this position, with the next answer. False: it cannot go along. */
  send(file: OpenedFile, position: number): boolean;
  /** What the thread, which may be running, did with the file. It asks from now on. Null if it has no file. */
  take(): FileUse | null;
}

/**
 * A pipe that a thread reads and writes on its own while nothing else has to do with the pipe. The thread takes from
 * the bytes lent to it, and puts more behind them.
 */
export interface PipeAlong {
  /** Where in `bytes` to write what is lent, before `send`, and how much fits there. */
  readonly bytes: Uint8Array;
  readonly place: number;
  readonly size: number;
  /**
   * Lends `len` bytes with the next answer. `whole`: they are all that the pipe holds. `read` and `write` are the
   * descriptors of its ends; -1: not that end.
   */
  send(read: number, write: number, len: number, whole: boolean): void;
  /** The thread, which may be running, asks from now on. Whether it did anything: the fields below say what. */
  take(): boolean;
  /** How many of the lent bytes it has taken, and what else is in the pipe now: bytes [start, end). */
  readonly taken: number;
  readonly start: number;
  readonly end: number;
}

/** An end of a pipe. */
export type PipeEnd = 'write' | 'read';

/**
 * The ends of pipes that a thread shares with a thread of another process: one that it writes and one that it reads,
 * one descriptor each. It waits there on its own, for bytes or for room.
 */
export interface ChannelEnds {
  /** With its next answer the thread sees the channel at `offset`, in place of the one that it saw there before. */
  show(end: PipeEnd, offset: number, fd: number): void;
  /** Call it only while the thread is in the kernel. */
  hide(end: PipeEnd): void;
}

/** A pipe that two threads use on their own, in `Engine.channelSize` bytes of memory, initially zeros. */
export interface Channel {
  /** Opens it for both ends. `fill` puts what is to be read into it: `len` bytes, `most` at most. */
  open(len: number, fill: (to: Uint8Array, off: number, len: number) => void): void;
  readonly most: number;
  /** How many bytes it can hold. */
  readonly size: number;
  /** From now on both ends ask. `left` bytes remain in it, which `copy` copies. Returns whether it was used at all. */
  close(): boolean;
  readonly left: number;
  /** Makes a thread that sleeps there check again whether it is open. */
  callBack(): void;
  copy(to: Uint8Array, off: number): void;
  /** Whether nothing has come since the last time this was asked. */
  rests(): boolean;
}

/** What a thread may do on its own through a window: use this descriptor, for bytes [from, to) of the file. */
export interface WindowTerms {
  readonly fd: number;
  /** The offset in the file of the window's first byte. */
  readonly from: number;
  readonly to: number;
  readonly mayWrite: boolean;
}

export interface WindowUse {
  readonly read: boolean;
  readonly written: boolean;
}

/** A window on a file that a thread reads and writes at positions, without asking, until the window closes. */
export interface WindowAlong {
  /** Sends the window with the next answer. */
  send(window: FileWindow, terms: WindowTerms): void;
  /** What the thread, which may be running, has done since the last look. */
  look(): WindowUse;
  /** The same, but from now on the thread asks. A call that it is in the middle of is repeated by asking. */
  take(): WindowUse;
}

/** Bits of `ForeseenCall.compared`, shifted left by an argument's number: compare all of it, or its lower 32 bits. */
export const COMPARE_WORD = 1;
export const COMPARE_INT = 0x100;

/** A call that a thread will make next if all goes as it mostly does, and its answer. */
export interface ForeseenCall {
  readonly nr: number;
  readonly args: readonly number[];
  /** The COMPARE_ bits of each argument that is compared. */
  readonly compared: number;
  /** The string among the arguments, or null. */
  readonly name: string | null;
  readonly result: number;
  /** What the call writes to where argument `out` points; null: nothing. */
  readonly written: Uint8Array | null;
  readonly out: number;
  readonly act: ForeseenAct;
  /** The answer holds only once the file that came along before is closed. */
  readonly afterClose: boolean;
}

/**
 * What the thread does itself: `nothing`; `call`, the host's call, which changes its own private memory (the answer
 * holds if that returns 0); `open`, the file that it opens comes along.
 */
export type ForeseenAct = 'nothing' | 'call' | 'open';

/** Calls that a thread need not ask for if it makes them in this order. It asks for others, and these stay foreseen. */
export interface ForeseenCalls {
  /** Begins a list. Nothing is foreseen until `send`. */
  begin(): void;
  /** Until the next `add`, what is written for the thread's `along` goes with a foreseen call. False: no room. */
  beginFile(): boolean;
  /** That file does not come along after all. */
  cancelFile(): void;
  /** Adds the list's next call, with the file that it opens. False: no room, or the thread cannot do its part. */
  add(call: ForeseenCall, opened: OpenedFile | null): boolean;
  /** Sends the list with the thread's next answer. */
  send(): void;
  /** How many of them the thread, which may be running, has made so far. */
  readonly made: number;
  /** The thread makes no more of them. False: it is running, and may be about to make one yet. */
  stop(): boolean;
  /** Ends the list. Nothing of the calls from `made` on is left where the program could find it. */
  end(made: number): void;
}

/**
 * What a thread is told of its own process and need not ask, until told otherwise. Also what it says in turn: calls
 * that always succeed, and matter later.
 */
export interface ThreadFacts {
  /**
   * The number of both the thread and its process, while no other task shares its memory. It may then set its thread
   * pointer, say what `robustList` and `clearTid` report, and do private futex wakes, which wake no task. 0: it may
   * not.
   */
  tellSelf(tid: number): void;
  /** Its parent's number (getppid(2)): before `tellSelf`, and whenever it gets another parent. */
  tellParent(pid: number): void;
  /**
   * It knows its signals' actions and may change them. Those of the signals in two words of bits are at `actions`; the
   * others have their defaults.
   */
  tellActions(lo: number, hi: number): void;
  untellActions(): void;
  /** Offset in memory of the actions, as rt_sigaction(2) has them, from signal 1 on. */
  readonly actions: number;
  /** The signals whose actions are there now, including those that the thread has set. */
  readonly ownActions: readonly [number, number];
  /** Changes whenever the thread sets an action, and is odd while it does. */
  readonly actionsSet: number;
  /**
   * It knows its signal mask, and may change it, unless that lets a pending signal through. Masks and sets are two
   * words of bits. A sender of a signal calls `tellPending` before it looks at the mask.
   */
  tellMask(lo: number, hi: number): void;
  tellPending(lo: number, hi: number): void;
  untellMask(): void;
  /** The mask as the thread, which may be running, has set it. */
  readonly maskLo: number;
  readonly maskHi: number;
  /** Offset in memory of an array with all struct rlimit, to be written before `tellLimits(true)`. */
  readonly limits: number;
  tellLimits(told: boolean): void;
  /** Its real and effective user and group ids, until told otherwise. */
  tellIds(uid: number, euid: number, gid: number, egid: number): void;
  /** It has to ask for its ids. */
  untellIds(): void;
  /** The end of its data (brk(2)); 0: it has to ask for it. It also has to ask to move it. */
  tellBreak(address: number): void;
  /** It may move its break from `lowest` to `highest` on its own, and maps or unmaps its private memory there. */
  letBreak(lowest: number, highest: number): void;
  /** It has to ask to move its break from now on. */
  stopBreak(): void;
  /** The lower halves, as int32, of its break now, and of the highest that its break has been since it was told. */
  readonly breakNow: number;
  readonly breakTop: number;
  /**
   * When it exits (exit_group(2)), its memory concerns no other task, so it may end its process while the kernel hears
   * of that. The call comes as others do, or `EngineThread.exitCode` has it if the process's death is noticed first.
   */
  tellMayEnd(may: boolean): void;
  /** Nothing that it was told holds any more. */
  forget(): void;
  /** Arguments of its latest set_robust_list(2) and set_tid_address(2); null: it has not made the call on its own. */
  readonly robustList: number | null;
  readonly clearTid: number | null;
  /** Discards what it said. */
  unsay(): void;
}

/**
 * The identity of an asker: threads with the same key get the same answers. 64 random bits, not all 0, known only to
 * those threads and the kernel.
 */
export interface KnownKey {
  readonly low: number;
  readonly high: number;
}

/**
 * A call whose answer may be known beforehand. Its first string is a name. `numbers` are the arguments that matter;
 * `out` is the one that says where it writes, -1 if it writes nothing.
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

/** Answers to calls that change nothing. Threads may use them without asking the kernel until they are forgotten. */
export interface KnownAnswers {
  /** Call it before the call's first answer is learned. */
  addCall(call: KnownCall): void;
  /**
   * `args` are the call's; 32 bits of each of its `numbers` count. Returns an id to `forget` the answer by; -1 if it
   * was not learned, because the name or what the call writes is too long.
   */
  learn(key: KnownKey, call: KnownCall, args: readonly number[], name: string, answer: KnownAnswer): number;
  /** May forget another answer too. */
  forget(answer: number): void;
  forgetAll(): void;
}
