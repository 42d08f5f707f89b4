/** Inode numbers of namespaces (namespaces(7)). Of each kind but mounts and UTS there is one: the first. */
import type { MountNamespace } from '../../fs/namespace.ts';
import type { NamespaceKind } from '../../fs/proc/source.ts';
import type { Task } from '../task.ts';
import { utsOf } from '../uts.ts';

/** Numbers of the first namespaces as programs know them: to some, these mean "not in a container". */
const FIRST: Readonly<Record<NamespaceKind, number>> = {
  cgroup: 0xeffffffb,
  ipc: 0xefffffff,
  mnt: 0xeffffff8,
  net: 0xeffffff9,
  pid: 0xeffffffc,
  time: 0xeffffffa,
  user: 0xeffffffd,
  uts: 0xeffffffe,
};
/** Where the numbers of further namespaces begin. */
const FURTHER = 0xf0000000;

/** The namespace itself, for the kinds that can have several; else null. */
export function namespaceObject(kind: NamespaceKind, task: Task, mounts: MountNamespace): object | null {
  return kind === 'mnt' ? mounts : kind === 'uts' ? utsOf(task) : null;
}

export function namespaceInode(kind: NamespaceKind, task: Task, mounts: MountNamespace): number {
  if (kind === 'mnt' && mounts.id > 1) return FURTHER + mounts.id;
  const { id } = utsOf(task);
  return kind === 'uts' && id > 0 ? FURTHER + id : FIRST[kind];
}
