/**
 * The rows of which kernel filesystems are made: a name, a mode, and a function that makes the inode.
 *
 * All directories of a kind share one table of entries. What the entries show comes from the context `C`
 * (the machine, a process, a device) that each directory holds.
 */
import type { Cred } from '../../core/cred.ts';
import type { Result } from '../../lib/result.ts';
import { O_RDONLY } from '../../uapi/fcntl.ts';
import { S_IFDIR, S_IFLNK, S_IFREG } from '../../uapi/stat.ts';
import type { WalkContext } from '../context.ts';
import type { Path } from '../dentry.ts';
import type { File } from '../file.ts';
import type { Inode } from '../inode.ts';
import { KernfsDir, KernfsFile, type KernfsInode, KernfsLink } from './inode.ts';
import type { KernfsSuper } from './super.ts';
import { type Text, TextFile } from './text-file.ts';

export interface Entry<C> {
  readonly name: string;
  /** Type and permission bits. */
  readonly mode: number;
  readonly make: (sb: KernfsSuper, context: C) => KernfsInode;
}

/** Whether this caller may open the file, checked in addition to the mode bits: 0 or -errno. */
export type Guard<C> = (context: C, cred: Cred, flags: number) => number;
export type Show<C> = (context: C, cred: Cred) => Text;
export type StoreIn<C> = (context: C, text: string, cred: Cred) => number;
export type Target<C> = (context: C, who: WalkContext) => Result<string>;
/** Returns a path without a reference: the walk goes on from it at once. */
export type Follow<C> = (context: C, who: WalkContext) => Result<Path>;
export type Opener<C> = (inode: Inode, flags: number, context: C, cred: Cred) => Result<File>;

/** A file opened by a function of its own. */
export function special<C>(name: string, perm: number, open: Opener<C>): Entry<C> {
  const mode = S_IFREG | perm;
  return {
    name,
    mode,
    make: (sb, context) =>
      new KernfsFile(sb, mode, (inode, flags, cred) => open(inode, flags, context, cred)),
  };
}

/** A read-only text file; `guard` says who may open it. */
export function text<C>(name: string, perm: number, show: Show<C>, guard?: Guard<C>): Entry<C> {
  return textEntry(name, perm, show, null, guard);
}

/** A text file that asks `guard` each time it makes the text, too: the subject's rights may have changed since open. */
export function guardedText<C>(name: string, perm: number, show: Show<C>, guard: Guard<C>): Entry<C> {
  const guarded = (context: C, cred: Cred): Text => {
    const refused = guard(context, cred, O_RDONLY);
    return refused < 0 ? refused : show(context, cred);
  };
  return textEntry(name, perm, guarded, null, guard);
}

/** A text file that can be written, too. */
export function setting<C>(
  name: string,
  perm: number,
  show: Show<C>,
  store: StoreIn<C>,
  guard?: Guard<C>,
): Entry<C> {
  return textEntry(name, perm, show, store, guard);
}

function textEntry<C>(
  name: string,
  perm: number,
  show: Show<C>,
  store: StoreIn<C> | null,
  guard?: Guard<C>,
): Entry<C> {
  return special(name, perm, (inode, flags, context, cred) => {
    const refused = guard === undefined ? 0 : guard(context, cred, flags);
    if (refused < 0) return refused;
    const take = store === null ? null : (written: string, who: Cred) => store(context, written, who);
    return new TextFile(inode, flags, cred, () => show(context, cred), take);
  });
}

/** A symbolic link that is resolved by its text. */
export function link<C>(name: string, target: Target<C>): Entry<C> {
  return magicLink(name, target, null);
}

/** A link that leads to an object, whatever its text is (proc(5): exe, cwd, fd/N). */
export function magicLink<C>(name: string, target: Target<C>, follow: Follow<C> | null): Entry<C> {
  const mode = S_IFLNK | 0o777;
  return {
    name,
    mode,
    make: (sb, context) =>
      new KernfsLink(
        sb,
        mode,
        who => target(context, who),
        follow === null ? null : who => follow(context, who),
      ),
  };
}

/** A directory of entries, with the same context as its parent. */
export function dir<C>(name: string, perm: number, entries: readonly Entry<C>[]): Entry<C> {
  const mode = S_IFDIR | perm;
  return { name, mode, make: (sb, context) => new KernfsDir(sb, mode).addAll(entries, context) };
}
