// test: needs root, whose view of the host is the oracle
/** What our files say of a process of the host, beside what the host's own say. */
import assert from 'node:assert/strict';
import type { ChildProcess } from 'node:child_process';
import * as fs from 'node:fs';
import { after, before, test } from 'node:test';
import { File } from '../../../src/fs/file.ts';
import { open } from '../../../src/fs/open.ts';
import { latin1 } from '../../../src/lib/latin1.ts';
import { O_RDONLY } from '../../../src/uapi/fcntl.ts';
import { fieldsOf, HostMirror } from './host-mirror.ts';
import { startSleeper } from './sleeper.ts';

let child: ChildProcess;
let pid = 0;
const host = new HostMirror();

before(async () => {
  child = await startSleeper();
  pid = child.pid!;
  host.mirror(pid);
});
after(() => child.kill());

/** All of a file, read in pieces of an odd size. */
function ours(path: string, piece = 1000): string {
  const file = open(host.vfs, host.who, null, path, O_RDONLY, 0);
  assert.ok(file instanceof File, `${path}: ${file}`);
  const buf = new Uint8Array(piece);
  let text = '';
  for (;;) {
    const n = file.read(buf, 0, piece, text.length);
    assert.ok(n >= 0, `${path}: ${n}`);
    if (n === 0) break;
    text += latin1(buf, 0, n);
  }
  file.put();
  return text;
}

/** The host has a page of its kernel's among the areas. */
const withoutGate = (text: string): string => text.replace(/^.*\[vsyscall\]\n([A-Z].*\n)*/m, '');

const theirs = (path: string): string => withoutGate(fs.readFileSync(`/proc${path}`, 'latin1'));

const SAME = [
  ...['limits', 'io', 'cmdline', 'environ', 'auxv', 'comm', 'oom_score_adj', 'oom_adj', 'loginuid'],
  ...[
    'sessionid',
    'personality',
    'timerslack_ns',
    'coredump_filter',
    'uid_map',
    'gid_map',
    'setgroups',
    'wchan',
  ],
];

for (const name of SAME) {
  test(`${name} is the host's, byte for byte`, () => {
    assert.equal(ours(`/${pid}/${name}`), theirs(`/${pid}/${name}`));
    assert.equal(ours(`/${pid}/${name}`, 7), theirs(`/${pid}/${name}`));
  });
}

/** The host's counters of memory are a little late in some files: field 24. */
const withoutRss = (text: string): string => text.replace(/^((?:\S+ ){23})\S+/, '$1RSS');

test("stat is the host's", () => {
  assert.equal(withoutRss(ours(`/${pid}/stat`)), withoutRss(theirs(`/${pid}/stat`)));
});

test("maps is the host's", () => {
  assert.equal(ours(`/${pid}/maps`), theirs(`/${pid}/maps`));
  assert.equal(ours(`/${pid}/maps`, 7), theirs(`/${pid}/maps`));
});

test("statm is the host's, but for what is in memory", () => {
  const apart = (text: string): string => text.replace(/^(\d+) \d+ \d+/, '$1 RSS SHARED');
  assert.equal(apart(ours(`/${pid}/statm`)), apart(theirs(`/${pid}/statm`)));
});

/** Counted for all of the user's processes, of host-specific hardware, of huge pages, or without a meaning here. */
const STATUS_DIFFERS = [
  'SigQ',
  'FDSize',
  'THP_enabled',
  'Speculation_Store_Bypass',
  'SpeculationIndirectBranch',
  'Mems_allowed',
];

test('status has the same lines', () => {
  const mine = ours(`/${pid}/status`).split('\n');
  const real = theirs(`/${pid}/status`).split('\n');
  assert.deepEqual(
    mine.map(line => line.split(':')[0]),
    real.map(line => line.split(':')[0]).filter(name => !name!.startsWith('x86_')),
  );
  const differs = (line: string): boolean => STATUS_DIFFERS.includes(line.split(':')[0]!);
  const same = (lines: string[]): string[] =>
    lines.filter(line => !differs(line) && !line.startsWith('x86_'));
  assert.deepEqual(same(mine), same(real));
});

