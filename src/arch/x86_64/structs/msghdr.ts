/**
 * Messages of sendmsg(2) and recvmsg(2):
 *
 *   struct msghdr (56)    0 name u64 | 8 namelen s32 | 16 iov u64 | 24 iovlen u64 | 32 control u64 |
 *                         40 controllen u64 | 48 flags s32
 *   struct mmsghdr (64)   0 msghdr | 56 len u32
 *   struct cmsghdr (16)   0 len u64 (header included) | 8 level s32 | 12 type s32, data, padded to 8 bytes
 *   struct ucred (12)     0 pid s32 | 4 uid u32 | 8 gid u32
 */
import { getUint64, setInt64 } from '../../../lib/int64.ts';

export const MSGHDR_SIZE = 56;
export const MMSGHDR_SIZE = 64;
export const MMSGHDR_LEN = 56;
export const CMSGHDR_SIZE = 16;
export const UCRED_SIZE = 12;

export interface MsgHdr {
  readonly name: number;
  readonly nameLen: number;
  readonly iov: number;
  readonly iovLen: number;
  readonly control: number;
  readonly controlLen: number;
  readonly flags: number;
}

export const readMsgHdr = (view: DataView, at: number): MsgHdr => ({
  name: getUint64(view, at),
  nameLen: view.getInt32(at + 8, true),
  iov: getUint64(view, at + 16),
  iovLen: getUint64(view, at + 24),
  control: getUint64(view, at + 32),
  controlLen: getUint64(view, at + 40),
  flags: view.getInt32(at + 48, true),
});

/** Offsets of the members that recvmsg changes. */
export const MSGHDR_NAMELEN = 8;
export const MSGHDR_CONTROLLEN = 40;
export const MSGHDR_FLAGS = 48;

export const cmsgAlign = (len: number): number => Math.ceil(len / 8) * 8;

export function writeCmsgHdr(view: DataView, at: number, len: number, level: number, type: number): void {
  setInt64(view, at, len);
  view.setInt32(at + 8, level, true);
  view.setInt32(at + 12, type, true);
}

export interface CmsgHdr {
  readonly len: number;
  readonly level: number;
  readonly type: number;
}

export const readCmsgHdr = (view: DataView, at: number): CmsgHdr => ({
  len: getUint64(view, at),
  level: view.getInt32(at + 8, true),
  type: view.getInt32(at + 12, true),
});
