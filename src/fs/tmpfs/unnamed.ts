/** Files of tmpfs that never have a name: memfd_create(2), shared anonymous memory, SysV segments. */
import type { Cred } from '../../core/cred.ts';
import type { Result } from '../../lib/result.ts';
import { S_IFREG } from '../../uapi/stat.ts';
import { Dentry, Path } from '../dentry.ts';
import type { File } from '../file.ts';
import type { Mount } from '../mount.ts';

/**
 * Opens a new file in `mount`, a tmpfs that the kernel keeps for itself (`makeMount`). `shown` is what
 * /proc/PID/fd says: "/memfd:NAME (deleted)". It goes with its last user.
 */
export function openUnnamed(mount: Mount, shown: string, flags: number, cred: Cred): Result<File> {
  const made = mount.sb.root.tmpfile({ mode: S_IFREG | 0o777, uid: cred.fsuid, gid: cred.fsgid, rdev: 0 });
  if (typeof made === 'number') return made;
  const file = made.open(flags, cred);
  if (typeof file !== 'number') file.path = new Path(mount, new Dentry(null, shown, made)).get();
  return file;
}
