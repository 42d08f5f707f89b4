/**
 * Changes of user and group ids (setuid(2), setresuid(2), setfsuid(2) ...) as functions of credentials: each
 * answers the new ones, or -errno. An id of -1 stays as it is, where the call allows that.
 *
 * What a change of user ids does to capabilities is in capabilities(7), "Effect of user ID changes".
 */
import {
  CAP_CHOWN,
  CAP_DAC_OVERRIDE,
  CAP_DAC_READ_SEARCH,
  CAP_FOWNER,
  CAP_FSETID,
  CAP_LINUX_IMMUTABLE,
  CAP_MKNOD,
  CAP_SETGID,
  CAP_SETUID,
  CAPS_NONE,
  type CapSet,
  type Cred,
  capable,
} from '../core/cred.ts';
import { EINVAL, EPERM } from '../uapi/errno.ts';
import { SECBIT_KEEP_CAPS, SECBIT_NO_SETUID_FIXUP } from '../uapi/prctl.ts';
import { capIntersect, capMinus, capOf, capUnion } from './capset.ts';

/** (uid_t) -1: none, or "as it is". */
export const NO_ID = 0xffff_ffff;
const CAP_MAC_OVERRIDE = 32;

/** Capabilities that go by the file system user id. */
const FS_CAPS: CapSet = [
  CAP_CHOWN,
  CAP_DAC_OVERRIDE,
  CAP_DAC_READ_SEARCH,
  CAP_FOWNER,
  CAP_FSETID,
  CAP_LINUX_IMMUTABLE,
  CAP_MKNOD,
  CAP_MAC_OVERRIDE,
].reduce((set, cap) => capUnion(set, capOf(cap)), CAPS_NONE);

export function setuid(cred: Cred, uid: number): Cred | number {
  if (uid === NO_ID) return -EINVAL;
  if (capable(cred, CAP_SETUID)) return withUids(cred, uid, uid, uid);
  if (uid !== cred.uid && uid !== cred.suid) return -EPERM;
  return withUids(cred, cred.uid, uid, cred.suid);
}

export function setreuid(cred: Cred, ruid: number, euid: number): Cred | number {
  const privileged = capable(cred, CAP_SETUID);
  if (!privileged && !isOneOf(ruid, cred.uid, cred.euid)) return -EPERM;
  if (!privileged && !isOneOf(euid, cred.uid, cred.euid, cred.suid)) return -EPERM;
  const uid = orElse(ruid, cred.uid);
  const effective = orElse(euid, cred.euid);
  const newSaved = ruid !== NO_ID || (euid !== NO_ID && euid !== cred.uid);
  return withUids(cred, uid, effective, newSaved ? effective : cred.suid);
}

export function setresuid(cred: Cred, ruid: number, euid: number, suid: number): Cred | number {
  const { uid, euid: old, suid: saved } = cred;
  // Nothing to change: the file system id stays what it is, too, unless it is asked for.
  const same = isOneOf(ruid, uid) && isOneOf(euid, old) && isOneOf(suid, saved);
  if (same && isOneOf(euid, cred.fsuid)) return cred;
  const free = [ruid, euid, suid].every(id => isOneOf(id, uid, old, saved));
  if (!free && !capable(cred, CAP_SETUID)) return -EPERM;
  return withUids(cred, orElse(ruid, uid), orElse(euid, old), orElse(suid, saved));
}

/** Null when the change is not allowed: setfsuid(2) has no way to say so. */
export function setfsuid(cred: Cred, fsuid: number): Cred | null {
  if (fsuid === NO_ID) return null;
  const allowed = isOneOf(fsuid, cred.uid, cred.euid, cred.suid, cred.fsuid) || capable(cred, CAP_SETUID);
  if (!allowed) return null;
  return { ...cred, fsuid, effective: fsCaps(cred, fsuid) };
}

export function setgid(cred: Cred, gid: number): Cred | number {
  if (gid === NO_ID) return -EINVAL;
  if (capable(cred, CAP_SETGID)) return withGids(cred, gid, gid, gid);
  if (gid !== cred.gid && gid !== cred.sgid) return -EPERM;
  return withGids(cred, cred.gid, gid, cred.sgid);
}

export function setregid(cred: Cred, rgid: number, egid: number): Cred | number {
  const privileged = capable(cred, CAP_SETGID);
  if (!privileged && !isOneOf(rgid, cred.gid, cred.egid)) return -EPERM;
  if (!privileged && !isOneOf(egid, cred.gid, cred.egid, cred.sgid)) return -EPERM;
  const effective = orElse(egid, cred.egid);
  const newSaved = rgid !== NO_ID || (egid !== NO_ID && egid !== cred.gid);
  return withGids(cred, orElse(rgid, cred.gid), effective, newSaved ? effective : cred.sgid);
}

export function setresgid(cred: Cred, rgid: number, egid: number, sgid: number): Cred | number {
  const { gid, egid: old, sgid: saved } = cred;
  const same = isOneOf(rgid, gid) && isOneOf(egid, old) && isOneOf(sgid, saved);
  if (same && isOneOf(egid, cred.fsgid)) return cred;
  const free = [rgid, egid, sgid].every(id => isOneOf(id, gid, old, saved));
  if (!free && !capable(cred, CAP_SETGID)) return -EPERM;
  return withGids(cred, orElse(rgid, gid), orElse(egid, old), orElse(sgid, saved));
}

export function setfsgid(cred: Cred, fsgid: number): Cred | null {
  if (fsgid === NO_ID) return null;
  const allowed = isOneOf(fsgid, cred.gid, cred.egid, cred.sgid, cred.fsgid) || capable(cred, CAP_SETGID);
  return allowed ? { ...cred, fsgid } : null;
}

const orElse = (id: number, old: number): number => (id === NO_ID ? old : id);
const isOneOf = (id: number, ...ids: readonly number[]): boolean => id === NO_ID || ids.includes(id);
const withGids = (cred: Cred, gid: number, egid: number, sgid: number): Cred => ({
  ...cred,
  gid,
  egid,
  sgid,
  fsgid: egid,
});

function withUids(cred: Cred, uid: number, euid: number, suid: number): Cred {
  const changed = { ...cred, uid, euid, suid, fsuid: euid };
  return (cred.securebits & SECBIT_NO_SETUID_FIXUP) !== 0 ? changed : fixCaps(cred, changed);
}

/** Who was root and is no more loses capabilities; who becomes root again gets them back into effect. */
function fixCaps(old: Cred, now: Cred): Cred {
  let { permitted, effective, ambient } = now;
  const wasRoot = old.uid === 0 || old.euid === 0 || old.suid === 0;
  const isRoot = now.uid === 0 || now.euid === 0 || now.suid === 0;
  if (wasRoot && !isRoot) {
    ambient = CAPS_NONE;
    if ((old.securebits & SECBIT_KEEP_CAPS) === 0) permitted = effective = CAPS_NONE;
  }
  if (old.euid === 0 && now.euid !== 0) effective = CAPS_NONE;
  if (old.euid !== 0 && now.euid === 0) effective = permitted;
  return { ...now, permitted, effective, ambient };
}

function fsCaps(cred: Cred, fsuid: number): CapSet {
  if ((cred.securebits & SECBIT_NO_SETUID_FIXUP) !== 0) return cred.effective;
  if (cred.fsuid === 0 && fsuid !== 0) return capMinus(cred.effective, FS_CAPS);
  if (cred.fsuid !== 0 && fsuid === 0) return capUnion(cred.effective, capIntersect(cred.permitted, FS_CAPS));
  return cred.effective;
}
