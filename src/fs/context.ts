/** On whose behalf a path is walked and a file operation runs. Tasks implement it; see also core/current.ts. */
import type { Clock } from '../core/clock.ts';
import type { Cred } from '../core/cred.ts';
import type { Current } from '../core/current.ts';
import type { Path } from './dentry.ts';
import type { MountNamespace } from './namespace.ts';

export interface WalkContext {
  /** Permission checks use its `fsuid`, `fsgid`, `groups` and `effective` capabilities. */
  readonly cred: Cred;
  /** Where absolute paths start; '..' does not lead above it. */
  readonly root: Path;
  readonly cwd: Path;
  /** The namespace whose mounts it may change; null: none. */
  readonly namespace: MountNamespace | null;
  /** Bits that new files do not get (umask(2)). */
  readonly umask: number;
  readonly clock: Clock;
  /** The task, for files that depend on it (terminals, /proc/self); null while the machine boots. */
  readonly current: Current | null;
}
