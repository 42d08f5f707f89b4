/** /proc/PID and /proc/PID/task/TID: one task's directory. */
import type { Cred } from '../../core/cred.ts';
import type { Result } from '../../lib/result.ts';
import { EACCES, ENOENT, ESRCH } from '../../uapi/errno.ts';
import { dirType, S_IFDIR } from '../../uapi/stat.ts';
import type { WalkContext } from '../context.ts';
import { pathString } from '../d-path.ts';
import type { Path } from '../dentry.ts';
import type { EmitEntry } from '../file.ts';
import type { Inode } from '../inode.ts';
import { magicLink } from '../kernfs/entry.ts';
import { KernfsDir, type KernfsInode, LISTED } from '../kernfs/inode.ts';
import { attachGuard, mayTrace, traceGuard } from './access.ts';
import { spaceText, type TaskContext, type TaskEntry, taskSecret, taskText } from './context.ts';
import { FD_ENTRIES, parseNumber } from './fd-dir.ts';
import { hex } from './format.ts';
import { showIo, showLimits, showOomScore } from './limits.ts';
import { showSmaps, showSmapsRollup } from './maps.ts';
import { MAPS_ENTRY } from './maps-file.ts';
import { MEM_ENTRIES } from './mem-files.ts';
import { MOUNT_ENTRIES } from './mounts.ts';
import { NS_ENTRY } from './namespaces.ts';
import { NET_DIR } from './net.ts';
import { ID_MAP_ENTRIES, PROCESS_SETTING_ENTRIES, SETTING_ENTRIES } from './settings.ts';
import type { ProcTask } from './source.ts';
import { showSched, showSchedstat, showStat, showStatm } from './stat.ts';
import { showStatus } from './status.ts';
import type { ProcSuper } from './super.ts';

/** A link to a path that the task holds: exe, cwd, root. */
function placeLink(name: string, place: (task: ProcTask) => Path | null): TaskEntry {
  const follow = ({ source, task }: TaskContext, who: WalkContext): Result<Path> => {
    if (task.reaped) return -ENOENT;
    if (!mayTrace({ source, task }, who.cred)) return -EACCES;
    return place(task) ?? -ENOENT;
  };
  const target = (context: TaskContext, who: WalkContext): Result<string> => {
    const path = follow(context, who);
    return typeof path === 'number' ? path : pathString(path, who.root);
  };
  return magicLink(name, target, follow);
}

function showWchan(task: ProcTask, context: TaskContext, cred: Cred): string {
  return mayTrace(context, cred) && task.wchan !== '' ? task.wchan : '0';
}

function showSyscall({ syscall }: ProcTask): string {
  if (syscall === null) return 'running\n';
  const numbers = [...syscall.args, syscall.sp, syscall.pc].map(n => `0x${hex(n, 1)}`);
  return `${syscall.number} ${numbers.join(' ')}\n`;
}

/** Entries of both processes and threads. */
const COMMON: readonly TaskEntry[] = [
  ...FD_ENTRIES,
  NS_ENTRY,
  NET_DIR,
  ...MEM_ENTRIES,
  taskText('status', 0o444, showStatus),
  taskText('limits', 0o444, showLimits),
  taskText('sched', 0o444, showSched),
  taskSecret('syscall', 0o400, showSyscall, attachGuard),
  taskText('stat', 0o444, showStat),
  taskText('statm', 0o444, showStatm),
  MAPS_ENTRY,
  placeLink('cwd', task => task.cwd),
  placeLink('root', task => task.root),
  placeLink('exe', task => task.mm?.exe ?? null),
  ...MOUNT_ENTRIES,
  spaceText('smaps', 0o444, showSmaps, traceGuard),
  spaceText('smaps_rollup', 0o444, showSmapsRollup, traceGuard),
  taskText('wchan', 0o444, showWchan),
  taskText('schedstat', 0o444, showSchedstat),
  taskText('cgroup', 0o444, task => task.cgroup),
  taskText('oom_score', 0o444, showOomScore),
  ...SETTING_ENTRIES,
  taskSecret('io', 0o400, showIo, traceGuard),
  ...ID_MAP_ENTRIES,
];

const THREAD: readonly TaskEntry[] = [
  ...COMMON,
  taskText('children', 0o444, task => task.children.map(pid => `${pid} `).join('')),
];

const PROCESS: readonly TaskEntry[] = [
  {
    name: 'task',
    mode: S_IFDIR | 0o555,
    make: (sb, context) => new ThreadsDir(sb as ProcSuper, context),
  },
  ...COMMON,
  ...PROCESS_SETTING_ENTRIES,
];

/** The mode of directories that all may list: from their owner, ps(1) and kill(1) learn whose a process is. */
const OPEN_DIR = S_IFDIR | 0o555;

/** The task's effective user; root for all but OPEN_DIR directories if the task has no memory or is not dumpable. */
function ownerOf(task: ProcTask, mode: number): { uid: number; gid: number } {
  const { euid: uid, egid: gid } = task.cred;
  const theirs = mode === OPEN_DIR || (task.mm !== null && task.dumpable);
  return !task.reaped && theirs ? { uid, gid } : { uid: 0, gid: 0 };
}

export class TaskDir extends KernfsDir {
  readonly task: ProcTask;
  /** /proc/PID, not /proc/PID/task/TID: pidfd_send_signal(2) takes it for the process. */
  readonly isProcess: boolean;

  constructor(sb: ProcSuper, context: TaskContext) {
    super(sb, S_IFDIR | 0o555);
    this.task = context.task;
    this.isProcess = context.process;
    this.owner = mode => ownerOf(context.task, mode);
    this.refresh();
    this.addAll(context.process ? PROCESS : THREAD, context);
  }

  protected override gone(): number {
    return this.task.reaped ? -ESRCH : 0;
  }
}

/** The threads of a process. */
class ThreadsDir extends KernfsDir {
  declare readonly sb: ProcSuper;
  private readonly context: TaskContext;

  constructor(sb: ProcSuper, context: TaskContext) {
    super(sb, S_IFDIR | 0o555);
    this.context = context;
  }

  protected override gone(): number {
    return this.context.task.reaped ? -ESRCH : 0;
  }

  override refresh(): number {
    if (this.gone() === 0) this.nlink = 2 + this.context.task.threadCount;
    return super.refresh();
  }

  protected override find(name: string): KernfsInode | null {
    const tid = parseNumber(name);
    const thread = tid < 0 ? null : this.context.source.task(tid);
    return thread === null || thread.tgid !== this.context.task.tgid ? null : this.sb.threadDir(thread);
  }

  protected override list(pos: number, emit: EmitEntry): boolean {
    const { task } = this.context;
    let thread = task.nextThread(pos - LISTED);
    for (; thread !== null; thread = task.nextThread(thread.pid + 1)) {
      const inode: Inode = this.sb.threadDir(thread);
      if (!emit(String(thread.pid), inode.ino, dirType(inode.mode), LISTED + thread.pid + 1)) return false;
    }
    return true;
  }
}
