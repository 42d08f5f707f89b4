/** seccomp(2), and PR_SET_SECCOMP of prctl(2): a thread restricts its system calls. */
import { CAP_SYS_ADMIN, capable } from '../core/cred.ts';
import { copyIn } from '../core/user-copy.ts';
import { type BpfProgram, isValid, MOST_INSTRUCTIONS } from '../kernel/bpf.ts';
import { untellAll } from '../kernel/facts.ts';
import { type Seccomp, type SeccompFilter, seccompMode } from '../kernel/seccomp.ts';
import type { Task } from '../kernel/task.ts';
import { getUint64 } from '../lib/int64.ts';
import { EACCES, EINVAL, ENOMEM, EOPNOTSUPP, ESRCH } from '../uapi/errno.ts';
import * as sc from '../uapi/seccomp.ts';
import { call, oneOf, pointer, type Syscall, uint } from './args.ts';
import { namesIn } from './show.ts';

const { SECCOMP_FILTER_FLAG_TSYNC: TSYNC, SECCOMP_FILTER_FLAG_LOG: LOG } = sc;
const TSYNC_ESRCH = sc.SECCOMP_FILTER_FLAG_TSYNC_ESRCH;
const FLAGS = TSYNC | LOG | TSYNC_ESRCH | sc.SECCOMP_FILTER_FLAG_SPEC_ALLOW;

/** struct sock_fprog: 0 len u16 | 8 filter. struct sock_filter: 0 code u16 | 2 jt u8 | 3 jf u8 | 4 k u32. */
const FPROG_SIZE = 16;
const INSTRUCTION_SIZE = 8;
/** The most instructions in a thread's filters, and what each further filter costs in addition (seccomp(2), ENOMEM). */
const MOST_CHARGED = 32768;
const OVERHEAD = 4;

const AVAILABLE: ReadonlySet<number> = new Set([
  sc.SECCOMP_RET_KILL_PROCESS,
  sc.SECCOMP_RET_KILL_THREAD,
  sc.SECCOMP_RET_TRAP,
  sc.SECCOMP_RET_ERRNO,
  sc.SECCOMP_RET_TRACE,
  sc.SECCOMP_RET_LOG,
  sc.SECCOMP_RET_ALLOW,
]);

function seccomp(task: Task, operation: number, flags: number, args: number): number {
  switch (operation) {
    case sc.SECCOMP_SET_MODE_STRICT:
      return flags !== 0 || args !== 0 ? -EINVAL : setStrict(task);
    case sc.SECCOMP_SET_MODE_FILTER:
      return setFilter(task, flags, args);
    case sc.SECCOMP_GET_ACTION_AVAIL:
      return flags !== 0 ? -EINVAL : isAvailable(task, args);
    default:
      return -EINVAL;
  }
}

/** prctl(PR_SET_SECCOMP). */
export function prctlSeccomp(task: Task, mode: number, program: number): number {
  if (mode === sc.SECCOMP_MODE_STRICT) return setStrict(task);
  return mode === sc.SECCOMP_MODE_FILTER ? setFilter(task, 0, program) : -EINVAL;
}

function setStrict(task: Task): number {
  const mode = seccompMode(task.attributes.seccomp);
  if (mode === sc.SECCOMP_MODE_FILTER) return -EINVAL;
  apply(task, { filter: null });
  return 0;
}

function setFilter(task: Task, flags: number, args: number): number {
  const { attributes, group } = task;
  if ((flags & ~FLAGS) !== 0) return -EINVAL;
  const program = readProgram(task, args);
  if (typeof program === 'number') return program;
  if (seccompMode(attributes.seccomp) === sc.SECCOMP_MODE_STRICT) return -EINVAL;
  const previous = attributes.seccomp?.filter ?? null;
  const charge = (previous?.charge ?? 0) + program.codes.length + (previous === null ? 0 : OVERHEAD);
  if (charge > MOST_CHARGED) return -ENOMEM;
  if ((flags & TSYNC) !== 0) {
    const apart = [...group.threads].find(other => !isBehind(other.attributes.seccomp, previous));
    if (apart !== undefined) return (flags & TSYNC_ESRCH) !== 0 ? -ESRCH : apart.pid;
  }
  const filter = { program, previous, count: (previous?.count ?? 0) + 1, charge, logs: (flags & LOG) !== 0 };
  for (const thread of (flags & TSYNC) !== 0 ? group.threads : [task]) {
    apply(thread, { filter });
    if (attributes.noNewPrivs) thread.attributes.noNewPrivs = true;
  }
  return 0;
}

/** Whether a thread's filters are an earlier state of the caller's, or none. */
function isBehind(other: Seccomp | null, filter: SeccompFilter | null): boolean {
  if (other === null) return true;
  for (let at = filter; at !== null; at = at.previous) if (at === other.filter) return true;
  return false;
}

function readProgram({ user, attributes, cred }: Task, addr: number): BpfProgram | number {
  const at = user.in(addr, FPROG_SIZE);
  if (at < 0) return at;
  const count = user.view.getUint16(at, true);
  const from = getUint64(user.view, at + 8);
  if (count === 0 || count > MOST_INSTRUCTIONS) return -EINVAL;
  if (!attributes.noNewPrivs && !capable(cred, CAP_SYS_ADMIN)) return -EACCES;
  const bytes = copyIn(user, from, count * INSTRUCTION_SIZE);
  if (typeof bytes === 'number') return bytes;
  const program = decode(bytes, count);
  return isValid(program, sc.SECCOMP_DATA_SIZE) ? program : -EINVAL;
}

/** In force from the next call on. Facts and answers that the thread was given earlier no longer hold. */
function apply(task: Task, seccomp: Seccomp): void {
  task.attributes.seccomp = seccomp;
  if (task.thread === null) return;
  task.thread.knownBy = null;
  untellAll(task);
}

function decode(bytes: Uint8Array, count: number): BpfProgram {
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const codes = new Uint16Array(count);
  const jumps = new Uint8Array(2 * count);
  const values = new Uint32Array(count);
  for (let i = 0; i < count; i++) {
    codes[i] = view.getUint16(8 * i, true);
    jumps[2 * i] = bytes[8 * i + 2]!;
    jumps[2 * i + 1] = bytes[8 * i + 3]!;
    values[i] = view.getUint32(8 * i + 4, true);
  }
  return { codes, jumps, values };
}

function isAvailable(task: Task, args: number): number {
  const at = task.user.in(args, 4);
  if (at < 0) return at;
  return AVAILABLE.has(task.user.view.getUint32(at, true)) ? 0 : -EOPNOTSUPP;
}

export const seccompCalls: readonly Syscall[] = [
  call(
    'seccomp',
    [oneOf('operation', namesIn(sc, /^SECCOMP_(SET|GET)_/)), uint('flags'), pointer('args')],
    seccomp,
    'no notifications (SECCOMP_FILTER_FLAG_NEW_LISTENER, SECCOMP_RET_USER_NOTIF), no tracers',
  ),
];
