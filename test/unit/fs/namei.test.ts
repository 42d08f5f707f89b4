import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pathString } from '../../../src/fs/d-path.ts';
import { Dcache } from '../../../src/fs/dcache.ts';
import type { Path } from '../../../src/fs/dentry.ts';
import type { File } from '../../../src/fs/file.ts';
import { Inode } from '../../../src/fs/inode.ts';
import { mount } from '../../../src/fs/mounts.ts';
import { open } from '../../../src/fs/open.ts';
import type { FileSystemType, FsEnvironment } from '../../../src/fs/super.ts';
import { SuperBlock } from '../../../src/fs/super.ts';
import type { Result } from '../../../src/lib/result.ts';
import { EACCES, ELOOP, ENAMETOOLONG, ENOENT, EXDEV } from '../../../src/uapi/errno.ts';
import { O_CREAT, O_NOFOLLOW, O_RDONLY, O_WRONLY } from '../../../src/uapi/fcntl.ts';
import { IN_CREATE, IN_DELETE, IN_ISDIR, IN_MOVED_FROM, IN_MOVED_TO } from '../../../src/uapi/inotify.ts';
import {
  RESOLVE_BENEATH,
  RESOLVE_IN_ROOT,
  RESOLVE_NO_MAGICLINKS,
  RESOLVE_NO_SYMLINKS,
  RESOLVE_NO_XDEV,
} from '../../../src/uapi/mount.ts';
import { S_IFDIR, S_IFLNK, S_IFREG } from '../../../src/uapi/stat.ts';
import type { StatFs } from '../../../src/uapi/statfs.ts';
import { tmpfsMachine, user } from './machine.ts';
import { must } from './suite/check.ts';

/** A filesystem whose names come and go behind the kernel's back: a name is there if `world` has it. */
class WildSuper extends SuperBlock {
  override readonly root: WildInode;
  readonly world: Map<string, WildInode> = new Map();
  lookups = 0;

  constructor(env: FsEnvironment) {
    super('wild', env.newDev(), env.clock);
    this.root = new WildInode(this, 1, S_IFDIR | 0o755);
  }

  override get volatileNames(): boolean {
    return true;
  }

  override revalidate(_dir: Inode, name: string, inode: Inode | null): boolean {
    return (this.world.get(name) ?? null) === inode;
  }

  override statfs(): StatFs {
    return { type: 0, bsize: 4096, blocks: 0, bfree: 0, bavail: 0, files: 0, ffree: 0, namelen: 255 };
  }
}

class WildInode extends Inode {
  declare readonly sb: WildSuper;
  target: Path | null = null;

  constructor(sb: WildSuper, ino: number, mode: number) {
    super(sb, ino, mode, sb.clock.coarse());
  }

  override open(): Result<File> {
    return -EACCES;
  }

  override lookup(name: string): Result<Inode> {
    this.sb.lookups++;
    return this.sb.world.get(name) ?? -ENOENT;
  }

  override follow(): Path | null {
    return this.target;
  }

  override readlink(): string {
    return 'pipe:[1]';
  }
}

function wildMachine() {
  const made = tmpfsMachine();
  let sb!: WildSuper;
  const type: FileSystemType = {
    name: 'wild',
    requiresDevice: false,
    mount: (_request, env) => {
      sb = new WildSuper(env);
      return sb;
    },
  };
  made.vfs.registerFileSystem(type);
  made.sys.mkdir('wild');
  assert.equal(mount(made.vfs, made.ctx, 'none', '/wild', 'wild', 0, ''), 0);
  return { ...made, sb };
}

test('names that change behind the kernel are looked up again, others not', () => {
  const { sys, sb } = wildMachine();
  assert.equal(sys.stat('wild/a'), -ENOENT);
  assert.equal(sys.stat('wild/a'), -ENOENT);
  assert.equal(sb.lookups, 1, 'absence is remembered');
  const first = new WildInode(sb, 2, S_IFREG | 0o644);
  sb.world.set('a', first);
  assert.equal(sys.stat('wild/a'), first);
  assert.equal(sys.stat('wild/a'), first);
  assert.equal(sb.lookups, 2);
  sb.world.set('a', new WildInode(sb, 3, S_IFREG | 0o644));
  assert.equal(must<Inode>(sys.stat('wild/a')).ino, 3);
  assert.equal(first.refs, 0, 'the old file was let go');
});

test('magic links lead where they lead', () => {
  const { sys, sb, vfs, ctx } = wildMachine();
  sys.mkdir('d');
  sys.put('d/f', 'F');
  const file = must<File>(sys.open('d/f', O_RDONLY));
  const link = new WildInode(sb, 2, S_IFLNK | 0o777);
  link.target = file.path;
  sb.world.set('fd', link);
  sys.unlink('d/f');
  assert.equal(sys.text('wild/fd'), 'F');
  assert.equal(sys.put('wild/fd', 'G'), 0, 'also with O_CREAT');
  assert.equal(sys.text('wild/fd'), 'G');
  assert.equal(sys.readlink('wild/fd'), 'pipe:[1]');
  assert.equal(sys.open('wild/fd', O_RDONLY | O_NOFOLLOW), -ELOOP);
  link.target = must<Path>(sys.path('d'));
  sys.put('d/g', 'H');
  assert.equal(sys.text('wild/fd/g'), 'H');
  assert.equal(open(vfs, ctx, null, 'wild/fd/g', O_RDONLY, 0, RESOLVE_NO_MAGICLINKS), -ELOOP);
  const anonymous = vfs.anonymousPath(link, 'pipe:[1]');
  assert.equal(pathString(anonymous, ctx.root), 'pipe:[1]');
});

