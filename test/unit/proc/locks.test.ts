// test: needs root, whose view of the host is the oracle
/** /proc/locks and the lines of fdinfo, beside the host's for the same locks. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import { File } from '../../../src/fs/file.ts';
import { locksOf } from '../../../src/fs/locks.ts';
import { open } from '../../../src/fs/open.ts';
import { F_RDLCK, F_WRLCK, LOCK_EX, LOCK_SH, O_RDWR } from '../../../src/uapi/fcntl.ts';
import { HostMirror } from './host-mirror.ts';

/** What the host shows of a POSIX and an OFD lock, and of two with flock, all on files of its own. */
const HOST = `
import fcntl, os, struct, tempfile
files = [tempfile.TemporaryFile() for _ in range(4)]
fcntl.fcntl(files[0], fcntl.F_SETLK, struct.pack('hhqqi', fcntl.F_WRLCK, 0, 5, 10, 0))
fcntl.fcntl(files[1], 37, struct.pack('hhqqi', fcntl.F_RDLCK, 0, 0, 0, 0))
fcntl.flock(files[2], fcntl.LOCK_SH)
fcntl.flock(files[3], fcntl.LOCK_EX)
for f in files:
    print(open('/proc/self/fdinfo/%d' % f.fileno()).read().split('lock:')[1], end='')
`;

/** Numbers of processes, devices and inodes apart. */
const shape = (text: string): string[] =>
  text
    .trimEnd()
    .split('\n')
    .map(line => line.replace(/^.*1: /, '').replace(/ \d+ \w+:\w+:\d+ /, ' PID DEV '));

test('locks are shown as the host shows them', () => {
  const host = new HostMirror();
  const task = host.mirror(process.pid);
  host.current = task;
  const paths = ['hostname', 'domainname', 'printk', 'dmesg_restrict'];
  const files = paths.map(name => open(host.vfs, host.who, null, `/sys/kernel/${name}`, O_RDWR, 0) as File);
  for (const file of files) task.files!.install(file, false, 100);
  const locks = files.map(file => locksOf(file.inode));
  locks[0]!.set({ owner: task.files!, type: F_WRLCK, start: 5, end: 15, pid: task.pid });
  locks[1]!.set({ owner: files[1]!, type: F_RDLCK, start: 0, end: Number.POSITIVE_INFINITY, pid: -1 });
  locks[2]!.flock(files[2]!, LOCK_SH);
  locks[3]!.flock(files[3]!, LOCK_EX);
  const text = (path: string): string => {
    const file = open(host.vfs, host.who, null, path, 0, 0);
    assert.ok(file instanceof File);
    const buf = Buffer.alloc(4096);
    return buf.toString('latin1', 0, file.read(buf, 0, 4096, 0));
  };
  const native = execFileSync('python3', ['-c', HOST], { encoding: 'latin1' });
  const info = [0, 1, 2, 3].map(fd => text(`/self/fdinfo/${fd}`).split('lock:')[1]!).join('');
  const normal = (line: string): string => line.replace(/ -1 \w+:\w+:\d+ /, ' PID DEV ');
  assert.deepEqual(shape(info).map(normal), shape(native).map(normal));
  const all = text('/locks').split('\n');
  assert.match(
    all[0]!,
    new RegExp(`^1: POSIX  ADVISORY  WRITE ${task.pid} 00:[0-9a-f]+:${files[0]!.inode.ino} 5 14$`),
  );
  assert.match(all[1]!, /^2: OFDLCK ADVISORY {2}READ -1 .* 0 EOF$/);
  assert.match(all[2]!, new RegExp(`^3: FLOCK  ADVISORY  READ ${task.pid} `));
  assert.equal(all.length, 5);
});
