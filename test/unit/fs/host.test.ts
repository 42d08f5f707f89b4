/** Random work with the calls that node:fs does not know, done by a Python program on a tmpfs of the host. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import * as host from 'node:fs';
import { after, test } from 'node:test';
import { link } from '../../../src/fs/create.ts';
import type { Path } from '../../../src/fs/dentry.ts';
import type { File } from '../../../src/fs/file.ts';
import type { Inode } from '../../../src/fs/inode.ts';
import { removePrivileges } from '../../../src/fs/permission.ts';
import { getXattr, listXattr, removeXattr, setXattr, xattrError } from '../../../src/fs/xattr.ts';
import { EBADF, EINVAL } from '../../../src/uapi/errno.ts';
import { AT_EMPTY_PATH, O_PATH, O_TMPFILE } from '../../../src/uapi/fcntl.ts';
import { makedev } from '../../../src/uapi/stat.ts';
import { dice } from '../dice.ts';
import { type Sys, tmpfsMachine, user } from './machine.ts';

const SHM = '/dev/shm';
const root = process.getuid!() === 0;
const able = host.existsSync(SHM) && spawnSync('python3', ['-c', '']).status === 0;
const top = able ? host.mkdtempSync(`${SHM}/host-`) : '';
if (able) host.chmodSync(top, 0o755);
after(() => able && host.rmSync(top, { recursive: true, force: true }));

/** A device number without a driver. */
const NO_DEVICE = makedev(60, 9);

type Outcome = number | string;
type Step = [uid: number, operation: string, ...rest: (number | string)[]];

const show = (i: Inode): string => `${i.mode.toString(8)} ${i.nlink} ${i.size} ${i.uid}:${i.gid} ${i.blocks}`;

/** The operations of host.py, done here. */
function operations(sys: Sys): Record<string, (...args: never[]) => Outcome> {
  const { vfs, ctx } = sys;
  const files = new Map<number, File>();
  const withFile = (slot: number, act: (file: File) => Outcome): Outcome => {
    const file = files.get(slot);
    return file === undefined ? -EBADF : act(file);
  };
  const io = (slot: number, act: (file: File) => Outcome): Outcome =>
    withFile(slot, file => ((file.flags & O_PATH) !== 0 ? -EBADF : act(file)));
  const at = (path: string, act: (path: Path) => Outcome): Outcome => {
    const found = sys.path(path);
    return typeof found === 'number' ? found : act(found);
  };
  return {
    open: (slot: number, path: string, flags: number, mode: number) => {
      const file = sys.open(path, flags, mode);
      if (typeof file === 'number') return file;
      files.get(slot)?.put();
      files.set(slot, file);
      return 0;
    },
    linkopen: (slot: number, path: string) =>
      withFile(slot, file => link(vfs, ctx, file.path, '', null, path, AT_EMPTY_PATH)),
    rename: sys.rename,
    link: sys.link,
    mknod: sys.mknod,
    mkdir: sys.mkdir,
    symlink: sys.symlink,
    unlink: sys.unlink,
    rmdir: sys.rmdir,
    truncate: sys.truncate,
    chmod: (path: string, mode: number) => sys.chmod(path, mode),
    chown: (path: string, uid: number, gid: number) => sys.chown(path, uid, gid, 0x100),
    write: (slot: number, text: string, pos: number) =>
      io(slot, file => sys.write(file, Buffer.from(text, 'latin1'), pos)),
    read: (slot: number, size: number, pos: number) =>
      io(slot, file => {
        const data = sys.read(file, size, pos);
        return typeof data === 'number' ? data : Buffer.from(data).toString('latin1');
      }),
    fallocate: (slot: number, mode: number, pos: number, size: number) =>
      io(slot, file => {
        const err = pos < 0 || size <= 0 ? -EINVAL : file.checkAccess(true);
        return err || removePrivileges(file, ctx.cred) || file.fallocate(mode, pos, size);
      }),
    lseek: (slot: number, pos: number, whence: number) => io(slot, file => file.seek(pos, whence)),
    fstat: (slot: number) => withFile(slot, ({ inode }) => inode.refresh() || show(inode)),
    stat: (path: string) => {
      const inode = sys.lstat(path);
      return typeof inode === 'number' ? inode : show(inode);
    },
    setxattr: (path: string, key: string, value: string, flags: number) =>
      xattrError(key, value.length, flags) || at(path, found => setXattr(vfs, ctx, found, key, value, flags)),
    getxattr: (path: string, key: string) => xattrError(key) || at(path, found => getXattr(ctx, found, key)),
    listxattr: (path: string) => at(path, found => listXattr(ctx, found).sort().join(' ')),
    removexattr: (path: string, key: string) =>
      xattrError(key) || at(path, found => removeXattr(vfs, ctx, found, key)),
    list: (path: string) => {
      const names = sys.names(path);
      return typeof names === 'number' ? names : names.sort().join(' ');
    },
  };
}

