/**
 * Where everything lies that the stub and its driver share. One declaration: the build writes the stub's
 * `layout.h` from these objects (each key becomes a macro), so that the two cannot drift.
 *
 */
import { ALONG } from '../answers.ts';

/**
 * Places in the memory file. Slots lie below 2 GiB so that an index of a byte there is a small integer.
 */
export const FILE = {
  FILE_GLOBAL: 0,
  FILE_TABLE: 0x4000,
  FILE_THUNKS: 0x14000,
  /** The kernel's own (scratch.ts): never mapped in a space. */
  FILE_SCRATCH: 0x60000,
  /** Answers that are known beforehand: KNOWN_ENTRIES, and from KNOWN_DATA on what some of them write. */
  FILE_KNOWN: 0x80000,
  FILE_SLOTS: 0x10000000,
  FILE_SLOTS_END: 0x80000000,
  /** Pages of spaces, SPACE_STRIDE each. */
  FILE_SPACES: 0x100000000,
  FILE_RAM: 0x200000000,
} as const;

/**
 * Offsets of the memory file for the machine's memory: far more than pages, so that files lie in one piece, sparse ones too. They
 * cost little: a bit for each page that a file reaches to (lib/bitmap.ts).
 */
export const RAM_RANGE = 2 ** 42;

/** Places in a guest's address space that the engine keeps to itself. */
export const VA = {
  /** The stub's text and read-only data, which nobody can change: first the mapping thread's, which guests gain nothing from (filters.ts). */
  STUB_TEXT: 0x7e400000,
  /** The rest of it, which begins with `fast_entry`. */
  STUB_ENTRY: 0x7e401000,
  /** Read-only page of the machine: doorbell, settings, prefetch plans. */
  STUB_GLOBAL: 0x7e500000,
  /**
   * Pointers to thunks. A patched call site is `jmp *abs32` over `mov $nr,%eax; syscall`, so bits 16 to 31 of
   * this address stand where the syscall instruction stood: 0x60 is no instruction in 64-bit mode.
   */
  STUB_TABLE: 0x7e600000,
  STUB_THUNKS: 0x7e610000,
  /** Read-only page of the space: what its mapping thread shall do, where texts with patched sites lie. */
  STUB_SPACE: 0x7e700000,
  /** Writable page of the space: answers of the mapping thread, never believed. */
  STUB_ANSWERS: 0x7e720000,
  /** Read-only: answers that are known beforehand. */
  STUB_KNOWN: 0x7e740000,
  STUB_END: 0x7e800000,
  /** The slots of the space's threads, a stride each; no more than the memory file has room for. */
  SLOT_BASE: 0x7e8000000000,
  /** A pipe's pages (channel.ts) as the thread that writes has them, then as the one that reads has: CHANNEL_STRIDE each. */
  CHANNEL_BASE: 0x7e8070000000,
  /** Windows on files' pages (file-windows.ts), a stride each: what the filters know of slots holds for them, too. */
  WINDOW_BASE: 0x7e8080000000,
  SLOT_END: 0x7e8100000000,
} as const;

/** Where the addresses end that a guest may use. */
export const USER_END = 0x7ffffffff000;

export const SIZE = {
  GLOBAL_SIZE: 0x4000,
  TABLE_SIZE: 0x10000,
  THUNKS_SIZE: 0x40000,
  /** Header, operations (512 of 64 bytes), places of texts (2,048 of 8 bytes). */
  SPACE_SIZE: 0xe000,
  ANSWERS_SIZE: 0x2000,
  SPACE_STRIDE: 0x10000,
  SLOT_STRIDE: 0x80000,
  WINDOW_STRIDE: 0x8000000,
  MAX_WINDOWS: 16,
  CHANNEL_STRIDE: 0x20000,
  MAX_SITES: 8192,
  MAX_TEXTS: 2048,
  MAX_OPS: 512,
  KNOWN_SIZE: 0xa0000,
} as const;

