import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FilesStruct } from '../../../src/fs/fd-table.ts';
import type { File } from '../../../src/fs/file.ts';
import { EBADF, EINVAL, EMFILE } from '../../../src/uapi/errno.ts';
import { O_CREAT, O_RDWR } from '../../../src/uapi/fcntl.ts';
import { tmpfsMachine } from './machine.ts';
import { must } from './suite/check.ts';

const { sys } = tmpfsMachine();
const fresh = (): File => must<File>(sys.open('f', O_CREAT | O_RDWR));

test('the lowest free descriptor is given out', () => {
  const table = new FilesStruct();
  for (let fd = 0; fd < 100; fd++) assert.equal(table.install(fresh(), false, 100), fd);
  const tooMany = fresh();
  assert.equal(table.install(tooMany, false, 100), -EMFILE);
  for (const fd of [70, 3, 64]) assert.equal(table.close(fd), 0);
  assert.equal(table.close(3), -EBADF);
  assert.equal(table.dup(0, false, 100, 10), 64);
  assert.equal(table.dup(0, false, 100), 3);
  assert.equal(table.dup(0, false, 100), 70);
  assert.equal(table.dup(0, false, 100, 100), -EINVAL);
  assert.equal(table.dup(200, false, 100), -EBADF);
});

test('references are kept and dropped', () => {
  const table = new FilesStruct();
  const file = fresh();
  table.install(file, true, 10);
  table.dup(0, false, 10);
  assert.equal(file.refs, 2);
  const copy = table.clone();
  assert.equal(file.refs, 4);
  assert.equal(copy.isCloexec(0), true);
  copy.closeOnExec();
  assert.deepEqual([copy.get(0), copy.get(1), copy.count], [null, file, 1]);
  copy.share();
  copy.put();
  assert.equal(file.refs, 3);
  copy.put();
  assert.equal(file.refs, 2);
  table.put();
  assert.equal(file.refs, 0);
});

test('dup3 replaces, far away too', () => {
  const table = new FilesStruct();
  const [a, b] = [fresh(), fresh()];
  table.install(a, false, 2000);
  table.install(b, false, 2000);
  assert.equal(table.dupTo(0, 1, true, 2000), 1);
  assert.deepEqual([table.get(1), b.refs, table.isCloexec(1)], [a, 0, true]);
  assert.equal(table.dupTo(0, 1500, false, 2000), 1500);
  assert.equal(table.dupTo(0, 2000, false, 2000), -EBADF);
  assert.equal(table.install(fresh(), false, 2000), 2);
  table.closeRange(1, 0xffffffff);
  assert.equal(table.count, 1);
  assert.deepEqual([table.get(-1), table.get(0.5), table.get(1e9)], [null, null, null]);
});
