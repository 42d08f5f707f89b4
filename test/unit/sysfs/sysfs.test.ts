/** sysfs beside the host's, and devices that come; devtmpfs with them. */
import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import { test } from 'node:test';
import { ROOT_CRED } from '../../../src/core/cred.ts';
import type { WalkContext } from '../../../src/fs/context.ts';
import { Path } from '../../../src/fs/dentry.ts';
import { Devtmpfs } from '../../../src/fs/devtmpfs/devtmpfs.ts';
import { File } from '../../../src/fs/file.ts';
import { lookup } from '../../../src/fs/lookup.ts';
import { mountRoot } from '../../../src/fs/mounts.ts';
import { LOOKUP_FOLLOW } from '../../../src/fs/namei.ts';
import { open } from '../../../src/fs/open.ts';
import type { FileSystemType } from '../../../src/fs/super.ts';
import { addSysfsDevice } from '../../../src/fs/sysfs/device.ts';
import { Sysfs } from '../../../src/fs/sysfs/sysfs.ts';
import { populateSysfs } from '../../../src/fs/sysfs/system.ts';
import { Vfs } from '../../../src/fs/vfs.ts';
import { latin1 } from '../../../src/lib/latin1.ts';
import type { Ram } from '../../../src/mm/ram.ts';
import { EACCES, EEXIST, EINVAL, ENOENT } from '../../../src/uapi/errno.ts';
import { O_DIRECTORY, O_RDONLY, O_WRONLY } from '../../../src/uapi/fcntl.ts';
import { makedev, S_IFCHR, S_IFREG } from '../../../src/uapi/stat.ts';

const now = { sec: 1, nsec: 0 };
const clock = { monotonic: () => 0, realtime: () => now, coarse: () => now };

function mounted(makeType: (env: Vfs['env']) => FileSystemType) {
  let dev = 0;
  const ram = { totalPages: 1000, charge: () => true } as unknown as Ram;
  const vfs = new Vfs({ clock, ram, newDev: () => ++dev });
  const type = makeType(vfs.env);
  vfs.registerFileSystem(type);
  const namespace = mountRoot(vfs, type.name, type.name, 0, '');
  assert.ok(typeof namespace !== 'number');
  const root = new Path(namespace.root, namespace.root.root);
  const who: WalkContext = {
    cred: ROOT_CRED,
    root,
    cwd: root,
    namespace: null,
    umask: 0,
    clock,
    current: null,
  };
  const find = (path: string): Path | number => lookup(vfs, who, null, path, LOOKUP_FOLLOW);
  const text = (path: string): string | number => {
    const file = open(vfs, who, null, path, O_RDONLY, 0);
    if (typeof file === 'number') return file;
    const buf = new Uint8Array(8192);
    const n = file.read(buf, 0, buf.length, 0);
    file.put();
    return n < 0 ? n : latin1(buf, 0, n);
  };
  const names = (path: string): string[] => {
    const dir = open(vfs, who, null, path, O_RDONLY | O_DIRECTORY, 0);
    assert.ok(dir instanceof File, `${path}: ${dir}`);
    const all: string[] = [];
    dir.readdir(0, name => all.push(name) > 0);
    return all.slice(2);
  };
  return { vfs, who, find, text, names };
}

const memory = {
  total: 1 << 30,
  free: 1 << 29,
  cached: 0,
  shmem: 0,
  anonymous: 0,
  mapped: 0,
  pageTables: 0,
  committed: 0,
  commitLimit: 0,
};

function sysfsMachine(cpus: number) {
  let sysfs!: Sysfs;
  const machine = mounted(env => {
    sysfs = new Sysfs(env);
    return sysfs.type;
  });
  populateSysfs(sysfs, { cpus, caches: CACHES, memory: () => memory, largePages: [] });
  return { sysfs, ...machine };
}

const CACHES = ['1', '3'].map(level => ({
  name: `index${level}`,
  value: (attribute: string) => `${attribute === 'level' ? level : attribute}\n`,
}));

const NULL = { class: 'mem', name: 'null', node: { major: 1, minor: 3, name: 'null', mode: 0o666 } };

test("attributes of processors read as the host's", () => {
  const base = '/devices/system/cpu';
  const cpus = Number(fs.readFileSync(`/sys${base}/present`, 'latin1').match(/(\d+)\n/)![1]) + 1;
  const { text } = sysfsMachine(cpus);
  const same = [
    ...['online', 'possible', 'present', 'offline', 'isolated'],
    ...[
      'core_cpus',
      'core_cpus_list',
      'core_id',
      'core_siblings',
      'core_siblings_list',
      'package_cpus_list',
    ].map(name => `cpu0/topology/${name}`),
  ];
  const single = fs.readFileSync(`/sys${base}/cpu0/topology/core_cpus_list`, 'latin1') === '0\n';
  for (const name of single ? same : same.slice(0, 5)) {
    assert.equal(text(`${base}/${name}`), fs.readFileSync(`/sys${base}/${name}`, 'latin1'), name);
  }
});

