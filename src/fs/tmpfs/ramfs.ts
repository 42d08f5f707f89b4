/** ramfs: a tmpfs without limits. Of its options only the root's mode means anything; all others are ignored. */
import type { Result } from '../../lib/result.ts';
import { EINVAL } from '../../uapi/errno.ts';
import type { StatFs } from '../../uapi/statfs.ts';
import type { FileSystemType, FsEnvironment, MountRequest } from '../super.ts';
import { readMode } from './options.ts';
import { TmpfsSuper } from './super.ts';

const RAMFS_MAGIC = 0x858458f6;
const USUAL_MODE = 0o755;

class RamfsSuper extends TmpfsSuper {
  private readonly mode: number;

  constructor(env: FsEnvironment, mode: number) {
    const none = Number.POSITIVE_INFINITY;
    super('ramfs', env, { blocks: none, inodes: none, mode, uid: 0, gid: 0, usual: none });
    this.mode = mode;
  }

  override statfs(): StatFs {
    return { ...super.statfs(), type: RAMFS_MAGIC };
  }

  /** Options are looked at, and change nothing. */
  override remount(data: string, _readOnly: boolean): number {
    return Math.min(modeIn(data), 0);
  }

  override showOptions(): string {
    return this.mode === USUAL_MODE ? '' : `,mode=${this.mode.toString(8)}`;
  }
}

export const ramfsType: FileSystemType = {
  name: 'ramfs',
  requiresDevice: false,
  mount({ data }: MountRequest, env: FsEnvironment): Result<TmpfsSuper> {
    const mode = modeIn(data);
    return mode < 0 ? mode : new RamfsSuper(env, mode);
  },
};

/** The mode that options ask for, or -EINVAL. */
function modeIn(data: string): number {
  let mode: number | null = USUAL_MODE;
  for (const word of data.split(',')) {
    const [key, value = ''] = word.split('=', 2);
    if (key === 'mode') mode = readMode(value);
    if (mode === null) return -EINVAL;
  }
  return mode;
}
