/** Messages and their parts (iovec(3type), unix(7), sendmsg(2), cmsg(3), mq_getattr(3)), as strace shows them. */
import { getInt64, getUint64 } from '../../lib/int64.ts';
import { latin1 } from '../../lib/latin1.ts';
import {
  AF_INET,
  AF_INET6,
  AF_NETLINK,
  AF_UNIX,
  AF_UNSPEC,
  SCM_CREDENTIALS,
  SCM_PIDFD,
  SCM_RIGHTS,
  SOL_SOCKET,
} from '../../uapi/socket.ts';
import type { FlagNames, Look, Show, Struct } from '../args.ts';
import { address, arrayAt, bytesAt, flagWord, MOST_BYTES, named, quoted, struct } from '../show.ts';
import { cString, s64 } from './fields.ts';

export const IOVEC: Struct = {
  size: 16,
  show: (view, at, look) => {
    const len = getInt64(view, at + 8);
    return `{iov_base=${bytesAt(getUint64(view, at), len, look)}, iov_len=${len}}`;
  },
};

export const MQ_ATTR = struct(64, {
  mq_flags: s64(0),
  mq_maxmsg: s64(8),
  mq_msgsize: s64(16),
  mq_curmsgs: s64(24),
});
export const FAMILIES: FlagNames = { AF_UNSPEC, AF_UNIX, AF_INET, AF_INET6, AF_NETLINK };
const SUN_PATH = 2;

/** An address of `len` bytes. */
export function socketAddress(at: number, len: number, look: Parameters<Show>[1]): string {
  const view = at === 0 || len < SUN_PATH || len > 128 ? null : look.memory(at, len);
  if (view === null) return address(at);
  const family = view.getUint16(0, true);
  const head = `{sa_family=${named(FAMILIES)(family)}`;
  if (family !== AF_UNIX || len === SUN_PATH) return `${head}${len > SUN_PATH ? ', ...' : ''}}`;
  if (view.getUint8(SUN_PATH) !== 0) return `${head}, sun_path=${cString(view, SUN_PATH, len - SUN_PATH)}}`;
  const name = new Uint8Array(view.buffer, view.byteOffset + SUN_PATH + 1, len - SUN_PATH - 1);
  return `${head}, sun_path=@${quoted(latin1(name, 0, name.length))}}`;
}

/** An address whose length is argument `lengthArg`, or `pointed` to by it. */
export const socketAddressOf =
  (lengthArg: number, pointed: boolean): Show =>
  (at, look) => {
    const given = look.args[lengthArg] ?? 0;
    const len = pointed ? (look.memory(given, 4)?.getInt32(0, true) ?? 0) : given;
    return socketAddress(at, len, look);
  };

const MSGHDR_SIZE = 56;
const MMSGHDR_SIZE = 64;
const CMSG_HEADER = 16;
const MOST_CONTROL = 256;
const MOST_MESSAGES = 16;

/** A message of which `received` bytes have come; Infinity for one to be sent. */
function message(view: DataView, at: number, look: Look, received: number, names: FlagNames): string {
  const nameLen = view.getUint32(at + 8, true);
  const iov = getUint64(view, at + 16);
  const count = getUint64(view, at + 24);
  const control = getUint64(view, at + 32);
  const controlLen = getUint64(view, at + 40);
  const name =
    nameLen === 0 ? address(getUint64(view, at)) : socketAddress(getUint64(view, at), nameLen, look);
  const fields = [
    `msg_name=${name}`,
    `msg_namelen=${nameLen}`,
    `msg_iov=${vectors(received)(iov, count, look)}`,
    `msg_iovlen=${count}`,
    ...(controlLen === 0 ? [] : [`msg_control=${controls(control, controlLen, look)}`]),
    `msg_controllen=${controlLen}`,
    `msg_flags=${flagWord(view.getInt32(at + 48, true), names)}`,
  ];
  return `{${fields.join(', ')}}`;
}

/** The buffers, each with its part of the message. */
const vectors =
  (received: number) =>
  (at: number, count: number, look: Look): string => {
    let left = received;
    const one: Struct = {
      size: IOVEC.size,
      show: (view, off) => {
        const len = getUint64(view, off + 8);
        const filled = Math.min(len, left);
        left -= filled;
        return `{iov_base=${bytesAt(getUint64(view, off), filled, look)}, iov_len=${len}}`;
      },
    };
    return arrayAt(one, () => count)(at, look);
  };

function controls(at: number, len: number, look: Look): string {
  const size = Math.min(len, MOST_CONTROL);
  const view = look.memory(at, size);
  if (view === null) return address(at);
  const all: string[] = [];
  for (let off = 0; off + CMSG_HEADER <= size; ) {
    const length = getUint64(view, off);
    if (length < CMSG_HEADER || off + length > size) break;
    all.push(controlMessage(view, off, length));
    off += (length + 7) & ~7;
  }
  return `[${all.join(', ')}]`;
}

function controlMessage(view: DataView, at: number, length: number): string {
  const level = view.getInt32(at + 8, true);
  const type = view.getInt32(at + 12, true);
  const words = Array.from({ length: (length - CMSG_HEADER) >> 2 }, (_, i) =>
    view.getInt32(at + CMSG_HEADER + 4 * i, true),
  );
  const ofSockets = level === SOL_SOCKET;
  const data =
    ofSockets && type === SCM_CREDENTIALS
      ? `{pid=${words[0]}, uid=${words[1]}, gid=${words[2]}}`
      : `[${words.slice(0, MOST_BYTES).join(', ')}]`;
  const typeName = ofSockets ? named({ SCM_RIGHTS, SCM_CREDENTIALS, SCM_PIDFD })(type) : String(type);
  return `{cmsg_len=${length}, cmsg_level=${named({ SOL_SOCKET })(level)}, cmsg_type=${typeName}, cmsg_data=${data}}`;
}

/** `come`: shown after the call, which has filled it. */
export const messageAt =
  (come: boolean, names: FlagNames): Show =>
  (at, look) => {
    const view = at === 0 ? null : look.memory(at, MSGHDR_SIZE);
    return view === null
      ? address(at)
      : message(view, 0, look, come ? look.result : Number.POSITIVE_INFINITY, names);
  };

/** The messages of a batch; after the call, only those that it handled. */
export const messagesAt =
  (come: boolean, names: FlagNames): Show =>
  (at, look) => {
    const count = come ? look.result : (look.args[2] ?? 0);
    const one: Struct = {
      size: MMSGHDR_SIZE,
      show: (view, off) => {
        const len = view.getUint32(off + MSGHDR_SIZE, true);
        const received = come ? len : Number.POSITIVE_INFINITY;
        return `{msg_hdr=${message(view, off, look, received, names)}${come ? `, msg_len=${len}` : ''}}`;
      },
    };
    return arrayAt(one, () => Math.min(count, MOST_MESSAGES))(at, look);
  };
