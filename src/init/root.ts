/** Mounts the root that the options name, and what every machine has: /proc, /sys, /dev, /dev/pts and /dev/shm. */
import type { Clock } from '../core/clock.ts';
import { ROOT_CRED } from '../core/cred.ts';
import type { Printk } from '../core/printk.ts';
import type { WalkContext } from '../fs/context.ts';
import { mkdir, mknod } from '../fs/create.ts';
import { Path } from '../fs/dentry.ts';
import { mountHostDirectory } from '../fs/hostfs/type.ts';
import { lookup } from '../fs/lookup.ts';
import { bindPath, makeMount, mount, mountRoot } from '../fs/mounts.ts';
import { LOOKUP_FOLLOW } from '../fs/namei.ts';
import type { MountNamespace } from '../fs/namespace.ts';
import { overlayOn } from '../fs/overlay/type.ts';
import type { FileSystemType, SuperBlock } from '../fs/super.ts';
import { tmpfsType } from '../fs/tmpfs/super.ts';
import type { Vfs } from '../fs/vfs.ts';
import type { HostFiles } from '../host/files.ts';
import { ENOTDIR, ENXIO } from '../uapi/errno.ts';
import { MS_NODEV, MS_NOEXEC, MS_NOSUID, MS_RDONLY } from '../uapi/mount.ts';
import { S_IFREG } from '../uapi/stat.ts';
import { logNoRoot } from './boot-log.ts';
import { inWords } from './exec-trouble.ts';
import type { ExitReport, MachineOptions, VolumeOptions } from './options.ts';

export interface MountedRoot {
  readonly namespace: MountNamespace;
  /** Walks as the kernel itself does: as the superuser, from the root. */
  readonly context: WalkContext;
}

/** Mounts the root and all that belongs to it. `panic`: there is no root; `error`: a volume cannot be mounted. */
export function mountAll(
  vfs: Vfs,
  files: HostFiles,
  options: MachineOptions,
  log: Printk,
): MountedRoot | ExitReport {
  const namespace = mountTheRoot(vfs, files, options);
  if (typeof namespace === 'number') {
    const { root } = options;
    logNoRoot(log, root.type === 'device' ? root.name : root.dir, namespace);
    const hint =
      root.type === 'device'
        ? `this kernel has no device for its root; say rootfstype=hostfs rootflags=DIR for a directory of the host`
        : null;
    return { type: 'panic', reason: 'VFS: Unable to mount root fs on unknown-block(0,0)', hint };
  }
  const path = new Path(namespace.root, namespace.root.root).get();
  const context = kernelContext(path, vfs.env.clock);
  mountUsual(vfs, context);
  for (const volume of options.volumes) {
    const trouble = mountVolume(vfs, files, context, volume);
    if (trouble !== null) return { type: 'error', message: trouble, status: null };
  }
  return { namespace, context };
}

const kernelContext = (root: Path, clock: Clock): WalkContext => ({
  cred: ROOT_CRED,
  root,
  cwd: root,
  namespace: root.mount.namespace,
  umask: 0,
  clock,
  current: null,
});

function mountTheRoot(vfs: Vfs, files: HostFiles, { root }: MachineOptions): MountNamespace | number {
  if (root.type === 'device') return -ENXIO;
  const made =
    root.type === 'hostfs'
      ? hostRoot(vfs, files, root.dir, root.readonly)
      : overlayRoot(vfs, files, root.dir);
  if (typeof made === 'number') return made;
  const type = once(made);
  vfs.registerFileSystem(type);
  const namespace = mountRoot(
    vfs,
    type.name,
    root.type === 'overlay' ? 'overlay' : root.dir,
    root.readonly ? MS_RDONLY : 0,
    '',
  );
  vfs.types.delete(type.name);
  return namespace;
}

function hostRoot(vfs: Vfs, files: HostFiles, dir: string, readOnly: boolean): SuperBlock | number {
  return mountHostDirectory(files, vfs.env, dir, { readOnly, cacheAlways: false });
}

function overlayRoot(vfs: Vfs, files: HostFiles, dir: string): SuperBlock | number {
  const lower = mountHostDirectory(files, vfs.env, dir, {
    readOnly: true,
    staysReadOnly: true,
    cacheAlways: true,
  });
  if (typeof lower === 'number') return lower;
  const upper = tmpfsType().mount({ source: 'upper', data: 'size=100%,mode=755', readOnly: false }, vfs.env);
  return typeof upper === 'number' ? upper : overlayOn(vfs.env, upper.root, [lower.root]);
}

