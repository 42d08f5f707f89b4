// test: needs root, whose view of the host is the oracle
/** How procfs behaves: names that come and go, links, access, settings, positions. Expectations are the host's. */
import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { CAPS_NONE, type Cred, ROOT_CRED } from '../../../src/core/cred.ts';
import { link, mkdir, mknod, symlink } from '../../../src/fs/create.ts';
import { lookup } from '../../../src/fs/lookup.ts';
import { LOOKUP_FOLLOW } from '../../../src/fs/namei.ts';
import { open } from '../../../src/fs/open.ts';
import { NsFs } from '../../../src/fs/proc/namespaces.ts';
import type { ProcTask } from '../../../src/fs/proc/source.ts';
import { rename } from '../../../src/fs/rename.ts';
import { EACCES, EINVAL, EIO, ENOENT, EPERM, ESRCH } from '../../../src/uapi/errno.ts';
import { O_CREAT, O_DIRECTORY, O_RDONLY, O_RDWR } from '../../../src/uapi/fcntl.ts';
import { POLLPRI } from '../../../src/uapi/poll.ts';
import { S_IFREG } from '../../../src/uapi/stat.ts';
import { calls } from './calls.ts';
import { HostMirror, hostTask, type Mutable } from './host-mirror.ts';

let host: HostMirror;
let self: Mutable<ProcTask>;
const USER: Cred = {
  ...ROOT_CRED,
  uid: 5,
  euid: 5,
  suid: 5,
  fsuid: 5,
  gid: 5,
  egid: 5,
  sgid: 5,
  fsgid: 5,
  permitted: CAPS_NONE,
  effective: CAPS_NONE,
};

const { openFile, readAt, text, write, readlink, names } = calls(() => host);

/** What collects garbage. */
function collector(): () => void {
  setFlagsFromString('--expose-gc');
  return runInNewContext('gc') as () => void;
}

beforeEach(() => {
  host = new HostMirror();
  self = host.mirror(process.pid);
  host.current = self;
});

/** A process like ours, by another number. */
function clone(pid: number, changes: Partial<Mutable<ProcTask>> = {}): Mutable<ProcTask> {
  const task: Mutable<ProcTask> = { ...self, pid, tgid: pid, ...changes };
  task.nextThread = tid => (tid <= pid ? task : null);
  host.tasks.set(pid, task);
  return task;
}

test("self and thread-self are the caller's", () => {
  assert.equal(readlink('/self'), String(self.pid));
  assert.equal(readlink('/thread-self'), `${self.pid}/task/${self.pid}`);
  assert.equal(text('/self/comm'), `${self.comm}\n`);
  assert.equal(text('/thread-self/comm'), `${self.comm}\n`);
  host.current = clone(4711, { comm: 'other' });
  assert.equal(text('/self/comm'), 'other\n');
  host.current = null;
  assert.equal(readlink('/self'), -ENOENT);
});

test('thousands of processes are listed once each, while some come and go', () => {
  for (let pid = 200_000; pid < 203_000; pid++) clone(pid);
  const listed = names('/', 7).filter(name => /^\d+$/.test(name));
  assert.equal(listed.length, 3001);
  assert.equal(new Set(listed).size, 3001);
  const dir = openFile('/', O_RDONLY | O_DIRECTORY);
  const seen: string[] = [];
  let pos = 0;
  for (let more = true; more; ) {
    more = false;
    dir.readdir(pos, (name, _ino, _type, next) => {
      seen.push(name);
      pos = next;
      more = true;
      return false;
    });
    if (/^20\d{4}$/.test(seen.at(-1)!)) host.tasks.delete(Number(seen.at(-1)) + 1);
  }
  assert.equal(seen.filter(name => /^20\d{4}$/.test(name)).length, 1500);
});

test('names are numbers in their one spelling', () => {
  clone(77);
  for (const name of ['077', '+77', '77 ', '7.7e1', '99999999999999', '-1', '0']) {
    assert.equal(text(`/${name}/comm`), -ENOENT, name);
  }
  assert.equal(typeof text('/77/comm'), 'string');
});

