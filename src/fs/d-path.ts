/** Paths as strings, as getcwd(2), readlink of /proc/PID/fd/N and /proc/mounts show them. */
import type { Dentry, Path } from './dentry.ts';

/**
 * The path as seen from `root`; " (deleted)" is appended for removed names. A path that cannot be reached from there is
 * shown after "(unreachable)", from as far up as its mounts lead.
 */
export function pathString(path: Path, root: Path): string {
  const gone = path.dentry.unhashed && path.dentry.parent !== path.dentry;
  const text = reachable(path, root) ?? `(unreachable)${climb(path)}`;
  return gone ? `${text} (deleted)` : text;
}

/** The path as seen from `root`, or null if it does not lie below it. */
export function reachable(path: Path, root: Path): string | null {
  let { mount, dentry } = path;
  let text = '';
  while (mount !== root.mount || dentry !== root.dentry) {
    if (dentry !== mount.root && dentry.parent !== dentry) {
      text = `/${dentry.name}${text}`;
      dentry = dentry.parent;
    } else if (mount.parent !== null) {
      dentry = mount.mountpoint!;
      mount = mount.parent;
    } else {
      return isAnonymous(path) ? path.dentry.name : null;
    }
  }
  return text === '' ? '/' : text;
}

/** The path as far up as mounts lead. */
function climb(path: Path): string {
  let { mount, dentry } = path;
  let text = '';
  for (;;) {
    if (dentry !== mount.root && dentry.parent !== dentry) {
      text = `/${dentry.name}${text}`;
      dentry = dentry.parent;
    } else if (mount.parent !== null) {
      dentry = mount.mountpoint!;
      mount = mount.parent;
    } else {
      return text === '' ? '/' : text;
    }
  }
}

/** The path of a dentry in its filesystem, whatever is mounted where. */
export function dentryPath(dentry: Dentry): string {
  let text = '';
  for (let at = dentry; at.parent !== at; at = at.parent) text = `/${at.name}${text}`;
  return text === '' ? '/' : text;
}

/** Nameless files (pipes, sockets) have a root dentry of their own that says what they are: "pipe:[12]". */
const isAnonymous = (path: Path): boolean => path.dentry.parent === path.dentry && path.dentry.name !== '';