/** Fields of the global page. */
export const GLOBAL = {
  /** 1 while the kernel sleeps: who asks then wakes the futex that the kernel waits on, its slot's state. */
  G_DOORBELL: 0,
  /** Set by the reaper when the kernel's descriptors have news; it waits until the kernel clears it. */
  G_HOST_EVENTS: 4,
  /** How often a caller looks for its answer at once. */
  G_SPIN: 8,
  /** Process id of the reaper: a space whose parent is another dies. */
  G_REAPER: 12,
  /** Process id of the kernel, for the reaper to see that its parent still is the one that made it. */
  G_KERNEL: 16,
  /** Process id of the first, empty space. */
  G_FIRST: 20,
  /** Set by the kernel at the machine's end: the reaper ends when its children have. */
  G_END: 48,
  /** Where the host's vdso and its data lie in every space: u64 from, to, and the vdso's ELF header. */
  G_VDSO_FROM: 24,
  G_VDSO_TO: 32,
  G_VDSO: 40,
  /** The processor that the kernel keeps to, -1 if to none: who asks from there sleeps at once. */
  G_KERNEL_CPU: 52,
  /** Known answers hold while this is what they were written with. */
  G_EPOCH: 56,
  /** How often a caller that has looked so often lets others go first, and looks again, before it sleeps. */
  G_YIELDS: 60,
  /** The processors that guest threads may run on: a mask of AFFINITY_SIZE bytes. */
  G_AFFINITY: 0x800,
  AFFINITY_SIZE: 128,
  /** Prefetch plans: two u32 for each of 512 calls. */
  G_PLANS: 0x1000,
  MAX_PLANS: 512,
  /** Which calls may have known answers: u32 for each of MAX_PLANS, KNOWN_CALL and the numbers among its arguments. */
  G_KNOWN: 0x2000,
} as const;

/**
 * Answers that are known beforehand (known-answers.ts): a table of {u32 hash low, high, epoch << 8 | errno, more}. The index
 * is the low part's low bits, or its neighbour's, whose lowest bit is the other. With KNOWN_GOOD as errno, `more` is result << 16 | how many bytes the call writes: these stand
 * at the index's low bits in a table of their own, each word combined with one of what the hash goes on to give.
 */
export const KNOWN = {
  KNOWN_ENTRIES: 0x2000,
  KNOWN_ENTRY: 16,
  KNOWN_GOOD: 255,
  KNOWN_DATA: 0x20000,
  KNOWN_DATA_ENTRIES: 0x800,
  KNOWN_DATA_ENTRY: 256,
  /**
   * In a call's word: it may have known answers. Bits 0 to 5: which arguments are numbers that matter; from KNOWN_OUT on, 1
   * and the number of the one that says where to write; 0: none.
   */
  KNOWN_CALL: 0x100,
  KNOWN_OUT: 12,
  /** Longer names are not remembered: bytes, without the NUL. */
  KNOWN_LONGEST: 255,
} as const;

/** Fields of a space's page. */
export const SPACE = {
  /** Operations posted so far (futex of the mapping thread). */
  P_POSTED: 0,
  /** Of each window, how often it was closed: u32. What was copied through it counts if that is as it was. */
  P_WINDOWS: 0x40,
  P_OPS: 0x1000,
  /** stack_t of threads to be made, 32 bytes each; then notes, and the notes of what the host refuses. */
  P_STACKS: 0x9000,
  /** Words of a kernel message written to the reaper's pipe by an operation: 8 bytes each. */
  P_NOTES: 0x9800,
  /** The same for what the host refused: of the latest 192 orders that make processes and threads. */
  P_REFUSALS: 0x9a00,
  /** Where texts with patched sites lie: u64 each. */
  P_TEXTS: 0xa000,
} as const;

export const ANSWERS = {
  /** Operations done so far (futex of threads that wait for their mappings). */
  W_DONE: 0,
  /** How the mapping thread receives a descriptor: struct msghdr, and room for a struct cmsghdr. */
  W_MESSAGE: 0x40,
  W_CONTROL: 0x80,
  W_RESULTS: 0x1000,
} as const;

