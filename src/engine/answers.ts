/**
 * What threads are told beforehand and answer by themselves, without asking the kernel (engine.ts): files that came along,
 * calls that are foreseen, facts of their own process, answers that are known to all.
 */
import type { FileWindow } from './engine.ts';

/** A directory's `OpenedFile.size`: even a read of nothing is to be asked for. */
export const NO_BYTES = -1;

/**
 * What a thread may do with a file by itself, until it asks the next time: look at its position and change it; read what came
 * along, one byte after the other; close it. `STEADY`: its bytes and attributes stay as they are, and both came along.
 */
export const ALONG = { SEEKS: 1, READS: 2, CLOSES: 4, STEADY: 8 } as const;

/** A file that a thread has opened. What is mostly asked next goes along with answers: its attributes, its first bytes. */
export interface OpenedFile {
  /** Of ALONG. */
  readonly may: number;
  readonly fd: number;
  /** As fcntl(2), F_GETFL, tells them. */
  readonly flags: number;
  /** How many bytes go along; and whether these are all. `NO_BYTES`: it has none to read. */
  readonly size: number;
  readonly whole: boolean;
  /** Where its attributes and bytes were written, if they come along: `FileAlong.stat` at that time. */
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

/**
 * A pipe that a thread reads and writes by itself while nobody else has to do with it: what it takes from the bytes that were
 * lent to it, and what it puts behind them.
 */
export interface PipeAlong {
  /** Where in `bytes` what is lent is to be written, before `send`, and how much has room there. */
  readonly bytes: Uint8Array;
  readonly place: number;
  readonly size: number;
  /**
   * With the answer that comes next go `len` bytes, after which there are none, if they are the `whole` pipe. The descriptors
   * of its ends are these; -1: not that one.
   */
  send(read: number, write: number, len: number, whole: boolean): void;
  /** From now on the thread, which may be running, asks. Whether it did anything: then the rest says what. */
  take(): boolean;
  /** How many of the bytes that were lent it has taken; and what else is in the pipe now: bytes [start, end). */
  readonly taken: number;
  readonly start: number;
  readonly end: number;
}

/** Which end of a pipe. */
export type PipeEnd = 'write' | 'read';

/**
 * The ends of pipes that a thread uses together with one of another process: one that it writes, and one that it reads, each by
 * one descriptor. It waits there by itself, for bytes or for room.
 */
export interface ChannelEnds {
  /** With what the thread is answered next it sees the channel at `offset`. What it saw there before it sees no longer. */
  show(end: PipeEnd, offset: number, fd: number): void;
  /** The thread is in the kernel. */
  hide(end: PipeEnd): void;
}

/** A pipe that two threads use by themselves: it lies in `Engine.channelSize` bytes of memory, which were zeros at first. */
export interface Channel {
  /** Both ends see it. `fill` puts there what is to be read: `len` bytes, `most` at most. */
  open(len: number, fill: (to: Uint8Array, off: number, len: number) => void): void;
  readonly most: number;
  /** What it can hold. */
  readonly size: number;
  /** From now on both ask. What is left in it: `left` bytes, `copy` has them. Whether it was used at all. */
  close(): boolean;
  readonly left: number;
  /** Whoever sleeps there looks again whether it is open. */
  callBack(): void;
  copy(to: Uint8Array, off: number): void;
  /** Whether nothing has come since this was asked the last time. */
  rests(): boolean;
}

/** What a thread may do by itself through a window: by this descriptor, with the bytes [from, to) of the file. */
export interface WindowTerms {
  readonly fd: number;
  /** The window's first byte in the file. */
  readonly from: number;
  readonly to: number;
  readonly mayWrite: boolean;
}

export interface WindowUse {
  readonly read: boolean;
  readonly written: boolean;
}

/** A window on a file that a thread reads and writes through at positions, without asking, until the window closes. */
export interface WindowAlong {
  /** With the answer that comes next. */
  send(window: FileWindow, terms: WindowTerms): void;
  /** What the thread, which may be running, has done since the last look. */
  look(): WindowUse;
  /** The same; from now on it asks. What it is just doing it does again by asking. */
  take(): WindowUse;
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
   * Its number and its process's, which is the same, as long as nobody else is in its memory: then it may set its thread pointer,
   * say what `robustList` and `clearTid` answer, and wakes nobody by a private futex. 0: it may not.
   */
  tellSelf(tid: number): void;
  /** Its parent's number (getppid(2)): before `tellSelf`, and whenever it gets another. */
  tellParent(pid: number): void;
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
  /**
   * Its memory is nobody's business when it exits (exit_group(2)): it may end its process while the kernel hears of that. The
   * call comes as others do, or is what `EngineThread.exitCode` says if the process's death is noticed first.
   */
  tellMayEnd(may: boolean): void;
  /** All that it was told holds no more. */
  forget(): void;
  /** Arguments of its latest set_robust_list(2), set_tid_address(2); null: it has not made the call by itself. */
  readonly robustList: number | null;
  readonly clearTid: number | null;
  /** What it said counts no more. */
  unsay(): void;
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
