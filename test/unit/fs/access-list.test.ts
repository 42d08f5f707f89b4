/** Access control lists as values: what is written is read again, and no value is too odd. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ROOT_CRED } from '../../../src/core/cred.ts';
import {
  type AccessList,
  accessListSize,
  formatAccessList,
  listAllows,
  listMode,
  parseAccessList,
  withMode,
} from '../../../src/fs/access-list.ts';

const entries = (count: number, rights: number) => Array.from({ length: count }, (_, id) => ({ id, rights }));
const list = (users: number, groups: number): AccessList => ({
  owner: 7,
  users: entries(users, 5),
  group: 4,
  groups: entries(groups, 3),
  mask: 6,
  other: 1,
});

test('a list is its value', () => {
  for (const some of [list(0, 0), list(1, 0), list(0, 2), list(8000, 100), { ...list(0, 0), mask: null }]) {
    const value = formatAccessList(some);
    assert.equal(value.length, accessListSize(some));
    assert.deepEqual(parseAccessList(value), some);
  }
});

test('values that are no lists are errors', () => {
  const good = formatAccessList(list(2, 2));
  for (let i = 0; i < 20_000; i++) {
    const bytes = Array.from(good, char => char.charCodeAt(0));
    for (let n = 1 + (i % 3); n > 0; n--) bytes[(i * 7 + n * 13) % bytes.length] = (i * 31 + n) & 255;
    const value = String.fromCharCode(...bytes.slice(0, i % 4 === 0 ? i % bytes.length : bytes.length));
    const parsed = parseAccessList(value);
    if (parsed === null || typeof parsed === 'number') continue;
    assert.equal(formatAccessList(parsed).length, value.length);
  }
});

test('chmod changes the owner, the mask and others', () => {
  assert.equal(listMode(list(1, 1)), 0o761);
  assert.deepEqual(withMode(list(1, 1), 0o4250), { ...list(1, 1), owner: 2, mask: 5, other: 0 });
  const plain = { ...list(0, 0), mask: null };
  assert.deepEqual(withMode(plain, 0o124), { ...plain, owner: 1, group: 2, other: 4 });
});

test('lists of very many groups are as good as short ones', () => {
  const cred = (groups: number[]) => ({ ...ROOT_CRED, fsuid: 9999, fsgid: 9999, groups });
  const long = list(0, 5000);
  assert.equal(listAllows(long, 8888, 2, cred([4999])), true);
  assert.equal(listAllows(long, 8888, 1, cred([4999])), false);
  assert.equal(listAllows(long, 8888, 1, cred([5000])), true);
  assert.equal(listAllows(long, 8888, 4, cred([8888, 3])), true);
  assert.equal(listAllows(long, 8888, 6, cred([8888, 3])), false);
});
