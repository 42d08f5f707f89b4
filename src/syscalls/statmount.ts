/** listmount(2), statmount(2): mounts by numbers that are never reused (statx(2), STATX_MNT_ID_UNIQUE). */

import { type MountFacts, makeStatmount, STATMOUNT_SIZE } from '../arch/x86_64/structs/statmount.ts';
import { CAP_SYS_ADMIN, capable } from '../core/cred.ts';
import { copyOut, copyOutString } from '../core/user-copy.ts';
import { dentryPath, reachable } from '../fs/d-path.ts';
import { Path } from '../fs/dentry.ts';
import { attributesOf, type Mount, UNIQUE_IDS } from '../fs/mount.ts';
import { MountNamespace, sourceOfMounts } from '../fs/namespace.ts';
import { propagationOf } from '../fs/peer-group.ts';
import { NsFile } from '../fs/proc/namespaces.ts';
import type { Task } from '../kernel/task.ts';
import { getUint64, setInt64 } from '../lib/int64.ts';
import type { Result } from '../lib/result.ts';
import { EBADF, EINVAL, ENOENT, EOVERFLOW, EPERM } from '../uapi/errno.ts';
import { LISTMOUNT_REVERSE } from '../uapi/mount.ts';
import { call, flags, pointer, type Syscall, ulong } from './args.ts';
import { copyInStruct } from './extensible.ts';

/** struct mnt_id_req: 0 size u32 | 4 mnt_ns_fd s32 | 8 mnt_id u64 | 16 param u64; since version 1: 24 mnt_ns_id u64. */
const REQUEST_VER0 = 24;
const REQUEST_SIZE = 32;
const MOST_IDS = 1_000_000;

interface Request {
  readonly id: number;
  /** LSMT_ROOT: the caller's root. */
  readonly ofRoot: boolean;
  readonly param: number;
  /** STATMOUNT_*: the lower half of `param`. */
  readonly mask: number;
  readonly ns: number;
  readonly nsFd: number;
}

function readRequest(task: Task, addr: number): Request | number {
  const head = task.user.in(addr, 4);
  if (head < 0) return head;
  const size = task.user.view.getUint32(head, true);
  const bytes = copyInStruct(task, addr, size, REQUEST_VER0, REQUEST_SIZE);
  if (typeof bytes === 'number') return bytes;
  const view = new DataView(bytes.buffer);
  const id = getUint64(view, 8);
  const ofRoot = view.getUint32(8, true) === 0xffffffff && view.getUint32(12, true) === 0xffffffff;
  const [param, ns, nsFd] = [getUint64(view, 16), getUint64(view, 24), view.getInt32(4, true)];
  if ((ns !== 0 && nsFd !== 0) || id <= UNIQUE_IDS) return -EINVAL;
  return { id, ofRoot, param, mask: view.getInt32(16, true), ns, nsFd };
}

/** The requested namespace: the caller's own, or another one that it may look into. */
function namespaceOf(task: Task, { ns, nsFd }: Request): Result<MountNamespace> {
  const own = task.namespace;
  if (nsFd !== 0) {
    const file = task.files.get(nsFd);
    if (file === null) return -EBADF;
    return file instanceof NsFile && file.namespace instanceof MountNamespace ? file.namespace : -EINVAL;
  }
  if (ns === 0 || ns === own?.id) return own ?? -ENOENT;
  if (!capable(task.cred, CAP_SYS_ADMIN)) return -ENOENT;
  for (const { namespace } of task.kernel.tasks.values()) if (namespace?.id === ns) return namespace;
  return -ENOENT;
}

/** Where names begin: the caller's root, or the root of another namespace. */
const rootIn = (task: Task, ns: MountNamespace): Path =>
  task.root.mount.namespace === ns ? task.root : new Path(ns.root, ns.root.root);

const topOf = (mount: Mount): Path => new Path(mount, mount.root);

const findMount = (ns: MountNamespace, id: number): Mount | undefined =>
  ns.mounts().find(({ uniqueId }) => uniqueId === id);

