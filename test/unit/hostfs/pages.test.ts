/** Files of the host that are mapped: what mappings, reads, writes and the host see of each other. */
import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { O_RDWR } from '../../../src/uapi/fcntl.ts';
import { dice } from '../dice.ts';
import { at, contentOf, mounted, must, opened, readAll, tempDir, testEnv, writeAt } from './env.ts';

const PAGE = 4096;

test('mapped pages, reads, writes and the host agree', t => {
  const dir = tempDir(t);
  const name = join(dir, 'f');
  fs.writeFileSync(name, 'a'.repeat(3 * PAGE + 10));
  const env = testEnv();
  const sb = mounted(dir, {}, env);
  const file = opened(at(sb.root, 'f'), O_RDWR);
  const cache = must(file.mmap(true, true));
  assert.equal(cache.ensure(0, 3 * PAGE + 10), 0);
  const { bytes } = env.ram;

  bytes[cache.offsetOf(PAGE + 1)] = 0x42;
  assert.equal(readAll(file)[PAGE + 1], 'B', 'a store is read');
  writeAt(file, 'CC', 2 * PAGE);
  assert.equal(bytes[cache.offsetOf(2 * PAGE + 1)], 0x43, 'a write is mapped');
  assert.equal(fs.readFileSync(name, 'latin1')[2 * PAGE], 'C', 'and on the host at once');
  assert.equal(fs.readFileSync(name, 'latin1')[PAGE + 1], 'a', 'a store is not');
  assert.equal(file.fsync(false), 0);
  assert.equal(fs.readFileSync(name, 'latin1'), readAll(file));

  assert.equal(file.inode.setattr({ size: PAGE }), 0);
  assert.equal(file.inode.setattr({ size: 2 * PAGE }), 0);
  cache.ensure(0, 2 * PAGE);
  assert.equal(bytes[cache.offsetOf(PAGE + 1)], 0, 'cut bytes do not come back');
  bytes[cache.offsetOf(7)] = 0x5a;
  file.inode.refs = 1;
  file.put();
  sb.iput(file.inode);
  assert.equal(fs.readFileSync(name, 'latin1')[7], 'Z', "the last user's going writes back");
  assert.equal(env.ram.usedPages, 0);
});

test('pages are read anew when the host changed the file', t => {
  const dir = tempDir(t);
  const name = join(dir, 'f');
  fs.writeFileSync(name, 'old');
  const env = testEnv();
  const { root } = mounted(dir, {}, env);
  const f = at(root, 'f');
  const cache = must(opened(f).mmap(false, false));
  cache.ensure(0, 3);
  fs.writeFileSync(name, 'newer');
  fs.utimesSync(name, 1, 1);
  assert.equal(contentOf(f), 'newer');
  assert.equal(cache.size, 5);
  assert.equal(env.ram.bytes[cache.offsetOf(0)], 'n'.charCodeAt(0), 'in place');
});

test('random reads, writes, stores and cuts of a mapped file, against a model', t => {
  const dir = tempDir(t);
  fs.writeFileSync(join(dir, 'f'), '');
  const env = testEnv();
  const { root } = mounted(dir, {}, env);
  const f = at(root, 'f');
  const file = opened(f, O_RDWR);
  const cache = must(file.mmap(true, true));
  let model = Buffer.alloc(0);
  const random = dice(12345);
  const resize = (size: number): void => {
    const next = Buffer.alloc(size);
    model.copy(next);
    model = next;
  };
  for (let i = 0; i < 600; i++) {
    const pos = random(60_000);
    const text = String.fromCharCode(65 + random(26)).repeat(1 + random(9000));
    const what = random(6);
    if (what < 2) {
      if (pos + text.length > model.length) resize(pos + text.length);
      model.write(text, pos, 'latin1');
      assert.equal(writeAt(file, text, pos), text.length);
    } else if (what === 2) {
      resize(random(70_000));
      assert.equal(f.setattr({ size: model.length }), 0);
    } else if (what === 3 && pos < model.length) {
      const n = Math.min(text.length, model.length - pos);
      model.fill(text[0]!, pos, pos + n);
      cache.ensure(pos, n);
      env.ram.bytes.fill(text.charCodeAt(0), cache.offsetOf(pos), cache.offsetOf(pos) + n);
    } else if (what === 4) assert.equal(file.fsync(false), 0);
    f.refresh();
    assert.equal(f.size, model.length);
    assert.equal(readAll(file), model.toString('latin1'), `step ${i}`);
  }
  file.fsync(false);
  assert.ok(fs.readFileSync(join(dir, 'f')).equals(model));
});

test('reading pages anew leaves no descriptors behind', t => {
  const dir = tempDir(t);
  const name = join(dir, 'f');
  fs.writeFileSync(name, 'old');
  const before = fs.readdirSync('/proc/self/fd').length;
  const sb = mounted(dir);
  const f = at(sb.root, 'f');
  for (let i = 0; i < 20; i++) {
    const file = opened(f, O_RDWR);
    must(file.mmap(false, false)).ensure(0, 3);
    file.put();
    sb.handles.closeIdle();
    fs.writeFileSync(name, 'x'.repeat(i + 5));
    assert.equal(contentOf(f), 'x'.repeat(i + 5));
  }
  sb.shutdown();
  assert.equal(fs.readdirSync('/proc/self/fd').length, before);
});
