/** On whose behalf a path is walked and a file operation done. Tasks implement it; see also core/current.ts. */
import type { Clock } from '../core/clock.ts';
import type { Cred } from '../core/cred.ts';
import type { Current } from '../core/current.ts';
import type { Path } from './dentry.ts';
import type { MountNamespace } from './namespace.ts';

export interface WalkContext {
  /** Permissions are those of its `fsuid`, `fsgid`, `groups` and `effective` capabilities. */
  readonly cred: Cred;
  /** Where absolute paths start, and above which '..' does not lead. */
  readonly root: Path;
  readonly cwd: Path;
  /** Whose mounts it may change; null: nobody's. */
  readonly namespace: MountNamespace | null;
  /** Bits that new files do not get (umask(2)). */
  readonly umask: number;
  readonly clock: Clock;
  /** The task, for files that want to know it (terminals, /proc/self); null while the machine boots. */
  readonly current: Current | null;
}
