/**
 * What one walk passed, on which its answer depends. The walker records it on request, so that an answer can be reused
 * until something on the trail changes (dcache.ts, `rely`).
 */
import type { Dentry } from './dentry.ts';

export class Trail {
  /** Directories searched and names found, some of them twice; the last one found is last. */
  readonly passed: Dentry[] = [];
  /** The name walked; if there were several walks, the last one's. */
  name = '';
  walks = 0;
  /** The walk came to where names change behind us, or followed a magic link. */
  unsure = false;
  /** The last name passed does not exist. */
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
