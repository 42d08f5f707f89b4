/**
 * Access control lists (acl(5)): what the owner, the group, others, and named users and groups may do.
 *
 * A list is immutable: changing a file's list gives the file a new one, which shares the entries of named users and
 * groups. As an attribute's value, a list is a 32-bit version, then 8 bytes per entry (u16 tag, u16 permissions,
 * u32 id), ordered by tag number.
 */
import { type Cred, inGroup } from '../core/cred.ts';
import { EINVAL, EOPNOTSUPP } from '../uapi/errno.ts';

/** A named user or group. */
export interface NamedEntry {
  readonly id: number;
  readonly rights: number;
}

export interface AccessList {
  readonly owner: number;
  readonly users: readonly NamedEntry[];
  readonly group: number;
  readonly groups: readonly NamedEntry[];
  /** The most that the group, and named users and groups, may do; null if the list has no mask entry. */
  readonly mask: number | null;
  readonly other: number;
}

const HEADER = 4;
const ENTRY = 8;
const VERSION = 2;
const USER_OBJ = 1;
const USER = 2;
const GROUP_OBJ = 4;
const GROUP = 8;
const MASK = 0x10;
const OTHER = 0x20;
const TAGS = [USER_OBJ, USER, GROUP_OBJ, GROUP, MASK, OTHER];
const NO_ID = 0xffffffff;
/** Lists with more group entries than this look groups up in a set instead of one by one. */
const FEW = 16;

/** The list of an attribute's value, null (no list) if it has no entries; -EINVAL, -EOPNOTSUPP (another version). */
export function parseAccessList(value: string): AccessList | null | number {
  if (value === '') return null;
  const count = (value.length - HEADER) / ENTRY;
  if (!Number.isInteger(count) || count < 0) return -EINVAL;
  const view = new DataView(Uint8Array.from(value, char => char.charCodeAt(0)).buffer);
  if (view.getUint32(0, true) !== VERSION) return -EOPNOTSUPP;
  return count === 0 ? null : parseEntries(view);
}

/** In tag order: owner, group and others exactly once, a mask at most once, and always if there are named entries. */
function parseEntries(view: DataView): AccessList | number {
  const found = new Map<number, NamedEntry[]>(TAGS.map(tag => [tag, []]));
  let last = 0;
  for (let at = HEADER; at < view.byteLength; at += ENTRY) {
    const [tag, rights] = [view.getUint16(at, true), view.getUint16(at + 2, true)];
    const id = view.getUint32(at + 4, true);
    if (!TAGS.includes(tag) || rights > 7 || tag < last) return -EINVAL;
    if ((tag === USER || tag === GROUP) && id === NO_ID) return -EINVAL;
    found.get(tag)!.push({ id, rights });
    last = tag;
  }
  const [owners, users, group, groups, masks, others] = TAGS.map(tag => found.get(tag)!);
  if (owners!.length !== 1 || group!.length !== 1 || others!.length !== 1 || masks!.length > 1)
    return -EINVAL;
  if (users!.length + groups!.length > 0 && masks!.length === 0) return -EINVAL;
  return {
    owner: owners![0]!.rights,
    users: users!,
    group: group![0]!.rights,
    groups: groups!,
    mask: masks![0]?.rights ?? null,
    other: others![0]!.rights,
  };
}

/** The size of the list as an attribute's value, in bytes; 0 for no list. */
export const accessListSize = (list: AccessList | null): number =>
  list === null
    ? 0
    : HEADER + ENTRY * (3 + list.users.length + list.groups.length + (list.mask === null ? 0 : 1));

export function formatAccessList(list: AccessList): string {
  const view = new DataView(new ArrayBuffer(accessListSize(list)));
  let at = HEADER;
  const entry = (tag: number, rights: number, id = NO_ID): void => {
    view.setUint16(at, tag, true);
    view.setUint16(at + 2, rights, true);
    view.setUint32(at + 4, id, true);
    at += ENTRY;
  };
  view.setUint32(0, VERSION, true);
  entry(USER_OBJ, list.owner);
  for (const { id, rights } of list.users) entry(USER, rights, id);
  entry(GROUP_OBJ, list.group);
  for (const { id, rights } of list.groups) entry(GROUP, rights, id);
  if (list.mask !== null) entry(MASK, list.mask);
  entry(OTHER, list.other);
  return Array.from(new Uint8Array(view.buffer), byte => String.fromCharCode(byte)).join('');
}

/** Whether the list says no more than the nine permission bits. */
export const isPlain = (list: AccessList): boolean => list.mask === null;

/** The permission bits for a list: the group's are the mask, if there is one. */
export const listMode = ({ owner, group, mask, other }: AccessList): number =>
  (owner << 6) | ((mask ?? group) << 3) | other;

/** The list after chmod(2). */
export function withMode(list: AccessList, mode: number): AccessList {
  const middle = (mode >> 3) & 7;
  const changed = { ...list, owner: (mode >> 6) & 7, other: mode & 7 };
  return list.mask === null ? { ...changed, group: middle } : { ...changed, mask: middle };
}

/** Whether a user other than the owner may do `wanted`: acl(5), "ACCESS CHECK ALGORITHM". */
export function listAllows(list: AccessList, gid: number, wanted: number, cred: Cred): boolean {
  const most = list.mask ?? 7;
  const allows = (rights: number): boolean => (rights & most & wanted) === wanted;
  const user = list.users.find(({ id }) => id === cred.fsuid);
  if (user !== undefined) return allows(user.rights);
  const isMember = membership(list, cred);
  const mine = list.groups.filter(({ id }) => isMember(id)).map(({ rights }) => rights);
  if (isMember(gid)) mine.push(list.group);
  return mine.length > 0 ? mine.some(allows) : (list.other & wanted) === wanted;
}

function membership({ groups }: AccessList, cred: Cred): (gid: number) => boolean {
  if (groups.length <= FEW) return gid => inGroup(cred, gid);
  const all = new Set(cred.groups).add(cred.fsgid);
  return gid => all.has(gid);
}
