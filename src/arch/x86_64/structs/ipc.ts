/**
 * System V IPC's structures as the caller's memory holds them (linux-libc-dev's asm-generic/ipcbuf.h and its
 * neighbours); what is not named is 0:
 *
 *   struct ipc64_perm (48):   0 key | 4 uid | 8 gid | 12 cuid | 16 cgid | 20 mode u32 | 24 seq u16
 *   struct msqid64_ds (120):  perm | 48 stime | 56 rtime | 64 ctime | 72 cbytes | 80 qnum | 88 qbytes
 *                             96 lspid i32 | 100 lrpid i32
 *   struct semid64_ds (104):  perm | 48 otime | 64 ctime | 80 nsems
 *   struct shmid64_ds (112):  perm | 48 segsz | 56 atime | 64 dtime | 72 ctime | 80 cpid i32 | 84 lpid i32 | 88 nattch
 *   struct msginfo (32):      pool, map, max, mnb, mni, ssz, tql: i32 each | 28 seg u16
 *   struct seminfo (40):      map, mni, mns, mnu, msl, opm, ume, usz, vmx, aem: i32 each
 *   struct shminfo64 (72):    max, min, mni, seg, all: u64 each
 *   struct shm_info (48):     0 used_ids i32 | 8 tot | 16 rss | 24 swp | 32, 40 swap counts, u64 each
 *   struct sembuf (6):        0 sem_num u16 | 2 sem_op i16 | 4 sem_flg i16
 */
import { getUint64, setInt64 } from '../../../lib/int64.ts';

export const MSQID_DS_SIZE = 120;
export const SEMID_DS_SIZE = 104;
export const SHMID_DS_SIZE = 112;
export const MSGINFO_SIZE = 32;
export const SEMINFO_SIZE = 40;
export const SHMINFO_SIZE = 72;
export const SHM_INFO_SIZE = 48;
export const SEMBUF_SIZE = 6;

export interface PermFields {
  readonly key: number;
  readonly uid: number;
  readonly gid: number;
  readonly cuid: number;
  readonly cgid: number;
  readonly mode: number;
  readonly seq: number;
}

export interface MsqidFields extends PermFields {
  readonly stime: number;
  readonly rtime: number;
  readonly ctime: number;
  readonly cbytes: number;
  readonly qbytes: number;
  readonly messages: { readonly length: number };
  readonly lspid: number;
  readonly lrpid: number;
}

export interface SemidFields extends PermFields {
  readonly otime: number;
  readonly ctime: number;
  readonly values: { readonly length: number };
}

export interface ShmidFields extends PermFields {
  readonly size: number;
  readonly atime: number;
  readonly dtime: number;
  readonly ctime: number;
  readonly cpid: number;
  readonly lpid: number;
  readonly attached: number;
}

/** The window must be zeros. */
function writePerm(view: DataView, at: number, perm: PermFields): void {
  const { key, uid, gid, cuid, cgid, mode } = perm;
  for (const [i, word] of [key, uid, gid, cuid, cgid, mode].entries()) view.setUint32(at + 4 * i, word, true);
  view.setUint16(at + 24, perm.seq, true);
}

/** The members that IPC_SET uses. */
export const readPermChange = (view: DataView, at: number): { uid: number; gid: number; mode: number } => ({
  uid: view.getUint32(at + 4, true),
  gid: view.getUint32(at + 8, true),
  mode: view.getUint32(at + 20, true),
});

const writeLongs = (view: DataView, at: number, values: readonly number[]): void =>
  values.forEach((value, i) => {
    setInt64(view, at + 8 * i, value);
  });

const writeInts = (view: DataView, at: number, values: readonly number[]): void =>
  values.forEach((value, i) => {
    view.setInt32(at + 4 * i, value, true);
  });

export function writeMsqid(view: DataView, at: number, q: MsqidFields): void {
  writePerm(view, at, q);
  writeLongs(view, at + 48, [q.stime, q.rtime, q.ctime, q.cbytes, q.messages.length, q.qbytes]);
  writeInts(view, at + 96, [q.lspid, q.lrpid]);
}

export const readQbytes = (view: DataView, at: number): number => getUint64(view, at + 88);

export function writeSemid(view: DataView, at: number, set: SemidFields): void {
  writePerm(view, at, set);
  writeLongs(view, at + 48, [set.otime, 0, set.ctime, 0, set.values.length]);
}

export function writeShmid(view: DataView, at: number, segment: ShmidFields): void {
  writePerm(view, at, segment);
  writeLongs(view, at + 48, [segment.size, segment.atime, segment.dtime, segment.ctime]);
  writeInts(view, at + 80, [segment.cpid, segment.lpid]);
  setInt64(view, at + 88, segment.attached);
}

/** struct msginfo and struct seminfo. */
export const writeIpcInfo = writeInts;

/** struct shminfo64; sizes from 2^53 on mean no limit: ULONG_MAX - 2^24, as Linux reports it. */
export const writeShmLimits = (view: DataView, at: number, values: readonly number[]): void =>
  values.forEach((value, i) => {
    if (value <= Number.MAX_SAFE_INTEGER) setInt64(view, at + 8 * i, value);
    else view.setBigUint64(at + 8 * i, UNLIMITED, true);
  });

const UNLIMITED = 0xffff_ffff_feff_ffffn;

export function writeShmUse(view: DataView, at: number, ids: number, total: number, resident: number): void {
  view.setInt32(at, ids, true);
  writeLongs(view, at + 8, [total, resident]);
}

export const readSembuf = (view: DataView, at: number): { num: number; op: number; flags: number } => ({
  num: view.getUint16(at, true),
  op: view.getInt16(at + 2, true),
  flags: view.getInt16(at + 4, true),
});