/** A plan of random steps. */
function plan(seed: number, count: number): Step[] {
  const random = dice(seed);
  const pick = <T>(list: readonly T[]): T => list[random(list.length)]!;
  const name = (): string =>
    `w/${pick(['a', 'b', 'c', 'd', 'e', 'a/b', 'b/c', 'c/a', 'd/e/a', 'a/', 'b/.', 'c/..'])}`;
  const mode = (): number => pick([0o777, 0o755, 0o700, 0o640, 0o666, 0o2775, 0o6755, 0o1775]);
  const slot = (): number => random(4);
  const size = (): number => pick([0, 1, 100, 4096, 5000, 20000]) + random(3) * 4096;
  const key = (): string =>
    pick([
      'user.a',
      'user.b',
      'trusted.a',
      'security.a',
      'user.',
      'other.a',
      'plain',
      `user.${'x'.repeat(251)}`,
      '',
    ]);
  const flags = [
    0,
    1,
    2,
    0o102,
    0o102,
    0o302,
    0o1002,
    O_PATH,
    O_PATH | 0o400000,
    O_TMPFILE | 2,
    O_TMPFILE | 0o202,
    O_TMPFILE,
  ];
  // Pages that were allocated and never written count as holes there, as data here: either is right (lseek(2)).
  const seeks = seed % 2 === 0;
  const kinds: (() => [string, ...(number | string)[]])[] = [
    () => ['open', slot(), name(), pick(flags), mode()],
    () => ['open', slot(), name(), 0o102, 0o666],
    () => ['linkopen', slot(), name()],
    () => ['rename', name(), name(), pick([0, 0, 1, 2, 2, 4, 3, 6, 8])],
    () => ['link', name(), name(), pick([0, 0x400, 0x8000])],
    () => [
      'mknod',
      name(),
      pick([0, 0o100000, 0o140000, 0o020000, 0o060000, 0o040000, 0o120000]) | 0o644,
      NO_DEVICE,
    ],
    () => ['mkdir', name(), mode()],
    () => ['symlink', pick(['a', '../a', 'b', 'none', '../w/c']), name()],
    () => ['unlink', name()],
    () => ['rmdir', name()],
    () => ['truncate', name(), size() - 1],
    () => ['chmod', name(), mode()],
    () => ['chown', name(), pick([-1, 0, 1000]), pick([-1, 0, 1000])],
    () => ['write', slot(), pick(['x', 'hello'.repeat(2000)]), size()],
    () => ['read', slot(), 9000, size()],
    () => ['fallocate', slot(), pick(seeks ? [3] : [0, 1, 3]), size() - 1, size()],
    () => ['lseek', slot(), size() - 1, pick(seeks ? [0, 1, 2, 3, 4, 5] : [0, 1, 2])],
    () => ['fstat', slot()],
    () => ['stat', name()],
    () => ['setxattr', name(), key(), pick(['', 'value', 'v'.repeat(70000)]), pick([0, 0, 1, 2])],
    () => ['getxattr', name(), key()],
    () => ['listxattr', name()],
    () => ['removexattr', name(), key()],
    () => ['list', name()],
  ];
  const steps: Step[] = [
    [0, 'mkdir', 'w', 0o777],
    [0, 'chmod', 'w', 0o777],
  ];
  // Only root links what it does not own: fs.protected_hardlinks of the host.
  while (steps.length < count) {
    const step = pick(kinds)();
    const uid = root && step[0] !== 'link' ? pick([0, 0, 0, 1000]) : 0;
    steps.push([uid, ...step]);
  }
  return steps;
}

test('renameat2, linkat, fallocate, lseek, mknod, xattrs as on the host', { skip: !able || !root }, () => {
  for (let seed = 1; seed <= 8; seed++) {
    const steps = plan(seed, 3000);
    const dir = `${top}/${seed}`;
    host.mkdirSync(dir);
    const input = JSON.stringify(steps);
    const run = spawnSync('python3', [`${import.meta.dirname}/host.py`, dir], { input, maxBuffer: 1 << 28 });
    assert.equal(String(run.stderr), '');
    const expected = JSON.parse(String(run.stdout)) as Outcome[];
    const { sys } = tmpfsMachine('mode=755');
    const can = operations(sys);
    for (const [i, [uid, operation, ...rest]] of steps.entries()) {
      const got = sys.as(user(uid), () => can[operation]!(...(rest as never[])));
      assert.equal(
        got,
        expected[i],
        `seed ${seed}, step ${i}: ${uid} ${operation} ${rest.join(' ').slice(0, 200)}`,
      );
    }
  }
});