/** A posted operation: a system call of the mapping thread, and what to make of it. */
export const OP = {
  OP_NR: 0,
  OP_ARGS: 8,
  OP_KIND: 56,
  OP_SIZE: 64,
  OP_KIND_CALL: 0,
  OP_KIND_FORK: 1,
  OP_KIND_THREAD: 2,
} as const;

/** Fields of a thread's slot (writable by the guest). */
export const SLOT = {
  // The first cache line goes to the kernel and back with every call, so it holds all that a simple one needs. Whoever looks
  // at it while the other writes there takes it away from him: so both write it last, all at once, the state at the end.
  S_STATE: 0,
  /** Why the thread came, and from which processor: u16 each. */
  S_KIND: 4,
  S_CPU: 6,
  /** How it is to go on, and how many copies to make before it does, of those listed at S_COPY (or COPY_ bits): u16 each. */
  S_ACTION: 8,
  S_COPIES: 10,
  /** For mappings that must be done before the thread goes on: the count of W_DONE to wait for. */
  S_TARGET: 12,
  S_NR: 16,
  /** Bytes that the prefetch brought, for its two windows; -1: a fault. */
  S_IN0_LEN: 20,
  S_RET: 24,
  /** Four arguments. With the answer: bytes for the program (COPY_HERE), or where in the windows they are (COPY_THROUGH). */
  S_ARGS: 32,
  ARGS_HERE: 32,
  /** The fourth: with some calls (PLAN_SMALL) instead up to eight bytes of what the call reads. */
  S_SMALL: 56,
  SMALL: 8,
  // The second cache line: the last two arguments are here.
  S_IN1_LEN: 80,
  /** Offset of the host's signal frame (ucontext) in the slot. */
  S_FRAME: 96,
  S_SIGNO: 100,
  S_SIGCODE: 104,
  /** The host's thread id; for kicks, which the host delivers within this process only. */
  S_TID: 108,
  S_SIGADDR: 112,
  /** The guest's fs base, saved with a frame, loaded with A_FRAME. */
  S_FS: 120,
  // The stub's own.
  /** Set by a kick that came while the stub was running. */
  S_KICKED: 128,
  S_RIP: 136,
  S_RSP: 144,
  /** With what known answers are looked up: the key of who the thread's owner is; 0: it has none. */
  S_KEY: 160,
  /** How many of S_OWN_OPS the thread has to do itself before it goes on. */
  S_OWN: 152,
  /**
   * A file that was opened and came along (stub/along.c): its descriptor, its flags, how many of its bytes came, and
   * whether these are all. Then what the thread does with it: its position plus 1, with FILE_CLOSED once it is closed; 0:
   * nothing is here. Kernel and thread exchange that word, so that neither misses what the other does.
   */
  S_FILE: 168,
  S_FILE_SIZE: 172,
  S_FILE_WHOLE: 176,
  S_FILE_FLAGS: 180,
  S_FILE_USE: 184,
  FILE_CLOSED: 0x80000000,
  /**
   * What the kernel has told the thread of its own process (stub/facts.c); 0: nothing. Its number; where its break is;
   * whether S_LIMITS holds the limits, a struct rlimit each; whether it knows what its signals do.
   */
  S_SELF: 192,
  S_LIMITS_TOLD: 196,
  S_ACTIONS_TOLD: 200,
  /** Counts up before the thread sets an action by itself, and after it: odd in between. */
  S_ACTIONS_SET: 204,
  S_BREAK: 208,
  /** What the thread has said by itself: SAID_ bits, and the values. */
  S_SAID: 216,
  S_ROBUST_LIST: 224,
  S_CLEAR_TID: 232,
  SAID_ROBUST_LIST: 1,
  SAID_CLEAR_TID: 2,
  /** Whose usage the thread brings along (getrusage(2)): 0 its process's, 1 (RUSAGE_THREAD) its own. */
  S_USAGE_OF: 248,
  /** Its parent's number, told with S_SELF. */
  S_PARENT: 252,
  /** Its user and group ids, real and effective: u32 each; whether they hold. */
  S_IDS: 0x290,
  S_IDS_TOLD: 0x2a0,
  S_LIMITS: 0x180,
  LIMITS: 16,
  /** Which signals' actions stand in S_ACTIONS, as rt_sigaction has them; those of others are as they are by default. */
  S_OWN_ACTIONS: 240,
  S_ACTIONS: 0x2000,
  /** How many calls are foreseen (stub/foreseen.c), and how many of these the thread has made. */
  S_FORESEEN: 0x280,
  S_FORESEEN_MADE: 0x284,
  /** Not 0 while the thread looks whether it can make the next. */
  S_FORESEEN_BUSY: 0x28c,
  /** Where the record of the file lies that came along: an offset in the slot. */
  S_FILE_RECORD: 0x288,
  /** What the thread may do with it (answers.ts, `ALONG`). */
  S_FILE_MAY: 0x2a4,
  FILE_SEEKS: ALONG.SEEKS,
  FILE_READS: ALONG.READS,
  FILE_CLOSES: ALONG.CLOSES,
  FILE_STEADY: ALONG.STEADY,
  /** Set while the thread makes the frame of a call that it is about to ask for. */
  S_FRAMED: 0x2a8,
  /** Whether the thread may end its process before the kernel has heard of that (K_LAST). */
  S_MAY_END: 0x2ac,
  /**
   * A pipe that the thread reads and writes by itself (stub/pipe.c): which of its bytes are at S_PIPE, and the descriptors, -1 where
   * it has none. In S_PIPE_USE: where the next is taken, from PIPE_TAIL on where the next is put; PIPE_GONE once all that the
   * kernel put there was taken, PIPE_WHOLE if it has no more. Kernel and thread exchange that word; without PIPE_OPEN it is nothing.
   */
  S_PIPE_USE: 0x2b0,
  S_PIPE_READ: 0x2b4,
  S_PIPE_WRITE: 0x2b8,
  PIPE_TAIL: 13,
  PIPE_WHOLE: 0x20000000,
  PIPE_GONE: 0x40000000,
  PIPE_OPEN: 0x80000000,
  /** The thread's signal mask, which it may set itself if S_MASK_TOLD; and the signals that are pending, as the kernel says. */
  S_MASK: 0x2c0,
  S_PENDING: 0x2c8,
  S_MASK_TOLD: 0x2d0,
  /**
   * Whether the thread may move its break by itself, between which places, and the highest where it was since S_BREAK was
   * written by the kernel.
   */
  S_BREAK_MOVES: 0x2e0,
  S_BREAK_LOWEST: 0x2e8,
  S_BREAK_HIGHEST: 0x2f0,
  S_BREAK_TOP: 0x2f8,
  /** The call as the thread has it before it asks, what it fetched for it (as S_IN0_LEN), and its result. */
  S_CALL_NR: 0x300,
  S_CALL_ARGS: 0x308,
  S_RESULT: 0x338,
  S_FETCHED0: 0x340,
  S_FETCHED1: 0x344,
  /** What it fetched, if that is to stand at S_SMALL. */
  S_FETCHED: 0x348,
  /**
   * A window on a file that the thread copies through by itself (stub/window.c): its descriptor, the window's place among the
   * windows with what P_WINDOWS said of it, and which of the file's bytes are seen there. In S_WINDOW_USE, WINDOW_READ and
   * WINDOW_WRITTEN say what the thread has done, since the kernel has looked; without WINDOW_OPEN it is nothing.
   */
  S_WINDOW_USE: 0x360,
  S_WINDOW_FD: 0x364,
  S_WINDOW_PLACE: 0x368,
  S_WINDOW_WAS: 0x36c,
  S_WINDOW_FROM: 0x370,
  S_WINDOW_TO: 0x378,
  WINDOW_READ: 1,
  WINDOW_WRITTEN: 2,
  WINDOW_MAY_WRITE: 4,
  WINDOW_OPEN: 0x80000000,
  /** A pipe that the thread has in common with another (stub/channel.c): which ends it has, and by which descriptors. */
  S_CHANNELS: 0x380,
  S_CHANNEL_WRITE: 0x384,
  S_CHANNEL_READ: 0x388,
  CHANNEL_WRITES: 1,
  CHANNEL_READS: 2,
  /** Up to 4 mappings of private memory: {u64 call, address, length, protection or advice}. */
  S_OWN_OPS: 0x100,
  OWN_OP_SIZE: 32,
  MAX_OWN: 4,
  /** Up to 64 of {u64 to, u32 from, u32 len}. */
  S_COPY: 0x400,
  MAX_COPIES: 64,
  /**
   * In S_COPIES, instead of a list: one copy to where an argument says (its number is in bits 8 to 10). Bytes that stand at S_ARGS,
   * as many as bits 0 to 7 say; or as many as the call's result through a window: at S_ARGS its place among the windows,
   * behind that what P_WINDOWS said of it. With COPY_BACK it is the other way round.
   */
  COPY_HERE: 0x8000,
  COPY_THROUGH: 0x4000,
  COPY_BACK: 0x2000,
  COPY_ARG: 8,
  /** Stack of the fast path, growing down from here. */
  S_STACK_TOP: 0x4000,
  S_ALTSTACK: 0x4000,
  S_ALTSTACK_SIZE: 0xc000,
  S_IN0: 0x10000,
  S_IN1: 0x20000,
  /** Where the kernel puts what it fetches, and what is to be copied out. */
  S_STAGE_IN: 0x24000,
  S_STAGE_OUT: 0x44000,
  S_PIPE: 0x67000,
  PIPE_SIZE: 0x1000,
  /** Calls that are foreseen, FORESEEN_CALL each; then what they are compared with and give: names, records of files. */
  S_FORESEEN_CALLS: 0x68000,
  S_FORESEEN_DATA: 0x6aa00,
  /** The record of a file that comes along: its struct stat, and from FILE_HEAD on its first bytes. */
  S_FILE_PLACE: 0x77f00,
  FILE_HEAD: 0x100,
  FILE_DATA_SIZE: 0x8000,
} as const;

