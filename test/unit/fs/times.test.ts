/** Which times an operation changes, here and on a tmpfs of the host. */
import assert from 'node:assert/strict';
import * as host from 'node:fs';
import { after, test } from 'node:test';
import type { File } from '../../../src/fs/file.ts';
import type { Inode } from '../../../src/fs/inode.ts';
import { tmpfsMachine } from './machine.ts';
import { must } from './suite/check.ts';

const SHM = '/dev/shm';
const onTmpfs = host.existsSync(SHM) && host.statfsSync(SHM).type === 0x01021994;
const top = onTmpfs ? host.mkdtempSync(`${SHM}/times-`) : '';
after(() => onTmpfs && host.rmSync(top, { recursive: true, force: true }));

/** Longer than a tick of the host's file clock. */
const pause = (): unknown => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 15);

const NAMES = ['.', 'd', 'd/f', 'd/g', 'e', 'e/x', 'l', 'd/new', 'e/new'];

test('times change as they do on the host', { skip: !onTmpfs }, () => {
  const { sys, clock } = tmpfsMachine();
  const at = (name: string): string => `${top}/${name}`;
  const file = (): File => must<File>(sys.open('d/f', 2));
  let fd = -1;
  let mine!: File;

  const steps: [string, () => unknown, () => unknown][] = [
    ['mkdir', () => sys.mkdir('d'), () => host.mkdirSync(at('d'))],
    ['mkdir e', () => sys.mkdir('e'), () => host.mkdirSync(at('e'))],
    ['create', () => sys.put('d/f', 'hello'), () => host.writeFileSync(at('d/f'), 'hello')],
    ['create more', () => sys.put('d/g', ''), () => host.writeFileSync(at('d/g'), '')],
    ['symlink', () => sys.symlink('d/f', 'l'), () => host.symlinkSync('d/f', at('l'))],
    ['open', () => (mine = file()), () => (fd = host.openSync(at('d/f'), 'r+'))],
    ['read', () => sys.read(mine, 3, 0), () => host.readSync(fd, new Uint8Array(3), 0, 3, 0)],
    ['read again', () => sys.read(mine, 3, 0), () => host.readSync(fd, new Uint8Array(3), 0, 3, 0)],
    ['write', () => sys.write(mine, Buffer.from('x'), 0), () => host.writeSync(fd, 'x', 0)],
    ['read after a write', () => sys.read(mine, 3, 0), () => host.readSync(fd, new Uint8Array(3), 0, 3, 0)],
    ['truncate', () => sys.ftruncate(mine, 2), () => host.ftruncateSync(fd, 2)],
    ['truncate to the same', () => sys.ftruncate(mine, 2), () => host.ftruncateSync(fd, 2)],
    ['O_TRUNC', () => sys.put('d/g', ''), () => host.writeFileSync(at('d/g'), '')],
    ['chmod', () => sys.chmod('d/f', 0o600), () => host.chmodSync(at('d/f'), 0o600)],
    ['link', () => sys.link('d/f', 'e/x'), () => host.linkSync(at('d/f'), at('e/x'))],
    ['readlink', () => sys.readlink('l'), () => host.readlinkSync(at('l'))],
    ['follow', () => sys.stat('l'), () => host.statSync(at('l'))],
    ['readdir', () => sys.names('d'), () => host.readdirSync(at('d'))],
    ['rename', () => sys.rename('d/g', 'e/new'), () => host.renameSync(at('d/g'), at('e/new'))],
    ['rename over', () => sys.rename('e/new', 'd/f'), () => host.renameSync(at('e/new'), at('d/f'))],
    ['unlink', () => sys.unlink('e/x'), () => host.unlinkSync(at('e/x'))],
    ['mkdir below', () => sys.mkdir('d/new'), () => host.mkdirSync(at('d/new'))],
    [
      'rename a directory',
      () => sys.rename('d/new', 'e/new'),
      () => host.renameSync(at('d/new'), at('e/new')),
    ],
    ['rmdir', () => sys.rmdir('e/new'), () => host.rmdirSync(at('e/new'))],
  ];

  const ours = (name: string): string[] | null => {
    const inode = sys.lstat(name) as Inode | number;
    if (typeof inode === 'number') return null;
    return [inode.atime, inode.mtime, inode.ctime].map(({ sec, nsec }) => `${sec}.${nsec}`);
  };
  const theirs = (name: string): string[] | null => {
    const stat = host.lstatSync(at(name), { bigint: true, throwIfNoEntry: false });
    return stat === undefined ? null : [stat.atimeNs, stat.mtimeNs, stat.ctimeNs].map(String);
  };
  const changes = (before: (string[] | null)[], now: (string[] | null)[]): string =>
    NAMES.map((name, i) => {
      if (before[i] === null || now[i] === null) return '';
      const which = ['a', 'm', 'c'].filter((_, k) => before[i]![k] !== now[i]![k]).join('');
      return which === '' ? '' : `${name}:${which}`;
    })
      .filter(text => text !== '')
      .join(' ');

  for (const [what, mineDoes, hostDoes] of steps) {
    clock.advance();
    pause();
    const before = [NAMES.map(ours), NAMES.map(theirs)] as const;
    mineDoes();
    hostDoes();
    assert.equal(changes(before[0], NAMES.map(ours)), changes(before[1], NAMES.map(theirs)), what);
  }
  host.closeSync(fd);
});
