/**
 * POSIX access control lists (acl(5), getfacl(1)) as extended attributes. Files here have permission bits and no more: a
 * list that says the same as permission bits becomes these, as on Linux, and a file has none to show. Lists with
 * entries for further users and groups, and those that a directory hands down, are refused.
 *
 * The attribute's value: a 32-bit version, then 8 bytes for each entry (u16 tag, u16 permissions, u32 id).
 */
import type { Result } from '../lib/result.ts';
import { EACCES, EINVAL, ENODATA, EOPNOTSUPP } from '../uapi/errno.ts';
import { isDir, isLnk } from '../uapi/stat.ts';
import { chmod } from './attr.ts';
import type { WalkContext } from './context.ts';
import type { Path } from './dentry.ts';
import type { Vfs } from './vfs.ts';

const ACCESS = 'system.posix_acl_access';
const DEFAULT = 'system.posix_acl_default';
const HEADER = 4;
const ENTRY = 8;
const VERSION = 2;
const USER_OBJ = 1;
const USER = 2;
const GROUP_OBJ = 4;
const GROUP = 8;
const MASK = 0x10;
const OTHER = 0x20;
/** The order in which entries stand. */
const TAGS = [USER_OBJ, USER, GROUP_OBJ, GROUP, MASK, OTHER];
const ALL_MODE = 0o7777;
const RWX = 0o777;

export const isAclName = (name: string): boolean => name === ACCESS || name === DEFAULT;

/** There are no lists beside the permission bits. */
export const getAcl = ({ inode }: Path): Result<string> => (isLnk(inode.mode) ? -EOPNOTSUPP : -ENODATA);

/** An empty value stands for no list. */
export function setAcl(vfs: Vfs, ctx: WalkContext, path: Path, name: string, value: string): number {
  const { mode } = path.inode;
  if (isLnk(mode)) return -EOPNOTSUPP;
  const said = modeOf(value);
  if (said === -EINVAL) return said;
  if (name === DEFAULT && value.length > HEADER) return isDir(mode) ? -EOPNOTSUPP : -EACCES;
  const wanted = name === DEFAULT || said === null ? mode & ALL_MODE : said | (mode & ALL_MODE & ~RWX);
  return said !== null && said < 0 ? said : chmod(vfs, ctx, path, wanted);
}

/** The permission bits that a list stands for, null for no list, -EINVAL, or -EOPNOTSUPP if it says more. */
function modeOf(value: string): number | null {
  if (value === '') return null;
  const count = (value.length - HEADER) / ENTRY;
  if (!Number.isInteger(count) || count < 0) return -EINVAL;
  const view = new DataView(Uint8Array.from(value, char => char.charCodeAt(0)).buffer);
  if (view.getUint32(0, true) !== VERSION) return -EOPNOTSUPP;
  if (count === 0) return null;
  const tags: number[] = [];
  let mode = 0;
  for (let at = HEADER; at < value.length; at += ENTRY) {
    const [tag, permissions] = [view.getUint16(at, true), view.getUint16(at + 2, true)];
    if (!TAGS.includes(tag) || permissions > 7) return -EINVAL;
    tags.push(tag);
    if (tag !== USER && tag !== GROUP && tag !== MASK) mode |= permissions << shiftOf(tag);
  }
  if (!isValid(tags)) return -EINVAL;
  return tags.length === 3 ? mode : -EOPNOTSUPP;
}

const shiftOf = (tag: number): number => (tag === USER_OBJ ? 6 : tag === GROUP_OBJ ? 3 : 0);

/** Each kind in its place; owner, group and others exactly once; a mask once, and always with further entries. */
function isValid(tags: readonly number[]): boolean {
  const count = (tag: number): number => tags.filter(t => t === tag).length;
  const sorted = tags.every((tag, i) => i === 0 || tags[i - 1]! <= tag);
  const more = count(USER) + count(GROUP) > 0;
  return (
    sorted &&
    [USER_OBJ, GROUP_OBJ, OTHER].every(tag => count(tag) === 1) &&
    count(MASK) <= 1 &&
    (!more || count(MASK) === 1)
  );
}