/**
 * A pipe between two threads (channel.ts): pages of the one that writes, which the other may only read, and one of the one that
 * reads. Positions are twice the count of bytes, plus CHANNEL_OPEN; without that they are nothing.
 */
export const CHANNEL = {
  /** Where the next byte is put: the futex of who reads. Whether the writer sleeps, or is about to; its processor; how often it looks before. */
  C_TAIL: 0,
  C_FULL: 4,
  C_WRITER: 8,
  C_WRITER_LOOKS: 12,
  C_RING: 0x1000,
  RING_SIZE: 0x10000,
  /** Where the next is taken: the futex of who writes. The same of the reader. */
  C_HEAD: 0x11000,
  C_EMPTY: 0x11004,
  C_READER: 0x11008,
  C_READER_LOOKS: 0x1100c,
  CHANNEL_OPEN: 1,
  WRITER_SIZE: 0x11000,
  READER_SIZE: 0x1000,
  CHANNEL_SIZE: 0x12000,
  /** Larger writes are the kernel's business: these happen at once, or not yet (PIPE_BUF). */
  LARGEST_PUT: 0x1000,
} as const;

/** A call that is foreseen. */
export const FORESEEN = {
  MOST_FORESEEN: 96,
  FORESEEN_CALL: 112,
  FC_NR: 0,
  /** Which arguments are compared: bits 0 to 5 in 64 bits, 8 to 13 in 32. */
  FC_COMPARED: 4,
  FC_RESULT: 8,
  FC_ARGS: 16,
  /** The string among the arguments, with its NUL: an offset in the slot; 0: there is none. */
  FC_NAME: 64,
  FC_NAME_LEN: 68,
  FC_ACT: 72,
  /** The file that it opens: its record, and what S_FILE_SIZE, S_FILE_WHOLE and S_FILE_FLAGS will be. */
  FC_RECORD: 76,
  FC_SIZE: 80,
  FC_WHOLE: 84,
  FC_FLAGS: 88,
  /** What it writes: the argument that says where, plus 1 (0: nothing), then an offset in the slot, and how many bytes. */
  FC_OUT: 92,
  FC_OUT_DATA: 96,
  FC_OUT_LEN: 100,
  /** Not 0: only if the file that came along before is closed. */
  FC_AFTER_CLOSE: 104,
  /** FC_ACT (answers.ts, `ForeseenAct`). */
  ACT_NONE: 0,
  ACT_OWN: 1,
  ACT_OPEN: 2,
} as const;

