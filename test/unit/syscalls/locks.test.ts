/** Record locks and flock(2), compared with the host's. */
import { test } from 'node:test';
import * as f from '../../../src/uapi/fcntl.ts';
import { BAD, compare, type Ref, type Script, withFile } from './script.ts';

const NOWHERE = 99;

const flock = (s: Script, type: number, whence: number, start: number, len: number, pid = 0): Ref =>
  s.longs((type & 0xffff) | (whence << 16), start, len, pid);

test('record locks', () => {
  const s = withFile();
  s.call('open', 'file', f.O_RDONLY).call('open', 'file', f.O_WRONLY).call('lseek', 3, 5, 0);
  for (const cmd of [f.F_SETLK, f.F_OFD_SETLK, f.F_GETLK, f.F_OFD_GETLK]) {
    for (const type of [f.F_RDLCK, f.F_WRLCK, f.F_UNLCK, 3, -1]) {
      s.call('fcntl', 3, cmd, flock(s, type, 0, 0, 10)).call('fcntl', 4, cmd, flock(s, type, 0, 20, 10));
      s.call('fcntl', 5, cmd, flock(s, type, 0, 40, 10));
    }
    for (const [whence, start, len] of [
      [0, -1, 1],
      [1, -5, 1],
      [1, -6, 1],
      [2, -10, 10],
      [2, -11, 1],
      [0, 5, -5],
      [0, 5, -6],
      [3, 0, 0],
      [0, 0, 0],
      [9, -1, 0],
    ]) {
      s.call('fcntl', 3, cmd, flock(s, f.F_WRLCK, whence!, start!, len!)).call(
        'fcntl',
        3,
        cmd,
        flock(s, f.F_UNLCK, 0, 0, 0),
      );
    }
    s.call('fcntl', 3, cmd, BAD)
      .call('fcntl', 3, cmd, flock(s, f.F_RDLCK, 0, 0, 0, 5))
      .call('fcntl', 3, cmd, flock(s, f.F_UNLCK, 0, 0, 0));
  }
  // Locks of open files are each other's obstacles even within a process.
  const get = flock(s, f.F_WRLCK, 0, 0, 0);
  s.call('fcntl', 3, f.F_OFD_SETLK, flock(s, f.F_RDLCK, 0, 10, 10)).call(
    'fcntl',
    3,
    f.F_OFD_SETLK,
    flock(s, f.F_WRLCK, 0, 30, 0),
  );
  s.call('fcntl', 5, f.F_OFD_GETLK, get)
    .peek(get, 32)
    .call('fcntl', 5, f.F_OFD_SETLK, flock(s, f.F_WRLCK, 0, 15, 1));
  s.call('fcntl', 4, f.F_OFD_SETLK, flock(s, f.F_RDLCK, 0, 15, 1)).call(
    'fcntl',
    3,
    f.F_SETLK,
    flock(s, f.F_WRLCK, 0, 15, 1),
  );
  const free = flock(s, f.F_WRLCK, 1, 0, 5);
  s.call('fcntl', 5, f.F_OFD_GETLK, free)
    .peek(free, 32)
    .call('close', 3)
    .call('fcntl', 5, f.F_OFD_GETLK, get)
    .peek(get, 32);
  compare(s);
});

test('flock', () => {
  const s = withFile();
  s.call('open', 'file', f.O_RDONLY);
  for (const operation of [f.LOCK_SH, f.LOCK_EX, f.LOCK_UN, f.LOCK_SH, 0, 3, f.LOCK_EX]) {
    s.call('flock', 3, operation | f.LOCK_NB)
      .call('flock', 4, f.LOCK_SH | f.LOCK_NB)
      .call('flock', 4, f.LOCK_EX | f.LOCK_NB);
    s.call('flock', 4, f.LOCK_UN);
  }
  s.call('flock', NOWHERE, f.LOCK_SH)
    .call('flock', NOWHERE, 3)
    .call('open', 'file', f.O_PATH)
    .call('flock', 5, f.LOCK_SH);
  s.call('dup', 3)
    .call('close', 3)
    .call('flock', 4, f.LOCK_EX | f.LOCK_NB)
    .call('close', 6)
    .call('flock', 4, f.LOCK_EX | f.LOCK_NB);
  compare(s);
});
