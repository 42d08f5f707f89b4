/** Moving data between files, and files in memory, compared with the host's. */
import { test } from 'node:test';
import * as f from '../../../src/uapi/fcntl.ts';
import { BAD, compare, type Ref, Script, withFile } from './script.ts';

const HERE = f.AT_FDCWD;
const NOWHERE = 99;

test('splice, tee, vmsplice, sendfile, copy_file_range', () => {
  const s = withFile();
  const buf = s.buf(64);
  const off = (value: number): Ref => s.longs(value);
  s.call('pipe2', s.buf(8), f.O_NONBLOCK)
    .call('pipe2', s.buf(8), f.O_NONBLOCK)
    .call('openat', HERE, 'out', f.O_CREAT | f.O_RDWR, 0o644);
  const at = off(3);
  s.call('splice', 3, at, 5, 0, 4, 0)
    .peek(at, 8)
    .call('splice', 3, 0, 5, 0, 4, 0)
    .call('lseek', 3, 0, 0)
    .call('splice', 3, 0, 5, 0, 100, 0)
    .call('lseek', 3, 0, 1);
  s.call('tee', 4, 7, 6, 0)
    .call('read', 6, buf, 64)
    .peek(buf, 8)
    .call('tee', 4, 5, 6, 0)
    .call('tee', 3, 7, 6, 0)
    .call('tee', 4, 7, 0, 0)
    .call('tee', 4, 7, 6, 16);
  const to = off(20);
  s.call('splice', 4, 0, 8, to, 5, 0)
    .peek(to, 8)
    .call('splice', 4, 0, 8, 0, 3, 0)
    .call('splice', 4, 0, 7, 0, 2, 0)
    .call('splice', 4, 0, 8, 0, 100, 0)
    .call('splice', 4, 0, 8, 0, 1, 0);
  s.call('pread64', 8, buf, 64, 0)
    .peek(buf, 32)
    .call('splice', 3, 0, 8, 0, 1, 0)
    .call('splice', 4, off(0), 8, 0, 1, 0)
    .call('splice', 3, 0, 5, off(0), 1, 0);
  s.call('splice', 3, off(-1), 5, 0, 1, 0)
    .call('splice', NOWHERE, 0, 5, 0, 1, 0)
    .call('splice', 5, 0, 4, 0, 1, 0)
    .call('splice', 3, BAD, 5, 0, 1, 0)
    .call('splice', 3, 0, 5, 0, 1, 99)
    .call('splice', 3, 0, 5, 0, 0, 99);
  s.call('splice', 3, off(100), 5, 0, 1, 0)
    .call('splice', 4, 0, 5, 0, 1, 0)
    .call('vmsplice', 5, s.iov([s.str('lent'), 4]), 1, 0)
    .call('vmsplice', 4, s.iov([buf, 9]), 1, 0)
    .peek(buf, 8)
    .call('vmsplice', 3, s.iov([buf, 9]), 1, 0);
  const from = off(2);
  s.call('sendfile', 8, 3, from, 5)
    .peek(from, 8)
    .call('sendfile', 8, 3, 0, 100)
    .call('lseek', 3, 0, 0)
    .call('sendfile', 8, 3, 0, 4)
    .call('lseek', 3, 0, 1)
    .call('lseek', 8, 0, 1);
  s.call('sendfile', 5, 3, 0, 100)
    .call('sendfile', 8, 4, 0, 1)
    .call('sendfile', 4, 3, 0, 1)
    .call('sendfile', 8, 5, 0, 1)
    .call('sendfile', 8, 3, off(-1), 1)
    .call('sendfile', NOWHERE, 3, 0, 1)
    .call('sendfile', 8, NOWHERE, 0, 1);
  s.call('sendfile', 8, 3, BAD, 1)
    .call('sendfile', 8, 4, off(0), 1)
    .call('pread64', 8, buf, 64, 0)
    .peek(buf, 64);
  const [a, b] = [off(1), off(50)];
  s.call('copy_file_range', 3, a, 8, b, 5, 0)
    .peek(a, 8)
    .peek(b, 8)
    .call('lseek', 3, 6, 0)
    .call('copy_file_range', 3, 0, 8, 0, 100, 0)
    .call('lseek', 8, 0, 1)
    .call('copy_file_range', 3, 0, 8, 0, 100, 0);
  s.call('copy_file_range', 3, off(0), 3, off(5), 6, 0)
    .call('copy_file_range', 3, off(0), 3, off(20), 6, 0)
    .call('copy_file_range', 3, off(0), 8, 0, 1, 1)
    .call('copy_file_range', 4, 0, 8, 0, 1, 0)
    .call('copy_file_range', 3, off(-1), 8, 0, 1, 0);
  s.call('open', '.', f.O_RDONLY)
    .call('copy_file_range', 9, 0, 8, 0, 1, 0)
    .call('copy_file_range', NOWHERE, 0, 8, 0, 1, 0)
    .call('open', 'file', f.O_RDONLY)
    .call('copy_file_range', 8, 0, 10, 0, 1, 0)
    .call('sendfile', 9, 3, 0, 1)
    .call('sendfile', 8, 9, 0, 1);
  s.call('openat', HERE, 'out', f.O_WRONLY | f.O_APPEND)
    .call('sendfile', 11, 3, off(0), 1)
    .call('splice', 4, 0, 11, 0, 1, 0)
    .call('copy_file_range', 3, off(0), 11, 0, 1, 0);
  compare(s);
});

test('memfd_create and seals', () => {
  const s = new Script();
  const buf = s.buf(144);
  s.call('memfd_create', 'plain', 0)
    .call('fcntl', 3, f.F_GET_SEALS, 0)
    .call('fcntl', 3, f.F_ADD_SEALS, 2)
    .call('fcntl', 3, f.F_GETFL, 0);
  s.call('memfd_create', 'sealed', 2)
    .call('write', 4, 'hello', 5)
    .call('fcntl', 4, f.F_GET_SEALS, 0)
    .call('fcntl', 4, f.F_ADD_SEALS, 64);
  s.call('fcntl', 4, f.F_ADD_SEALS, 4)
    .call('write', 4, 'more', 4)
    .call('ftruncate', 4, 10)
    .call('ftruncate', 4, 3)
    .call('fcntl', 4, f.F_ADD_SEALS, 2);
  s.call('ftruncate', 4, 1)
    .call('pwrite64', 4, 'x', 1, 0)
    .call('fcntl', 4, f.F_ADD_SEALS, 9)
    .call('pwrite64', 4, 'x', 1, 0)
    .call('fcntl', 4, f.F_ADD_SEALS, 1);
  s.call('fcntl', 4, f.F_GET_SEALS, 0)
    .call('memfd_create', 'n'.repeat(249), 0)
    .call('memfd_create', 'n'.repeat(250), 0)
    .call('memfd_create', BAD, 0);
  s.call('memfd_create', 'x', 0x1000)
    .call('memfd_create', 'x', 24)
    .call('memfd_create', 'x', 8)
    .call('fstat', 6, buf)
    .peek(buf, 4, 24);
  s.call('fchmod', 6, 0o777)
    .call('fcntl', 6, f.F_GET_SEALS, 0)
    .call('open', '.', 0)
    .call('fcntl', 7, f.F_GET_SEALS, 0)
    .call('fcntl', NOWHERE, f.F_GET_SEALS, 0);
  compare(s);
});
