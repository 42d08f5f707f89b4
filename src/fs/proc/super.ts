/**
 * proc(5): the processes of the machine, and what the kernel says about itself.
 *
 * All mounts of proc in one machine show one filesystem.
 */

import type { Result } from '../../lib/result.ts';
import { ENOENT } from '../../uapi/errno.ts';
import { dirType, S_IFDIR } from '../../uapi/stat.ts';
import type { WalkContext } from '../context.ts';
import type { EmitEntry } from '../file.ts';
import { type Entry, link } from '../kernfs/entry.ts';
import { KernfsDir, type KernfsInode, LISTED } from '../kernfs/inode.ts';
import { KernfsSuper } from '../kernfs/super.ts';
import type { FileSystemType, FsEnvironment, SuperBlock } from '../super.ts';
import { parseNumber } from './fd-dir.ts';
import { MACHINE_ENTRIES } from './machine.ts';
import { NsFs } from './namespaces.ts';
import type { ProcSource, ProcTask } from './source.ts';
import { sysctlDir } from './sysctl.ts';
import { TaskDir } from './task-dir.ts';

const PROC_SUPER_MAGIC = 0x9fa0;
const BLKSIZE = 1024;

export class ProcSuper extends KernfsSuper {
  override readonly root: ProcRoot;
  override readonly namesOnly = true;
  override readonly blksize = BLKSIZE;
  readonly nsfs: NsFs;
  private readonly source: ProcSource;
  private readonly processes: WeakMap<ProcTask, TaskDir> = new WeakMap();
  private readonly threads: WeakMap<ProcTask, TaskDir> = new WeakMap();

  constructor(source: ProcSource, env: Pick<FsEnvironment, 'newDev'>) {
    super('proc', PROC_SUPER_MAGIC, env.newDev(), source.clock);
    this.source = source;
    this.nsfs = new NsFs(env.newDev(), source.clock);
    this.root = new ProcRoot(this, source);
  }

  /** /proc/PID; also for threads, which are not listed but can be looked up. */
  processDir(task: ProcTask): TaskDir {
    return this.taskDir(this.processes, task, true);
  }

  /** /proc/PID/task/TID. */
  threadDir(task: ProcTask): TaskDir {
    return this.taskDir(this.threads, task, false);
  }

  private taskDir(made: WeakMap<ProcTask, TaskDir>, task: ProcTask, process: boolean): TaskDir {
    let dir = made.get(task);
    if (dir === undefined) {
      dir = new TaskDir(this, { source: this.source, task, process, nsfs: this.nsfs });
      made.set(task, dir);
    }
    return dir;
  }
}

/** /proc/self and thread-self lead each caller to its own directory. */
const self =
  (target: (pid: number, tgid: number) => string) =>
  (_: ProcSource, who: WalkContext): Result<string> =>
    who.current === null ? -ENOENT : target(who.current.pid, who.current.tgid);

const ROOT_ENTRIES: readonly Entry<ProcSource>[] = [
  link(
    'self',
    self((_pid, tgid) => String(tgid)),
  ),
  link(
    'thread-self',
    self((pid, tgid) => `${tgid}/task/${pid}`),
  ),
  ...MACHINE_ENTRIES,
];

class ProcRoot extends KernfsDir {
  declare readonly sb: ProcSuper;
  private readonly source: ProcSource;
  private readonly fixedLinks: number;

  constructor(sb: ProcSuper, source: ProcSource) {
    super(sb, S_IFDIR | 0o555);
    this.source = source;
    this.addAll(ROOT_ENTRIES, source);
    this.addAll(source.extra, source);
    this.put('sys', sysctlDir(sb, source));
    this.fixedLinks = this.nlink;
  }

  /** One link for each subdirectory: find(1) relies on it. */
  override refresh(): number {
    this.nlink = this.fixedLinks + this.source.processCount;
    return 0;
  }

  protected override find(name: string): KernfsInode | null {
    const tid = parseNumber(name);
    const task = tid <= 0 ? null : this.source.task(tid);
    return task === null ? null : this.sb.processDir(task);
  }

  protected override list(pos: number, emit: EmitEntry): boolean {
    let task = this.source.nextProcess(pos - LISTED);
    for (; task !== null; task = this.source.nextProcess(task.pid + 1)) {
      const inode = this.sb.processDir(task);
      if (!emit(String(task.pid), inode.ino, dirType(inode.mode), LISTED + task.pid + 1)) return false;
    }
    return true;
  }
}

/** The filesystem type to register; all its mounts show `source`. */
export function procFileSystem(source: ProcSource): FileSystemType {
  let sb: SuperBlock | null = null;
  return {
    name: 'proc',
    requiresDevice: false,
    mount: (_request, env) => (sb ??= new ProcSuper(source, env)),
  };
}