/** Without CAP_SYS_ADMIN, a task sees only what is below its root. */
const mayLook = (task: Task, path: Path, root: Path): boolean =>
  capable(task.cred, CAP_SYS_ADMIN) || reachable(path, root) !== null;

function listmount(task: Task, req: number, ids: number, count: number, flags: number): number {
  if ((flags & ~LISTMOUNT_REVERSE) !== 0) return -EINVAL;
  if (count > MOST_IDS) return -EOVERFLOW;
  const request = readRequest(task, req);
  if (typeof request === 'number') return request;
  if (request.param !== 0 && request.param <= UNIQUE_IDS) return -EINVAL;
  const ns = namespaceOf(task, request);
  if (typeof ns === 'number') return ns;
  const root = rootIn(task, ns);
  const mount = request.ofRoot ? root.mount : findMount(ns, request.id);
  if (mount === undefined) return -ENOENT;
  const from = request.ofRoot ? root : topOf(mount);
  if (!mayLook(task, from, root)) return -EPERM;
  const below = ns
    .mounts()
    .filter(one => (request.ofRoot || one !== mount) && reachable(topOf(one), from) !== null);
  const found = inOrder(below, request.param, (flags & LISTMOUNT_REVERSE) !== 0).slice(0, count);
  const bytes = new Uint8Array(found.length * 8);
  const view = new DataView(bytes.buffer);
  for (const [i, id] of found.entries()) setInt64(view, i * 8, id);
  const stored = copyOut(task.user, ids, bytes);
  return stored < 0 ? stored : found.length;
}

/** The mounts' numbers in order, from the one after `last`. */
function inOrder(mounts: readonly Mount[], last: number, reverse: boolean): number[] {
  const ids = mounts.map(({ uniqueId }) => uniqueId).sort((a, b) => a - b);
  if (reverse) ids.reverse();
  return last === 0 ? ids : ids.filter(id => (reverse ? id < last : id > last));
}

function statmount(task: Task, req: number, buf: number, size: number, flags: number): number {
  if (flags !== 0) return -EINVAL;
  const request = readRequest(task, req);
  if (typeof request === 'number') return request;
  const ns = namespaceOf(task, request);
  if (typeof ns === 'number') return ns;
  const mount = findMount(ns, request.id);
  if (mount === undefined) return -ENOENT;
  const root = rootIn(task, ns);
  if (!mayLook(task, topOf(mount), root)) return -EPERM;
  const { bytes, strings } = makeStatmount(factsOf(mount, ns, root), request.mask, size);
  if (strings !== '' && size < STATMOUNT_SIZE + strings.length) return -EOVERFLOW;
  const stored = copyOut(task.user, buf, bytes.subarray(0, size));
  return stored < 0 || strings === '' ? stored : copyOutString(task.user, buf + STATMOUNT_SIZE, strings);
}

function factsOf(mount: Mount, ns: MountNamespace, root: Path): MountFacts {
  const { sb, id, uniqueId } = mount;
  const parent = mount.parent ?? mount;
  return {
    dev: sb.dev,
    magic: sb.statfs().type,
    readOnly: sb.readOnly,
    type: sb.type,
    id,
    uniqueId,
    parentId: parent.id,
    uniqueParentId: parent.uniqueId,
    attributes: attributesOf(mount),
    propagation: propagationOf(mount),
    peers: mount.peers?.id ?? 0,
    master: mount.master?.id ?? 0,
    from: sourceOfMounts(mount, root)?.id ?? 0,
    namespaceId: ns.id,
    root: dentryPath(mount.root),
    point: reachable(topOf(mount), root) ?? '',
    source: mount.source === '' ? 'none' : mount.source,
    options: sb.showOptions().split(',').filter(Boolean),
  };
}

export const statmountCalls: readonly Syscall[] = [
  call(
    'listmount',
    [pointer('req'), pointer('mnt_ids'), ulong('nr_mnt_ids'), flags('flags', { LISTMOUNT_REVERSE })],
    listmount,
  ),
  call('statmount', [pointer('req'), pointer('buf'), ulong('bufsize'), flags('flags', {})], statmount),
];
