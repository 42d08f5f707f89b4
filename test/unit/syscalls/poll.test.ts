/** Polling: poll(2), select(2), epoll(7), compared with the host's. */
import { test } from 'node:test';
import * as f from '../../../src/uapi/fcntl.ts';
import { BAD, compare, type Ref, Script, withFile } from './script.ts';

const NOWHERE = 99;

function withFiles(): Script {
  const s = withFile()
    .call('pipe', new Script().buf(8))
    .call('write', 5, 'x', 1)
    .call('pipe', new Script().buf(8));
  return s
    .call('eventfd2', 0, 0)
    .call('pipe', new Script().buf(8))
    .call('close', 9)
    .call('dup2', 10, 9)
    .call('close', 10);
}

test('poll and ppoll', () => {
  const s = withFiles();
  const fds = s.ints(...[3, 4, 5, 6, 7, 8, 9, NOWHERE, -1, -99].flatMap(fd => [fd, 0x47]));
  for (const timeout of [0, 0, -1, 50]) s.call('poll', fds, 10, timeout).peek(fds, 80);
  s.call('poll', { at: fds.at + 24 }, 1, 0)
    .peek(fds, 80)
    .call('poll', BAD, 1, 0)
    .call('poll', BAD, 0, 0)
    .call('poll', fds, -1, 0);
  const some = s.ints(6, 1, 8, 1);
  s.call('poll', some, 2, 0).peek(some, 16).call('ppoll', some, 2, s.longs(0, 0), 0, 0).peek(some, 16);
  s.call('ppoll', some, 2, s.longs(0, -1), 0, 0)
    .call('ppoll', some, 2, s.longs(-1, 0), 0, 0)
    .call('ppoll', some, 2, BAD, 0, 0);
  s.call('ppoll', some, 2, s.longs(0, 0), some, 4)
    .call('ppoll', some, 2, s.longs(0, 0), BAD, 8)
    .call('ppoll', fds, 10, 0, s.longs(0), 8);
  s.call('write', 8, s.longs(1), 8).call('poll', some, 2, -1).peek(some, 16);
  compare(s);
});

test('select and pselect6', () => {
  const s = withFiles();
  const bits = (...fds: number[]): Ref =>
    s.longs(
      fds.reduce((sum, fd) => sum + 2 ** fd, 0),
      0,
    );
  const all = [3, 4, 5, 6, 7, 8, 9];
  const [r, w, e] = [bits(...all), bits(...all), bits(...all)];
  s.call('select', 10, r, w, e, s.longs(0, 0)).peek(r, 16).peek(w, 16).peek(e, 16);
  const again = bits(...all);
  s.call('select', 10, again, 0, 0, 0)
    .peek(again, 16)
    .call('select', 4, bits(3, 6), 0, 0, 0)
    .call('select', 0, 0, 0, 0, s.longs(0, 0));
  s.call('select', -1, 0, 0, 0, 0)
    .call('select', 10, bits(1, 20), 0, 0, s.longs(0, 0))
    .call('select', 30, bits(20), 0, 0, s.longs(0, 0));
  s.call('select', 10, BAD, 0, 0, 0)
    .call('select', 10, 0, 0, 0, BAD)
    .call('select', 10, 0, 0, 0, s.longs(-1, 0))
    .call('select', 1, 0, 0, 0, s.longs(0, -1));
  const empty = bits(6, 8);
  s.call('select', 10, empty, 0, 0, s.longs(0, 0)).peek(empty, 16).call('pselect6', 10, bits(3), 0, 0, 0, 0);
  const packed = s.longs(0, 8);
  s.call('pselect6', 10, bits(3), 0, 0, s.longs(0, 0), packed).call(
    'pselect6',
    10,
    bits(3),
    0,
    0,
    s.longs(0, 1e9),
    0,
  );
  s.call('pselect6', 10, bits(3), 0, 0, 0, BAD)
    .call('pselect6', 10, bits(3), 0, 0, 0, s.longs(BAD, 8))
    .call('pselect6', 10, bits(3), 0, 0, 0, s.longs(BAD, 4));
  compare(s);
});

test('epoll', () => {
  const s = withFiles();
  const event = (events: number, data: number): Ref => s.ints(events, data, 0);
  const buf = s.buf(128);
  s.call('epoll_create', 0)
    .call('epoll_create', -1)
    .call('epoll_create1', 1)
    .call('epoll_create1', f.O_CLOEXEC)
    .call('fcntl', 10, f.F_GETFD, 0);
  for (const fd of [3, 4, 5, 6, 8, 9, 10, NOWHERE])
    s.call('epoll_ctl', 10, 1, fd, event(5, fd)).call('epoll_ctl', 10, 1, fd, event(5, fd));
  s.call('epoll_wait', 10, buf, 8, 0)
    .peek(buf, 48)
    .call('epoll_wait', 10, buf, 1, 0)
    .call('epoll_wait', 10, buf, 0, 0)
    .call('epoll_wait', 10, buf, -1, 0);
  s.call('epoll_wait', 10, BAD, 1, 0)
    .call('epoll_wait', NOWHERE, buf, 1, 0)
    .call('epoll_wait', 3, buf, 1, 0)
    .call('epoll_wait', NOWHERE, buf, 0, 0);
  s.call('epoll_ctl', 10, 3, 4, event(2 ** 31 - 2 ** 32 + 1, 44))
    .call('epoll_ctl', 10, 2, 9, 0)
    .call('epoll_ctl', 10, 2, 9, 0)
    .call('epoll_wait', 10, buf, 8, 0)
    .peek(buf, 36);
  s.call('epoll_wait', 10, buf, 8, 0)
    .call('epoll_ctl', 10, 3, 9, event(1, 1))
    .call('epoll_ctl', 10, 9, 4, event(1, 1))
    .call('epoll_ctl', 3, 1, 4, event(1, 1));
  s.call('epoll_ctl', 10, 1, 4, BAD)
    .call('epoll_ctl', NOWHERE, 1, 4, event(1, 1))
    .call('epoll_ctl', 10, 2, 5, BAD)
    .call('epoll_ctl', 4, 1, 3, event(1, 1));
  s.call('epoll_pwait', 10, buf, 8, 0, s.longs(0), 8)
    .call('epoll_pwait', 10, buf, 8, 0, s.longs(0), 4)
    .call('epoll_pwait2', 10, buf, 8, s.longs(0, 0), 0, 0);
  s.call('epoll_pwait2', 10, buf, 8, s.longs(0, -1), 0, 0)
    .call('epoll_pwait2', 10, buf, 8, BAD, 0, 0)
    .call('close', 4)
    .call('epoll_wait', 10, buf, 8, 0);
  compare(s);
});