/** S_STATE, 0 at first. The guest sets REQUEST and SLEEPING, the kernel WAIT, PREPARE and ANSWER: the thread runs then. */
export const STATE = {
  /** A request; the caller looks for its answer. */
  ST_REQUEST: 1,
  /** The caller sleeps, whether the kernel has taken its request or not. */
  ST_SLEEPING: 2,
  /** Taken by the kernel, the answer will take time: the caller is to sleep soon. */
  ST_WAIT: 3,
  ST_ANSWER: 4,
  /** Taken by the kernel: the caller, who looks for its answer, is to see meanwhile that orders up to S_TARGET are done. */
  ST_PREPARE: 5,
} as const;

/** S_KIND: why the thread came. */
export const KIND = {
  /** A call from a patched site: only arguments, no frame. */
  K_FAST: 1,
  /** A call by SIGSYS: the frame has all registers. */
  K_CALL: 2,
  /** A fault: signal, code and address in the slot, registers in the frame. */
  K_FAULT: 3,
  /** The kernel asked to see the thread. */
  K_KICK: 4,
  /** A fast call that came back with a frame, because the kernel asked for one. */
  K_FRAME: 5,
  /** A call from a patched site that came with a frame at once, because it is of those that need one. */
  K_FRAMED: 7,
  /** Copying an answer out hit a fault. */
  K_BADCOPY: 6,
  /** A fast call that ends the process: it waits for no answer. */
  K_LAST: 8,
} as const;

