/**
 * The directory by whose name the latest walk went: programs ask about the files of a directory one after the other.
 *
 * Its name then stands for all lookups and permissions on the way, as long as no directory has changed its name, place or
 * rights (`Dcache.generation`) and the same cred starts at the same place. Nothing that is looked at anew each time is
 * kept: links, '..', other mounts, names that change behind us.
 */
import type { Cred } from '../core/cred.ts';
import type { Dentry } from './dentry.ts';
import type { Mount } from './mount.ts';
import type { Trail } from './trail.ts';

const SLASH = 47;

export class WalkMemo {
  /** Where it leads. */
  dentry: Dentry | null = null;
  /** What was found on the way, `dentry` last. */
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

  /** How much of a name needs no walk from `start` on: it leads to `dentry`. */
  skip(name: string, mount: Mount, start: Dentry, cred: Cred, generation: number): number {
    if (start !== this.start || mount !== this.mount) return 0;
    if (cred !== this.cred || generation !== this.generation) return 0;
    const { length } = this.prefix;
    if (name.length <= length || name.charCodeAt(length) === SLASH) return 0;
    return name.startsWith(this.prefix) && !this.way.some(isMountpoint) ? length : 0;
  }

  /** The way there, for whoever wants to know it. */
  tell(trail: Trail): void {
    for (const found of this.way) trail.pass(found.parent, found, false);
  }
}

/** In one of the namespaces, at least. */
const isMountpoint = (dentry: Dentry): boolean => dentry.mounts !== null;
