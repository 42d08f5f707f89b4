/**
 * /proc/PID/ns: files that stand for the namespaces of a task (namespaces(7)).
 *
 * All files of one namespace share one inode, so that programs can compare st_dev and st_ino.
 */
import type { Clock } from '../../core/clock.ts';
import type { UserMemory } from '../../core/user.ts';
import { putInt, putLong } from '../../core/user-values.ts';
import type { Result } from '../../lib/result.ts';
import { EACCES, EINVAL, ENOENT, ENOTTY, EPERM, ESPIPE, ESRCH } from '../../uapi/errno.ts';
import { O_ACCMODE, O_RDONLY } from '../../uapi/fcntl.ts';
import { S_IFREG } from '../../uapi/stat.ts';
import { AnonInode, AnonSuper } from '../anon.ts';
import type { WalkContext } from '../context.ts';
import type { Path } from '../dentry.ts';
import { File } from '../file.ts';
import { dir, magicLink } from '../kernfs/entry.ts';
import { MountNamespace } from '../namespace.ts';
import { mayTrace } from './access.ts';
import type { TaskContext, TaskEntry } from './context.ts';
import { NAMESPACES, type NamespaceKind } from './source.ts';

const NSFS_MAGIC = 0x6e736673;
const NS_GET_USERNS = 0xb701;
const NS_GET_PARENT = 0xb702;
const NS_GET_NSTYPE = 0xb703;
const NS_GET_OWNER_UID = 0xb704;
const NS_GET_MNTNS_ID = 0x8008b705;

/** The flags of clone(2) that make a new one. */
const CLONE_FLAGS: Readonly<Record<NamespaceKind, number>> = {
  cgroup: 0x02000000,
  ipc: 0x08000000,
  mnt: 0x00020000,
  net: 0x40000000,
  pid: 0x20000000,
  time: 0x00000080,
  user: 0x10000000,
  uts: 0x04000000,
};

/** A file for setns(2). It keeps its namespace alive while it is open. */
export class NsFile extends File {
  declare readonly inode: NsInode;
  /** The namespace, for kinds of which there are several; else null. */
  readonly namespace: object | null;

  constructor(inode: NsInode, flags: number) {
    super(inode, flags);
    this.namespace = inode.namespace?.deref() ?? null;
    if (this.namespace instanceof MountNamespace) this.namespace.users++;
  }

  /** The CLONE_ flag of its kind. */
  get cloneFlag(): number {
    return CLONE_FLAGS[this.inode.kind];
  }

  override release(): void {
    if (this.namespace instanceof MountNamespace) this.namespace.left();
  }

  override get linkName(): string {
    return this.inode.label;
  }

  override seek(): number {
    return -ESPIPE;
  }

  override ioctl(cmd: number, arg: number, user: UserMemory): number {
    const { kind } = this.inode;
    switch (cmd) {
      case NS_GET_NSTYPE:
        return CLONE_FLAGS[kind];
      // The first namespaces have no parents, and belong to the first user namespace, which is root's.
      case NS_GET_PARENT:
        return kind === 'pid' || kind === 'user' ? -EPERM : -EINVAL;
      case NS_GET_USERNS:
        return -EPERM;
      case NS_GET_OWNER_UID:
        return kind === 'user' ? putInt(user, arg, 0) : -EINVAL;
      case NS_GET_MNTNS_ID:
        return this.namespace instanceof MountNamespace ? putLong(user, arg, this.namespace.id) : -EINVAL;
      default:
        return -ENOTTY;
    }
  }
}

export class NsInode extends AnonInode {
  readonly kind: NamespaceKind;
  /** The namespace, for kinds of which there are several; weak, so that the inode does not keep it alive. */
  readonly namespace: WeakRef<object> | null;

  constructor(sb: AnonSuper, kind: NamespaceKind, ino: number, namespace: object | null) {
    super(sb, ino, S_IFREG | 0o444, sb.clock.coarse());
    this.kind = kind;
    this.namespace = namespace === null ? null : new WeakRef(namespace);
  }

  /** 'mnt:[4026531841]'. */
  get label(): string {
    return `${this.kind}:[${this.ino}]`;
  }

  override open(flags: number): Result<File> {
    if ((flags & O_ACCMODE) !== O_RDONLY) return -EPERM;
    return this.namespace !== null && this.namespace.deref() === undefined
      ? -ENOENT
      : new NsFile(this, flags);
  }

  override setattr(): number {
    return -EPERM;
  }
}

/** The filesystem of these inodes. */
export class NsFs {
  private readonly sb: AnonSuper;
  /** Of kinds of which there is only one namespace. */
  private readonly inodes: Map<number, NsInode> = new Map();
  /** Of the others, by the namespace: they go with it. */
  private readonly ofMany: WeakMap<object, NsInode> = new WeakMap();

  constructor(dev: number, clock: Clock) {
    this.sb = new AnonSuper('nsfs', NSFS_MAGIC, dev, clock);
  }

  inode(kind: NamespaceKind, ino: number, namespace: object | null): NsInode {
    const known = namespace === null ? this.inodes.get(ino) : this.ofMany.get(namespace);
    if (known !== undefined) return known;
    const inode = new NsInode(this.sb, kind, ino, namespace);
    if (namespace === null) this.inodes.set(ino, inode);
    else this.ofMany.set(namespace, inode);
    return inode;
  }
}

function visit({ source, task, nsfs }: TaskContext, who: WalkContext, kind: NamespaceKind): Result<NsInode> {
  if (task.reaped) return -ESRCH;
  if (!mayTrace({ source, task }, who.cred)) return -EACCES;
  return nsfs.inode(kind, task.namespace(kind), task.namespaceObject(kind));
}

function nsLink(name: string, kind: NamespaceKind): TaskEntry {
  const target = (context: TaskContext, who: WalkContext): Result<string> => {
    const inode = visit(context, who, kind);
    return typeof inode === 'number' ? inode : inode.label;
  };
  const follow = (context: TaskContext, who: WalkContext): Result<Path> => {
    const inode = visit(context, who, kind);
    return typeof inode === 'number' ? inode : context.source.vfs.anonymousPath(inode, inode.label);
  };
  return magicLink(name, target, follow);
}

/** Children get the task's own: neither kind can be unshared. */
const FOR_CHILDREN: readonly TaskEntry[] = [
  nsLink('pid_for_children', 'pid'),
  nsLink('time_for_children', 'time'),
];

export const NS_ENTRY: TaskEntry = dir('ns', 0o511, [
  ...NAMESPACES.map(kind => nsLink(kind, kind)),
  ...FOR_CHILDREN,
]);