/** A filesystem type that mounts one existing filesystem. */
const once = (sb: SuperBlock): FileSystemType => ({
  name: ` ${sb.type}`,
  requiresDevice: false,
  mount: () => sb,
});

/** Mounts a volume; what is wrong with it, or null. */
function mountVolume(vfs: Vfs, files: HostFiles, ctx: WalkContext, volume: VolumeOptions): string | null {
  const { host, guest, readonly } = volume;
  if (host === null) {
    mount(vfs, ctx, 'tmpfs', guest, 'tmpfs', SAFE, 'mode=700');
    return null;
  }
  const slash = host.lastIndexOf('/');
  const rights = { readOnly: readonly, staysReadOnly: readonly, cacheAlways: false };
  let made = mountHostDirectory(files, vfs.env, host, rights);
  const isFile = made === -ENOTDIR;
  if (isFile) made = mountHostDirectory(files, vfs.env, host.slice(0, slash) || '/', rights);
  if (typeof made === 'number') return `--volume ${host}: ${inWords(made)}`;
  makeMountpoint(vfs, ctx, guest, isFile);
  const type = once(made);
  vfs.registerFileSystem(type);
  const flags = readonly ? MS_RDONLY : 0;
  const err = isFile
    ? mountFile(vfs, ctx, type.name, host.slice(slash + 1), guest, flags)
    : mount(vfs, ctx, host, guest, type.name, flags, '');
  vfs.types.delete(type.name);
  return err < 0 ? `--volume ${host} cannot be mounted on ${guest}: ${inWords(err)}` : null;
}

/** Mounts one file of a filesystem; the rest stays out of sight. */
function mountFile(
  vfs: Vfs,
  ctx: WalkContext,
  type: string,
  name: string,
  guest: string,
  flags: number,
): number {
  const whole = makeMount(vfs, type, name, flags, '');
  if (typeof whole === 'number') return whole;
  const top = new Path(whole, whole.root).get();
  const from = lookup(vfs, { ...ctx, root: top, cwd: top }, null, name, LOOKUP_FOLLOW);
  if (typeof from === 'number') return from;
  const where = lookup(vfs, ctx, null, guest, LOOKUP_FOLLOW);
  return typeof where === 'number' ? where : bindPath(vfs, from, where, false);
}

/** Makes missing directories on the way, and at its end a directory or an empty file. */
function makeMountpoint(vfs: Vfs, ctx: WalkContext, path: string, isFile: boolean): void {
  let at = '';
  const names = path.split('/').filter(name => name !== '');
  const last = isFile ? names.pop() : undefined;
  for (const name of names) {
    at += `/${name}`;
    mkdir(vfs, ctx, null, at, 0o755);
  }
  if (last !== undefined) mknod(vfs, ctx, null, `${at}/${last}`, S_IFREG | 0o644, 0);
}

interface Usual {
  readonly type: string;
  readonly target: string;
  readonly flags: number;
  readonly data: string;
}

const SAFE = MS_NOSUID | MS_NODEV;
const USUAL: readonly Usual[] = [
  { type: 'proc', target: '/proc', flags: SAFE | MS_NOEXEC, data: '' },
  { type: 'sysfs', target: '/sys', flags: SAFE | MS_NOEXEC, data: '' },
  { type: 'devtmpfs', target: '/dev', flags: MS_NOSUID, data: '' },
  { type: 'devpts', target: '/dev/pts', flags: MS_NOSUID | MS_NOEXEC, data: 'gid=5,mode=620,ptmxmode=666' },
  { type: 'tmpfs', target: '/dev/shm', flags: SAFE, data: 'mode=1777' },
];

/** A root where a directory is missing and cannot be made goes without that mount. */
function mountUsual(vfs: Vfs, ctx: WalkContext): void {
  for (const { type, target, flags, data } of USUAL) {
    if (typeof vfs.fileSystem(type) === 'number') continue;
    if (typeof lookup(vfs, ctx, null, target, LOOKUP_FOLLOW) === 'number')
      mkdir(vfs, ctx, null, target, 0o755);
    mount(vfs, ctx, type, target, type, flags, data);
  }
}
