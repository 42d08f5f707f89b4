/** What a process has used so far, its living threads included. */
import { groupCpuTimes } from './cpu-clock.ts';
import type { Task } from './task.ts';
import type { ThreadGroup } from './thread-group.ts';
import { Usage } from './usage.ts';

export function taskUsage(task: Task): Usage {
  const usage = new Usage();
  usage.add(task.usage);
  const { user, system } = task.cpuTimes();
  usage.user = user;
  usage.system = system;
  return usage;
}

export function groupUsage(group: ThreadGroup): Usage {
  const usage = new Usage();
  usage.add(group.usage);
  for (const task of group.threads) usage.add(task.usage);
  const { user, system } = groupCpuTimes(group);
  usage.user = user;
  usage.system = system;
  return usage;
}
