/** User and group ids, and capabilities (credentials(7), capabilities(7)). */

import { capFromWords, capIntersect, capSubset, capUnion } from '../core/capset.ts';
import { CAP_SETGID, CAP_SETPCAP, type CapSet, type Cred, capable } from '../core/cred.ts';
import { copyIn, copyOut } from '../core/user-copy.ts';
import { putInt } from '../core/user-values.ts';
import { commitCreds } from '../kernel/commit-creds.ts';
import { tellIds } from '../kernel/facts.ts';
import {
  setfsgid,
  setfsuid,
  setgid,
  setregid,
  setresgid,
  setresuid,
  setreuid,
  setuid,
} from '../kernel/setuid.ts';
import type { Task } from '../kernel/task.ts';
import { EFAULT, EINVAL, EPERM, ESRCH } from '../uapi/errno.ts';
import { call, int, outStruct, pointer, type Syscall, shown, shownAfter, uint } from './args.ts';
import { arrayAt, NUMBER } from './show.ts';
import { INT } from './structs/fields.ts';

const NGROUPS_MAX = 65536;

function change(task: Task, cred: Cred | number): number {
  if (typeof cred === 'number') return cred;
  commitCreds(task, cred);
  tellIds(task);
  return 0;
}

/** setfsuid and setfsgid answer the previous id, whether or not they changed it. */
function changeFs(task: Task, cred: Cred | null, old: number): number {
  if (cred !== null) commitCreds(task, cred);
  return old;
}

/** Stores three ids, each at its own address. */
function getThree(task: Task, addresses: readonly number[], ids: readonly number[]): number {
  for (const [i, id] of ids.entries()) {
    const error = putInt(task.user, addresses[i]!, id);
    if (error < 0) return error;
  }
  return 0;
}

function getgroups(task: Task, size: number, list: number): number {
  const { groups } = task.cred;
  if (size < 0) return -EINVAL;
  if (size === 0) return groups.length;
  if (size < groups.length) return -EINVAL;
  const bytes = new Uint8Array(groups.length * 4);
  const view = new DataView(bytes.buffer);
  for (const [i, gid] of groups.entries()) view.setUint32(4 * i, gid, true);
  const error = copyOut(task.user, list, bytes);
  return error < 0 ? error : groups.length;
}

function setgroups(task: Task, size: number, list: number): number {
  if (!capable(task.cred, CAP_SETGID)) return -EPERM;
  if (size >>> 0 > NGROUPS_MAX) return -EINVAL;
  const bytes = copyIn(task.user, list, size * 4);
  if (typeof bytes === 'number') return bytes;
  const groups = [...new Uint32Array(bytes.buffer).sort()];
  if (groups.includes(0xffff_ffff)) return -EINVAL;
  commitCreds(task, { ...task.cred, groups });
  return 0;
}

/** struct __user_cap_header_struct: 0 version | 4 pid. Version 1 has one word per set, later versions have two. */
const CAP_VERSION_1 = 0x1998_0330;
const CAP_VERSION_2 = 0x2007_1026;
const CAP_VERSION_3 = 0x2008_0522;

interface CapHeader {
  readonly words: number;
  readonly pid: number;
}

/** -EINVAL for an unknown version, after storing the preferred one. */
function capHeader(task: Task, addr: number): CapHeader | number {
  const at = task.user.in(addr, 8);
  if (at < 0) return at;
  const version = task.user.view.getUint32(at, true);
  const pid = task.user.view.getInt32(at + 4, true);
  if (version === CAP_VERSION_1) return { words: 1, pid };
  if (version === CAP_VERSION_2 || version === CAP_VERSION_3) return { words: 2, pid };
  return putInt(task.user, addr, CAP_VERSION_3) || -EINVAL;
}

function capget(task: Task, headerAddr: number, data: number): number {
  const header = capHeader(task, headerAddr);
  if (typeof header === 'number') return data === 0 && header === -EINVAL ? 0 : header;
  if (header.pid < 0) return -EINVAL;
  const of = header.pid === 0 ? task : task.kernel.tasks.get(header.pid);
  if (of === undefined) return -ESRCH;
  if (data === 0) return 0;
  const sets = [of.cred.effective, of.cred.permitted, of.cred.inheritable];
  const at = task.user.out(data, header.words * 12);
  if (at < 0) return at;
  for (const [i, set] of sets.entries()) {
    task.user.view.setUint32(at + 4 * i, set.lo, true);
    if (header.words === 2) task.user.view.setUint32(at + 12 + 4 * i, set.hi, true);
  }
  return 0;
}

