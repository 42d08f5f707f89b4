/**
 * set_mempolicy(2), mbind(2), get_mempolicy(2), migrate_pages(2), move_pages(2), set_mempolicy_home_node(2). There is
 * only one node: policies are kept, but all pages are always on that node.
 */
import { CAP_SYS_NICE, capable } from '../core/cred.ts';
import { copyIn, copyOut } from '../core/user-copy.ts';
import { mayAttach } from '../kernel/ptrace-access.ts';
import { Slice } from '../kernel/slice.ts';
import type { Task } from '../kernel/task.ts';
import { wrap64 } from '../lib/int64.ts';
import { faultInArea, residency } from '../mm/advice.ts';
import {
  ALL_NODES,
  hasNodeZero,
  type MemPolicy,
  NO_NODES,
  type Nodes,
  newPolicy,
  splitMode,
} from '../mm/mem-policy.ts';
import type { Mm } from '../mm/mm.ts';
import { PAGE_SIZE, pageUp } from '../mm/ram.ts';
import { EFAULT, EINTR, EINVAL, ENODEV, ENOENT, ENOMEM, EOPNOTSUPP, EPERM, ESRCH } from '../uapi/errno.ts';
import * as uapi from '../uapi/mempolicy.ts';
import { MPOL_BIND, MPOL_DEFAULT, MPOL_PREFERRED_MANY } from '../uapi/mempolicy.ts';
import { address, call, extent, flags, int, pid, pointer, type Syscall, ulong } from './args.ts';
import { mayCut } from './mm-limits.ts';
import { namesIn } from './show.ts';

/** MAX_NUMNODES: masks may be longer if the rest is zero. */
const MOST_NODES = 1024;
/** The most bits of a mask. */
const LONGEST = PAGE_SIZE * 8;

/** Reads a set of nodes from a mask of `count - 1` bits; a null `addr` is the empty set. */
function nodesAt(task: Task, addr: number, count: number): Nodes | number {
  // A count of 0 wraps around to the largest number.
  const bits = count === 0 ? Number.MAX_SAFE_INTEGER : count - 1;
  if (bits === 0 || addr === 0) return NO_NODES;
  if (bits > LONGEST) return -EINVAL;
  const bytes = copyIn(task.user, addr, Math.ceil(bits / 64) * 8);
  if (typeof bytes === 'number') return bytes;
  const size = Math.min(bits, MOST_NODES);
  if (bytes.subarray(MOST_NODES / 8).some(byte => byte !== 0)) return -EINVAL;
  for (let bit = size; bit < bytes.length * 8; bit++) bytes[bit >>> 3]! &= ~(1 << (bit & 7));
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const more = bytes.subarray(8).some(byte => byte !== 0);
  return { lo: view.getUint32(0, true), hi: view.getUint32(4, true), more };
}

/** Stores a set of nodes into a mask of `count - 1` bits: its first 64 bits, then zeros. */
function putNodes(task: Task, addr: number, count: number, { lo, hi }: Nodes): number {
  const size = Math.ceil((count - 1) / 64) * 8;
  if (size > PAGE_SIZE) return -EINVAL;
  const bytes = new Uint8Array(size);
  if (size > 0) {
    const view = new DataView(bytes.buffer);
    view.setUint32(0, lo, true);
    view.setUint32(4, hi, true);
  }
  return copyOut(task.user, addr, bytes);
}

function policyOf(task: Task, word: number, mask: number, count: number): MemPolicy | null | number {
  const split = splitMode(word);
  if (typeof split === 'number') return split;
  const nodes = nodesAt(task, mask, count);
  return typeof nodes === 'number' ? nodes : newPolicy(split.mode, split.flags, nodes);
}

function setMempolicy(task: Task, word: number, mask: number, count: number): number {
  const policy = policyOf(task, word, mask, count);
  if (typeof policy === 'number') return policy;
  task.attributes.memPolicy = policy;
  return 0;
}

const MOVES = namesIn(uapi, /^MPOL_MF_/);
const MOVES_KNOWN = uapi.MPOL_MF_STRICT | uapi.MPOL_MF_MOVE | uapi.MPOL_MF_MOVE_ALL;