test('masks of more than 32 processors are words', () => {
  const { text } = sysfsMachine(40);
  assert.equal(text('/devices/system/cpu/cpu0/topology/core_siblings'), 'ff,ffffffff\n');
  assert.equal(text('/devices/system/cpu/cpu33/topology/core_cpus'), '02,00000000\n');
  assert.equal(text('/devices/system/cpu/online'), '0-39\n');
});

test("a cache's values are the host's; the first levels are a processor's own, the last all processors'", () => {
  const { text, names } = sysfsMachine(3);
  const caches = '/devices/system/cpu/cpu1/cache';
  assert.deepEqual(names(caches).sort(), ['index1', 'index3']);
  assert.equal(text(`${caches}/index1/size`), 'size\n');
  const sharing = (index: string) =>
    ['id', 'shared_cpu_list', 'shared_cpu_map'].map(name => text(`${caches}/${index}/${name}`));
  assert.deepEqual(sharing('index1'), ['1\n', '1\n', '2\n']);
  assert.deepEqual(sharing('index3'), ['0\n', '0-2\n', '7\n']);
});

test('a device has its directory, and links from all sides', () => {
  const { sysfs, text, find } = sysfsMachine(1);
  addSysfsDevice(sysfs, NULL);
  const host = '/sys/devices/virtual/mem/null';
  assert.equal(text('/devices/virtual/mem/null/dev'), fs.readFileSync(`${host}/dev`, 'latin1'));
  assert.equal(text('/devices/virtual/mem/null/uevent'), fs.readFileSync(`${host}/uevent`, 'latin1'));
  assert.equal(text('/class/mem/null/dev'), '1:3\n');
  assert.equal(text('/dev/char/1:3/dev'), '1:3\n');
  assert.equal(text('/dev/char/1:3/subsystem/null/dev'), '1:3\n');
  for (const link of ['dev/char/1:3', 'class/mem/null', 'devices/virtual/mem/null/subsystem']) {
    const path = lookupLink(find, link);
    assert.equal(path, fs.readlinkSync(`/sys/${link}`), link);
  }

  function lookupLink(find: (path: string) => Path | number, link: string): unknown {
    const slash = link.lastIndexOf('/');
    const dir = find(`/${link.slice(0, slash)}`) as Path;
    const inode = dir.inode.lookup(link.slice(slash + 1));
    return typeof inode === 'number' ? inode : inode.readlink({} as WalkContext);
  }
});

test("attributes are stored, sized and sought as the host's", () => {
  const { sysfs, vfs, who, text, find } = sysfsMachine(1);
  let level = 'low';
  const store = (value: string): number => {
    if (value === 'bad\n') return -EINVAL;
    level = value.trim();
    return 0;
  };
  sysfs.attribute('power', { name: 'level', show: () => `${level}\n`, store });
  const file = open(vfs, who, null, '/power/level', O_WRONLY, 0) as File;
  const write = (value: string): number => file.write(Buffer.from(value), 0, value.length, 0);
  assert.equal(write('high\n'), 5);
  assert.equal(write('bad\n'), -EINVAL);
  assert.equal(text('/power/level'), 'high\n');
  assert.equal(file.seek(0, 2), 4096);
  assert.equal((find('/power/level') as Path).inode.size, 4096);
  assert.equal(
    (find('/power') as Path).inode.mknod('x', { mode: S_IFREG, uid: 0, gid: 0, rdev: 0 }),
    -EACCES,
  );
});

test('/sys has what programs expect', () => {
  const { names, text } = sysfsMachine(2);
  assert.deepEqual(names('/').sort(), [
    'block',
    'bus',
    'class',
    'dev',
    'devices',
    'firmware',
    'fs',
    'kernel',
    'module',
    'power',
  ]);
  assert.deepEqual(names('/fs/cgroup'), []);
  assert.match(String(text('/devices/system/node/node0/meminfo')), /^Node 0 MemTotal: {8}1048576 kB\n/);
});

test('nodes of devtmpfs come with devices', () => {
  let devtmpfs!: Devtmpfs;
  const { find, names } = mounted(env => {
    devtmpfs = new Devtmpfs(env);
    return devtmpfs.type;
  });
  const mice = { name: 'input/mice', block: false, mode: 0o660, major: 13, minor: 63, gid: 5 };
  assert.equal(find('/input/mice'), -ENOENT);
  assert.equal(devtmpfs.add(mice), 0);
  assert.equal(devtmpfs.add(mice), -EEXIST);
  const { inode } = find('/input/mice') as Path;
  assert.deepEqual([inode.mode, inode.rdev, inode.gid], [S_IFCHR | 0o660, makedev(13, 63), 5]);
  assert.deepEqual(names('/'), ['input']);
});
