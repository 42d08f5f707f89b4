/** Files that tell of events, compared with the host's. */
import { test } from 'node:test';
import * as f from '../../../src/uapi/fcntl.ts';
import { BAD, compare, Script, withFile } from './script.ts';

const HERE = f.AT_FDCWD;
const NOWHERE = 99;

test('eventfd, timerfd, signalfd, pidfd', () => {
  const s = new Script();
  const buf = s.buf(128);
  s.call('eventfd2', 5, f.O_NONBLOCK)
    .call('read', 3, buf, 8)
    .peek(buf, 8)
    .call('read', 3, buf, 8)
    .call('read', 3, buf, 4)
    .call('write', 3, s.longs(-1), 8);
  s.call('eventfd2', 3, f.O_NONBLOCK | 1)
    .call('read', 4, buf, 8)
    .peek(buf, 8)
    .call('eventfd2', 0, 2)
    .call('eventfd', 1)
    .call('write', 3, s.longs(7), 9);
  s.call('timerfd_create', 1, f.O_NONBLOCK)
    .call('timerfd_create', 99, 0)
    .call('timerfd_create', 1, 1)
    .call('timerfd_gettime', 6, buf)
    .peek(buf, 32);
  s.call('timerfd_settime', 6, 0, s.longs(0, 0, 0, -1), 0)
    .call('timerfd_settime', 6, 4, s.longs(0, 0, 1, 0), 0)
    .call('timerfd_settime', 6, 0, BAD, 0);
  s.call('timerfd_settime', 3, 0, s.longs(0, 0, 1, 0), 0)
    .call('timerfd_settime', NOWHERE, 0, s.longs(0, 0, 1, 0), 0)
    .call('timerfd_gettime', 3, buf);
  s.call('timerfd_settime', 6, 0, s.longs(5, 0, 1000, 0), buf)
    .peek(buf, 32)
    .call('read', 6, buf, 8)
    .call('timerfd_gettime', NOWHERE, buf)
    .call('timerfd_gettime', 6, BAD);
  s.call('signalfd4', -1, s.longs(2 ** 9), 8, f.O_NONBLOCK)
    .call('signalfd4', -1, s.longs(0), 4, 0)
    .call('signalfd4', -1, s.longs(0), 8, 1)
    .call('signalfd4', -1, BAD, 8, 0);
  s.call('read', 7, buf, 128)
    .call('read', 7, buf, 100)
    .call('signalfd', 7, s.longs(2 ** 10), 8)
    .call('signalfd', 3, s.longs(0), 8)
    .call('signalfd', NOWHERE, s.longs(0), 8);
  s.call('write', 7, buf, 8)
    .call('pidfd_open', 0, 0)
    .call('pidfd_open', -1, 0)
    .call('pidfd_open', 4_000_000, 0)
    .call('pidfd_open', 1, 1);
  s.call('pidfd_getfd', 3, 0, 0).call('pidfd_getfd', 3, 0, 1).call('pidfd_getfd', NOWHERE, 0, 0);
  compare(s);
});

test('inotify', () => {
  const s = withFile();
  const buf = s.buf(512);
  const drain = (): Script => s.call('read', 4, buf, 512).peek(buf, 160);
  s.call('inotify_init1', f.O_NONBLOCK)
    .call('inotify_init1', 1)
    .call('inotify_add_watch', 4, '.', 0xfff)
    .call('inotify_add_watch', 4, 'file', 0xfff);
  s.call('read', 4, buf, 512).call('write', 3, 'x', 1);
  drain().call('open', 'file', f.O_RDONLY).call('read', 5, buf, 1).call('close', 5);
  drain()
    .call('openat', HERE, 'new', f.O_CREAT | f.O_WRONLY, 0o644)
    .call('close', 5)
    .call('chmod', 'new', 0o600);
  drain()
    .call('mkdir', 'dir', 0o755)
    .call('unlink', 'new')
    .call('rmdir', 'dir')
    .call('truncate', 'file', 2)
    .call('utimes', 'file', 0);
  drain().call('read', 4, buf, 10).call('inotify_rm_watch', 4, 2);
  drain()
    .call('inotify_rm_watch', 4, 2)
    .call('inotify_rm_watch', 4, 9)
    .call('inotify_rm_watch', 3, 1)
    .call('inotify_rm_watch', NOWHERE, 1);
  s.call('inotify_add_watch', 4, '.', 0)
    .call('inotify_add_watch', 4, 'none', 1)
    .call('inotify_add_watch', 4, 'file', 0x01000001)
    .call('inotify_add_watch', 4, '.', 0x30000001);
  s.call('inotify_add_watch', 3, '.', 1)
    .call('inotify_add_watch', NOWHERE, '.', 1)
    .call('inotify_add_watch', 4, BAD, 1)
    .call('inotify_add_watch', 4, '.', 0x10000001)
    .call('inotify_add_watch', 4, '.', 0x20000001);
  s.call('inotify_add_watch', 4, '.', 0x00800001);
  compare(s);
});