function mbind(
  task: Task,
  addr: number,
  len: number,
  word: number,
  mask: number,
  count: number,
  how: number,
): number {
  const { mm } = task;
  const split = splitMode(word);
  if (typeof split === 'number') return split;
  const nodes = nodesAt(task, mask, count);
  if (typeof nodes === 'number') return nodes;
  if (mm === null || how < 0 || how > MOVES_KNOWN) return -EINVAL;
  if ((how & uapi.MPOL_MF_MOVE_ALL) !== 0 && !capable(task.cred, CAP_SYS_NICE)) return -EPERM;
  const end = endOf(addr, len);
  if (end <= addr) return end === addr ? 0 : -EINVAL;
  const policy = newPolicy(split.mode, split.flags, nodes);
  if (typeof policy === 'number') return policy;
  const [first] = mm.vmas.within(addr, end);
  if (first === undefined || (split.mode !== MPOL_DEFAULT && !mm.vmas.covering(addr, end))) return -EFAULT;
  if (!mayCut(task, mm, addr, end)) return -ENOMEM;
  mm.vmas.setPolicies(addr, end, () => policy);
  return 0;
}

/** Where a range of pages ends; less than `addr` if the range is invalid. */
function endOf(addr: number, len: number): number {
  const end = wrap64(addr + wrap64(pageUp(len)));
  return addr % PAGE_SIZE !== 0 ? -1 : end;
}

function setHomeNode(task: Task, addr: number, len: number, node: number, how: number): number {
  const { mm } = task;
  if (mm === null || addr % PAGE_SIZE !== 0 || how !== 0 || node !== 0) return -EINVAL;
  const end = endOf(addr, len);
  if (end <= addr) return end === addr ? 0 : -EINVAL;
  let found = -ENOENT;
  let stop = end;
  for (const { start, policy } of mm.vmas.within(addr, end)) {
    if (policy === null) continue;
    found = policy.mode === MPOL_BIND || policy.mode === MPOL_PREFERRED_MANY ? 0 : -EOPNOTSUPP;
    if (found < 0) stop = start;
    if (found < 0) break;
  }
  if (stop > addr) mm.vmas.setPolicies(addr, stop, old => old && { ...old, hasHome: true });
  return found;
}

const QUERIES = {
  MPOL_F_NODE: uapi.MPOL_F_NODE,
  MPOL_F_ADDR: uapi.MPOL_F_ADDR,
  MPOL_F_MEMS_ALLOWED: uapi.MPOL_F_MEMS_ALLOWED,
};

function getMempolicy(
  task: Task,
  modeAddr: number,
  mask: number,
  count: number,
  addr: number,
  how: number,
): number {
  if (mask !== 0 && count === 0) return -EINVAL;
  const answer = query(task, addr, how);
  if (typeof answer === 'number') return answer;
  if (modeAddr !== 0) {
    const at = task.user.out(modeAddr, 4);
    if (at < 0) return at;
    task.user.view.setInt32(at, answer.word, true);
  }
  return mask === 0 ? 0 : putNodes(task, mask, count, answer.nodes);
}

function query(task: Task, addr: number, how: number): { word: number; nodes: Nodes } | number {
  const { mm } = task;
  if (mm === null || how < 0 || how > 7) return -EINVAL;
  const ofNode = (how & uapi.MPOL_F_NODE) !== 0;
  const ofAddress = (how & uapi.MPOL_F_ADDR) !== 0;
  if ((how & uapi.MPOL_F_MEMS_ALLOWED) !== 0)
    return ofNode || ofAddress ? -EINVAL : { word: 0, nodes: ALL_NODES };
  const vma = ofAddress ? mm.vmas.find(addr) : null;
  if (ofAddress ? vma === null : addr !== 0) return ofAddress ? -EFAULT : -EINVAL;
  const policy = vma === null ? task.attributes.memPolicy : vma.policy;
  const nodes = policy?.nodes ?? NO_NODES;
  if (!ofNode) return { word: policy === null ? MPOL_DEFAULT : policy.mode | policy.flags, nodes };
  if (vma !== null) {
    const page = addr - (addr % PAGE_SIZE);
    return faultInArea(mm, vma, page, page + PAGE_SIZE, false) < 0 ? -EFAULT : { word: 0, nodes };
  }
  const spreads = policy?.mode === uapi.MPOL_INTERLEAVE || policy?.mode === uapi.MPOL_WEIGHTED_INTERLEAVE;
  return spreads ? { word: 0, nodes } : -EINVAL;
}

/** The task with this id, if the caller may look into it; -ESRCH, -EPERM. */
function target(task: Task, id: number): Task | number {
  const found = id === 0 ? task : task.kernel.tasks.get(id);
  if (found === undefined) return -ESRCH;
  return mayAttach(task, found) ? found : -EPERM;
}

