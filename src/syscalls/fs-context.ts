/** fsopen(2), fspick(2), fsconfig(2), fsmount(2): making or changing a filesystem step by step. */
import { CAP_SYS_ADMIN, capable } from '../core/cred.ts';
import { copyIn } from '../core/user-copy.ts';
import { FsContext } from '../fs/fs-context.ts';
import type { Inode } from '../fs/inode.ts';
import { lookup } from '../fs/lookup.ts';
import { isAttributes } from '../fs/mount.ts';
import { isMountRoot } from '../fs/mount-tree.ts';
import { LOOKUP_FOLLOW, PATH_MAX } from '../fs/namei.ts';
import type { SuperBlock } from '../fs/super.ts';
import { settleEverybody } from '../kernel/along.ts';
import type { Task } from '../kernel/task.ts';
import type { Result } from '../lib/result.ts';
import { EBADF, EINVAL, ENAMETOOLONG, ENOENT, EOPNOTSUPP, EPERM } from '../uapi/errno.ts';
import { AT_EMPTY_PATH, AT_FDCWD, AT_SYMLINK_NOFOLLOW } from '../uapi/fcntl.ts';
import * as uapi from '../uapi/mount.ts';
import { FSMOUNT_CLOEXEC, FSOPEN_CLOEXEC } from '../uapi/mount.ts';
import { call, dirfd, fd, flags, hex, int, oneOf, path, pointer, type Syscall, string } from './args.ts';
import { pathAt } from './attr.ts';
import { changed } from './mount.ts';
import { fileOf, install } from './names.ts';
import { namesIn } from './show.ts';

/** The most bytes, NUL included, of names of filesystems and options, and of options' values. */
const LONGEST = 256;
const LONGEST_BINARY = 1 << 20;

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
  const setting = cmd >= uapi.FSCONFIG_SET_FLAG && cmd <= uapi.FSCONFIG_SET_FD;
  if (!setting && !isCommand(cmd)) return -EOPNOTSUPP;
  const valued = setting && cmd !== uapi.FSCONFIG_SET_FLAG && cmd !== uapi.FSCONFIG_SET_FD;
  if ((key !== 0) !== setting || (value !== 0) !== valued || !isAux(cmd, aux)) return -EINVAL;
  const context = contextOf(task, fd);
  if (typeof context === 'number') return context;
  return setting ? setOption(task, context, cmd, key, value, aux) : command(task, context, cmd);
}

const isCommand = (cmd: number): boolean =>
  cmd >= uapi.FSCONFIG_CMD_CREATE && cmd <= uapi.FSCONFIG_CMD_CREATE_EXCL;

/** Checks the last argument: a value's length, the directory where a name starts, or a descriptor. */
function isAux(cmd: number, aux: number): boolean {
  switch (cmd) {
    case uapi.FSCONFIG_SET_BINARY:
      return aux > 0 && aux <= LONGEST_BINARY;
    case uapi.FSCONFIG_SET_PATH:
    case uapi.FSCONFIG_SET_PATH_EMPTY:
      return aux === AT_FDCWD || aux >= 0;
    case uapi.FSCONFIG_SET_FD:
      return aux >= 0;
    default:
      return aux === 0;
  }
}

function setOption(
  task: Task,
  context: FsContext,
  cmd: number,
  key: number,
  value: number,
  aux: number,
): number {
  const name = stringAt(task, key);
  if (typeof name === 'number') return name;
  if (cmd === uapi.FSCONFIG_SET_FLAG) return context.set(name, null);
  if (cmd !== uapi.FSCONFIG_SET_STRING)
    return valueError(task, cmd, value, aux) || context.set(name, undefined);
  const text = stringAt(task, value);
  return typeof text === 'number' ? text : context.set(name, text);
}

/** Only checks a value of a kind that no option here takes. */
function valueError(task: Task, cmd: number, value: number, aux: number): number {
  if (cmd === uapi.FSCONFIG_SET_FD) return task.files.get(aux) === null ? -EBADF : 0;
  if (cmd === uapi.FSCONFIG_SET_BINARY) {
    const bytes = copyIn(task.user, value, aux);
    return typeof bytes === 'number' ? bytes : 0;
  }
  const name = task.user.string(value, PATH_MAX);
  if (typeof name === 'number') return name;
  return name === '' && cmd === uapi.FSCONFIG_SET_PATH ? -ENOENT : 0;
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

const NOTE = 'options are checked only when the filesystem is created or reconfigured';

export const fsContextCalls: readonly Syscall[] = [
  call('fsopen', [string('fsname'), flags('flags', { FSOPEN_CLOEXEC })], fsopen),
  call('fspick', [dirfd('dirfd'), path('pathname'), flags('flags', PICK_FLAGS)], fspick),
  call(
    'fsconfig',
    [fd('fd'), oneOf('cmd', COMMANDS), string('key'), pointer('value'), int('aux')],
    fsconfig,
    NOTE,
  ),
  call('fsmount', [fd('fs_fd'), flags('flags', { FSMOUNT_CLOEXEC }), hex('attr_flags')], fsmount),
];
