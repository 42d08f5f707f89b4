/** The Linux function in which a task sleeps, by its system call: what /proc/PID/wchan and ps(1) show. */
import { NR } from '../../arch/x86_64/unistd.ts';

const PLACES: ReadonlyMap<number, string> = new Map([
  ...[NR.wait4, NR.waitid].map(nr => [nr, 'do_wait'] as const),
  ...[NR.poll, NR.ppoll, NR.select, NR.pselect6].map(nr => [nr, 'poll_schedule_timeout'] as const),
  ...[NR.epoll_wait, NR.epoll_pwait, NR.epoll_pwait2].map(nr => [nr, 'ep_poll'] as const),
  ...[NR.nanosleep, NR.clock_nanosleep].map(nr => [nr, 'hrtimer_nanosleep'] as const),
  [NR.futex, 'futex_do_wait'],
  [NR.pause, 'pause'],
  [NR.rt_sigsuspend, 'sigsuspend'],
  [NR.rt_sigtimedwait, 'do_sigtimedwait'],
  [NR.vfork, 'kernel_clone'],
  [NR.clone, 'kernel_clone'],
  [NR.clone3, 'kernel_clone'],
]);

/** Other calls sleep until something can be read or written. */
export const sleepsIn = (call: number): string => PLACES.get(call) ?? 'wait_woken';
