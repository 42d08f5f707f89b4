/** /proc/PID/mounts, mountinfo and mountstats; poll(2) reports changes (proc_pid_mounts(5)). */
import type { WaitQueue } from '../../core/wait.ts';
import { EINVAL } from '../../uapi/errno.ts';
import { POLLERR, POLLIN, POLLPRI, POLLRDNORM } from '../../uapi/poll.ts';
import type { Path } from '../dentry.ts';
import { special } from '../kernfs/entry.ts';
import { type Text, TextFile } from '../kernfs/text-file.ts';
import { type MountNamespace, showMountinfo, showMounts, visibleMounts } from '../namespace.ts';
import { traceGuard } from './access.ts';
import { type TaskContext, type TaskEntry, taskText } from './context.ts';
import { escapeBlanks } from './format.ts';
import type { ProcSource } from './source.ts';

type Show = (namespace: MountNamespace, root: Path) => string;

const shown =
  (show: Show) =>
  ({ task, source }: TaskContext): Text =>
    task.reaped ? -EINVAL : show(task.mountNamespace, task.root ?? source.root);

class MountsFile extends TextFile {
  private readonly source: ProcSource;
  private generation: number;

  constructor(source: ProcSource, ...args: ConstructorParameters<typeof TextFile>) {
    super(...args);
    this.source = source;
    this.generation = source.mountGeneration;
  }

  override get waitq(): WaitQueue {
    return this.source.mountsChanged;
  }

  override get sendsSignals(): boolean {
    return false;
  }

  /** Reports POLLERR and POLLPRI once if mounts have changed since the last call. */
  override poll(): number {
    const changed = this.generation !== this.source.mountGeneration;
    this.generation = this.source.mountGeneration;
    return POLLIN | POLLRDNORM | (changed ? POLLERR | POLLPRI : 0);
  }
}

const watched = (name: string, show: Show): TaskEntry =>
  special(name, 0o444, (inode, flags, context, cred) => {
    if (context.task.reaped || context.task.root === null) return -EINVAL;
    const text = shown(show);
    return new MountsFile(context.source, inode, flags, cred, () => text(context), null);
  });

function showMountstats(namespace: MountNamespace, root: Path): string {
  return visibleMounts(namespace, root)
    .map(({ mount, path }) => {
      const device = escapeBlanks(mount.source === '' ? 'none' : mount.source);
      return `device ${device} mounted on ${escapeBlanks(path)} with fstype ${mount.sb.type}\n`;
    })
    .join('');
}

export const MOUNT_ENTRIES: readonly TaskEntry[] = [
  watched('mounts', showMounts),
  watched('mountinfo', showMountinfo),
  taskText('mountstats', 0o400, (_task, context) => shown(showMountstats)(context), traceGuard),
];
