/**
 * membarrier(2): the threads of a process, or of all processes that registered, pass a memory barrier. They are the
 * host's threads, so the space's mapping thread makes the host's own call.
 */
import type { Task } from '../kernel/task.ts';
import { EINVAL, EPERM } from '../uapi/errno.ts';
import { call, int, type Syscall, uint } from './args.ts';

const QUERY = 0;
const GLOBAL = 1;
const GLOBAL_EXPEDITED = 2;
const REGISTER_GLOBAL_EXPEDITED = 4;
const PRIVATE_EXPEDITED = 8;
const PRIVATE_EXPEDITED_SYNC_CORE = 32;
const PRIVATE_EXPEDITED_RSEQ = 128;
const GET_REGISTRATIONS = 512;
const REGISTER_PRIVATE = (PRIVATE_EXPEDITED | PRIVATE_EXPEDITED_SYNC_CORE | PRIVATE_EXPEDITED_RSEQ) << 1;
/** All commands but those for rseq(2), which is missing. */
const OFFERED = 0x37f & ~(PRIVATE_EXPEDITED_RSEQ | (PRIVATE_EXPEDITED_RSEQ << 1));

function membarrier(task: Task, cmd: number, flags: number): number {
  const { mm } = task;
  if (mm === null || flags !== 0) return -EINVAL;
  if (cmd === QUERY) return OFFERED;
  if ((cmd & OFFERED) === 0 || (cmd & (cmd - 1)) !== 0) return -EINVAL;
  if (cmd === GET_REGISTRATIONS) return mm.barriers;
  if ((cmd & (REGISTER_PRIVATE | REGISTER_GLOBAL_EXPEDITED)) !== 0) mm.barriers |= cmd;
  else if (cmd !== GLOBAL && cmd !== GLOBAL_EXPEDITED && (mm.barriers & (cmd << 1)) === 0) return -EPERM;
  mm.space.barrier(cmd);
  return 0;
}

export const membarrierCalls: readonly Syscall[] = [
  call('membarrier', [int('cmd'), uint('flags'), int('cpu_id')], membarrier, 'no MEMBARRIER_CMD_*_RSEQ'),
];
