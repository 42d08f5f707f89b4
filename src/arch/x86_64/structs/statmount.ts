/**
 * struct statmount (statmount(2), linux/mount.h): 512 bytes, and strings after them, whose fields are offsets into those.
 *
 *   0 size u32 | 4 mnt_opts str | 8 mask u64 | 16 sb_dev_major u32 | 20 sb_dev_minor u32 | 24 sb_magic u64
 *   32 sb_flags u32 | 36 fs_type str | 40 mnt_id u64 | 48 mnt_parent_id u64 | 56 mnt_id_old u32
 *   60 mnt_parent_id_old u32 | 64 mnt_attr u64 | 72 mnt_propagation u64 | 80 mnt_peer_group u64 | 88 mnt_master u64
 *   96 propagate_from u64 | 104 mnt_root str | 108 mnt_point str | 112 mnt_ns_id u64 | 120 fs_subtype str
 *   124 sb_source str | 128 opt_num u32 | 132 opt_array str | ... 144 supported_mask u64
 */
import { setInt64 } from '../../../lib/int64.ts';
import * as uapi from '../../../uapi/mount.ts';
import { major, minor } from '../../../uapi/stat.ts';

export const STATMOUNT_SIZE = 512;

/** What statmount(2) reports of a mount. */
export interface MountFacts {
  readonly dev: number;
  readonly magic: number;
  readonly readOnly: boolean;
  readonly type: string;
  readonly id: number;
  readonly uniqueId: number;
  readonly parentId: number;
  readonly uniqueParentId: number;
  /** MOUNT_ATTR_*. */
  readonly attributes: number;
  /** MS_SHARED and the like; and the numbers of groups, 0 for none. */
  readonly propagation: number;
  readonly peers: number;
  readonly master: number;
  readonly from: number;
  readonly namespaceId: number;
  /** Its root in its filesystem, and where it is mounted. */
  readonly root: string;
  readonly point: string;
  readonly source: string;
  readonly options: readonly string[];
}

const ALL =
  uapi.STATMOUNT_SB_BASIC |
  uapi.STATMOUNT_MNT_BASIC |
  uapi.STATMOUNT_PROPAGATE_FROM |
  uapi.STATMOUNT_MNT_ROOT |
  uapi.STATMOUNT_MNT_POINT |
  uapi.STATMOUNT_FS_TYPE |
  uapi.STATMOUNT_MNT_NS_ID |
  uapi.STATMOUNT_MNT_OPTS |
  uapi.STATMOUNT_SB_SOURCE |
  uapi.STATMOUNT_OPT_ARRAY |
  uapi.STATMOUNT_SUPPORTED_MASK;

/**
 * The structure with what `mask` asks for, of which the caller takes `room` bytes, and its strings, one character a
 * byte.
 */
export function makeStatmount(
  facts: MountFacts,
  mask: number,
  room: number,
): { bytes: Uint8Array; strings: string } {
  const bytes = new Uint8Array(STATMOUNT_SIZE);
  const view = new DataView(bytes.buffer);
  let known = mask & ALL;
  if (facts.options.length === 0) known &= ~(uapi.STATMOUNT_MNT_OPTS | uapi.STATMOUNT_OPT_ARRAY);
  if ((known & uapi.STATMOUNT_SB_BASIC) !== 0) putFilesystem(view, facts);
  if ((known & uapi.STATMOUNT_MNT_BASIC) !== 0) putMount(view, facts);
  if ((known & uapi.STATMOUNT_PROPAGATE_FROM) !== 0) setInt64(view, 96, facts.from);
  if ((known & uapi.STATMOUNT_MNT_NS_ID) !== 0) setInt64(view, 112, facts.namespaceId);
  if ((known & uapi.STATMOUNT_OPT_ARRAY) !== 0) view.setUint32(128, facts.options.length, true);
  if ((known & uapi.STATMOUNT_SUPPORTED_MASK) !== 0) setInt64(view, 144, ALL);
  const strings = putStrings(view, facts, known);
  view.setUint32(0, Math.min(room, STATMOUNT_SIZE) + strings.length, true);
  setInt64(view, 8, known);
  return { bytes, strings };
}

function putFilesystem(view: DataView, { dev, magic, readOnly }: MountFacts): void {
  view.setUint32(16, major(dev), true);
  view.setUint32(20, minor(dev), true);
  setInt64(view, 24, magic);
  view.setUint32(32, readOnly ? uapi.MS_RDONLY : 0, true);
}

function putMount(view: DataView, facts: MountFacts): void {
  setInt64(view, 40, facts.uniqueId);
  setInt64(view, 48, facts.uniqueParentId);
  view.setUint32(56, facts.id, true);
  view.setUint32(60, facts.parentId, true);
  setInt64(view, 64, facts.attributes);
  setInt64(view, 72, facts.propagation);
  setInt64(view, 80, facts.peers);
  setInt64(view, 88, facts.master);
}

/** The strings, after an empty one to which all fields without a value point. */
function putStrings(view: DataView, facts: MountFacts, known: number): string {
  const { type, root, point, options, source } = facts;
  const fields: readonly (readonly [number, number, string])[] = [
    [uapi.STATMOUNT_FS_TYPE, 36, type],
    [uapi.STATMOUNT_MNT_ROOT, 104, root],
    [uapi.STATMOUNT_MNT_POINT, 108, point],
    [uapi.STATMOUNT_MNT_OPTS, 4, options.join(',')],
    [uapi.STATMOUNT_OPT_ARRAY, 132, options.join('\0')],
    [uapi.STATMOUNT_SB_SOURCE, 124, source],
  ];
  let strings = '';
  for (const [bit, at, text] of fields) {
    if ((known & bit) === 0) continue;
    if (strings === '') strings = '\0';
    view.setUint32(at, strings.length, true);
    strings += `${text}\0`;
  }
  return strings;
}
