/**
 * What one walk passed: on what its answer depends. Kept by the walker while somebody asks for it, so that an answer can
 * be used again until something of it changes (dcache.ts, `rely`).
 */
import type { Dentry } from './dentry.ts';

export class Trail {
  /** Directories that were searched and names that were found, some of them twice; what was found last is last. */
  readonly passed: Dentry[] = [];
  /** The name that was walked, the last one if there were several. */
  name = '';
  walks = 0;
  /** It came to where names change behind us, or followed a link that is none. */
  unsure = false;
  /** It ended because a name does not exist. */
  missing = false;

  clear(): void {
    this.passed.length = 0;
    this.walks = 0;
    this.unsure = false;
    this.missing = false;
  }

  begin(name: string): void {
    this.name = name;
    this.walks++;
  }

  pass(directory: Dentry, found: Dentry, changes: boolean): void {
    this.passed.push(directory, found);
    if (changes) this.unsure = true;
    this.missing = found.inode === null;
  }
}
