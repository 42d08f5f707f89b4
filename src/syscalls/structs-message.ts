/** msghdr and what hangs from it (sendmsg(2), recvmsg(2), cmsg(3)), as strace shows them. */
import { getUint64 } from '../lib/int64.ts';
import { SCM_CREDENTIALS, SCM_RIGHTS, SOL_SOCKET } from '../uapi/socket.ts';
import type { FlagNames, Look, Show, Struct } from './args.ts';
import { address, arrayAt, bytesAt, flagWord, MOST_BYTES, named } from './show.ts';
import { IOVEC, socketAddress } from './structs.ts';

const MSGHDR_SIZE = 56;
const MMSGHDR_SIZE = 64;
const CMSG_HEADER = 16;
const MOST_CONTROL = 256;
const MOST_MESSAGES = 16;

/** A message of which `received` bytes have come; Infinity: one to be sent. */
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

/** The buffers, each with the part of the message that is in it. */
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
  const typeName = ofSockets ? named({ SCM_RIGHTS, SCM_CREDENTIALS })(type) : String(type);
  return `{cmsg_len=${length}, cmsg_level=${named({ SOL_SOCKET })(level)}, cmsg_type=${typeName}, cmsg_data=${data}}`;
}

/** `come`: it is shown after the call, which has filled it. */
export const messageAt =
  (come: boolean, names: FlagNames): Show =>
  (at, look) => {
    const view = at === 0 ? null : look.memory(at, MSGHDR_SIZE);
    return view === null
      ? address(at)
      : message(view, 0, look, come ? look.result : Number.POSITIVE_INFINITY, names);
  };

/** The messages of a batch, those that were handled when it is shown after the call. */
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
