import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import test from 'node:test';
import { ROOT_CRED } from '../../../src/core/cred.ts';
import { AnonSuper } from '../../../src/fs/anon.ts';
import { File } from '../../../src/fs/file.ts';
import { Inotify } from '../../../src/ipc/inotify.ts';
import { InotifyHub } from '../../../src/ipc/inotify-hub.ts';
import { EAGAIN, EINVAL, ENOSPC } from '../../../src/uapi/errno.ts';
import { O_CREAT, O_DIRECTORY, O_RDONLY, O_RDWR, O_WRONLY } from '../../../src/uapi/fcntl.ts';
import {
  IN_ACCESS,
  IN_ALL_EVENTS,
  IN_CREATE,
  IN_DELETE,
  IN_EXCL_UNLINK,
  IN_MASK_ADD,
  IN_MASK_CREATE,
  IN_MODIFY,
  IN_ONESHOT,
  IN_OPEN,
} from '../../../src/uapi/inotify.ts';
import { POLLIN, POLLRDNORM } from '../../../src/uapi/poll.ts';
import { tmpfsMachine } from '../fs/machine.ts';

type Op = readonly [string, ...(string | number)[]];

class Watcher {
  readonly machine = tmpfsMachine();
  readonly hub = new InotifyHub(this.machine.vfs);
  readonly inotify = new Inotify(
    new AnonSuper('anon_inodefs', 0, 99, this.machine.clock).newInode(0o600, ROOT_CRED),
    this.hub,
    0,
    this.hub.accountOf(0),
  );
  private readonly files = new Map<string, File>();
  private readonly cookies = new Map<number, number>();
  private readonly buf = new Uint8Array(65536);

  drain(): string {
    const got = this.inotify.read(this.buf, 0, this.buf.length);
    if (got === -EAGAIN) return '';
    const view = new DataView(this.buf.buffer);
    const out: string[] = [];
    for (let at = 0; at < got; ) {
      const cookie = view.getUint32(at + 8, true);
      const size = view.getUint32(at + 12, true);
      const name = Buffer.from(this.buf.subarray(at + 16, at + 16 + size))
        .toString('latin1')
        .replace(/\0+$/, '');
      if (cookie !== 0 && !this.cookies.has(cookie)) this.cookies.set(cookie, this.cookies.size);
      const number = cookie === 0 ? '-' : this.cookies.get(cookie);
      const mask = view.getUint32(at + 4, true).toString(16);
      out.push(`${view.getInt32(at, true)}:${mask}:${number}:${name}/${size}`);
      at += 16 + size;
    }
    return out.join(' ');
  }

  run([op, ...args]: Op): number {
    const { sys } = this.machine;
    const [a, b, c] = args as [string, never, string];
    const file = this.files.get(a);
    switch (op) {
      case 'watch': {
        const path = sys.path(a);
        return typeof path === 'number' ? path : this.inotify.addWatch(path.inode, b);
      }
      case 'unwatch':
        return this.inotify.removeWatch(a as unknown as number);
      case 'open': {
        const opened = sys.open(a, b);
        if (!(opened instanceof File)) return opened;
        this.files.set(c, opened);
        return 0;
      }
      case 'close':
        file!.put();
        return 0;
      case 'write':
        sys.write(file!, Buffer.from('x'));
        file!.happened(IN_MODIFY);
        return 0;
      case 'read':
        if ((sys.read(file!, 1) as Uint8Array).length > 0) file!.happened(IN_ACCESS);
        return 0;
      default: {
        const call = sys[op as 'rename' | 'unlink' | 'chmod'] as (...rest: unknown[]) => number;
        return call.apply(sys, args);
      }
    }
  }
}

function compare(scripts: readonly (readonly Op[])[]): void {
  const host = spawnSync('python3', [new URL('inotify.py', import.meta.url).pathname], {
    input: JSON.stringify(scripts),
  });
  assert.equal(host.status, 0, host.stderr.toString());
  const expected = JSON.parse(host.stdout.toString()) as string[][];
  scripts.forEach((script, s) => {
    const watcher = new Watcher();
    const told = script.map(op => `${JSON.stringify(op)} ${watcher.run(op)} ${watcher.drain()}`);
    assert.deepEqual(
      told,
      script.map((op, i) => `${JSON.stringify(op)} ${expected[s]![i]}`),
    );
  });
}

test('a directory and a file in it tell what the host tells', () => {
  compare([
    [
      ['mkdir', 'd'],
      ['watch', 'd', IN_ALL_EVENTS],
      ['open', 'd/file', O_RDWR | O_CREAT, 'f'],
      ['watch', 'd/file', IN_ALL_EVENTS],
      ['write', 'f'],
      ['write', 'f'],
      ['read', 'f'],
      ['close', 'f'],
      ['open', 'd/file', O_RDONLY, 'f'],
      ['read', 'f'],
      ['close', 'f'],
      ['chmod', 'd/file', 0o600],
      ['truncate', 'd/file', 0],
      ['link', 'd/file', 'd/other-name-of-it'],
      ['rename', 'd/file', 'd/moved'],
      ['unlink', 'd/other-name-of-it'],
      ['open', 'd/moved', O_RDONLY, 'f'],
      ['unlink', 'd/moved'],
      ['close', 'f'],
      ['mkdir', 'd/sub'],
      ['open', 'd/sub', O_RDONLY | O_DIRECTORY, 's'],
      ['close', 's'],
      ['rmdir', 'd/sub'],
      ['open', 'd', O_RDONLY | O_DIRECTORY, 's'],
      ['close', 's'],
      ['rmdir', 'd'],
      ['unwatch', 1],
    ],
  ]);
});

