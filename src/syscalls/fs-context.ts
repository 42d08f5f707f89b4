/** fsopen(2), fspick(2), fsconfig(2), fsmount(2): a filesystem is made, or changed, step by step. */
import { CAP_SYS_ADMIN, capable } from '../core/cred.ts';
import { FsContext } from '../fs/fs-context.ts';
import type { Inode } from '../fs/inode.ts';
import { lookup } from '../fs/lookup.ts';
import { isAttributes } from '../fs/mount.ts';
import { isMountRoot } from '../fs/mount-tree.ts';
import { LOOKUP_FOLLOW } from '../fs/namei.ts';
import type { SuperBlock } from '../fs/super.ts';
import { settleEverybody } from '../kernel/along.ts';
import type { Task } from '../kernel/task.ts';
import type { Result } from '../lib/result.ts';
import { EBADF, EINVAL, ENAMETOOLONG, EOPNOTSUPP, EPERM } from '../uapi/errno.ts';
import { AT_EMPTY_PATH, AT_SYMLINK_NOFOLLOW } from '../uapi/fcntl.ts';
import * as uapi from '../uapi/mount.ts';
import { FSMOUNT_CLOEXEC, FSOPEN_CLOEXEC } from '../uapi/mount.ts';
import { call, dirfd, fd, flags, hex, int, oneOf, path, pointer, type Syscall, string } from './args.ts';
import { pathAt } from './attr.ts';
import { changed } from './mount.ts';
import { fileOf, install } from './names.ts';
import { namesIn } from './show.ts';

/** Names of filesystems and of options, and their values, are no longer than this with their NUL. */
const LONGEST = 256;

function stringAt(task: Task, addr: number): string | number {
  const text = task.user.string(addr, LONGEST);
  return text === -ENAMETOOLONG ? -EINVAL : text;
}

function fsopen(task: Task, name: number, flags: number): number {
  if (!capable(task.cred, CAP_SYS_ADMIN)) return -EPERM;
  if ((flags & ~FSOPEN_CLOEXEC) !== 0) return -EINVAL;
  const type = stringAt(task, name);
  if (typeof type === 'number') return type;
  const known = task.kernel.vfs.fileSystem(type);
  return typeof known === 'number' ? known : newContext(task, type, null, flags !== 0);
}

function newContext(task: Task, type: string, picked: SuperBlock | null, cloexec: boolean): number {
  const { kernel, cred } = task;
  const file = new FsContext(kernel.anonInodes.newInode(0o600, cred), kernel.vfs, type, picked);
  return install(task, file, cloexec);
}

const PICK_FLAGS = namesIn(uapi, /^FSPICK_/);
const PICK_KNOWN = Object.values(PICK_FLAGS).reduce((all, flag) => all | flag, 0);

function fspick(task: Task, dirfd: number, name: number, flags: number): number {
  if (!capable(task.cred, CAP_SYS_ADMIN)) return -EPERM;
  if ((flags & ~PICK_KNOWN) !== 0) return -EINVAL;
  const how = (flags & uapi.FSPICK_SYMLINK_NOFOLLOW) !== 0 ? AT_SYMLINK_NOFOLLOW : 0;
  const empty = (flags & uapi.FSPICK_EMPTY_PATH) !== 0 ? AT_EMPTY_PATH : 0;
  const found = pathAt(task, dirfd, name, how | empty);
  if (typeof found === 'number') return found;
  const { sb } = found.mount;
  return isMountRoot(found) ? newContext(task, sb.type, sb, (flags & uapi.FSPICK_CLOEXEC) !== 0) : -EINVAL;
}

function contextOf(task: Task, fd: number): FsContext | number {
  const file = fileOf(task, fd);
  if (file === null) return -EBADF;
  return file instanceof FsContext ? file : -EINVAL;
}

const COMMANDS = namesIn(uapi, /^FSCONFIG_/);

function fsconfig(task: Task, fd: number, cmd: number, key: number, value: number, aux: number): number {
  if (fd < 0) return -EINVAL;
  const setting = cmd === uapi.FSCONFIG_SET_FLAG || cmd === uapi.FSCONFIG_SET_STRING;
  if (!setting && !isCommand(cmd)) return isOther(cmd) ? -EINVAL : -EOPNOTSUPP;
  const hasKey = key !== 0;
  const hasValue = value !== 0;
  if (hasKey !== setting || hasValue !== (cmd === uapi.FSCONFIG_SET_STRING) || aux !== 0) return -EINVAL;
  const context = contextOf(task, fd);
  if (typeof context === 'number') return context;
  return setting ? setOption(task, context, key, value) : command(task, context, cmd);
}

const isCommand = (cmd: number): boolean =>
  cmd >= uapi.FSCONFIG_CMD_CREATE && cmd <= uapi.FSCONFIG_CMD_CREATE_EXCL;
/** Values of kinds that no option here has. */
const isOther = (cmd: number): boolean => cmd >= uapi.FSCONFIG_SET_BINARY && cmd <= uapi.FSCONFIG_SET_FD;

function setOption(task: Task, context: FsContext, key: number, value: number): number {
  const name = stringAt(task, key);
  if (typeof name === 'number') return name;
  const text = value === 0 ? null : stringAt(task, value);
  return typeof text === 'number' ? text : context.set(name, text);
}

function command(task: Task, context: FsContext, cmd: number): number {
  if (cmd === uapi.FSCONFIG_CMD_RECONFIGURE) {
    if (!capable(task.cred, CAP_SYS_ADMIN)) return -EPERM;
    settleEverybody(task.kernel);
    return changed(task, context.reconfigure());
  }
  const resolve = (name: string): Result<Inode> => {
    const found = lookup(task.kernel.vfs, task, null, name, LOOKUP_FOLLOW);
    return typeof found === 'number' ? found : found.inode;
  };
  return capable(task.cred, CAP_SYS_ADMIN) ? context.create(resolve) : -EPERM;
}

function fsmount(task: Task, fd: number, flags: number, attributes: number): number {
  if (!capable(task.cred, CAP_SYS_ADMIN)) return -EPERM;
  if ((flags & ~FSMOUNT_CLOEXEC) !== 0 || !isAttributes(attributes)) return -EINVAL;
  const context = contextOf(task, fd);
  if (typeof context === 'number') return context;
  const file = context.mount(attributes);
  return typeof file === 'number' ? file : install(task, file, flags !== 0);
}

const NOTE = 'options are checked when the filesystem is made or changed';

export const fsContextCalls: readonly Syscall[] = [
  call('fsopen', [string('fsname'), flags('flags', { FSOPEN_CLOEXEC })], fsopen),
  call('fspick', [dirfd('dirfd'), path('pathname'), flags('flags', PICK_FLAGS)], fspick),
  call(
    'fsconfig',
    [fd('fd'), oneOf('cmd', COMMANDS), string('key'), pointer('value'), int('aux')],
    fsconfig,
    `${NOTE}; no FSCONFIG_SET_BINARY, _PATH, _FD: EINVAL`,
  ),
  call('fsmount', [fd('fs_fd'), flags('flags', { FSMOUNT_CLOEXEC }), hex('attr_flags')], fsmount),
];