test('openat2: how far a walk may go', () => {
  const { sys, vfs, ctx } = wildMachine();
  sys.mkdir('top');
  sys.mkdir('top/in');
  sys.put('top/f', 'F');
  sys.put('f', 'outer');
  sys.symlink('../f', 'top/in/up');
  sys.symlink('../../f', 'top/in/out');
  sys.symlink('/f', 'top/abs');
  const at = must<Path>(sys.path('top'));
  const tryOpen = (name: string, resolve: number): number | string => {
    const file = open(vfs, ctx, at, name, O_RDONLY, 0, resolve);
    if (typeof file === 'number') return file;
    const data = sys.read(file, 100, 0);
    file.put();
    return Buffer.from(data as Uint8Array).toString();
  };
  assert.equal(tryOpen('in/up', RESOLVE_BENEATH), 'F');
  assert.equal(tryOpen('in/out', RESOLVE_BENEATH), -EXDEV);
  assert.equal(tryOpen('abs', RESOLVE_BENEATH), -EXDEV);
  assert.equal(tryOpen('/f', RESOLVE_BENEATH), -EXDEV);
  assert.equal(tryOpen('in/out', RESOLVE_IN_ROOT), 'F');
  assert.equal(tryOpen('abs', RESOLVE_IN_ROOT), 'F');
  assert.equal(tryOpen('abs', 0), 'outer');
  assert.equal(tryOpen('in/up', RESOLVE_NO_SYMLINKS), -ELOOP);
  assert.equal(tryOpen('../wild/x', RESOLVE_NO_XDEV), -EXDEV);
});

test('each directory on the way must be searchable', () => {
  const { sys } = tmpfsMachine();
  sys.mkdir('a', 0o700);
  sys.mkdir('a/b', 0o777);
  sys.put('a/b/f', 'F');
  assert.equal(
    sys.as(user(1000), () => sys.stat('a/b/f')),
    -EACCES,
  );
  assert.equal(
    sys.as(user(1000), () => sys.stat('a/..')),
    -EACCES,
  );
  sys.chmod('a', 0o711);
  assert.equal(
    sys.as(user(1000), () => sys.text('a/b/f')),
    'F',
  );
  assert.equal(
    sys.as(user(1000), () => sys.names('a')),
    -EACCES,
  );
});

test('paths end at 4095 characters', () => {
  const { sys } = tmpfsMachine();
  sys.mkdir('a');
  const long = `${'./'.repeat(2046)}a`;
  assert.equal(sys.stat(`./${long}`), sys.stat('a'));
  assert.equal(sys.stat(`././${long}`), -ENAMETOOLONG);
  assert.equal(sys.stat(''), -ENOENT);
});

test('changes of names are told', () => {
  const { sys, vfs } = tmpfsMachine();
  const told: string[] = [];
  vfs.notify = (event, dir, name, _inode, cookie) => told.push(`${event} ${dir.name}/${name} ${cookie}`);
  sys.mkdir('d');
  sys.mknod('d/f', S_IFREG | 0o600);
  sys.rename('d/f', 'g');
  sys.unlink('g');
  sys.rmdir('d');
  assert.deepEqual(told, [
    `${IN_CREATE | IN_ISDIR} /d 0`,
    `${IN_CREATE} d/f 0`,
    `${IN_MOVED_FROM} d/f 1`,
    `${IN_MOVED_TO} /g 1`,
    `${IN_DELETE} /g 0`,
    `${IN_DELETE | IN_ISDIR} /d 0`,
  ]);
});

test('nothing can be made in a removed directory', () => {
  const { sys, ctx } = tmpfsMachine();
  sys.mkdir('d');
  ctx.cwd = must<Path>(sys.path('d')).get();
  sys.rmdir('/d');
  assert.equal(sys.open('f', O_CREAT | O_WRONLY), -ENOENT);
  assert.equal(sys.mkdir('e'), -ENOENT);
  assert.equal(sys.stat('f'), -ENOENT);
  assert.equal(sys.stat('..'), sys.stat('/'));
});

test('the cache forgets names that nobody uses, and keeps the others', () => {
  const { sys, sb } = wildMachine();
  const cache = new Dcache(1000);
  const root = cache.addRoot(sb.root);
  const kept = new WildInode(sb, 2, S_IFREG | 0o644);
  sb.world.set('kept', kept);
  const dentry = cache.lookup(root, 'kept');
  kept.refs++;
  for (let i = 0; i < 20000; i++) {
    cache.lookup(root, `absent${i}`);
    assert.ok(cache.count <= 2100);
  }
  assert.equal(cache.lookup(root, 'kept'), dentry);
  assert.equal(sys.stat('wild/kept'), kept);
  cache.shrink();
  assert.equal(cache.count, 1, 'where memory is short, at once');
  assert.equal(cache.lookup(root, 'kept'), dentry);
});
