/** Credentials (credentials(7)) and capabilities (capabilities(7)). A `Cred` never changes: replace it. */

export const CAP_CHOWN = 0;
export const CAP_DAC_OVERRIDE = 1;
export const CAP_DAC_READ_SEARCH = 2;
export const CAP_FOWNER = 3;
export const CAP_FSETID = 4;
export const CAP_KILL = 5;
export const CAP_SETGID = 6;
export const CAP_SETUID = 7;
export const CAP_SETPCAP = 8;
export const CAP_LINUX_IMMUTABLE = 9;
export const CAP_NET_BIND_SERVICE = 10;
export const CAP_NET_ADMIN = 12;
export const CAP_NET_RAW = 13;
export const CAP_IPC_LOCK = 14;
export const CAP_IPC_OWNER = 15;
export const CAP_SYS_MODULE = 16;
export const CAP_SYS_RAWIO = 17;
export const CAP_SYS_CHROOT = 18;
export const CAP_SYS_PTRACE = 19;
export const CAP_SYS_PACCT = 20;
export const CAP_SYS_ADMIN = 21;
export const CAP_SYS_BOOT = 22;
export const CAP_SYS_NICE = 23;
export const CAP_SYS_RESOURCE = 24;
export const CAP_SYS_TIME = 25;
export const CAP_SYS_TTY_CONFIG = 26;
export const CAP_MKNOD = 27;
export const CAP_LEASE = 28;
export const CAP_AUDIT_WRITE = 29;
export const CAP_AUDIT_CONTROL = 30;
export const CAP_SETFCAP = 31;
export const CAP_SYSLOG = 34;
export const CAP_WAKE_ALARM = 35;
export const CAP_CHECKPOINT_RESTORE = 40;
export const CAP_LAST_CAP = 40;

/** A set of capabilities: bits 0 to 31, and 32 to 63. */
export interface CapSet {
  readonly lo: number;
  readonly hi: number;
}

export const CAPS_NONE: CapSet = Object.freeze({ lo: 0, hi: 0 });
export const CAPS_ALL: CapSet = Object.freeze({ lo: -1 >>> 0, hi: 2 ** (CAP_LAST_CAP - 31) - 1 });

export const capsInclude = (caps: CapSet, cap: number): boolean =>
  cap < 32 ? ((caps.lo >>> cap) & 1) === 1 : ((caps.hi >>> (cap - 32)) & 1) === 1;

export interface Cred {
  readonly uid: number;
  readonly euid: number;
  readonly suid: number;
  readonly fsuid: number;
  readonly gid: number;
  readonly egid: number;
  readonly sgid: number;
  readonly fsgid: number;
  readonly groups: readonly number[];
  readonly effective: CapSet;
  readonly permitted: CapSet;
  readonly inheritable: CapSet;
  readonly bounding: CapSet;
  readonly ambient: CapSet;
  readonly securebits: number;
}

const sameCaps = (a: CapSet, b: CapSet): boolean => a.lo === b.lo && a.hi === b.hi;

/** Whether both say the same. Lists of groups are never changed in place, so identity is enough. */
export const sameCred = (a: Cred, b: Cred): boolean =>
  a.uid === b.uid &&
  a.euid === b.euid &&
  a.suid === b.suid &&
  a.fsuid === b.fsuid &&
  a.gid === b.gid &&
  a.egid === b.egid &&
  a.sgid === b.sgid &&
  a.fsgid === b.fsgid &&
  a.groups === b.groups &&
  sameCaps(a.permitted, b.permitted) &&
  sameCaps(a.effective, b.effective) &&
  sameCaps(a.inheritable, b.inheritable) &&
  sameCaps(a.bounding, b.bounding) &&
  sameCaps(a.ambient, b.ambient) &&
  a.securebits === b.securebits;

export const ROOT_CRED: Cred = Object.freeze({
  uid: 0,
  euid: 0,
  suid: 0,
  fsuid: 0,
  gid: 0,
  egid: 0,
  sgid: 0,
  fsgid: 0,
  groups: Object.freeze([]) as readonly number[],
  effective: CAPS_ALL,
  permitted: CAPS_ALL,
  inheritable: CAPS_NONE,
  bounding: CAPS_ALL,
  ambient: CAPS_NONE,
  securebits: 0,
});

export const capable = (cred: Cred, cap: number): boolean => capsInclude(cred.effective, cap);

export const inGroup = (cred: Cred, gid: number): boolean => cred.fsgid === gid || cred.groups.includes(gid);
