/** /proc/PID/fd and fdinfo: the open files of a task (proc_pid_fd(5), proc_pid_fdinfo(5)). */
import type { Cred } from '../../core/cred.ts';
import type { Result } from '../../lib/result.ts';
import { EACCES, ENOENT } from '../../uapi/errno.ts';
import { O_CLOEXEC } from '../../uapi/fcntl.ts';
import { dirType, S_IFDIR, S_IFLNK, S_IFREG } from '../../uapi/stat.ts';
import type { WalkContext } from '../context.ts';
import { pathString } from '../d-path.ts';
import type { Path } from '../dentry.ts';
import type { EmitEntry, File } from '../file.ts';
import { KernfsDir, KernfsFile, type KernfsInode, KernfsLink, LISTED } from '../kernfs/inode.ts';
import type { KernfsSuper } from '../kernfs/super.ts';
import { TextFile } from '../kernfs/text-file.ts';
import { mayTrace, traceGuard } from './access.ts';
import type { TaskContext, TaskEntry } from './context.ts';
import { lockLines } from './locks.ts';

/** A canonical decimal number of at most nine digits; -1 for any other name. */
export function parseNumber(name: string): number {
  return /^(0|[1-9][0-9]{0,8})$/.test(name) ? Number(name) : -1;
}

/** Weak: what was looked at here must not keep a closed file, for nobody may look again. */
type OpenedFile = WeakRef<File>;

/** A directory with a name for each descriptor, whose inode stays until the descriptor refers to another file. */
abstract class DescriptorDir extends KernfsDir {
  protected readonly context: TaskContext;
  private readonly made: Map<number, { file: OpenedFile; inode: KernfsInode }> = new Map();

  constructor(sb: KernfsSuper, perm: number, context: TaskContext) {
    super(sb, S_IFDIR | perm);
    this.context = context;
  }

  /** `opened` is `file`, to be kept. */
  protected abstract make(fd: number, file: File, opened: OpenedFile): KernfsInode;

  protected override gone(): number {
    return this.context.task.reaped ? -ENOENT : 0;
  }

  /** As on Linux, the size is the number of open descriptors. */
  override refresh(): number {
    if (!this.context.task.reaped) this.size = this.context.task.files?.count ?? 0;
    return super.refresh();
  }

  /** The process itself may always look, even if it no longer owns the directory. */
  override permission(mask: number, cred: Cred): number | null {
    const { source, task } = this.context;
    return source.current?.tgid === task.tgid ? 0 : super.permission(mask, cred);
  }

  protected override find(name: string): KernfsInode | null {
    const fd = parseNumber(name);
    return fd < 0 ? null : this.inodeOf(fd);
  }

  protected override list(pos: number, emit: EmitEntry): boolean {
    const { files } = this.context.task;
    if (files === null) return true;
    for (let fd = files.next(pos - LISTED); Number.isFinite(fd); fd = files.next(fd + 1)) {
      const inode = this.inodeOf(fd);
      if (inode === null) continue;
      if (!emit(String(fd), inode.ino, dirType(inode.mode), LISTED + fd + 1)) return false;
    }
    return true;
  }

  private inodeOf(fd: number): KernfsInode | null {
    const file = this.context.task.files?.get(fd) ?? null;
    const made = this.made.get(fd);
    if (file !== null && made?.file.deref() === file) return made.inode;
    this.made.delete(fd);
    if (file === null) return null;
    const opened = new WeakRef(file);
    const inode = this.adopt(this.make(fd, file, opened));
    this.made.set(fd, { file: opened, inode });
    return inode;
  }
}

class FdDir extends DescriptorDir {
  protected override make(fd: number, file: File, opened: OpenedFile): KernfsInode {
    return new FdLink(this.sb, this.context, fd, linkMode(file), opened);
  }
}

/** Leads to the open file's path, or to the file itself if it has none. */
class FdLink extends KernfsLink {
  constructor(sb: KernfsSuper, context: TaskContext, fd: number, mode: number, opened: OpenedFile) {
    const at = (who: WalkContext): Result<Path> => {
      const file = openFd(context, fd, opened, who);
      if (typeof file === 'number') return file;
      return file.path ?? context.source.vfs.anonymousPath(file.inode, file.linkName);
    };
    const target = (who: WalkContext): Result<string> => {
      const file = openFd(context, fd, opened, who);
      if (typeof file === 'number') return file;
      return file.path === null ? file.linkName : pathString(file.path, who.root);
    };
    super(sb, S_IFLNK | mode, target, at);
    this.size = 64;
  }

  override get mayBeCovered(): boolean {
    return false;
  }
}

/** The file, if the descriptor is still of it and the link may be followed; or -errno. */
function openFd(context: TaskContext, fd: number, opened: OpenedFile, who: WalkContext): Result<File> {
  const file = stillOpen(context, fd, opened);
  if (file === null) return -ENOENT;
  return mayTrace(context, who.cred) ? file : -EACCES;
}

function stillOpen({ task }: TaskContext, fd: number, opened: OpenedFile): File | null {
  const file = task.reaped ? null : (task.files?.get(fd) ?? null);
  return file !== null && opened.deref() === file ? file : null;
}

/** The link's permission bits show the access that the file is open for. */
function linkMode({ readable, writable }: File): number {
  return (readable ? 0o500 : 0) | (writable ? 0o300 : 0);
}

class FdinfoDir extends DescriptorDir {
  override permission(mask: number, cred: Cred): number | null {
    return mayTrace(this.context, cred) ? super.permission(mask, cred) : -EACCES;
  }

  protected override make(fd: number, _file: File, opened: OpenedFile): KernfsInode {
    const show = (): string | number => {
      const { files, tgid } = this.context.task;
      const file = stillOpen(this.context, fd, opened);
      return file === null || files === null
        ? -ENOENT
        : fdinfo(file, files.isCloexec(fd), lockLines(file, files, tgid));
    };
    return new FdinfoFile(this.sb, S_IFREG | 0o444, (inode, flags, cred) => {
      const refused = traceGuard(this.context, cred);
      return refused < 0 ? refused : new TextFile(inode, flags, cred, show, null);
    });
  }
}

class FdinfoFile extends KernfsFile {
  override get mayBeCovered(): boolean {
    return false;
  }
}

function fdinfo(file: File, closeOnExec: boolean, locks: string): string {
  const flags = file.flags | (closeOnExec ? O_CLOEXEC : 0);
  const mount = file.path?.mount.id ?? 0;
  return (
    `pos:\t${file.pos}\nflags:\t0${(flags >>> 0).toString(8)}\nmnt_id:\t${mount}\n` +
    `ino:\t${file.inode.ino}\n${locks}${file.fdinfo()}`
  );
}

export const FD_ENTRIES: readonly TaskEntry[] = [
  {
    name: 'fd',
    mode: S_IFDIR | 0o500,
    make: (sb, context) => new FdDir(sb, 0o500, context),
  },
  {
    name: 'fdinfo',
    mode: S_IFDIR | 0o555,
    make: (sb, context) => new FdinfoDir(sb, 0o555, context),
  },
];
