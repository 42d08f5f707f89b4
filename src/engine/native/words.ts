/**
 * What the stub and its driver say to each other: a slot's state, why a thread comes, how it goes on, and notes. As with
 * layout.ts, the build writes the stub's constants from these objects.
 */

/** S_STATE, initially 0. The guest sets REQUEST and SLEEPING; the kernel WAIT, PREPARE and, to let it run, ANSWER. */
export const STATE = {
  /** A request. The caller looks for its answer. */
  ST_REQUEST: 1,
  /** The caller sleeps, whether the kernel has taken its request or not. */
  ST_SLEEPING: 2,
  /** The kernel has taken the request, but the answer will take time: the caller should soon sleep. */
  ST_WAIT: 3,
  ST_ANSWER: 4,
  /** The kernel has taken the request. The caller, still looking, meanwhile gets the orders up to S_TARGET done. */
  ST_PREPARE: 5,
} as const;

/** S_KIND: why the thread came. */
export const KIND = {
  /** A call from a patched site: arguments only, no frame. */
  K_FAST: 1,
  /** A call by SIGSYS: the frame has all registers. */
  K_CALL: 2,
  /** A fault: signal, code and address in the slot, registers in the frame. */
  K_FAULT: 3,
  /** The kernel asked to see the thread. */
  K_KICK: 4,
  /** A fast call that came back with a frame, because the kernel asked for one. */
  K_FRAME: 5,
  /** A call from a patched site that came with a frame at once, as it always needs one. */
  K_FRAMED: 7,
  /** Copying an answer out hit a fault. */
  K_BADCOPY: 6,
  /** A fast call that ends the process. It waits for no answer. */
  K_LAST: 8,
} as const;

/** S_ACTION: how the thread goes on. */
export const ACTION = {
  /** Return S_RET from the call. */
  A_RETURN: 0,
  /** Go on from the frame at S_FRAME, as it is now. */
  A_FRAME: 1,
  /** Come back with a frame (rax = S_RET in it). */
  A_SHOW_FRAME: 2,
  /** The process ends. */
  A_EXIT: 3,
  /** The exit status then, which is no news to the kernel. */
  EXIT_TOLD: 86,
} as const;

/**
 * What the reaper and mapping threads write to the kernel's socket: two u32, a kind and a value. The host adds the
 * sender (SCM_CREDENTIALS), which is what the kernel believes.
 */
export const NOTE = {
  NOTE_SIZE: 8,
  /** The first space is there. */
  NOTE_READY: 1,
  /** A space's process died. The value is its process id. */
  NOTE_DEAD: 2,
  /** A new space is there. The value is its number. The sender's process id comes with the note. */
  NOTE_BORN: 5,
  /** A space has done all that was posted before this note. The value is the space's number. */
  NOTE_DONE: 3,
  /** The host refused to make a space's process or one of its threads. The value is the space's number. */
  NOTE_REFUSED: 6,
  /** The reaper could not start. The value is the step's number << 16 | errno. */
  NOTE_FAILED: 4,
} as const;