function migratePages(task: Task, id: number, count: number, from: number, to: number): number {
  const old = nodesAt(task, from, count);
  if (typeof old === 'number') return old;
  const wanted = nodesAt(task, to, count);
  if (typeof wanted === 'number') return wanted;
  const found = target(task, id);
  if (typeof found === 'number') return found;
  const others = wanted.hi !== 0 || wanted.more || (wanted.lo & ~1) !== 0;
  if (others && !capable(task.cred, CAP_SYS_NICE)) return -EPERM;
  return !hasNodeZero(wanted) || found.mm === null ? -EINVAL : 0;
}

const MOVE_KNOWN = uapi.MPOL_MF_MOVE | uapi.MPOL_MF_MOVE_ALL;
/** Pages handled at once. */
const PIECE = 1024;

interface PageList {
  readonly mm: Mm;
  readonly count: number;
  readonly pages: number;
  readonly nodes: number;
  readonly status: number;
}

function movePages(
  task: Task,
  id: number,
  count: number,
  pages: number,
  nodes: number,
  status: number,
  how: number,
): number | Promise<number> {
  if ((how & ~MOVE_KNOWN) !== 0) return -EINVAL;
  if ((how & uapi.MPOL_MF_MOVE_ALL) !== 0 && !capable(task.cred, CAP_SYS_NICE)) return -EPERM;
  const found = target(task, id);
  if (typeof found === 'number') return found;
  if (found.mm === null) return -EINVAL;
  return tellNodes(task, { mm: found.mm, count, pages, nodes, status }, 0);
}

function tellNodes(task: Task, list: PageList, from: number): number | Promise<number> {
  const slice = new Slice(task);
  for (let done = from; done < list.count; ) {
    const n = Math.min(PIECE, list.count - done);
    const failed = tellSome(task, list, done, n);
    if (failed < 0) return failed;
    done += n;
    if (done === list.count || !slice.isOver) continue;
    const rest = (goesOn: boolean): number | Promise<number> =>
      goesOn ? tellNodes(task, list, done) : -EINTR;
    return slice.pause().then(rest);
  }
  return 0;
}

/** Checks where `n` pages should go and stores where they are: 0 or -errno. */
function tellSome(task: Task, { mm, pages, nodes, status }: PageList, first: number, n: number): number {
  const addresses = copyIn(task.user, pages + first * 8, n * 8);
  if (typeof addresses === 'number') return addresses;
  const wanted = nodes === 0 ? null : copyIn(task.user, nodes + first * 4, n * 4);
  if (typeof wanted === 'number') return wanted;
  const places = new DataView(addresses.buffer, addresses.byteOffset);
  const to = wanted === null ? null : new DataView(wanted.buffer, wanted.byteOffset);
  const told = new DataView(new ArrayBuffer(n * 4));
  for (let i = 0; i < n; i++) {
    if (to !== null && to.getInt32(i * 4, true) !== 0) return -ENODEV;
    const place = places.getUint32(i * 8, true) + places.getUint32(i * 8 + 4, true) * 2 ** 32;
    told.setInt32(i * 4, nodeOf(mm, place), true);
  }
  return copyOut(task.user, status + first * 4, new Uint8Array(told.buffer));
}

/** The node of a page; -EFAULT, or -ENOENT if it is not in memory. */
function nodeOf(mm: Mm, place: number): number {
  const vma = mm.vmas.find(place);
  if (vma === null) return -EFAULT;
  const there = new Uint8Array(1);
  residency(mm, vma, place - (place % PAGE_SIZE), there);
  return there[0] === 0 ? -ENOENT : 0;
}

const NOTE = 'there is only one node';

export const mempolicyCalls: readonly Syscall[] = [
  call('set_mempolicy', [int('mode'), pointer('nodemask'), ulong('maxnode')], setMempolicy, NOTE),
  call(
    'get_mempolicy',
    [pointer('mode'), pointer('nodemask'), ulong('maxnode'), address('addr'), flags('flags', QUERIES)],
    getMempolicy,
    NOTE,
  ),
  call(
    'mbind',
    [
      address('addr'),
      extent('len'),
      int('mode'),
      pointer('nodemask'),
      ulong('maxnode'),
      flags('flags', MOVES),
    ],
    mbind,
    NOTE,
  ),
  call(
    'set_mempolicy_home_node',
    [address('addr'), extent('len'), ulong('home_node'), ulong('flags')],
    setHomeNode,
    NOTE,
  ),
  call(
    'migrate_pages',
    [pid('pid'), ulong('maxnode'), pointer('old_nodes'), pointer('new_nodes')],
    migratePages,
    NOTE,
  ),
  call(
    'move_pages',
    [
      pid('pid'),
      ulong('count'),
      pointer('pages'),
      pointer('nodes'),
      pointer('status'),
      flags('flags', MOVES),
    ],
    movePages,
    NOTE,
  ),
];