test('a process that has ended is no more, even for files that are open', () => {
  const task = clone(77);
  const stat = openFile('/77/stat');
  const dir = openFile('/77', O_RDONLY | O_DIRECTORY);
  const mem = openFile('/77/mem');
  const cmdline = openFile('/77/cmdline');
  assert.equal(typeof readAt(stat, 0, 10), 'string');
  task.reaped = true;
  host.tasks.delete(77);
  assert.equal(readAt(stat, 0, 10), -ESRCH);
  assert.equal(readAt(cmdline, 0, 10), -ESRCH);
  assert.equal(readAt(mem, self.mm!.layout.argStart, 10), '');
  assert.equal(
    dir.readdir(0, () => true),
    -ENOENT,
  );
  assert.equal(text('/77/stat'), -ENOENT);
  const next = clone(77, { comm: 'next' });
  assert.equal(text('/77/comm'), 'next\n');
  assert.equal(next.reaped, false);
});

test('a zombie has numbers but no memory, places or files', () => {
  clone(77, { state: 'Z', mm: null, cwd: null, root: null, files: null });
  assert.match(String(text('/77/stat')), /^77 \(.*\) Z /);
  assert.match(String(text('/77/status')), /^State:\tZ \(zombie\)$/m);
  assert.equal(text('/77/maps'), '');
  assert.equal(text('/77/cmdline'), '');
  assert.equal(text('/77/statm'), '0 0 0 0 0 0 0\n');
  for (const name of ['environ', 'auxv', 'smaps_rollup']) assert.equal(text(`/77/${name}`), -ESRCH, name);
  for (const name of ['exe', 'cwd', 'root']) assert.equal(readlink(`/77/${name}`), -ENOENT, name);
  assert.equal(text('/77/mounts'), -EINVAL);
  assert.deepEqual(names('/77/fd'), ['.', '..']);
});

test('descriptors are links to their files, and open them anew', () => {
  const file = openFile('/sys/kernel/ostype');
  const written = openFile('/sys/kernel/hostname', O_RDWR);
  assert.equal(self.files!.install(file, true, 100), 0);
  assert.equal(self.files!.install(written, false, 100), 1);
  assert.deepEqual(names('/self/fd'), ['.', '..', '0', '1']);
  assert.equal(readlink('/self/fd/0'), '/sys/kernel/ostype');
  assert.equal(text('/self/fd/0'), 'Linux\n');
  const link = lookup(host.vfs, host.who, null, '/self/fd/0', 0);
  assert.ok(typeof link !== 'number');
  assert.deepEqual([link.inode.mode & 0o777, link.inode.size], [0o500, 64]);
  const info = /^pos:\t0\nflags:\t02000000\nmnt_id:\t\d+\nino:\t\d+\n$/;
  assert.match(String(text('/self/fdinfo/0')), info);
  self.files!.close(0);
  assert.equal(readlink('/self/fd/0'), -ENOENT);
  assert.equal(text('/self/fdinfo/0'), -ENOENT);
  assert.deepEqual(names('/self/fdinfo'), ['.', '..', '1']);
  const again = openFile('/version');
  self.files!.install(again, false, 100);
  assert.equal(readlink('/self/fd/0'), '/version');
});

test('closed files are not kept for having been looked at', async () => {
  const collect = collector();
  const opened = (): WeakRef<object> => {
    const file = openFile('/version');
    assert.equal(self.files!.install(file, false, 100), 0);
    assert.deepEqual(names('/self/fd'), ['.', '..', '0']);
    assert.equal(readlink('/self/fd/0'), '/version');
    assert.equal(typeof text('/self/fdinfo/0'), 'string');
    self.files!.close(0);
    return new WeakRef(file);
  };
  const file = opened();
  await nextTurn();
  collect();
  assert.equal(file.deref(), undefined);
});

