/** What a process has used so far, its living threads included. */
import type { ThreadGroup } from './thread-group.ts';
import { Usage } from './usage.ts';

export function groupUsage(group: ThreadGroup): Usage {
  const usage = new Usage();
  usage.add(group.usage);
  for (const task of group.threads) usage.add(task.usageNow());
  return usage;
}
