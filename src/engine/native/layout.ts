/**
 * Where everything lies that the stub and its driver share (what they say to each other is in words.ts). The build writes
 * `layout.h` from these objects (each key becomes a macro), so that the two cannot drift.
 */
import { ALONG } from '../answers.ts';

/** Places in the memory file. Slots lie below 2 GiB so that the index of any byte there is a small integer. */
export const FILE = {
  FILE_GLOBAL: 0,
  FILE_TABLE: 0x4000,
  FILE_THUNKS: 0x14000,
  /** The kernel's own (scratch.ts), never mapped in a space. */
  FILE_SCRATCH: 0x60000,
  /** Known answers: KNOWN_ENTRIES, and from KNOWN_DATA on what some of them write. */
  FILE_KNOWN: 0x80000,
  FILE_SLOTS: 0x10000000,
  FILE_SLOTS_END: 0x80000000,
  /** Pages of spaces, one SPACE_STRIDE each. */
  FILE_SPACES: 0x100000000,
  FILE_RAM: 0x200000000,
} as const;

/**
 * Offsets of the memory file for the machine's memory: far more than there are pages, so that each file, sparse ones
 * too, lies in one piece. They cost little: a bit for each page that a file reaches to (lib/bitmap.ts).
 */
export const RAM_RANGE = 2 ** 42;

/** Places in a guest's address space that the engine keeps to itself. */
export const VA = {
  /**
   * The stub's text and read-only data, which cannot be changed. The mapping thread's text, which is of no use to
   * guests (filters.ts), comes first.
   */
  STUB_TEXT: 0x7e400000,
  /** The rest of the text. It begins with `fast_entry`. */
  STUB_ENTRY: 0x7e401000,
  /** The machine's read-only page: doorbell, settings, prefetch plans. */
  STUB_GLOBAL: 0x7e500000,
  /**
   * Pointers to thunks. A patched call site is `jmp *abs32` over `mov $nr,%eax; syscall`, so bits 16 to 31 of this
   * address stand where the syscall instruction was: 0x60 is no instruction in 64-bit mode.
   */
  STUB_TABLE: 0x7e600000,
  STUB_THUNKS: 0x7e610000,
  /** The space's read-only page: orders for its mapping thread, and where texts with patched sites lie. */
  STUB_SPACE: 0x7e700000,
  /** The space's writable page: answers of the mapping thread, never believed. */
  STUB_ANSWERS: 0x7e720000,
  /** Read-only: known answers. */
  STUB_KNOWN: 0x7e740000,
  STUB_END: 0x7e800000,
  /** The slots of the space's threads, one stride each, no more than the memory file has room for. */
  SLOT_BASE: 0x7e8000000000,
  /** Pipes' pages (channel.ts): the one that the thread writes, then the one that it reads, CHANNEL_STRIDE each. */
  CHANNEL_BASE: 0x7e8070000000,
  /** Windows on files' pages (file-windows.ts), one stride each. The filters' rules for slots apply to them too. */
  WINDOW_BASE: 0x7e8080000000,
  SLOT_END: 0x7e8100000000,
} as const;

/** The end of the addresses that a guest may use. */
export const USER_END = 0x7ffffffff000;

export const SIZE = {
  GLOBAL_SIZE: 0x4000,
  TABLE_SIZE: 0x10000,
  THUNKS_SIZE: 0x40000,
  /** Header, operations (512 of 64 bytes), notes, places of texts (2,048 of 8 bytes). */
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
  /** 1 while the kernel sleeps: a thread that asks then wakes the futex that the kernel waits on, its slot's state. */
  G_DOORBELL: 0,
  /** Set by the reaper when the kernel's descriptors have news. The reaper waits until the kernel clears it. */
  G_HOST_EVENTS: 4,
  /** How often a caller looks for its answer in a spin. */
  G_SPIN: 8,
  /** Process id of the reaper. A space whose parent is another process exits. */
  G_REAPER: 12,
  /** Process id of the kernel, by which the reaper checks that its parent is still the process that made it. */
  G_KERNEL: 16,
  /** Process id of the first, empty space. */
  G_FIRST: 20,
  /** Set by the kernel at the machine's end. The reaper ends when its children have. */
  G_END: 48,
  /** Where the host's vdso and its data lie in every space: u64 start, end, and the vdso's ELF header. */
  G_VDSO_FROM: 24,
  G_VDSO_TO: 32,
  G_VDSO: 40,
  /** The processor that the kernel keeps to, -1 if to none. A thread that asks from there sleeps at once. */
  G_KERNEL_CPU: 52,
  /** A known answer holds while this is the epoch that it was written with. */
  G_EPOCH: 56,
  /** After the spin, how often a caller yields and looks again before it sleeps. */
  G_YIELDS: 60,
  /** The processors that guest threads may run on: a mask of AFFINITY_SIZE bytes. */
  G_AFFINITY: 0x800,
  AFFINITY_SIZE: 128,
  /** Prefetch plans: two u32 for each of MAX_PLANS calls. */
  G_PLANS: 0x1000,
  MAX_PLANS: 512,
  /** Which calls may have known answers: u32 for each of MAX_PLANS, KNOWN_CALL and the numbers among its arguments. */
  G_KNOWN: 0x2000,
} as const;

