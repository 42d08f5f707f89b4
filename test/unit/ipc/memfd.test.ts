import assert from 'node:assert/strict';
import test from 'node:test';
import { ROOT_CRED } from '../../../src/core/cred.ts';
import { Path } from '../../../src/fs/dentry.ts';
import { addSeals, createMemfd, getSeals } from '../../../src/ipc/memfd.ts';
import { F_ADD_SEALS, F_GET_SEALS } from '../../../src/uapi/fcntl.ts';
import { tmpfsMachine } from '../fs/machine.ts';
import { compare as compareWith, type Op, rle, type Script, Sim } from './sim.ts';

class MemfdSim extends Sim {
  private readonly machine = tmpfsMachine();

  override memfd(flags: number, as: string): number {
    return this.add(as, createMemfd(this.machine.ns.root, 'x', flags, ROOT_CRED));
  }

  override fcntl(f: string, cmd: number, arg: number): number {
    if (cmd === F_ADD_SEALS) return addSeals(this.file(f), arg);
    return cmd === F_GET_SEALS ? getSeals(this.file(f)) : super.fcntl(f, cmd, arg);
  }

  truncate(f: string, size: number): number {
    return this.file(f).inode.setattr({ size });
  }

  pwrite(f: string, n: number, ch: string, pos: number): number {
    this.user.ram.fill(ch.charCodeAt(0), 64, 64 + n);
    return this.file(f).write(this.user.ram, 64, n, pos);
  }

  pread(f: string, n: number, pos: number): number | string {
    const got = this.file(f).read(this.user.ram, 64, n, pos);
    return got < 0 ? got : rle(this.user.ram, 64, got);
  }

  fallocate(f: string, mode: number, off: number, n: number): number {
    return this.file(f).fallocate(mode, off, n);
  }
}

const compare = (scripts: readonly Script[]): void => compareWith(scripts, () => new MemfdSim());

test('each seal refuses what it refuses on the host', () => {
  const tries: readonly Op[] = [
    ['pwrite', 'm', 10, 'b', 0],
    ['pwrite', 'm', 10, 'c', 95],
    ['pread', 'm', 200, 0],
    ['truncate', 'm', 50],
    ['truncate', 'm', 5000],
    ['fallocate', 'm', 0, 0, 8000],
    ['fallocate', 'm', 1, 0, 9000],
    ['fallocate', 'm', 3, 0, 4096],
    ['fcntl', 'm', F_GET_SEALS, 0],
  ];
  const scripts: Script[] = [];
  for (const flags of [0, 2, 8, 10, 16, 24, 32]) {
    for (const seals of [0, 1, 2, 4, 8, 16, 32, 64, 6, 15]) {
      scripts.push([
        ['memfd', flags, 'm'],
        ...(flags < 20
          ? ([
              ['fcntl', 'm', F_GET_SEALS, 0],
              ['pwrite', 'm', 100, 'a', 0],
              ['fcntl', 'm', F_ADD_SEALS, seals],
              ...tries,
              ['fcntl', 'm', F_ADD_SEALS, 2],
            ] as Op[])
          : []),
      ]);
    }
  }
  compare(scripts);
});

test('a sealed file cannot be mapped to write, a mapped one not be sealed, and the last close frees its pages', () => {
  const { ns, ram } = tmpfsMachine();
  const before = ram.usedPages;
  const file = createMemfd(ns.root, 'map', 2, ROOT_CRED);
  assert.ok(typeof file === 'object');
  assert.ok(file.path instanceof Path);
  file.write(new Uint8Array(5000), 0, 5000, 0);
  const cache = file.mmap(true, true);
  assert.ok(typeof cache === 'object');
  cache.writers++;
  assert.equal(addSeals(file, 8), -16);
  cache.writers--;
  assert.equal(addSeals(file, 8), 0);
  assert.equal(file.mmap(true, true), -1);
  assert.equal(typeof file.mmap(true, false), 'object');
  assert.equal(file.mapsToWrite, false);
  assert.equal(ram.usedPages, before + 2);
  file.put();
  assert.equal(ram.usedPages, before);
});