test('others of another user do not look in', () => {
  clone(77);
  host.current = clone(78, { cred: USER });
  for (const name of ['environ', 'auxv', 'mem', 'maps', 'smaps', 'pagemap', 'io', 'fd', 'mountstats']) {
    assert.equal(text(`/77/${name}`), -EACCES, name);
  }
  for (const name of ['exe', 'cwd', 'root', 'ns/mnt']) assert.equal(readlink(`/77/${name}`), -EACCES, name);
  for (const name of ['stat', 'status', 'cmdline', 'limits', 'comm']) {
    assert.equal(typeof text(`/77/${name}`), 'string', name);
  }
  const hidden = String(text('/77/stat')).split(' ').slice(25, 28);
  assert.deepEqual(hidden, ['1', '1', '0']);
  const own = clone(79, { cred: USER });
  assert.equal(typeof text('/79/maps'), 'string');
  own.dumpable = false;
  assert.equal(text('/79/maps'), -EACCES);
  assert.equal(typeof text('/self/environ'), 'string');
});

test('memory that was opened is not that of the next program', () => {
  const task = clone(77);
  const mem = openFile('/77/mem');
  const environ = openFile('/77/environ');
  assert.equal((readAt(environ, 0, 4) as string).length, 4);
  assert.equal((readAt(mem, self.mm!.layout.argStart, 4) as string).length, 4);
  task.mm = { ...self.mm! };
  assert.equal(readAt(environ, 0, 4), '');
  assert.equal(readAt(mem, self.mm!.layout.argStart, 4), '');
});

test('a title that covers the arguments is the command line', () => {
  const bytes = Buffer.from('title that is long\0KEY=value\0', 'latin1');
  const mm = {
    ...self.mm!,
    layout: { ...self.mm!.layout, argStart: 1000, argEnd: 1010, envStart: 1010, envEnd: 1000 + bytes.length },
    read: (addr: number, buf: Uint8Array, off: number, len: number) =>
      bytes.copy(buf, off, addr - 1000, addr - 1000 + len),
  };
  clone(77, { mm });
  assert.equal(text('/77/cmdline'), 'title that is long\0');
  assert.equal(readAt(openFile('/77/cmdline'), 6, 4), 'that');
});

test('a file begins anew at position 0 and goes on with what it began', () => {
  const file = openFile('/sys/kernel/random/uuid');
  const first = readAt(file, 0, 10);
  const rest = readAt(file, 10, 100);
  assert.match(`${first}${rest}`, /^[0-9a-f-]{36}\n$/);
  assert.equal(readAt(file, 37, 10), '');
  assert.notEqual(readAt(file, 0, 10), first);
  assert.equal(file.seek(0, 2), -EINVAL);
});

test('comm is renamed by its own process alone', () => {
  assert.equal(write('/self/comm', 'abc\ndef'), 7);
  assert.equal(text('/self/comm'), 'abc\ndef\n');
  assert.equal(write('/self/comm', '0123456789abcdefghij'), 20);
  assert.equal(text('/self/comm'), '0123456789abcde\n');
  clone(77);
  assert.equal(write('/77/comm', 'x'), -EINVAL);
});

test('oom_score_adj takes whole numbers and asks for privilege', () => {
  self.cred = ROOT_CRED;
  for (const [value, answer, then] of [
    ['1001', -EINVAL, 0],
    ['abc', -EINVAL, 0],
    ['5 \n', 3, 5],
    ['0x10', 4, 16],
    ['010', 3, 8],
    [' 7', 2, 7],
    ['', -EINVAL, 7],
    ['7x', -EINVAL, 7],
    ['-1000', 5, -1000],
  ] as const) {
    assert.equal(write('/self/oom_score_adj', value), answer, value);
    assert.equal(self.oomScoreAdj, then);
  }
  assert.equal(text('/self/oom_adj'), '-17\n');
  assert.equal(write('/self/oom_adj', '15'), 2);
  assert.equal(self.oomScoreAdj, 1000);
  self.cred = USER;
  assert.equal(write('/self/oom_score_adj', '-1000'), 5);
  assert.equal(write('/self/oom_adj', '-17'), 3);
  assert.equal(write('/self/oom_score_adj', '100'), 3);
  assert.equal(write('/self/oom_adj', '-17'), -EACCES);
});

