/** Ancillary data of messages (cmsg(3), unix(7)): the descriptors and credentials that travel with them. */
import {
  CMSGHDR_SIZE,
  cmsgAlign,
  readCmsgHdr,
  UCRED_SIZE,
  writeCmsgHdr,
} from '../arch/x86_64/structs/msghdr.ts';
import type { Timespec } from '../core/clock.ts';
import { copyIn, copyOut } from '../core/user-copy.ts';
import type { File } from '../fs/file.ts';
import type { Task } from '../kernel/task.ts';
import { setInt64 } from '../lib/int64.ts';
import type { Result } from '../lib/result.ts';
import { ints } from '../net/options.ts';
import type { Incoming, Ucred } from '../net/socket.ts';
import { EBADF, EINVAL, ENOBUFS } from '../uapi/errno.ts';
import {
  MSG_CMSG_CLOEXEC,
  MSG_CTRUNC,
  SCM_CREDENTIALS,
  SCM_MAX_FD,
  SCM_PIDFD,
  SCM_RIGHTS,
  SO_TIMESTAMPNS,
  SO_TIMESTAMPNS_NEW,
  SOL_SOCKET,
} from '../uapi/socket.ts';
import { install } from './names.ts';

/** /proc/sys/net/core/optmem_max. */
const MAX_CONTROL = 131072;
/** Bytes; more than credentials and SCM_MAX_FD descriptors take. */
const MOST_WRITTEN = 2048;
/** The id that programs see for a user or group without a number (/proc/sys/kernel/overflowuid). */
const OVERFLOW_ID = 65534;

/** What a message to send carries. The caller must drop the references to the files. */
export interface Control {
  readonly rights: File[];
  cred: Ucred | null;
}

export function readControl(task: Task, addr: number, len: number): Result<Control> {
  if (len > MAX_CONTROL) return -ENOBUFS;
  const bytes = copyIn(task.user, addr, len);
  if (typeof bytes === 'number') return bytes;
  const view = new DataView(bytes.buffer);
  const control: Control = { rights: [], cred: null };
  for (let at = 0; at + CMSGHDR_SIZE <= len; ) {
    const size = readCmsgHdr(view, at).len;
    const err = size < CMSGHDR_SIZE || at + size > len ? -EINVAL : readOne(task, view, at, control);
    if (err < 0) {
      dropRights(control);
      return err;
    }
    at += cmsgAlign(size);
  }
  return control;
}

export function dropRights(control: Control): void {
  for (const file of control.rights.splice(0)) file.put();
}

function readOne(task: Task, view: DataView, at: number, control: Control): number {
  const { len, level, type } = readCmsgHdr(view, at);
  if (level !== SOL_SOCKET) return 0;
  const data = at + CMSGHDR_SIZE;
  if (type === SCM_CREDENTIALS) {
    if (len !== CMSGHDR_SIZE + UCRED_SIZE) return -EINVAL;
    const [pid, uid, gid] = [0, 4, 8].map(off => view.getInt32(data + off, true));
    control.cred = { pid: pid!, uid: uid! >>> 0, gid: gid! >>> 0 };
    return 0;
  }
  if (type !== SCM_RIGHTS) return -EINVAL;
  const count = Math.floor((len - CMSGHDR_SIZE) / 4);
  if (control.rights.length + count > SCM_MAX_FD) return -EINVAL;
  for (let i = 0; i < count; i++) {
    const file = task.files.get(view.getInt32(data + 4 * i, true));
    if (file === null) return -EBADF;
    control.rights.push(file.get());
  }
  return 0;
}

/** Stores what came with a message at [addr, addr + room); bytes used, or -EFAULT. Sets MSG_CTRUNC if room is short. */
export function writeControl(task: Task, addr: number, room: number, message: Incoming): number {
  const space = Math.min(room, MOST_WRITTEN);
  const bytes = new Uint8Array(cmsgAlign(space));
  const view = new DataView(bytes.buffer);
  let used = 0;
  const into: Space = { view, space, message };
  if (message.time !== null)
    used = put(into, 0, message.timestamps, timeBytes(message.timestamps, message.time));
  if (message.tellsCred) used += put(into, used, SCM_CREDENTIALS, credBytes(message.sender!));
  if (message.rights.length > 0) used += writeRights(task, view, used, space, message);
  if (message.tellsPidfd) used += writePidfd(task, into, used);
  return used === 0 ? 0 : copyOut(task.user, addr, bytes.subarray(0, used)) || used;
}

interface Space {
  readonly view: DataView;
  readonly space: number;
  readonly message: Incoming;
}

/** Stores one control message, or as much of it as fits; returns how much of the space it takes. */
function put({ view, space, message }: Space, at: number, type: number, data: Uint8Array): number {
  const whole = CMSGHDR_SIZE + data.length;
  const room = space - at;
  if (room < whole) message.outFlags |= MSG_CTRUNC;
  if (room < CMSGHDR_SIZE) return 0;
  const len = Math.min(whole, room);
  writeCmsgHdr(view, at, len, SOL_SOCKET, type);
  new Uint8Array(view.buffer).set(data.subarray(0, len - CMSGHDR_SIZE), at + CMSGHDR_SIZE);
  return Math.min(cmsgAlign(whole), room);
}

const credBytes = ({ pid, uid, gid }: Ucred): Uint8Array =>
  ints(pid, uid === -1 ? OVERFLOW_ID : uid, gid === -1 ? OVERFLOW_ID : gid);

/** A struct timeval or timespec. */
function timeBytes(timestamps: number, { sec, nsec }: Timespec): Uint8Array {
  const isFine = timestamps === SO_TIMESTAMPNS || timestamps === SO_TIMESTAMPNS_NEW;
  const bytes = new Uint8Array(16);
  const view = new DataView(bytes.buffer);
  setInt64(view, 0, sec);
  setInt64(view, 8, isFine ? nsec : Math.floor(nsec / 1000));
  return bytes;
}

/** Stores a pidfd of the sender's process, or the error that prevents it; nothing if the sender is unknown. */
function writePidfd(task: Task, into: Space, at: number): number {
  const { message, space } = into;
  if (space - at < CMSGHDR_SIZE + 4) {
    message.outFlags |= MSG_CTRUNC;
    return 0;
  }
  const { process } = message.sender!;
  if (process === null) return 0;
  return put(into, at, SCM_PIDFD, ints(install(task, task.kernel.pidfs.open(process, 0), true)));
}

/** Gives descriptors to as many files as there is room for, and closes the others. */
function writeRights(task: Task, view: DataView, at: number, space: number, message: Incoming): number {
  const cloexec = (message.flags & MSG_CMSG_CLOEXEC) !== 0;
  const most = Math.max(0, Math.floor((space - at - CMSGHDR_SIZE) / 4));
  let count = 0;
  let full = false;
  for (const file of message.rights.splice(0)) {
    full ||= count === most;
    if (full) {
      file.put();
      continue;
    }
    const fd = install(task, file, cloexec);
    if (fd < 0) full = true;
    else view.setInt32(at + CMSGHDR_SIZE + 4 * count++, fd, true);
  }
  if (full) message.outFlags |= MSG_CTRUNC;
  if (count === 0) return 0;
  const len = CMSGHDR_SIZE + 4 * count;
  writeCmsgHdr(view, at, len, SOL_SOCKET, SCM_RIGHTS);
  return Math.min(cmsgAlign(len), space - at);
}
