/** What is known of files: rights, times, extended attributes. */
import assert from 'node:assert/strict';
import type { Path } from '../../../../src/fs/dentry.ts';
import type { Inode } from '../../../../src/fs/inode.ts';
import { getXattr, listXattr, removeXattr, setXattr } from '../../../../src/fs/xattr.ts';
import { EACCES, EEXIST, ENODATA, EOPNOTSUPP, EPERM } from '../../../../src/uapi/errno.ts';
import { O_RDONLY } from '../../../../src/uapi/fcntl.ts';
import { user } from '../machine.ts';
import { type Check, must } from './check.ts';

export function attributes(check: Check): void {
  check('modes, and who may change them', ['chown'], sys => {
    sys.put('f', '', 0o666);
    assert.equal(must<Inode>(sys.stat('f')).mode & 0o7777, 0o644);
    assert.equal(sys.chmod('f', 0o4711), 0);
    assert.equal(must<Inode>(sys.stat('f')).mode & 0o7777, 0o4711);
    assert.equal(
      sys.as(user(1000), () => sys.chmod('f', 0o777)),
      -EPERM,
    );
    assert.equal(sys.chown('f', 1000, 1000), 0);
    const inode = must<Inode>(sys.stat('f'));
    assert.deepEqual([inode.uid, inode.gid, inode.mode & 0o7777], [1000, 1000, 0o711]);
    assert.equal(
      sys.as(user(1000), () => sys.chmod('f', 0o600)),
      0,
    );
    assert.equal(
      sys.as(user(1001), () => sys.open('f', O_RDONLY)),
      -EACCES,
    );
    assert.equal(
      sys.as(user(1000), () => sys.chown('f', 1001, -1)),
      -EPERM,
    );
  });

  check('sticky directories', ['chown'], sys => {
    sys.mkdir('t');
    sys.chmod('t', 0o1777);
    assert.equal(
      sys.as(user(1000), () => sys.put('t/f', '')),
      0,
    );
    assert.equal(
      sys.as(user(1001), () => sys.unlink('t/f')),
      -EPERM,
    );
    assert.equal(
      sys.as(user(1001), () => sys.rename('t/f', 't/g')),
      -EPERM,
    );
    assert.equal(
      sys.as(user(1000), () => sys.unlink('t/f')),
      0,
    );
  });

  check('set-group-ID directories hand their group on', ['chown'], sys => {
    sys.mkdir('d');
    sys.chown('d', 0, 77);
    sys.chmod('d', 0o2775);
    sys.put('d/f', '');
    sys.mkdir('d/e');
    assert.equal(must<Inode>(sys.stat('d/f')).gid, 77);
    assert.equal(must<Inode>(sys.stat('d/e')).gid, 77);
    assert.equal(must<Inode>(sys.stat('d/e')).mode & 0o7777, 0o2755);
  });

  check('times are set and kept', ['times'], sys => {
    sys.put('f', '');
    assert.equal(sys.utimes('f', { sec: 1000, nsec: 5000 }, { sec: 2000, nsec: 7000 }), 0);
    const { atime, mtime } = must<Inode>(sys.stat('f'));
    assert.deepEqual([atime.sec, atime.nsec, mtime.sec, mtime.nsec], [1000, 5000, 2000, 7000]);
    assert.equal(sys.utimes('f', null, { sec: 3000, nsec: 0 }), 0);
    assert.equal(must<Inode>(sys.stat('f')).atime.sec, 1000);
  });

  check('extended attributes', ['xattr'], sys => {
    sys.put('f', '');
    const { vfs, ctx } = sys;
    const path = must<Path>(sys.path('f'));
    assert.equal(setXattr(vfs, ctx, path, 'user.a', 'value\0\xff', 0), 0);
    assert.equal(setXattr(vfs, ctx, path, 'user.a', 'x', 1), -EEXIST);
    assert.equal(setXattr(vfs, ctx, path, 'user.b', 'x', 2), -ENODATA);
    assert.equal(getXattr(ctx, path, 'user.a'), 'value\0\xff');
    assert.deepEqual(listXattr(ctx, path), ['user.a']);
    assert.equal(removeXattr(vfs, ctx, path, 'user.a'), 0);
    assert.equal(getXattr(ctx, path, 'user.a'), -ENODATA);
    assert.equal(setXattr(vfs, ctx, path, 'other.a', '', 0), -EOPNOTSUPP);
  });
}
