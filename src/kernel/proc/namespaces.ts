/** Inode numbers of namespaces (namespaces(7)). Of each kind but mounts there is one: the first. */
import type { MountNamespace } from '../../fs/namespace.ts';
import type { NamespaceKind } from '../../fs/proc/source.ts';

/** Numbers of the first namespaces as programs know them: some take these for "not in a container". */
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
/** Where numbers of further ones begin. */
const FURTHER = 0xf0000000;

export const namespaceInode = (kind: NamespaceKind, mounts: MountNamespace): number =>
  kind === 'mnt' && mounts.id > 1 ? FURTHER + mounts.id : FIRST[kind];