/**
 * Known answers (known-answers.ts): a table of {u32 hash low, high, epoch << 8 | errno, more}. The index is the lowest
 * bits of `hash low`, or the same with bit 0 inverted. With KNOWN_GOOD as errno, `more` is result << 16 | the number of
 * bytes that the call writes. These stand in a table of their own, at the index's lowest bits, each word combined with
 * a further word of the hash.
 */
export const KNOWN = {
  KNOWN_ENTRIES: 0x2000,
  KNOWN_ENTRY: 16,
  KNOWN_GOOD: 255,
  KNOWN_DATA: 0x20000,
  KNOWN_DATA_ENTRIES: 0x800,
  KNOWN_DATA_ENTRY: 256,
  /**
   * In a call's word: it may have known answers. Bits 0 to 5: which arguments are numbers that matter. From KNOWN_OUT
   * on: 1 + the number of the argument that says where to write, or 0 for none.
   */
  KNOWN_CALL: 0x100,
  KNOWN_OUT: 12,
  /** The longest name that is remembered, in bytes without the NUL. */
  KNOWN_LONGEST: 255,
} as const;

/** Fields of a space's page. */
export const SPACE = {
  /** Operations posted so far (futex of the mapping thread). */
  P_POSTED: 0,
  /** For each window, a u32 with how often it was closed. A copy through it counts only if that has not changed. */
  P_WINDOWS: 0x40,
  P_OPS: 0x1000,
  /** Notes that orders write to the kernel's socket (NOTE): 8 bytes each. */
  P_NOTES: 0x9000,
  /** The same for what the host refused, for the latest 448 orders that make processes and threads. */
  P_REFUSALS: 0x9200,
  /** Where texts with patched sites lie, u64 each. */
  P_TEXTS: 0xa000,
} as const;

export const ANSWERS = {
  /** Operations done so far (futex of threads waiting for their mappings). */
  W_DONE: 0,
  /** For receiving a descriptor: a struct msghdr, and room for a struct cmsghdr. */
  W_MESSAGE: 0x40,
  W_CONTROL: 0x80,
  W_RESULTS: 0x1000,
} as const;