test('a watched file that is replaced by a rename is deleted', () => {
  compare([
    [
      ['open', 'a', O_WRONLY | O_CREAT, 'f'],
      ['close', 'f'],
      ['open', 'b', O_WRONLY | O_CREAT, 'f'],
      ['close', 'f'],
      ['watch', 'a', IN_ALL_EVENTS],
      ['rename', 'b', 'a'],
      ['watch', 'a', IN_ALL_EVENTS],
      ['unlink', 'a'],
    ],
  ]);
});

test('a file hears of its end before its directory does, and after who took its name', () => {
  compare([
    [
      ['mkdir', 'd'],
      ['mkdir', 'e'],
      ['open', 'a', O_WRONLY | O_CREAT, 'f'],
      ['close', 'f'],
      ['open', 'b', O_WRONLY | O_CREAT, 'f'],
      ['close', 'f'],
      ['watch', '.', IN_ALL_EVENTS],
      ['watch', 'a', IN_ALL_EVENTS],
      ['watch', 'b', IN_ALL_EVENTS],
      ['watch', 'd', IN_ALL_EVENTS],
      ['watch', 'e', IN_ALL_EVENTS],
      ['rename', 'b', 'a'],
      ['link', 'a', 'c'],
      ['unlink', 'a'],
      ['unlink', 'c'],
      ['rename', 'd', 'e'],
      ['rmdir', 'e'],
    ],
  ]);
});

test('masks are added, replaced and refused as on the host', () => {
  compare([
    [
      ['mkdir', 'd'],
      ['watch', 'd', 0],
      ['watch', 'none', IN_OPEN],
      ['watch', 'd', IN_OPEN],
      ['watch', 'd', IN_MODIFY | IN_MASK_CREATE],
      ['watch', 'd', IN_MODIFY | IN_MASK_CREATE | IN_MASK_ADD],
      ['watch', 'd', IN_MODIFY | IN_MASK_ADD],
      ['open', 'd/f', O_WRONLY | O_CREAT, 'f'],
      ['write', 'f'],
      ['close', 'f'],
      ['watch', 'd', IN_MODIFY],
      ['open', 'd/f', O_RDWR, 'f'],
      ['write', 'f'],
      ['watch', 'd', IN_MODIFY | IN_EXCL_UNLINK],
      ['unlink', 'd/f'],
      ['write', 'f'],
      ['watch', 'd', (IN_OPEN | IN_ONESHOT) >>> 0],
      ['open', 'd/f', O_WRONLY | O_CREAT, 'g'],
      ['open', 'd/f', O_WRONLY | O_CREAT, 'h'],
      ['unwatch', 1],
      ['watch', 'd', IN_OPEN],
      ['unwatch', 2],
      ['unwatch', 7],
    ],
  ]);
});

test('a full queue overflows once; a read needs room for an event; nothing watched costs nothing', () => {
  const watcher = new Watcher();
  const { inotify, machine } = watcher;
  watcher.run(['mkdir', 'd']);
  watcher.run(['watch', 'd', IN_ALL_EVENTS]);
  for (let i = 0; i < 17000; i++) inotify.enqueue({ wd: 1, mask: IN_OPEN, cookie: i + 1, name: 'x' });
  assert.equal(inotify.poll(), POLLIN | POLLRDNORM);
  const buf = new Uint8Array(1 << 20);
  assert.equal(inotify.read(buf, 0, 31), -EINVAL);
  assert.equal(inotify.read(buf, 0, buf.length), 16384 * 32 + 16);
  assert.equal(inotify.read(buf, 0, buf.length), -EAGAIN);
  assert.notEqual(machine.vfs.notify, null);
  inotify.put();
  assert.equal(machine.vfs.notify, null);
  assert.equal(machine.ns.root.sb.watcher, null);
});

test('a filesystem is watched as long as one of its files is', () => {
  const { machine, inotify } = new Watcher();
  const first = machine.ctx.root.inode;
  const other = new AnonSuper('other', 0, 98, machine.clock);
  const files = [other.newInode(0o600, ROOT_CRED), other.newInode(0o600, ROOT_CRED)] as const;
  assert.equal(inotify.addWatch(first, IN_CREATE), 1);
  assert.equal(inotify.addWatch(files[0], IN_OPEN), 2);
  assert.equal(inotify.addWatch(files[1], IN_OPEN), 3);
  assert.equal(inotify.removeWatch(2), 0);
  assert.notEqual(other.watcher, null);
  assert.equal(inotify.removeWatch(3), 0);
  assert.equal(other.watcher, null);
  assert.notEqual(first.sb.watcher, null);
  assert.equal(inotify.addWatch(files[0], IN_OPEN), 4);
  assert.equal(inotify.removeWatch(1), 0);
  assert.equal(first.sb.watcher, null);
  assert.notEqual(machine.vfs.notify, null);
  inotify.put();
  assert.equal(other.watcher, null);
  assert.equal(machine.vfs.notify, null);
});

test('watches count for their user until they, or their instance, go', () => {
  const { machine, hub, inotify } = new Watcher();
  const { inode } = machine.ctx.root;
  const account = hub.accountOf(0);
  assert.equal(inotify.addWatch(inode, IN_CREATE), 1);
  assert.equal(inotify.addWatch(inode, IN_DELETE), 1);
  assert.deepEqual(account, { instances: 1, watches: 1 });
  assert.equal(inotify.removeWatch(1), 0);
  assert.equal(account.watches, 0);
  hub.limits.watches = 0;
  assert.equal(inotify.addWatch(inode, IN_CREATE), -ENOSPC);
  hub.limits.watches = 1;
  assert.equal(inotify.addWatch(inode, IN_CREATE), 2);
  inotify.put();
  assert.deepEqual(account, { instances: 0, watches: 0 });
});
