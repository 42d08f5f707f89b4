/** Resource limits (getrlimit(2)). Infinity stands for RLIM_INFINITY. */
import {
  RLIM_NLIMITS,
  RLIMIT_CORE,
  RLIMIT_MEMLOCK,
  RLIMIT_MSGQUEUE,
  RLIMIT_NICE,
  RLIMIT_NOFILE,
  RLIMIT_NPROC,
  RLIMIT_RTPRIO,
  RLIMIT_SIGPENDING,
  RLIMIT_STACK,
} from '../uapi/resource.ts';

export interface Rlimit {
  readonly soft: number;
  readonly hard: number;
}

const UNLIMITED = Number.POSITIVE_INFINITY;

/** The limits of the first process; `tasks` is the number of tasks (and of queued signals) that memory suggests. */
export function bootLimits(tasks: number): Rlimit[] {
  const limits: Rlimit[] = new Array<Rlimit>(RLIM_NLIMITS).fill({ soft: UNLIMITED, hard: UNLIMITED });
  limits[RLIMIT_STACK] = { soft: 8 << 20, hard: UNLIMITED };
  limits[RLIMIT_CORE] = { soft: 0, hard: UNLIMITED };
  limits[RLIMIT_NPROC] = { soft: tasks, hard: tasks };
  // The kernel itself gives at most 4096; this is what systemd gives the programs it runs (systemd.exec(5)).
  limits[RLIMIT_NOFILE] = { soft: 1024, hard: 524288 };
  limits[RLIMIT_MEMLOCK] = { soft: 8 << 20, hard: 8 << 20 };
  limits[RLIMIT_SIGPENDING] = { soft: tasks, hard: tasks };
  limits[RLIMIT_MSGQUEUE] = { soft: 819200, hard: 819200 };
  limits[RLIMIT_NICE] = { soft: 0, hard: 0 };
  limits[RLIMIT_RTPRIO] = { soft: 0, hard: 0 };
  return limits;
}
