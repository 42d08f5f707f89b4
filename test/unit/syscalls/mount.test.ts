// test: needs root, whose view of the host is the oracle
/** mount(2), umount2(2), pivot_root(2), compared with the host's in a namespace of their own. */
import { test } from 'node:test';
import * as f from '../../../src/uapi/fcntl.ts';
import * as m from '../../../src/uapi/mount.ts';
import { BAD, compare, Script } from './script.ts';

const HERE = f.AT_FDCWD;

function tree(): Script {
  const s = new Script().namespace();
  s.call('mkdir', 'dir', 0o755)
    .call('mkdir', 'other', 0o755)
    .call('mknod', 'file', 0o100644, 0)
    .call('symlink', 'dir', 'link');
  return s.call('mknod', 'dir/below', 0o100644, 0);
}

test('mount and umount', () => {
  const s = tree();
  const tmpfs = (target: string, flags = 0, data: string | number = 0): Script =>
    s.call('mount', 'none', target, 'tmpfs', flags, data);
  tmpfs('none');
  tmpfs('file');
  tmpfs('dir')
    .call('access', 'dir/below', 0)
    .call('mknod', 'dir/above', 0o100644, 0)
    .call('rmdir', 'dir')
    .call('rename', 'dir', 'x');
  s.call('link', 'dir/above', 'linked')
    .call('rename', 'dir/above', 'moved')
    .call('umount2', 'link', m.UMOUNT_NOFOLLOW);
  s.call('open', 'dir/above', 0)
    .call('umount2', 'dir', 0)
    .call('close', 3)
    .call('chdir', 'dir')
    .call('umount2', '.', 0)
    .call('chdir', '..');
  s.call('umount2', 'link', 0)
    .call('access', 'dir/below', 0)
    .call('umount2', 'dir', 0)
    .call('umount2', 'none', 0)
    .call('umount2', 'dir', 16);
  s.call('umount2', BAD, 0)
    .call('mount', BAD, 'dir', 'tmpfs', 0, 0)
    .call('mount', 'none', BAD, 'tmpfs', 0, 0)
    .call('mount', 'none', 'dir', BAD, 0, 0);
  s.call('mount', 'none', 'dir', 0, 0, 0)
    .call('mount', 'none', 'dir', 'nofs', 0, 0)
    .call('mount', 0, 'dir', 'tmpfs', 0, 0)
    .call('umount2', 'dir', 0);
  tmpfs('dir', 0, 'nonsense=1');
  tmpfs('dir', 0, 'size=64k,mode=700').call('umount2', 'dir', m.MNT_DETACH);
  compare(s);
});

test('flags of a mount', () => {
  const s = tree();
  const buf = s.buf(120);
  s.call('mount', 'none', 'dir', 'tmpfs', 0, 0)
    .call('mknod', 'dir/f', 0o100644, 0)
    .call('mount', 'none', 'dir', 0, m.MS_REMOUNT | m.MS_RDONLY, 0);
  s.call('open', 'dir/f', f.O_WRONLY)
    .call('open', 'dir/new', f.O_CREAT | f.O_RDWR, 0o644)
    .call('chmod', 'dir/f', 0)
    .call('unlink', 'dir/f')
    .call('mkdir', 'dir/d', 0o755);
  s.call('access', 'dir/f', 2)
    .call('utimensat', HERE, 'dir/f', 0, 0)
    .call('truncate', 'dir/f', 0)
    .call('setxattr', 'dir/f', 'trusted.a', 'v', 1, 0)
    .call('open', 'dir/f', f.O_CREAT | f.O_RDONLY, 0);
  s.call('mkdir', 'dir', 0o755)
    .call('mkdir', 'dir/f', 0o755)
    .call('rename', 'dir/f', 'dir/g')
    .call('link', 'dir/f', 'dir/g')
    .call('symlink', 'x', 'dir/f')
    .call('rmdir', 'dir/none');
  s.call('statfs', 'dir', buf)
    .peek(buf, 8, 80)
    .call('mount', 'none', 'dir', 0, m.MS_REMOUNT, 0)
    .call('open', 'dir/f', f.O_WRONLY)
    .call('mount', 'none', 'dir', 0, m.MS_REMOUNT | m.MS_RDONLY, 0);
  s.call('close', 3)
    .call('mount', 'none', 'dir', 0, m.MS_REMOUNT | m.MS_BIND | m.MS_NOEXEC | m.MS_NODEV | m.MS_NOSUID, 0)
    .call('statfs', 'dir', buf)
    .peek(buf, 8, 80);
  s.call('chmod', 'dir/f', 0o755)
    .call('access', 'dir/f', 1)
    .call('mknod', 'dir/null', 0o020666, 0x103)
    .call('open', 'dir/null', 0)
    .call('umount2', 'dir', 0);
  s.call('mount', 'none', 'dir', 'tmpfs', m.MS_RDONLY | m.MS_NOATIME | m.MS_NODIRATIME, 0)
    .call('statfs', 'dir', buf)
    .peek(buf, 8, 80)
    .call('mknod', 'dir/f', 0o100644, 0);
  s.call('mount', 'none', 'other', 0, m.MS_REMOUNT, 0)
    .call('mount', 'none', 'dir', 'tmpfs', 0xc0ed0000 | 0, 0)
    .call('umount2', 'dir', 0)
    .call('umount2', 'dir', 0);
  compare(s);
});

