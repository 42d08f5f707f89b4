/**
 * devpts: the slaves of pseudo-terminals by number, and `ptmx`, which makes new pairs (pts(4)).
 *
 * Each mount is an instance with numbers of its own. Only names live here: a node carries its pair as an opaque
 * object of the terminal layer, which opens it.
 */
import type { Clock } from '../../core/clock.ts';
import type { Cred } from '../../core/cred.ts';
import type { Result } from '../../lib/result.ts';
import { PAGE_SIZE } from '../../mm/ram.ts';
import { ENOENT, ENOSPC, ENXIO } from '../../uapi/errno.ts';
import { dirType, makedev, S_IFCHR, S_IFDIR } from '../../uapi/stat.ts';
import type { StatFs } from '../../uapi/statfs.ts';
import type { File } from '../file.ts';
import { type Attributes, Inode } from '../inode.ts';
import { type Listing, SnapshotDir } from '../snapshot-dir.ts';
import { type FileSystemType, type FsEnvironment, type MountRequest, SuperBlock } from '../super.ts';
import { type DevptsOptions, parseOptions, showOptions } from './options.ts';

export const DEVPTS_SUPER_MAGIC = 0x1cd1;
const ROOT_INO = 1;
const PTMX_INO = 2;
const FIRST_SLAVE_INO = 3;
const TTYAUX_MAJOR = 5;
const PTMX_MINOR = 2;
const DT_CHR = dirType(S_IFCHR);

/** The number of pseudo-terminals in all instances, and its limit (kernel.pty.* of proc(5)). */
export class PtyLimits {
  max = 4096;
  count = 0;
}

abstract class DevptsInode extends Inode {
  declare readonly sb: DevptsSuper;

  override setattr(attr: Attributes): number {
    const { size: _, ...settable } = attr;
    Object.assign(this, settable);
    return 0;
  }
}

/** A device node. Its driver opens it, by device number. */
export class DevptsNode extends DevptsInode {
  /** The pair whose slave this is; null for ptmx, and once the master is gone. */
  pair: object | null = null;

  override open(): Result<File> {
    return -ENXIO;
  }
}

class DevptsDir extends DevptsInode {
  override open(flags: number): Result<File> {
    return new DevptsDirFile(this, flags);
  }

  override lookup(name: string): Result<Inode> {
    return this.sb.node(name) ?? -ENOENT;
  }
}

class DevptsDirFile extends SnapshotDir {
  override list(): Listing {
    const { sb } = this.inode as DevptsDir;
    const indexes = [...sb.slaves.keys()];
    return {
      names: ['ptmx', ...indexes.map(String)],
      inos: [PTMX_INO, ...indexes.map(index => index + FIRST_SLAVE_INO)],
      types: [DT_CHR, ...indexes.map(() => DT_CHR)],
    };
  }

  override get parentIno(): number {
    return this.inode.ino;
  }
}

const BLKSIZE = 1024;

export class DevptsSuper extends SuperBlock {
  override readonly blksize = BLKSIZE;
  override readonly root: DevptsDir;
  readonly slaves: Map<number, DevptsNode> = new Map();
  private readonly ptmx: DevptsNode;
  private readonly limits: PtyLimits;
  private readonly unmounted: (sb: DevptsSuper) => void;
  private options: DevptsOptions;

  constructor(
    env: { newDev(): number; readonly clock: Clock },
    options: DevptsOptions,
    limits: PtyLimits,
    unmounted: (sb: DevptsSuper) => void,
  ) {
    super('devpts', env.newDev(), env.clock);
    this.options = options;
    this.limits = limits;
    this.unmounted = unmounted;
    const now = env.clock.coarse();
    this.root = new DevptsDir(this, ROOT_INO, S_IFDIR | 0o755, now);
    this.root.nlink = 2;
    this.ptmx = new DevptsNode(this, PTMX_INO, S_IFCHR | options.ptmxmode, now);
    this.ptmx.rdev = makedev(TTYAUX_MAJOR, PTMX_MINOR);
  }

  node(name: string): DevptsNode | null {
    if (name === 'ptmx') return this.ptmx;
    return /^(0|[1-9]\d{0,6})$/.test(name) ? (this.slaves.get(Number(name)) ?? null) : null;
  }

  /** The lowest free number; -ENOSPC if the limit of all instances or of this one is reached. */
  freeIndex(): number {
    if (this.limits.count >= this.limits.max) return -ENOSPC;
    let index = 0;
    while (this.slaves.has(index)) index++;
    return index < this.options.max ? index : -ENOSPC;
  }

  /** Makes the node of a new pair's slave. */
  add(index: number, rdev: number, pair: object, cred: Cred): DevptsNode {
    const { uid, gid, mode } = this.options;
    const node = new DevptsNode(this, index + FIRST_SLAVE_INO, S_IFCHR | mode, this.clock.coarse());
    node.uid = uid ?? cred.fsuid;
    node.gid = gid ?? cred.fsgid;
    node.rdev = rdev;
    node.pair = pair;
    this.slaves.set(index, node);
    this.limits.count++;
    return node;
  }

  remove(index: number): void {
    const node = this.slaves.get(index);
    if (node === undefined) return;
    node.pair = null;
    node.nlink = 0;
    this.slaves.delete(index);
    this.limits.count--;
  }

  override get volatileNames(): boolean {
    return true;
  }

  override get cachesAbsence(): boolean {
    return false;
  }

  override revalidate(_dir: Inode, name: string, inode: Inode | null): boolean {
    return this.node(name) === inode;
  }

  override statfs(): StatFs {
    const none = { blocks: 0, bfree: 0, bavail: 0, files: 0, ffree: 0 };
    return { type: DEVPTS_SUPER_MAGIC, bsize: PAGE_SIZE, ...none, namelen: 255 };
  }

  override remount(data: string): number {
    const options = parseOptions(data);
    if (typeof options === 'number') return options;
    this.options = options;
    this.ptmx.mode = S_IFCHR | options.ptmxmode;
    return 0;
  }

  override showOptions(): string {
    return showOptions(this.options);
  }

  override shutdown(): void {
    this.unmounted(this);
  }
}

/** One machine's filesystem type; it knows its mounted instances. */
export class Devpts implements FileSystemType {
  readonly name = 'devpts';
  readonly requiresDevice = false;
  readonly limits: PtyLimits = new PtyLimits();
  private readonly instances: Set<DevptsSuper> = new Set();

  mount(request: MountRequest, env: FsEnvironment): Result<DevptsSuper> {
    const options = parseOptions(request.data);
    if (typeof options === 'number') return options;
    const sb = new DevptsSuper(env, options, this.limits, gone => this.instances.delete(gone));
    this.instances.add(sb);
    return sb;
  }

  /** The instance that a ptmx node elsewhere (/dev/ptmx) uses: the one mounted first. */
  get first(): DevptsSuper | null {
    for (const instance of this.instances) return instance;
    return null;
  }
}
