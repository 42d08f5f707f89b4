/** The memory devices beside the host's own. */
import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import { test } from 'node:test';
import { BufferMemory } from '../../../src/core/buffer-memory.ts';
import { CAPS_NONE, type Cred, ROOT_CRED } from '../../../src/core/cred.ts';
import type { Current } from '../../../src/core/current.ts';
import { KernelLog } from '../../../src/core/log.ts';
import { memDevices } from '../../../src/drivers/char/mem.ts';
import { registerCharDevices } from '../../../src/drivers/char/register.ts';
import { Devtmpfs } from '../../../src/fs/devtmpfs/devtmpfs.ts';
import type { File } from '../../../src/fs/file.ts';
import type { Inode } from '../../../src/fs/inode.ts';
import { Sysfs } from '../../../src/fs/sysfs/sysfs.ts';
import { Vfs } from '../../../src/fs/vfs.ts';
import type { Ram } from '../../../src/mm/ram.ts';
import { EEXIST, EFAULT, EINVAL, EPERM } from '../../../src/uapi/errno.ts';
import { O_RDWR } from '../../../src/uapi/fcntl.ts';
import { makedev } from '../../../src/uapi/stat.ts';
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

test('/dev/random tells of its entropy, and takes more from the privileged alone', () => {
  const random = devices.find(device => device.name === 'random')!.open({} as Inode, O_RDWR, null) as File;
  const memory = new BufferMemory(new Uint8Array(64));
  const as = (cred: Cred) => ({ cred }) as Current;
  const nobody = as({ ...ROOT_CRED, effective: CAPS_NONE });
  assert.equal(random.ioctl(0x80045200, 8, memory, nobody), 0);
  assert.equal(memory.view.getInt32(8, true), 256);
  assert.equal(random.ioctl(0x80045200, 62, memory, nobody), -EFAULT);
  assert.equal(random.ioctl(0x40085203, 8, memory, nobody), -EPERM);
  assert.equal(random.ioctl(0x40085203, 8, memory, as(ROOT_CRED)), 0);
  memory.view.setInt32(8, -1, true);
  assert.equal(random.ioctl(0x40085203, 8, memory, as(ROOT_CRED)), -EINVAL);
  assert.equal(random.ioctl(0x1234, 8, memory, as(ROOT_CRED)), -EINVAL);
});

test('registered devices are in /dev, in /sys and in /proc/devices', () => {
  const now = { sec: 1, nsec: 0 };
  const clock = { monotonic: () => 0, realtime: () => now, coarse: () => now };
  const ram = { totalPages: 1000, charge: () => true } as unknown as Ram;
  const env = { clock, ram, newDev: () => 1 };
  const homes = { vfs: new Vfs(env), devtmpfs: new Devtmpfs(env), sysfs: new Sysfs(env) };
  registerCharDevices('mem', devices, homes);
  assert.deepEqual(homes.vfs.charDevices.list(), [{ major: 1, name: 'mem' }]);
  for (const { name } of devices) {
    const uevent = homes.sysfs.dir(`devices/virtual/mem/${name}`).child('uevent')!.open(0, ROOT_CRED) as File;
    const buf = Buffer.alloc(200);
    const text = buf.toString('latin1', 0, uevent.read(buf, 0, 200, 0));
    assert.equal(text, fs.readFileSync(`/sys/devices/virtual/mem/${name}/uevent`, 'latin1'));
    assert.equal(homes.devtmpfs.add({ name, block: false, mode: 0, major: 9, minor: 9 }), -EEXIST);
  }
  const zero = homes.vfs.charDevices.open({ rdev: makedev(1, 5) } as Inode, O_RDWR, null);
  assert.ok(typeof zero !== 'number' && zero.mapsAnonymous);
});