/** A posted operation: a system call for the mapping thread, and what its result means. */
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
  // The first cache line goes to the kernel and back with every call, so it holds all that a simple call needs. A look
  // by one side while the other writes takes the line away. So each side writes it last, all at once, the state at the
  // end.
  S_STATE: 0,
  /** Why the thread came, and from which processor: u16 each. */
  S_KIND: 4,
  S_CPU: 6,
  /** How the thread goes on, and how many of the copies at S_COPY it makes first (or COPY_ bits): u16 each. */
  S_ACTION: 8,
  S_COPIES: 10,
  /** The count of W_DONE to wait for before the thread goes on, so that its mappings are done. */
  S_TARGET: 12,
  S_NR: 16,
  /** How many bytes the prefetch brought for each of its two windows; -1: a fault. */
  S_IN0_LEN: 20,
  S_RET: 24,
  /** The first four arguments. In an answer: bytes for the program (COPY_HERE), or their window (COPY_THROUGH). */
  S_ARGS: 32,
  ARGS_HERE: 32,
  /** The fourth. With some calls (PLAN_SMALL) up to eight bytes that the call reads stand here instead. */
  S_SMALL: 56,
  SMALL: 8,
  // The second cache line. It also holds the last two arguments.
  S_IN1_LEN: 80,
  /** Offset of the host's signal frame (ucontext) in the slot. */
  S_FRAME: 96,
  S_SIGNO: 100,
  S_SIGCODE: 104,
  /** The host's thread id, for kicks, which the host delivers only within this process. */
  S_TID: 108,
  S_SIGADDR: 112,
  /** The guest's fs base, saved with a frame and loaded with A_FRAME. */
  S_FS: 120,
  // From here on the stub's own.
  /** Set by a kick that came while the stub was running. */
  S_KICKED: 128,
  S_RIP: 136,
  S_RSP: 144,
  /** The key that known answers are looked up with, given by who the thread's owner is; 0: none. */
  S_KEY: 160,
  /** How many of S_OWN_OPS the thread must do itself before it goes on. */
  S_OWN: 152,
  /**
   * A file that was opened and came along (stub/along.c): its descriptor, its flags, how many of its bytes came, and
   * whether these are all of them. S_FILE_USE is what the thread does with it: position plus 1, with FILE_CLOSED once
   * it is closed; 0: no file. Kernel and thread exchange that word, so that neither misses what the other does.
   */
  S_FILE: 168,
  S_FILE_SIZE: 172,
  S_FILE_WHOLE: 176,
  S_FILE_FLAGS: 180,
  S_FILE_USE: 184,
  FILE_CLOSED: 0x80000000,
  /**
   * What the kernel has told the thread of its own process (stub/facts.c); 0: nothing. Its number; whether S_LIMITS
   * holds the limits, a struct rlimit each; whether it knows its signals' actions; where its break is.
   */
  S_SELF: 192,
  S_LIMITS_TOLD: 196,
  S_ACTIONS_TOLD: 200,
  /** Incremented before and after the thread sets an action on its own, so it is odd in between. */
  S_ACTIONS_SET: 204,
  S_BREAK: 208,
  /** What the thread has said on its own: SAID_ bits, and the values. */
  S_SAID: 216,
  S_ROBUST_LIST: 224,
  S_CLEAR_TID: 232,
  SAID_ROBUST_LIST: 1,
  SAID_CLEAR_TID: 2,
  /** Whose usage the thread brings along (getrusage(2)): 0 for its process's, 1 (RUSAGE_THREAD) for its own. */
  S_USAGE_OF: 248,
  /** Its parent's number, valid with S_SELF. */
  S_PARENT: 252,
  /** Its real and effective user and group ids, u32 each, and whether they are valid. */
  S_IDS: 0x290,
  S_IDS_TOLD: 0x2a0,
  S_LIMITS: 0x180,
  LIMITS: 16,
  /** The signals whose actions stand in S_ACTIONS, as rt_sigaction has them. The others have their defaults. */
  S_OWN_ACTIONS: 240,
  S_ACTIONS: 0x2000,
  /** How many calls are foreseen (stub/foreseen.c), and how many of these the thread has made. */
  S_FORESEEN: 0x280,
  S_FORESEEN_MADE: 0x284,
  /** Not 0 while the thread tries to make the next one. */
  S_FORESEEN_BUSY: 0x28c,
  /** The record of the file that came along, as an offset in the slot. */
  S_FILE_RECORD: 0x288,
  /** What the thread may do with it (answers.ts, `ALONG`). */
  S_FILE_MAY: 0x2a4,
  FILE_SEEKS: ALONG.SEEKS,
  FILE_READS: ALONG.READS,
  FILE_CLOSES: ALONG.CLOSES,
  FILE_STEADY: ALONG.STEADY,
  /** Set while the thread makes the frame for a call that it is about to ask for. */
  S_FRAMED: 0x2a8,
  /** Whether the thread may end its process before the kernel has heard of the exit (K_LAST). */
  S_MAY_END: 0x2ac,
  /**
   * A pipe that the thread reads and writes on its own (stub/pipe.c): which of its bytes are at S_PIPE, and its
   * descriptors, -1 for an end that it does not have. In S_PIPE_USE: where the next byte is taken; from bit PIPE_TAIL
   * on, where the next is put; PIPE_GONE once all that the kernel put there has been taken; PIPE_WHOLE if the kernel
   * has no more. Kernel and thread exchange that word. Without PIPE_OPEN it is void.
   */
  S_PIPE_USE: 0x2b0,
  S_PIPE_READ: 0x2b4,
  S_PIPE_WRITE: 0x2b8,
  PIPE_TAIL: 13,
  PIPE_WHOLE: 0x20000000,
  PIPE_GONE: 0x40000000,
  PIPE_OPEN: 0x80000000,
  /** The thread's signal mask, which it may set itself if S_MASK_TOLD, and the pending signals, set by the kernel. */
  S_MASK: 0x2c0,
  S_PENDING: 0x2c8,
  S_MASK_TOLD: 0x2d0,
  /**
   * Whether the thread may move its break on its own, between which places, and the highest that the break has been
   * since the kernel last wrote S_BREAK.
   */
  S_BREAK_MOVES: 0x2e0,
  S_BREAK_LOWEST: 0x2e8,
  S_BREAK_HIGHEST: 0x2f0,
  S_BREAK_TOP: 0x2f8,
  /** The thread's copy of the call before it asks, what it fetched for it (see S_IN0_LEN), and the call's result. */
  S_CALL_NR: 0x300,
  S_CALL_ARGS: 0x308,
  S_RESULT: 0x338,
  S_FETCHED0: 0x340,
  S_FETCHED1: 0x344,
  /** The bytes that it fetched, if they are to go to S_SMALL. */
  S_FETCHED: 0x348,
  /**
   * A window on a file that the thread copies through on its own (stub/window.c): its descriptor, the window's offset
   * from WINDOW_BASE and its count in P_WINDOWS, and which of the file's bytes it shows. In S_WINDOW_USE, WINDOW_READ
   * and WINDOW_WRITTEN say what the thread has done since the kernel last looked. Without WINDOW_OPEN it is void.
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
  /** Pipes that the thread shares with other threads (stub/channel.c): which ends it has, and their descriptors. */
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
   * In S_COPIES, instead of a list: one copy to where an argument points (bits 8 to 10 have its number). With
   * COPY_HERE, as many bytes from S_ARGS as bits 0 to 7 say. With COPY_THROUGH, as many bytes as the call's result
   * through a window: S_ARGS has the offset from WINDOW_BASE, then the count in P_WINDOWS. COPY_BACK: the other way
   * round.
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
  /** Where the kernel puts what it fetches, and what it copies out. */
  S_STAGE_IN: 0x24000,
  S_STAGE_OUT: 0x44000,
  S_PIPE: 0x67000,
  PIPE_SIZE: 0x1000,
  /** Foreseen calls, FORESEEN_CALL each. Then what they are compared with and return: names, records of files. */
  S_FORESEEN_CALLS: 0x68000,
  S_FORESEEN_DATA: 0x6aa00,
  /** The record of a file that comes along: its struct stat, then its first bytes from FILE_HEAD on. */
  S_FILE_PLACE: 0x77f00,
  FILE_HEAD: 0x100,
  FILE_DATA_SIZE: 0x8000,
} as const;