/** S_ACTION: how the thread goes on. */
export const ACTION = {
  /** Return S_RET from the call. */
  A_RETURN: 0,
  /** Go on from the frame at S_FRAME, as it now is. */
  A_FRAME: 1,
  /** Come again with a frame (rax = S_RET in it). */
  A_SHOW_FRAME: 2,
  /** The process ends. */
  A_EXIT: 3,
  /** Its exit status then: no news to the kernel. */
  EXIT_TOLD: 86,
} as const;

/** What the reaper and mapping threads write to the kernel's socket: two u32, a kind and a value. The host adds who
 * sent it (SCM_CREDENTIALS), which is what the kernel believes. */
export const NOTE = {
  NOTE_SIZE: 8,
  /** The first space is there. */
  NOTE_READY: 1,
  /** A space's process died; the value is its process id. */
  NOTE_DEAD: 2,
  /** A new space is there; the value is its number. The sender's process id comes with the note. */
  NOTE_BORN: 5,
  /** A space has done all that was posted before this note; the value is the space's number. */
  NOTE_DONE: 3,
  /** The host refused to make a space's process, or a thread of it; the value is the space's number. */
  NOTE_REFUSED: 6,
  /** The reaper could not start; the value is the step's number. */
  NOTE_FAILED: 4,
} as const;

/** Descriptors that a space's mapping thread has; the first only while it maps a file of the host's: the lowest free one. */
export const FD = { FD_LENT: 0, FD_MEMORY: 3, FD_MEMORY_RO: 4, FD_NOTES: 5, FD_EPOLL: 6 } as const;

/** How large struct msghdr is (recvmsg(2)). */
export const MESSAGE = { MESSAGE_SIZE: 56 } as const;

/** MAP_PRIVATE | MAP_FIXED | MAP_ANONYMOUS | MAP_NORESERVE: how a guest thread may map memory. */
export const OWN_MAP_FLAGS = 0x4032;

/** Below it guest threads map nothing themselves: the host's vm.mmap_min_addr, which root may be let pass. */
export const LOWEST_OWN = 0x10000;

/** The signal that makes a running thread come to the kernel. */
export const KICK_SIGNAL = 12;
