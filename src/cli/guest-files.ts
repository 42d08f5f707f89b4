/**
 * Files of the guest's root (its user database), read on the host before there is a machine.
 *
 * Symbolic links are followed as the guest would follow them, inside the root: an absolute target starts
 * there again, and `..` never leaves it.
 */
import { accessSync, constants, existsSync, lstatSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';

const MAX_LINKS = 40;

/** The host path of a guest path, or null if it leads nowhere. */
export function resolveInRoot(root: string, path: string): string | null {
  const left = path.split('/').reverse();
  let done: string[] = [];
  let links = 0;
  for (let name = left.pop(); name !== undefined; name = left.pop()) {
    if (name === '' || name === '.') continue;
    if (name === '..') {
      done.pop();
      continue;
    }
    const target = linkTarget(join(root, ...done, name));
    if (target === null) return null;
    if (target === '') {
      done.push(name);
      continue;
    }
    if (++links > MAX_LINKS) return null;
    if (target.startsWith('/')) done = [];
    left.push(...target.split('/').reverse());
  }
  return join(root, ...done);
}

/** Where a link leads; '' if the file is not a link, null if there is no file. */
function linkTarget(file: string): string | null {
  try {
    return lstatSync(file).isSymbolicLink() ? readlinkSync(file) : '';
  } catch {
    return null;
  }
}

/** A guest file's bytes as characters, or '' if it cannot be read. */
export function readGuestFile(root: string, path: string): string {
  const file = resolveInRoot(root, path);
  if (file === null) return '';
  try {
    return readFileSync(file, 'latin1');
  } catch {
    return '';
  }
}

/** Whether a directory of the guest exists but is closed to us, so that its owner in the guest could not use it. */
export function isClosed(root: string, path: string): boolean {
  const dir = resolveInRoot(root, path);
  if (dir === null || !existsSync(dir)) return false;
  try {
    accessSync(dir, constants.R_OK | constants.X_OK);
    return false;
  } catch {
    return true;
  }
}
