/** What the parts of the suite are made of. */
import assert from 'node:assert/strict';
import type { Sys } from '../machine.ts';

export type Ability =
  | 'chown'
  | 'devices'
  | 'exchange'
  | 'fallocate'
  | 'hard links'
  | 'holes'
  | 'special files'
  | 'times'
  | 'tmpfile'
  | 'whiteout'
  | 'xattr';

/** Adds a test for filesystems that have all of `needs`. */
export type Check = (what: string, needs: readonly Ability[], act: (sys: Sys) => void) => void;

export const bytes = (text: string): Uint8Array => Buffer.from(text, 'latin1');
export const text = (data: Uint8Array | number): string | number =>
  typeof data === 'number' ? data : Buffer.from(data).toString('latin1');

/** The object, which must not be an error. */
export function must<T extends object>(result: T | number): T {
  assert.notEqual(typeof result, 'number', `unexpected error ${result}`);
  return result as T;
}
