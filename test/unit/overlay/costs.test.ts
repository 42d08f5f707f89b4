/** What operations of the default root cost: calls of the host, and memory that is given back. */
import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { File } from '../../../src/fs/file.ts';
import { mountHostDirectory } from '../../../src/fs/hostfs/type.ts';
import { overlayOn } from '../../../src/fs/overlay/type.ts';
import type { FileSystemType } from '../../../src/fs/super.ts';
import { tmpfsType } from '../../../src/fs/tmpfs/super.ts';
import type { HostFiles } from '../../../src/host/files.ts';
import { openLibc } from '../../../src/host/libc.ts';
import { NativeFiles } from '../../../src/host/native-files.ts';
import { O_RDONLY } from '../../../src/uapi/fcntl.ts';
import type { Sys } from '../fs/machine.ts';
import { rootedMachine } from '../fs/rooted.ts';
import { must, tempDir } from '../hostfs/env.ts';

const root = (files: HostFiles, lower: string): FileSystemType => ({
  name: 'overlay',
  requiresDevice: false,
  mount(_request, env) {
    const upper = must(tmpfsType().mount({ source: '', data: '', readOnly: false }, env));
    const options = { readOnly: true, cacheAlways: true };
    return overlayOn(env, upper.root, [must(mountHostDirectory(files, env, lower, options)).root]);
  },
});

/** A machine on that root, and how many calls of the host something costs. */
function counted(lower: string): { sys: Sys; cost(act: () => unknown): number } {
  const libc = openLibc();
  let calls = 0;
  const syscall: typeof libc.syscall = (...args) => {
    calls++;
    return libc.syscall(...args);
  };
  const { sys } = rootedMachine(root(new NativeFiles({ ...libc, syscall }), lower));
  const cost = (act: () => unknown): number => {
    const before = calls;
    act();
    return calls - before;
  };
  return { sys, cost };
}

test('what was looked at once costs no host call; reading a file again costs one', t => {
  const lower = tempDir(t);
  fs.mkdirSync(join(lower, 'd'));
  fs.writeFileSync(join(lower, 'd/f'), 'text');
  const { sys, cost } = counted(lower);
  const stat = (): number => (sys.stat('/d/f') as { refresh(): number }).refresh();
  const read = (): void => {
    const file = sys.open('/d/f', O_RDONLY);
    assert.ok(typeof file !== 'number');
    assert.equal(file.read(new Uint8Array(100), 0, 100, 0), 4);
    file.put();
  };
  assert.ok(cost(stat) > 0);
  assert.equal(cost(stat), 0);
  assert.ok(cost(() => sys.stat('/d/none')) > 0);
  assert.equal(
    cost(() => sys.stat('/d/none')),
    0,
  );
  // open, the check that it is still the same file, read; more for the directory's descriptor.
  assert.ok(cost(read) <= 5);
  assert.equal(cost(read), 1);
});

test('a directory is opened and listed once; later readers cost one look at it, and see what came', t => {
  const lower = tempDir(t);
  for (const dir of ['a', 'a/b', 'a/c']) fs.mkdirSync(join(lower, dir));
  for (const dir of ['a', 'a/b', 'a/c']) fs.utimesSync(join(lower, dir), 1000, 1000);
  const { sys, cost } = counted(lower);
  const list = (dir: string): [string, number] => {
    const names: string[] = [];
    const calls = cost(() => {
      const file = must(sys.open(dir, O_RDONLY)) as File;
      assert.equal(
        file.readdir(0, name => names.push(name) > 0),
        0,
      );
      file.put();
    });
    return [names.sort().join(' '), calls];
  };
  const first = list('/a');
  assert.deepEqual(list('/a'), ['. .. b c', 1]);
  assert.deepEqual(first[0], '. .. b c');
  // A look at the name, open, the check that it is still the same, from its start, entries, no more entries.
  assert.deepEqual(list('/a/b'), ['. ..', 6]);
  fs.writeFileSync(join(lower, 'a/d'), '');
  assert.equal(list('/a')[0], '. .. b c d');
  assert.equal(list('/a')[0], '. .. b c d');
});

test('memory comes back when files go', t => {
  const lower = tempDir(t);
  fs.mkdirSync(join(lower, 'd'));
  for (let i = 0; i < 20; i++) fs.writeFileSync(join(lower, `d/${i}`), 'x'.repeat(10_000));
  const { sys, ram, ns } = rootedMachine(root(new NativeFiles(openLibc()), lower));
  const free = (): number => ns.root.sb.statfs().ffree;
  sys.put('/d/0', 'new');
  sys.unlink('/d/0');
  const [pages, inodes] = [ram.usedPages, free()];
  for (let i = 0; i < 50; i++) {
    assert.equal(sys.put('/d/file', 'y'.repeat(50_000)), 0);
    assert.equal(sys.mkdir('/d/dir'), 0);
    assert.equal(sys.put('/d/dir/g', 'z'), 0);
    assert.equal(sys.rename('/d/dir/g', '/d/file'), 0);
    assert.equal(sys.rmdir('/d/dir'), 0);
    assert.equal(sys.put('/d/0', 'again'), 0);
    assert.equal(sys.unlink('/d/0'), 0);
    assert.equal(sys.unlink('/d/file'), 0);
  }
  assert.deepEqual([ram.usedPages, free()], [pages, inodes]);
});
