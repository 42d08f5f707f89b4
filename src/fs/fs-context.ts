/**
 * Describes a filesystem to make or change, piece by piece (fsopen(2), fspick(2), fsconfig(2)). Options are checked
 * once they are complete.
 */
import type { Result } from '../lib/result.ts';
import { EBUSY, EINVAL, ENODATA } from '../uapi/errno.ts';
import { O_RDWR } from '../uapi/fcntl.ts';
import { MS_RDONLY } from '../uapi/mount.ts';
import { File } from './file.ts';
import type { Inode } from './inode.ts';
import { flagsOf, type Mount } from './mount.ts';
import { looseFile } from './mount-file.ts';
import { releaseTree } from './mount-tree.ts';
import { changeFilesystem, makeMount } from './mounts.ts';
import type { PathFile } from './open.ts';
import type { MountRequest, SuperBlock } from './super.ts';
import type { Vfs } from './vfs.ts';

/** All options together stay below this many bytes, as mount(2)'s do. */
const LONGEST = 4096;

/** Flags that all filesystems accept, with any value. Only the first two have an effect here (mount(8)). */
const COMMON: ReadonlySet<string> = new Set([
  'ro',
  'rw',
  'sync',
  'async',
  'dirsync',
  'lazytime',
  'nolazytime',
  'mand',
  'nomand',
]);

type Phase = 'create' | 'made' | 'change' | 'failed';

export class FsContext extends File {
  private readonly vfs: Vfs;
  private readonly type: string;
  /** The filesystem to change; null for a new one. */
  private readonly picked: SuperBlock | null;
  private phase: Phase;
  private source: string | null = null;
  private options = '';
  private readOnly = false;
  private made: Mount | null = null;

  constructor(inode: Inode, vfs: Vfs, type: string, picked: SuperBlock | null) {
    super(inode, O_RDWR);
    this.vfs = vfs;
    this.type = type;
    this.picked = picked;
    this.phase = picked === null ? 'create' : 'change';
    this.readOnly = picked?.readOnly ?? false;
  }

  override get linkName(): string {
    return 'anon_inode:[fscontext]';
  }

  override get seekable(): boolean {
    return false;
  }

  override get splices(): boolean {
    return false;
  }

  override get takesSpliced(): boolean {
    return false;
  }

  /** Error messages: there are none. */
  override read(): number {
    return -ENODATA;
  }

  override release(): void {
    if (this.made !== null) releaseTree(this.vfs, this.made);
  }

  /** Sets one option; `value` is null if it has none, undefined if it is of a kind that no option here takes. */
  set(key: string, value: string | null | undefined): number {
    if (this.phase !== 'create' && this.phase !== 'change') return -EBUSY;
    if (COMMON.has(key)) {
      if (key === 'ro' || key === 'rw') this.readOnly = key === 'ro';
      return 0;
    }
    if (value === undefined) return -EINVAL;
    if (key === 'source' && this.picked === null) {
      if (this.source !== null || value === null) return -EINVAL;
      this.source = value;
      return 0;
    }
    const option = value === null ? key : `${key}=${value}`;
    if (option.includes(',') || this.options.length + option.length >= LONGEST) return -EINVAL;
    this.options += this.options === '' ? option : `,${option}`;
    return 0;
  }

  create(resolve: MountRequest['resolve']): number {
    if (this.phase !== 'create') return -EBUSY;
    const flags = this.readOnly ? MS_RDONLY : 0;
    const made = makeMount(this.vfs, this.type, this.source ?? 'none', flags, this.options, resolve);
    this.phase = typeof made === 'number' ? 'failed' : 'made';
    if (typeof made === 'number') return made;
    this.made = made;
    return 0;
  }

  reconfigure(): number {
    if (this.phase !== 'change' || this.picked === null) return -EBUSY;
    const { options } = this;
    this.options = '';
    return changeFilesystem(this.picked, options, this.readOnly);
  }

  /** The new filesystem as a mount with these MOUNT_ATTR_* attributes; works once. */
  mount(attributes: number): Result<PathFile> {
    const { made } = this;
    if (made === null) return this.phase === 'made' ? -EBUSY : -EINVAL;
    this.made = null;
    made.flags = flagsOf(attributes);
    return looseFile(this.vfs, made);
  }
}
