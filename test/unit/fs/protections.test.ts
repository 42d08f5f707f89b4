/** Settings that the host under these tests has off: what proc_sys_fs(5) says of them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ROOT_CRED } from '../../../src/core/cred.ts';
import type { Inode } from '../../../src/fs/inode.ts';
import { Protections } from '../../../src/fs/protections.ts';
import { EACCES } from '../../../src/uapi/errno.ts';
import { S_IFCHR, S_IFDIR, S_IFIFO, S_IFREG } from '../../../src/uapi/stat.ts';

const inode = (mode: number, uid: number): Inode => ({ mode, uid }) as Inode;
const directory = (mode: number): Inode => inode(S_IFDIR | mode, 1);
const MINE = 3;
const OTHERS = 4;
const cred = { ...ROOT_CRED, fsuid: MINE };

/** Who may open, with O_CREAT, a file of somebody else's, for each of the settings 0, 1, 2. */
function reuse(setting: 'fifos' | 'regular', dir: number, type: number): boolean[] {
  const protections = new Protections();
  return [0, 1, 2].map(value => {
    protections[setting] = value;
    const answer = protections.mayReuse(directory(dir), inode(type | 0o666, OTHERS), cred);
    assert.ok(answer === 0 || answer === -EACCES);
    return answer === 0;
  });
}

test('O_CREAT of files of others, by directory and setting', () => {
  for (const [setting, type] of [['fifos', S_IFIFO] as const, ['regular', S_IFREG] as const]) {
    assert.deepEqual(reuse(setting, 0o1777, type), [true, false, false]);
    assert.deepEqual(reuse(setting, 0o1775, type), [true, true, false]);
    assert.deepEqual(reuse(setting, 0o1755, type), [true, true, true]);
    assert.deepEqual(reuse(setting, 0o777, type), [true, true, true]);
  }
  assert.deepEqual(reuse('fifos', 0o1777, S_IFREG), [true, true, true]);
  assert.deepEqual(reuse('regular', 0o1777, S_IFCHR), [false, false, false]);
});

test('neither the owner of the file nor that of the directory is kept out', () => {
  const protections = new Protections();
  protections.regular = 2;
  for (const owner of [MINE, 1])
    assert.equal(protections.mayReuse(directory(0o1777), inode(S_IFREG, owner), cred), 0);
});