function capset(task: Task, headerAddr: number, data: number): number {
  const header = capHeader(task, headerAddr);
  if (typeof header === 'number') return header;
  if (header.pid !== 0 && header.pid !== task.pid) return -EPERM;
  const at = data === 0 ? -EFAULT : task.user.in(data, header.words * 12);
  if (at < 0) return at;
  const { view } = task.user;
  const set = (i: number): CapSet =>
    capFromWords(
      view.getUint32(at + 4 * i, true),
      header.words === 2 ? view.getUint32(at + 12 + 4 * i, true) : 0,
    );
  return change(task, withCaps(task.cred, set(0), set(1), set(2)));
}

/** The rules of capabilities(7), "Programmatically adjusting capability sets". */
function withCaps(cred: Cred, effective: CapSet, permitted: CapSet, inheritable: CapSet): Cred | number {
  const raisable = capUnion(cred.inheritable, cred.permitted);
  if (!capable(cred, CAP_SETPCAP) && !capSubset(inheritable, raisable)) return -EPERM;
  if (!capSubset(inheritable, capUnion(cred.inheritable, cred.bounding))) return -EPERM;
  if (!capSubset(permitted, cred.permitted) || !capSubset(effective, permitted)) return -EPERM;
  const ambient = capIntersect(cred.ambient, capIntersect(permitted, inheritable));
  return { ...cred, effective, permitted, inheritable, ambient };
}

/** Ids are unsigned, but 32-bit arguments arrive signed. */
const u = (id: number): number => id >>> 0;

export const credCalls: readonly Syscall[] = [
  call('getuid', [], t => t.cred.uid),
  call('geteuid', [], t => t.cred.euid),
  call('getgid', [], t => t.cred.gid),
  call('getegid', [], t => t.cred.egid),
  call('getresuid', [outStruct('ruid', INT), outStruct('euid', INT), outStruct('suid', INT)], (t, r, e, s) =>
    getThree(t, [r, e, s], [t.cred.uid, t.cred.euid, t.cred.suid]),
  ),
  call('getresgid', [outStruct('rgid', INT), outStruct('egid', INT), outStruct('sgid', INT)], (t, r, e, s) =>
    getThree(t, [r, e, s], [t.cred.gid, t.cred.egid, t.cred.sgid]),
  ),
  call('setuid', [uint('uid')], (t, uid) => change(t, setuid(t.cred, u(uid)))),
  call('setgid', [uint('gid')], (t, gid) => change(t, setgid(t.cred, u(gid)))),
  call('setreuid', [uint('ruid'), uint('euid')], (t, r, e) => change(t, setreuid(t.cred, u(r), u(e)))),
  call('setregid', [uint('rgid'), uint('egid')], (t, r, e) => change(t, setregid(t.cred, u(r), u(e)))),
  call('setresuid', [uint('ruid'), uint('euid'), uint('suid')], (t, r, e, s) =>
    change(t, setresuid(t.cred, u(r), u(e), u(s))),
  ),
  call('setresgid', [uint('rgid'), uint('egid'), uint('sgid')], (t, r, e, s) =>
    change(t, setresgid(t.cred, u(r), u(e), u(s))),
  ),
  call('setfsuid', [uint('fsuid')], (t, id) => changeFs(t, setfsuid(t.cred, u(id)), t.cred.fsuid)),
  call('setfsgid', [uint('fsgid')], (t, id) => changeFs(t, setfsgid(t.cred, u(id)), t.cred.fsgid)),
  call(
    'getgroups',
    [
      int('size'),
      shownAfter(
        'list',
        arrayAt(NUMBER, look => look.result),
      ),
    ],
    getgroups,
  ),
  call(
    'setgroups',
    [
      int('size'),
      shown(
        'list',
        arrayAt(NUMBER, look => look.args[0]!),
      ),
    ],
    setgroups,
  ),
  call('capget', [pointer('hdrp'), pointer('datap')], capget),
  call('capset', [pointer('hdrp'), pointer('datap')], capset),
];
