/**
 * Credentials of a program that execve(2) starts: set-user-ID and set-group-ID, file capabilities, and the
 * formula of capabilities(7), "Transformation of capabilities during execve()".
 */

import { capFromWords, capIntersect, capSubset, capUnion } from '../core/capset.ts';
import { CAP_SETUID, CAPS_ALL, CAPS_NONE, type CapSet, type Cred, capable } from '../core/cred.ts';
import { EINVAL, EPERM } from '../uapi/errno.ts';
import { SECBIT_KEEP_CAPS, SECBIT_NOROOT } from '../uapi/prctl.ts';
import { S_ISGID, S_ISUID, S_IXGRP } from '../uapi/stat.ts';

/** The extended attribute security.capability. */
export interface FileCaps {
  readonly permitted: CapSet;
  readonly inheritable: CapSet;
  readonly effective: boolean;
}

/** The parts of a program's inode that matter here. */
export interface ExecutedFile {
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
}

export interface ExecCred {
  readonly cred: Cred;
  /** AT_SECURE: the program has rights that its caller had not, and should not trust its environment. */
  readonly secure: boolean;
}

/**
 * -EPERM when this process cannot have the file's capabilities and the program would not know. A process is `shared` if
 * others can move its root and working directory: its program then gets no rights from its file that the process lacks.
 */
export function credForExec(
  old: Cred,
  file: ExecutedFile,
  fileCaps: FileCaps | null,
  nosuid: boolean,
  noNewPrivs: boolean,
  shared = false,
): ExecCred | number {
  const inert = nosuid || noNewPrivs;
  const setuid = !inert && (file.mode & S_ISUID) !== 0;
  const setgid = !inert && (file.mode & S_ISGID) !== 0 && (file.mode & S_IXGRP) !== 0;
  const euid = setuid ? file.uid : old.euid;
  const egid = setgid ? file.gid : old.egid;
  const isSetId = euid !== old.uid || egid !== old.gid;

  const fromInode = inert ? null : fileCaps;
  const caps = asRoot(old, euid, fromInode);
  const ambient = isSetId || fromInode !== null ? CAPS_NONE : old.ambient;
  const fromFile = capIntersect(caps.permitted, old.bounding);
  const partial = fromInode !== null && !capSubset(fromInode.permitted, fromFile);
  if (partial && fromInode.effective && caps === fromInode) return -EPERM;
  const gained = capUnion(capUnion(capIntersect(old.inheritable, caps.inheritable), fromFile), ambient);
  const limited = shared && (isSetId || !capSubset(gained, old.permitted));
  const permitted = limited ? capIntersect(gained, old.permitted) : gained;
  const keepsIds = limited && !capable(old, CAP_SETUID);
  const uid = keepsIds ? old.uid : euid;
  const gid = keepsIds ? old.gid : egid;
  const cred: Cred = {
    ...old,
    euid: uid,
    suid: uid,
    fsuid: uid,
    egid: gid,
    sgid: gid,
    fsgid: gid,
    permitted,
    effective: caps.effective ? permitted : ambient,
    ambient,
    securebits: old.securebits & ~SECBIT_KEEP_CAPS,
  };
  const grew = old.uid !== 0 && (caps.effective || !capSubset(permitted, ambient));
  return { cred, secure: isSetId || grew };
}

/** Root's programs count as having all capabilities, unless SECBIT_NOROOT takes away root's special rights. */
function asRoot(old: Cred, euid: number, own: FileCaps | null): FileCaps {
  const plain = own ?? { permitted: CAPS_NONE, inheritable: CAPS_NONE, effective: false };
  if ((old.securebits & SECBIT_NOROOT) !== 0) return plain;
  // A set-user-ID-root file with capabilities gives an ordinary user only those.
  if (own !== null && old.uid !== 0 && euid === 0) return plain;
  if (old.uid !== 0 && euid !== 0) return plain;
  return { permitted: CAPS_ALL, inheritable: CAPS_ALL, effective: euid === 0 || plain.effective };
}

const VFS_CAP_REVISION_MASK = 0xff00_0000;
const VFS_CAP_REVISION_1 = 0x0100_0000;
const VFS_CAP_REVISION_2 = 0x0200_0000;
const VFS_CAP_REVISION_3 = 0x0300_0000;
const VFS_CAP_FLAGS_EFFECTIVE = 1;
const SIZES: Readonly<Record<number, number>> = {
  [VFS_CAP_REVISION_1]: 12,
  [VFS_CAP_REVISION_2]: 20,
  [VFS_CAP_REVISION_3]: 24,
};

/**
 * Reads struct vfs_cap_data: the revision and flags, then permitted and inheritable words in turn, then, from revision
 * 3 on, the root user of the namespace it is meant for. Null: not meant for us. -EINVAL: malformed.
 */
export function parseFileCaps(bytes: Uint8Array): FileCaps | null | number {
  if (bytes.length < 4) return -EINVAL;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const magic = view.getUint32(0, true);
  const revision = (magic & VFS_CAP_REVISION_MASK) >>> 0;
  if (SIZES[revision] !== bytes.length) return -EINVAL;
  if (revision === VFS_CAP_REVISION_3 && view.getUint32(20, true) !== 0) return null;
  const wide = revision !== VFS_CAP_REVISION_1;
  const word = (at: number): number => (at < 12 || wide ? view.getUint32(at, true) : 0);
  return {
    permitted: capFromWords(word(4), word(12)),
    inheritable: capFromWords(word(8), word(16)),
    effective: (magic & VFS_CAP_FLAGS_EFFECTIVE) !== 0,
  };
}
