/**
 * Changes of user and group ids (setuid(2), setresuid(2), setfsuid(2) ...) as functions of credentials: each returns
 * the new credentials, or -errno. An id of -1 stays as it is, where the call allows that.
 *
 * capabilities(7), "Effect of user ID changes", says what a change of user ids does to capabilities.
 */

import { capIntersect, capMinus, capOf, capUnion } from '../core/capset.ts';
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

/** (uid_t) -1: none, or "as it is". */
export const NO_ID = 0xffff_ffff;
const CAP_MAC_OVERRIDE = 32;

/** Capabilities tied to the file system user id. */
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

/** A user's or a group's ids: the rules are the same for both. */
interface Ids {
  readonly real: number;
  readonly effective: number;
  readonly saved: number;
  readonly fs: number;
}

const uidsOf = ({ uid, euid, suid, fsuid }: Cred): Ids => ({
  real: uid,
  effective: euid,
  saved: suid,
  fs: fsuid,
});

const gidsOf = ({ gid, egid, sgid, fsgid }: Cred): Ids => ({
  real: gid,
  effective: egid,
  saved: sgid,
  fs: fsgid,
});

export const setuid = (cred: Cred, uid: number): Cred | number =>
  withUids(cred, setOne(uidsOf(cred), uid, capable(cred, CAP_SETUID)));

export const setreuid = (cred: Cred, ruid: number, euid: number): Cred | number =>
  withUids(cred, setTwo(uidsOf(cred), ruid, euid, capable(cred, CAP_SETUID)));

export const setresuid = (cred: Cred, ruid: number, euid: number, suid: number): Cred | number =>
  withUids(cred, setThree(uidsOf(cred), ruid, euid, suid, capable(cred, CAP_SETUID)));

/** Null when the change is not allowed: setfsuid(2) has no way to say so. */
export function setfsuid(cred: Cred, fsuid: number): Cred | null {
  if (!maySetFs(uidsOf(cred), fsuid, capable(cred, CAP_SETUID))) return null;
  return { ...cred, fsuid, effective: fsCaps(cred, fsuid) };
}

export const setgid = (cred: Cred, gid: number): Cred | number =>
  withGids(cred, setOne(gidsOf(cred), gid, capable(cred, CAP_SETGID)));

export const setregid = (cred: Cred, rgid: number, egid: number): Cred | number =>
  withGids(cred, setTwo(gidsOf(cred), rgid, egid, capable(cred, CAP_SETGID)));

export const setresgid = (cred: Cred, rgid: number, egid: number, sgid: number): Cred | number =>
  withGids(cred, setThree(gidsOf(cred), rgid, egid, sgid, capable(cred, CAP_SETGID)));

export const setfsgid = (cred: Cred, fsgid: number): Cred | null =>
  maySetFs(gidsOf(cred), fsgid, capable(cred, CAP_SETGID)) ? { ...cred, fsgid } : null;

/** setuid(2): sets all ids with the capability, else the effective one. */
function setOne(old: Ids, id: number, privileged: boolean): Ids | number {
  if (id === NO_ID) return -EINVAL;
  if (privileged) return newIds(id, id, id);
  return id === old.real || id === old.saved ? newIds(old.real, id, old.saved) : -EPERM;
}

/** setreuid(2): the saved id becomes the effective one if the real identity may have changed. */
function setTwo(old: Ids, real: number, effective: number, privileged: boolean): Ids | number {
  if (!privileged && !isOneOf(real, old.real, old.effective)) return -EPERM;
  if (!privileged && !isOneOf(effective, old.real, old.effective, old.saved)) return -EPERM;
  const now = orElse(effective, old.effective);
  const newSaved = real !== NO_ID || (effective !== NO_ID && effective !== old.real);
  return newIds(orElse(real, old.real), now, newSaved ? now : old.saved);
}

/** setresuid(2). */
function setThree(
  old: Ids,
  real: number,
  effective: number,
  saved: number,
  privileged: boolean,
): Ids | number {
  // If nothing changes, the file system id stays, too, unless it is asked for.
  const same = isOneOf(real, old.real) && isOneOf(effective, old.effective) && isOneOf(saved, old.saved);
  if (same && isOneOf(effective, old.fs)) return old;
  const free = [real, effective, saved].every(id => isOneOf(id, old.real, old.effective, old.saved));
  if (!free && !privileged) return -EPERM;
  return newIds(orElse(real, old.real), orElse(effective, old.effective), orElse(saved, old.saved));
}

const maySetFs = (old: Ids, fs: number, privileged: boolean): boolean =>
  fs !== NO_ID && (privileged || isOneOf(fs, old.real, old.effective, old.saved, old.fs));

const orElse = (id: number, old: number): number => (id === NO_ID ? old : id);
const isOneOf = (id: number, ...ids: readonly number[]): boolean => id === NO_ID || ids.includes(id);

/** The file system id follows the effective one. */
const newIds = (real: number, effective: number, saved: number): Ids => ({
  real,
  effective,
  saved,
  fs: effective,
});

function withGids(cred: Cred, ids: Ids | number): Cred | number {
  if (typeof ids === 'number') return ids;
  return { ...cred, gid: ids.real, egid: ids.effective, sgid: ids.saved, fsgid: ids.fs };
}

function withUids(cred: Cred, ids: Ids | number): Cred | number {
  if (typeof ids === 'number') return ids;
  const changed = { ...cred, uid: ids.real, euid: ids.effective, suid: ids.saved, fsuid: ids.fs };
  return (cred.securebits & SECBIT_NO_SETUID_FIXUP) !== 0 ? changed : fixCaps(cred, changed);
}

/** A process that ceases to be root loses capabilities; one that becomes root again gets them back into effect. */
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
