/**
 * Remembers the directory that the latest walk led through: programs ask about a directory's files one after another.
 *
 * Its name then replaces all lookups and permission checks on the way, provided that no directory has changed its name,
 * place or rights (`Dcache.generation`) and the same cred starts at the same place. What must be looked at anew each
 * time is not kept: links, '..', other mounts, names that change behind us.
 */
import type { Cred } from '../core/cred.ts';
import type { Dentry } from './dentry.ts';
import type { Mount } from './mount.ts';
import type { Trail } from './trail.ts';

const SLASH = 47;

export class WalkMemo {
  /** Where the prefix leads. */
  dentry: Dentry | null = null;
  /** The dentries found on the way, `dentry` last. */
  private readonly way: Dentry[] = [];
  /** Ends with a slash. */
  private prefix = '';
  private mount: Mount | null = null;
  private start: Dentry | null = null;
  private cred: Cred | null = null;
  private generation = 0;

  keep(prefix: string, mount: Mount, start: Dentry, dentry: Dentry, cred: Cred, generation: number): void {
    this.prefix = prefix;
    this.mount = mount;
    this.start = start;
    this.dentry = dentry;
    this.cred = cred;
    this.generation = generation;
    this.way.length = 0;
    for (let at = dentry; at !== start; at = at.parent) this.way.push(at);
    this.way.reverse();
  }

  /** How many first characters of a name need no walk from `start`: they lead to `dentry`. */
  skip(name: string, mount: Mount, start: Dentry, cred: Cred, generation: number): number {
    if (start !== this.start || mount !== this.mount) return 0;
    if (cred !== this.cred || generation !== this.generation) return 0;
    const { length } = this.prefix;
    if (name.length <= length || name.charCodeAt(length) === SLASH) return 0;
    return name.startsWith(this.prefix) && !this.way.some(isMountpoint) ? length : 0;
  }

  /** Records the way there in a trail. */
  tell(trail: Trail): void {
    for (const found of this.way) trail.pass(found.parent, found, false);
  }
}

/** In at least one of the namespaces. */
const isMountpoint = (dentry: Dentry): boolean => dentry.mounts !== null;
