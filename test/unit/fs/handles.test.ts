import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Path } from '../../../src/fs/dentry.ts';
import { FileHandles } from '../../../src/fs/handles.ts';
import { tmpfsMachine } from './machine.ts';
import { must } from './suite/check.ts';

function machine() {
  const { sys } = tmpfsMachine('nr_inodes=100000');
  const { sb } = must<Path>(sys.path('.')).inode;
  sb.fileHandles = new FileHandles(sb);
  const handles = sb.fileHandles;
  const name = (path: string): { ino: number; generation: number } => {
    const { dentry, inode } = must<Path>(sys.path(path));
    return { ino: inode.ino, generation: handles.remember(dentry) };
  };
  const found = (handle: { ino: number; generation: number }): boolean =>
    handles.find(handle.ino, handle.generation) !== null;
  return { sys, sb, name, found };
}

test('a number finds a file until its last name is gone, and nothing is left of it', () => {
  const { sys, sb, name, found } = machine();
  const free = sb.statfs().ffree;
  sys.put('a', 'A');
  const a = name('a');
  assert.deepEqual(name('a'), a);
  assert.ok(found(a));
  assert.ok(!found({ ...a, generation: a.generation + 1 }));
  sys.rename('a', 'b');
  assert.ok(found(a));
  assert.deepEqual(name('b'), a);
  sys.unlink('b');
  assert.ok(!found(a));
  assert.equal(sb.statfs().ffree, free);
});

test('only the latest files are kept in mind', () => {
  const { sys, name, found } = machine();
  sys.put('first', '');
  const first = name('first');
  for (let i = 0; i < 1 << 16; i++) {
    sys.put('other', '');
    sys.rename('other', `${i}`);
    name(`${i}`);
  }
  assert.ok(!found(first));
  assert.ok(found(name('first')));
  assert.ok(found(name(`${(1 << 16) - 1}`)));
});