test('what oom_score_adj was last given with privilege is the least without', () => {
  self.cred = ROOT_CRED;
  assert.equal(write('/self/oom_score_adj', '300'), 3);
  self.cred = USER;
  assert.equal(write('/self/oom_score_adj', '299'), -EACCES);
  assert.equal(write('/self/oom_score_adj', '400'), 3);
  assert.equal(write('/self/oom_score_adj', '300'), 3);
  assert.equal(self.oomScoreAdj, 300);
});

test('settings of the kernel', () => {
  assert.equal(write('/sys/kernel/hostname', 'box\n'), 4);
  assert.equal(host.hostname, 'box');
  assert.equal(text('/sys/kernel/hostname'), 'box\n');
  assert.equal(write('/sys/kernel/ostype', 'x'), -EACCES);
  assert.equal(write('/sys/vm/swappiness', '300'), -EINVAL);
  assert.equal(write('/sys/vm/swappiness', '10\n'), 3);
  assert.equal(text('/sys/vm/swappiness'), '10\n');
  assert.equal(write('/sys/kernel/printk', '4 4 1 7'), 7);
  assert.equal(host.log.consoleLevel, 4);
  assert.equal(write('/sysrq-trigger', 'h\n'), 2);
  assert.deepEqual(host.keys, ['h']);
  assert.equal(write('/uptime', 'x'), -EIO);
});

test('nothing can be made or removed', () => {
  const root = host.root.inode;
  const { vfs, who } = host;
  for (const cred of [ROOT_CRED, { ...ROOT_CRED, fsuid: 1000, effective: CAPS_NONE }]) {
    const ctx = { ...who, cred };
    assert.equal(mkdir(vfs, ctx, null, '/x', 0o700), -ENOENT);
    assert.equal(mknod(vfs, ctx, null, '/sys/x', S_IFREG, 0), -ENOENT);
    assert.equal(symlink(vfs, ctx, 'x', null, '/self/x'), -ENOENT);
    assert.equal(link(vfs, ctx, null, '/uptime', null, '/x', 0), -ENOENT);
    assert.equal(rename(vfs, ctx, null, '/uptime', null, '/x', 0), -ENOENT);
    assert.equal(open(vfs, ctx, null, '/x', O_CREAT | O_RDWR, 0o600), -ENOENT);
  }
  assert.equal(root.unlink('uptime', root), -EPERM);
  assert.equal(root.setattr({ mode: 0o777 }), -EPERM);
});

test('namespaces are the same files for all that share them', () => {
  clone(77);
  const at = (path: string) => {
    const found = lookup(host.vfs, host.who, null, path, LOOKUP_FOLLOW);
    assert.ok(typeof found !== 'number', path);
    return found.inode;
  };
  assert.equal(at('/self/ns/mnt'), at('/77/ns/mnt'));
  assert.notEqual(at('/self/ns/mnt'), at('/self/ns/net'));
  assert.equal(readlink('/self/ns/mnt'), `mnt:[${at('/self/ns/mnt').ino}]`);
  assert.equal(openFile('/self/ns/net').ioctl(0xb703, 0, null as never, null as never), 0x40000000);
});

test('what stands for a namespace goes with it', async () => {
  const collect = collector();
  const nsfs = new NsFs(1, host.clock);
  const make = (): WeakRef<object> => {
    const namespace = {};
    const inode = nsfs.inode('uts', 7, namespace);
    assert.equal(nsfs.inode('uts', 7, namespace), inode);
    assert.notEqual(nsfs.inode('uts', 8, {}), inode);
    return new WeakRef(inode);
  };
  const inode = make();
  assert.equal(nsfs.inode('net', 9, null), nsfs.inode('net', 9, null));
  await nextTurn();
  collect();
  assert.equal(inode.deref(), undefined);
});

test('poll of mounts tells of each change once', () => {
  const mounts = openFile('/self/mounts');
  assert.equal(readAt(mounts, 0, 100), 'proc / proc rw,relatime 0 0\n');
  assert.equal(mounts.poll() & POLLPRI, 0);
  host.mountGeneration++;
  assert.equal(mounts.poll() & POLLPRI, POLLPRI);
  assert.equal(mounts.poll() & POLLPRI, 0);
});

test('a host process can be mirrored twice', () => {
  assert.notEqual(hostTask(process.pid, host), self);
});
