/** Mount namespaces (mount_namespaces(7)): trees of mounts, and how /proc/mounts shows them. */
import {
  MS_NOATIME,
  MS_NODEV,
  MS_NODIRATIME,
  MS_NOEXEC,
  MS_NOSUID,
  MS_NOSYMFOLLOW,
  MS_RELATIME,
} from '../uapi/mount.ts';
import { major, minor } from '../uapi/stat.ts';
import { dentryPath, reachable } from './d-path.ts';
import { Path } from './dentry.ts';
import type { Mount } from './mount.ts';
import type { PeerGroup } from './peer-group.ts';

export class MountNamespace {
  readonly id: number;
  /** The root mount; pivot_root(2) changes it. */
  root: Mount;
  /** Fs structs in it, and open files that stand for it. */
  users = 0;
  /** Called when the last user is gone; null: the namespace stays, as the first one does. */
  emptied: (() => void) | null = null;

  constructor(id: number, root: Mount) {
    this.id = id;
    this.root = root;
  }

  left(): void {
    if (--this.users === 0) this.emptied?.();
  }

  /** Parents come before their children, older children before younger. */
  mounts(): Mount[] {
    return subtree(this.root);
  }
}

/** A mount and all mounts below it, parents first. Not recursive. */
export function subtree(top: Mount): Mount[] {
  const all: Mount[] = [];
  const ahead = [top];
  for (let one = ahead.pop(); one !== undefined; one = ahead.pop()) {
    all.push(one);
    ahead.push(...[...one.children].reverse());
  }
  return all;
}

/** The mounts that a process with this root sees, with their paths, ordered by id. */
export function visibleMounts(ns: MountNamespace, root: Path): { mount: Mount; path: string }[] {
  const seen: { mount: Mount; path: string }[] = [];
  for (const mount of ns.mounts()) {
    const path = reachable(new Path(mount, mount.root), root);
    if (path !== null) seen.push({ mount, path });
  }
  return seen.sort((a, b) => a.mount.id - b.mount.id);
}

/** The text of /proc/PID/mounts (proc_pid_mounts(5), fstab(5)). */
export function showMounts(ns: MountNamespace, root: Path): string {
  const line = ({ mount, path }: { mount: Mount; path: string }): string => {
    const { sb } = mount;
    const options = `${mount.readOnly ? 'ro' : 'rw'}${mountOptions(mount)}${sb.showOptions()}`;
    return `${octal(sourceOf(mount))} ${octal(path)} ${sb.type} ${options} 0 0\n`;
  };
  return visibleMounts(ns, root).map(line).join('');
}

/** The text of /proc/PID/mountinfo (proc_pid_mountinfo(5)). */
export function showMountinfo(ns: MountNamespace, root: Path): string {
  const line = ({ mount, path }: { mount: Mount; path: string }): string => {
    const { sb, id, parent } = mount;
    const own = `${(mount.flags & 1) !== 0 ? 'ro' : 'rw'}${mountOptions(mount)}`;
    const all = `${sb.readOnly ? 'ro' : 'rw'}${sb.showOptions()}`;
    const where = `${octal(dentryPath(mount.root))} ${octal(path)}`;
    const device = `${major(sb.dev)}:${minor(sb.dev)}`;
    return `${id} ${parent?.id ?? id} ${device} ${where} ${own}${sharing(mount, root)} - ${sb.type} ${octal(sourceOf(mount))} ${all}\n`;
  };
  return visibleMounts(ns, root).map(line).join('');
}

/** The optional fields of mountinfo, which show propagation. */
function sharing(mount: Mount, root: Path): string {
  const { peers, master, unbindable } = mount;
  const from = sourceOfMounts(mount, root);
  const shared = peers === null ? '' : ` shared:${peers.id}`;
  const slave = master === null ? '' : ` master:${master.id}`;
  const far = from === null || from === master ? '' : ` propagate_from:${from.id}`;
  return `${shared}${slave}${far}${unbindable ? ' unbindable' : ''}`;
}

/** The nearest group that a slave receives mounts from and that is visible from `root`. */
export function sourceOfMounts({ master, namespace }: Mount, root: Path): PeerGroup | null {
  const isSeen = (one: Mount): boolean =>
    one.namespace === namespace && reachable(new Path(one, one.root), root) !== null;
  let group = master;
  while (group !== null && ![...group.members].some(isSeen)) group = group.master;
  return group;
}

const OPTIONS: readonly (readonly [number, string])[] = [
  [MS_NOSUID, ',nosuid'],
  [MS_NODEV, ',nodev'],
  [MS_NOEXEC, ',noexec'],
  [MS_NOATIME, ',noatime'],
  [MS_NODIRATIME, ',nodiratime'],
  [MS_RELATIME, ',relatime'],
  [MS_NOSYMFOLLOW, ',nosymfollow'],
];

const mountOptions = (mount: Mount): string =>
  OPTIONS.map(([flag, text]) => ((mount.flags & flag) !== 0 ? text : '')).join('');

const sourceOf = (mount: Mount): string => (mount.source === '' ? 'none' : mount.source);

/** Writes white space, backslashes and '#' in octal, as getmntent(3) reads them. */
const octal = (text: string): string =>
  text.replace(/[ \t\n\\#]/g, c => `\\${c.charCodeAt(0).toString(8).padStart(3, '0')}`);
