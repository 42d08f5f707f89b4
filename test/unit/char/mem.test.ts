/** The memory devices beside the host's own. */
import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import { test } from 'node:test';
import { KernelLog } from '../../../src/core/log.ts';
import { memDevices } from '../../../src/drivers/char/mem.ts';
import type { File } from '../../../src/fs/file.ts';
import type { Inode } from '../../../src/fs/inode.ts';
import { O_RDWR } from '../../../src/uapi/fcntl.ts';
import { errnoOf } from '../proc/errno.ts';

const fillRandom = (buf: Uint8Array, off: number, len: number): void => {
  for (let i = off; i < off + len; i++) buf[i] = 1 + ((i * 7) % 255);
};
const devices = memDevices({ log: new KernelLog({ monotonic: () => 0 }), fillRandom });

for (const device of devices) {
  test(`${device.name} has the host's numbers and mode`, () => {
    const host = fs.statSync(`/dev/${device.name}`);
    assert.equal(host.rdev, device.major * 256 + device.minor);
    assert.equal(host.mode & 0o777, device.mode);
  });
}

for (const device of devices.filter(d => d.name !== 'kmsg')) {
  test(`${device.name} reads and writes as the host's does`, () => {
    const file = device.open({} as Inode, O_RDWR, null) as File;
    const fd = fs.openSync(`/dev/${device.name}`, 'r+');
    const ours = Buffer.alloc(64, 0xaa);
    const theirs = Buffer.alloc(64, 0xaa);
    const n = file.read(ours, 8, 48, 0);
    assert.equal(n, fs.readSync(fd, theirs, 8, 48, null));
    assert.equal(ours[7], 0xaa);
    assert.equal(ours[56], 0xaa);
    if (!device.name.endsWith('random')) assert.deepEqual(ours, theirs);
    else assert.notDeepEqual(ours.subarray(8, 56), Buffer.alloc(48, 0xaa));
    assert.equal(
      file.write(ours, 0, 5, 0),
      errnoOf(() => fs.writeSync(fd, theirs, 0, 5)),
    );
    assert.equal(file.seek(5, 0), 0);
    assert.equal(file.seek(-9, 1), 0);
    fs.closeSync(fd);
  });
}