test('smaps has the same lines for the same areas', () => {
  const shape = (text: string): string[] =>
    text.split('\n').map(line => line.replace(/: +\d+ kB$|: .*$/, ':'));
  assert.deepEqual(shape(ours(`/${pid}/smaps`)), shape(theirs(`/${pid}/smaps`)));
  const sizes = (text: string): string[] => [...text.matchAll(/^(Size|Rss|Anonymous): .*$/gm)].map(m => m[0]);
  assert.deepEqual(sizes(ours(`/${pid}/smaps`)), sizes(theirs(`/${pid}/smaps`)));
});

test('smaps_rollup has the same lines', () => {
  const names = (text: string): string[] => [...fieldsOf(text).keys()];
  assert.deepEqual(names(ours(`/${pid}/smaps_rollup`)), names(theirs(`/${pid}/smaps_rollup`)));
});

test("the machine, in the host's words", () => {
  const shape = (text: string): string[] => text.split('\n').map(line => line.replace(/\d+/g, 'N'));
  for (const name of ['/uptime', '/loadavg', '/swaps', '/softirqs', '/cpuinfo']) {
    assert.deepEqual(shape(ours(name)).map(squeeze), shape(theirs(name)).map(squeeze), name);
  }
});

const squeeze = (line: string): string => line.replace(/ +/g, ' ').replace(/:( N)+$/, ':N');

test('meminfo has its figures in the same columns', () => {
  const real = new Map(
    theirs('/meminfo')
      .split('\n')
      .map(line => [line.split(':')[0], line.length]),
  );
  for (const line of ours('/meminfo').trimEnd().split('\n')) {
    const width = real.get(line.split(':')[0]);
    if (width !== undefined) assert.equal(line.length, width, line);
  }
  for (const name of [
    'MemTotal',
    'MemFree',
    'MemAvailable',
    'Buffers',
    'Cached',
    'SwapTotal',
    'SwapFree',
    'Shmem',
  ]) {
    assert.ok(fieldsOf(ours('/meminfo')).has(name));
  }
});

test('stat begins each line as the host does', () => {
  const names = (text: string): string[] =>
    text
      .trimEnd()
      .split('\n')
      .map(line => line.split(' ')[0]!);
  assert.deepEqual(names(ours('/stat')), names(theirs('/stat')));
  assert.match(ours('/stat'), /^cpu {2}\d+( \d+){9}\ncpu0 \d+( \d+){9}\n/);
});

test("tables of the network have the host's headers", () => {
  const head = (text: string, lines: number): string[] =>
    text
      .split('\n')
      .slice(0, lines)
      .map(l => l.trimEnd());
  for (const name of [
    'arp',
    'dev',
    'netlink',
    'packet',
    'ptype',
    'raw',
    'route',
    'tcp',
    'tcp6',
    'udp',
    'udp6',
    'unix',
  ]) {
    const lines = name === 'dev' ? 2 : 1;
    assert.deepEqual(head(ours(`/${pid}/net/${name}`), lines), head(theirs(`/net/${name}`), lines), name);
  }
  const row = ours(`/${pid}/net/unix`).split('\n')[1]!;
  assert.equal(row, '0000000000000000: 00000002 00000000 00010000 0001 01 12345 @abstract');
});

test('settings that the host has, too, have the same form', () => {
  for (const name of [
    'kernel/printk',
    'kernel/sem',
    'fs/file-nr',
    'kernel/random/boot_id',
    'kernel/random/uuid',
  ]) {
    const shape = (text: string): string => text.replace(/[0-9a-f]+/g, 'N');
    assert.equal(shape(ours(`/sys/${name}`)), shape(theirs(`/sys/${name}`)));
  }
  assert.equal(ours('/sys/kernel/cap_last_cap'), theirs('/sys/kernel/cap_last_cap'));
  assert.notEqual(ours('/sys/kernel/random/uuid'), ours('/sys/kernel/random/uuid'));
  assert.equal(ours('/sys/kernel/random/boot_id'), ours('/sys/kernel/random/boot_id'));
});
