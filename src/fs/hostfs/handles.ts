/**
 * A limited number of host descriptors, reopened when needed.
 *
 * A handle is a place for one descriptor. While the handle is pinned, its descriptor stays open. An unpinned handle is
 * idle; when too many are idle, the least recently used one is closed.
 */
import type { HostFiles } from '../../host/files.ts';

export class Handle {
  fd = -1;
  pins = 0;
}

const FEWEST = 16;
const MOST = 512;

export class HandleCache {
  private readonly files: HostFiles;
  private readonly limit: number;
  private readonly idle: Set<Handle> = new Set();
  private readonly mostPinned: number;
  private pinned = 0;

  constructor(files: HostFiles) {
    this.files = files;
    this.limit = Math.max(FEWEST, Math.min(MOST, Math.floor(files.descriptorLimit / 4)));
    this.mostPinned = Math.floor(files.descriptorLimit / 2);
  }

  /** Whether guests have so many files open that the rest of the machine could run out of descriptors. */
  get full(): boolean {
    return this.pinned >= this.mostPinned;
  }

  /** Gives an empty handle its descriptor, and makes it idle. */
  fill(handle: Handle, fd: number): void {
    handle.fd = fd;
    this.keep(handle);
  }

  /** Marks a handle as used: it is the last to be closed. */
  touch(handle: Handle): void {
    if (handle.pins > 0) return;
    this.idle.delete(handle);
    this.idle.add(handle);
  }

  pin(handle: Handle): void {
    if (handle.pins++ > 0) return;
    this.pinned++;
    this.idle.delete(handle);
  }

  unpin(handle: Handle): void {
    if (--handle.pins > 0) return;
    this.pinned--;
    this.keep(handle);
  }

  /** Closes a handle, unless it is pinned. */
  close(handle: Handle | null): void {
    if (handle === null || handle.fd < 0 || handle.pins > 0) return;
    this.idle.delete(handle);
    this.files.close(handle.fd);
    handle.fd = -1;
  }

  /** Closes all idle handles: when descriptors run out, and at shutdown. */
  closeIdle(): void {
    for (const handle of this.idle) this.close(handle);
  }

  private keep(handle: Handle): void {
    this.idle.add(handle);
    if (this.idle.size <= this.limit) return;
    for (const oldest of this.idle) {
      this.close(oldest);
      return;
    }
  }
}