/**
 * A pipe between two threads (channel.ts): the writer's pages, which the reader can only read, and a page of the
 * reader's the other way round. Positions are twice the count of bytes, plus CHANNEL_OPEN, without which they are void.
 */
export const CHANNEL = {
  /**
   * Where the next byte is put, which is the futex of the reader. Whether the writer sleeps or is about to; its
   * processor; how often it looks before it sleeps.
   */
  C_TAIL: 0,
  C_FULL: 4,
  C_WRITER: 8,
  C_WRITER_LOOKS: 12,
  C_RING: 0x1000,
  RING_SIZE: 0x10000,
  /** Where the next byte is taken, which is the futex of the writer. Then the same for the reader. */
  C_HEAD: 0x11000,
  C_EMPTY: 0x11004,
  C_READER: 0x11008,
  C_READER_LOOKS: 0x1100c,
  CHANNEL_OPEN: 1,
  WRITER_SIZE: 0x11000,
  READER_SIZE: 0x1000,
  CHANNEL_SIZE: 0x12000,
  /** Larger writes go to the kernel. These are made whole or not yet (PIPE_BUF). */
  LARGEST_PUT: 0x1000,
} as const;

/** A foreseen call. */
export const FORESEEN = {
  MOST_FORESEEN: 96,
  FORESEEN_CALL: 112,
  FC_NR: 0,
  /** Which arguments are compared: bits 0 to 5 for all 64 bits, bits 8 to 13 for the lower 32. */
  FC_COMPARED: 4,
  FC_RESULT: 8,
  FC_ARGS: 16,
  /** The string among the arguments, with its NUL, as an offset in the slot; 0: none. */
  FC_NAME: 64,
  FC_NAME_LEN: 68,
  FC_ACT: 72,
  /** The file that it opens: its record, and the values for S_FILE_SIZE, S_FILE_WHOLE and S_FILE_FLAGS. */
  FC_RECORD: 76,
  FC_SIZE: 80,
  FC_WHOLE: 84,
  FC_FLAGS: 88,
  /** What it writes: 1 + the argument that says where (0: nothing), then an offset in the slot, and a length. */
  FC_OUT: 92,
  FC_OUT_DATA: 96,
  FC_OUT_LEN: 100,
  /** Not 0: valid only once the file that came along before is closed. */
  FC_AFTER_CLOSE: 104,
  /** Values of FC_ACT (answers.ts, `ForeseenAct`). */
  ACT_NONE: 0,
  ACT_OWN: 1,
  ACT_OPEN: 2,
} as const;

/** Descriptors of a space's mapping thread. It has the first, the lowest free one, only while it maps a host file. */
export const FD = { FD_LENT: 0, FD_MEMORY: 3, FD_MEMORY_RO: 4, FD_NOTES: 5, FD_EPOLL: 6 } as const;

/** The size of struct msghdr (recvmsg(2)). */
export const MESSAGE = { MESSAGE_SIZE: 56 } as const;

/** MAP_PRIVATE | MAP_FIXED | MAP_ANONYMOUS | MAP_NORESERVE: how a guest thread may map memory. */
export const OWN_MAP_FLAGS = 0x4032;

/** Guest threads map nothing themselves below this: the host's vm.mmap_min_addr, from which root may be exempt. */
export const LOWEST_OWN = 0x10000;

/** The signal that makes a running thread come to the kernel. */
export const KICK_SIGNAL = 12;
