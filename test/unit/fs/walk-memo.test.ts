/** Names of the directory that was looked into last: walked by a short cut, as long as nothing on the way has changed. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ROOT_CRED } from '../../../src/core/cred.ts';
import { mount, umount } from '../../../src/fs/mounts.ts';
import { Trail } from '../../../src/fs/trail.ts';
import { EACCES, EEXIST, ENOENT, ENOTDIR, ENOTEMPTY } from '../../../src/uapi/errno.ts';
import { RENAME_EXCHANGE } from '../../../src/uapi/fcntl.ts';
import { type TestMachine, tmpfsMachine, user } from './machine.ts';
import { must } from './suite/check.ts';

const done = (result: number): void => assert.equal(result, 0);

/** /a/b/c and /o/c with files f and g, which say where they are. */
function twoTrees(): TestMachine {
  const machine = tmpfsMachine();
  const { sys } = machine;
  for (const dir of ['/a', '/a/b', '/a/b/c', '/a/y', '/o', '/o/c']) done(sys.mkdir(dir));
  for (const dir of ['/a/b/c', '/o/c'])
    for (const name of ['f', 'g']) assert.equal(sys.put(`${dir}/${name}`, `${dir} ${name}`), 0);
  return machine;
}

const OURS = '/a/b/c g';
/** What happens in /a, by short names: longer ones would be the latest walk themselves. */
const ways: Readonly<Record<string, [(machine: TestMachine) => void, string | number]>> = {
  'nothing happened': [() => {}, OURS],
  'a directory was renamed': [({ sys }) => done(sys.rename('b', 'z')), -ENOENT],
  'two were exchanged': [({ sys }) => done(sys.rename('b', 'y', RENAME_EXCHANGE)), -ENOENT],
  'a link came in its place': [
    ({ sys }) => {
      done(sys.rename('b', 'z'));
      done(sys.symlink('../o', 'b'));
    },
    '/o/c g',
  ],
  'a file came in its place': [
    ({ sys }) => {
      done(sys.rename('b', 'z'));
      done(sys.put('b', ''));
    },
    -ENOTDIR,
  ],
  'a directory was closed': [({ sys }) => done(sys.chmod('b', 0o700)), -EACCES],
  'somebody else asks': [
    ({ sys }) => {
      done(sys.chmod('b', 0o700));
      assert.equal(sys.text('/a/b/c/f'), '/a/b/c f');
    },
    -EACCES,
  ],
  'something was mounted on the way': [
    ({ vfs, ctx }) => done(mount(vfs, ctx, 'none', 'b', 'tmpfs', 0, '')),
    -ENOENT,
  ],
  'and unmounted': [
    ({ vfs, ctx, sys }) => {
      done(mount(vfs, ctx, 'none', 'b', 'tmpfs', 0, ''));
      assert.equal(sys.text('/a/b/c/f'), -ENOENT);
      done(umount(vfs, must(sys.path('b')), 0));
    },
    OURS,
  ],
  'the root is another one': [
    ({ sys, ctx }) => {
      ctx.root = must(sys.path('y'));
    },
    -ENOENT,
  ],
};

for (const [name, [happens, expected]] of Object.entries(ways))
  test(`when ${name}`, () => {
    const machine = twoTrees();
    const { sys, ctx } = machine;
    const somebody = user(5);
    ctx.cred = somebody;
    for (let i = 0; i < 2; i++) assert.equal(sys.text('/a/b/c/f'), '/a/b/c f');
    ctx.cwd = must(sys.path('/a'));
    assert.equal(sys.text('/a/b/c/f'), '/a/b/c f');
    ctx.cred = ROOT_CRED;
    happens(machine);
    ctx.cred = name === 'somebody else asks' ? user(7) : somebody;
    assert.equal(sys.text('/a/b/c/g'), expected);
    assert.equal(sys.text('/a/b/c/g'), expected);
  });

test('relative names start where they start', () => {
  const { sys, ctx } = twoTrees();
  const [a, o] = [must(sys.path('/a/b')), must(sys.path('/o'))] as (typeof ctx.cwd)[];
  ctx.cwd = a!;
  for (let i = 0; i < 2; i++) assert.equal(sys.text('c/f'), '/a/b/c f');
  ctx.cwd = o!;
  for (let i = 0; i < 2; i++) assert.equal(sys.text('../a/b/c/f'), '/a/b/c f');
  assert.equal(sys.text('c/f'), '/o/c f');
  assert.equal(sys.text('/a/b/c/f'), '/a/b/c f');
  assert.equal(sys.text('c/f'), '/o/c f');
});

test('whatever ends a name, and however often it has slashes', () => {
  const { sys } = twoTrees();
  const inode = must(sys.stat('/a/b/c'));
  for (const name of ['/a/b/c/', '/a/b/c//', '/a/b/c/.', '/a//b/c/../c', '/a/b/./c', '//a/b//c'])
    for (let i = 0; i < 2; i++) {
      assert.equal(sys.text('/a/b/c/f'), '/a/b/c f');
      assert.equal(sys.stat(name), inode, name);
      assert.equal(sys.mkdir(name), -EEXIST, name);
      assert.equal(sys.text('/a/b/c/f'), '/a/b/c f');
      if (name.endsWith('/')) assert.equal(sys.rmdir(name), -ENOTEMPTY, name);
    }
  assert.equal(sys.stat('/a/b/c/f/'), -ENOTDIR);
  assert.equal(sys.stat('/a/b/c/f/x'), -ENOTDIR);
  assert.equal(sys.stat('/a/b/cc'), -ENOENT);
});

test('a trail is the same by the short cut', () => {
  const { sys, vfs } = twoTrees();
  const walk = (): Trail => {
    const trail = new Trail();
    vfs.walker.trail = trail;
    assert.equal(sys.stat('/a/b/c/none'), -ENOENT);
    vfs.walker.trail = null;
    return trail;
  };
  must(sys.stat('/o/c/f'));
  const long = walk();
  assert.equal(long.passed.length, 8);
  assert.deepEqual(walk(), long);
});