test('bind mounts and moves', () => {
  const s = tree();
  s.call('mount', 'dir', 'other', 0, m.MS_BIND, 0)
    .call('access', 'other/below', 0)
    .call('mknod', 'other/x', 0o100644, 0)
    .call('access', 'dir/x', 0);
  s.call('rename', 'dir/x', 'other/y')
    .call('rename', 'dir/x', 'dir/y')
    .call('umount2', 'other', 0)
    .call('mount', 'file', 'dir/below', 0, m.MS_BIND, 0);
  s.call('unlink', 'dir/below')
    .call('rename', 'dir/y', 'dir/below')
    .call('open', 'dir/below', f.O_TRUNC | f.O_CREAT | f.O_RDWR, 0)
    .call('close', 3)
    .call('umount2', 'dir/below', 0);
  s.call('mount', 'none', 'dir', 'tmpfs', 0, 0)
    .call('mkdir', 'dir/in', 0o755)
    .call('mount', 'none', 'dir/in', 'tmpfs', 0, 0)
    .call('mknod', 'dir/in/deep', 0o100644, 0);
  s.call('mount', 'dir', 'other', 0, m.MS_BIND, 0)
    .call('access', 'other/in/deep', 0)
    .call('umount2', 'other', 0)
    .call('mount', 'dir', 'other', 0, m.MS_BIND | m.MS_REC, 0)
    .call('access', 'other/in/deep', 0);
  s.call('umount2', 'other', 0)
    .call('umount2', 'other', m.MNT_DETACH)
    .call('umount2', 'dir', 0)
    .call('mount', 'dir', 'other', 0, m.MS_MOVE, 0)
    .call('access', 'other/in/deep', 0)
    .call('access', 'dir/below', 0);
  s.call('mount', 'other', 'other/in', 0, m.MS_MOVE, 0)
    .call('mount', 'dir', 'other', 0, m.MS_MOVE, 0)
    .call('mount', 'other', 'file', 0, m.MS_MOVE, 0)
    .call('mount', 'file', 'dir', 0, m.MS_BIND, 0);
  s.call('mount', 'none', 'dir', 0, m.MS_BIND, 0)
    .call('mount', 0, 'dir', 0, m.MS_BIND, 0)
    .call('mount', 0, 'dir', 0, m.MS_PRIVATE, 0)
    .call('mount', 0, 'other', 0, m.MS_PRIVATE, 0)
    .call('umount2', 'other/in', 0)
    .call('umount2', 'other', 0);
  compare(s);
});

test('pivot_root', () => {
  const s = tree();
  s.call('pivot_root', 'dir', 'dir')
    .call('pivot_root', 'file', 'dir')
    .call('pivot_root', 'none', 'dir')
    .call('pivot_root', 'dir', 'none')
    .call('pivot_root', BAD, BAD);
  s.call('mount', 'none', 'dir', 'tmpfs', 0, 0)
    .call('mkdir', 'dir/old', 0o755)
    .call('mknod', 'dir/mark', 0o100644, 0)
    .call('pivot_root', 'dir', 'other');
  s.call('chdir', 'dir')
    .call('pivot_root', '.', 'old')
    .call('access', '/mark', 0)
    .call('chdir', '/')
    .call('access', 'old', 0)
    .call('umount2', '/', 0);
  s.call('umount2', '/old', m.MNT_DETACH).call('rmdir', '/old');
  compare(s);
});
