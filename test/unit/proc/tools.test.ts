/**
 * The host's own tools read a copy of our /proc in place of theirs: ps, free, uptime, top, pgrep. Needs to be
 * root (a mount namespace of its own); skipped otherwise.
 */
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as os from 'node:os';
import { after, test } from 'node:test';
import { File } from '../../../src/fs/file.ts';
import { open } from '../../../src/fs/open.ts';
import { O_DIRECTORY, O_RDONLY } from '../../../src/uapi/fcntl.ts';
import { HostMirror } from './host-mirror.ts';
import { startSleeper } from './sleeper.ts';

const mayMount = spawnSync('unshare', ['-m', 'true']).status === 0;
const sleeper = await startSleeper();
const copy = fs.mkdtempSync(`${os.tmpdir()}/proc-copy-`);
after(() => {
  sleeper.kill();
  fs.rmSync(copy, { recursive: true });
});

/** Writes what is below `path` into a directory of the host. */
function exportTree(host: HostMirror, path: string, to: string): void {
  const dir = open(host.vfs, host.who, null, path, O_RDONLY | O_DIRECTORY, 0);
  assert.ok(dir instanceof File, `${path}: ${dir}`);
  const entries: [string, number][] = [];
  dir.readdir(0, (name, _ino, type) => entries.push([name, type]) > 0);
  for (const [name, type] of entries.slice(2)) {
    const at = `${path === '/' ? '' : path}/${name}`;
    if (type === 4 && name !== 'ns') {
      fs.mkdirSync(`${to}/${name}`);
      exportTree(host, at, `${to}/${name}`);
    } else if (type === 8 && !/^(kmsg|mem|pagemap)$/.test(name)) {
      const file = open(host.vfs, host.who, null, at, O_RDONLY, 0);
      const buf = new Uint8Array(1 << 20);
      if (file instanceof File)
        fs.writeFileSync(`${to}/${name}`, buf.subarray(0, Math.max(0, file.read(buf, 0, buf.length, 0))));
    } else if (type === 10 && /^(self|net|mounts)$/.test(name)) {
      const inode = (dir.inode as { lookup(name: string): { readlink(who: unknown): string } }).lookup(name);
      fs.symlinkSync(inode.readlink(host.who), `${to}/${name}`);
    }
  }
}

/**
 * Runs a command (words, no quotes) with our copy in the place of /proc. Tools look for themselves, too: their
 * process is shown as a copy of `self`.
 */
function inside(command: string): string {
  const script = 'cp -r "$1/$(readlink $1/self)" "$1/$$" && mount --bind "$1" /proc && exec $2';
  return execFileSync('unshare', ['-m', 'sh', '-c', script, 'sh', copy, command], { encoding: 'latin1' });
}

/** Columns are as wide as the largest pid may be. */
const squeeze = (text: string): string => text.replace(/^ +/gm, '').replace(/ +/g, ' ');

test('ps, free, uptime, top and pgrep understand it', { skip: !mayMount }, () => {
  const host = new HostMirror();
  const task = host.mirror(sleeper.pid!);
  host.current = host.mirror(process.pid);
  exportTree(host, '/', copy);
  const columns = 'pid,ppid,pgid,sid,stat,ni,pri,vsz,uid,psr,sig,caught,thcount,comm,args';
  const native = execFileSync('ps', ['-p', `${task.pid}`, '-o', columns], { encoding: 'latin1' });
  assert.equal(squeeze(inside(`ps -p ${task.pid} -o ${columns}`)), squeeze(native));
  assert.equal(new Set(inside('ps -e -o comm=').trim().split(/\s+/)).size, 2);
  assert.match(inside('ps aux'), new RegExp(`^root +${task.pid} .* sleep 1000$`, 'm'));
  const [, mem] = inside('free -k').split('\n');
  assert.deepEqual(mem!.split(/\s+/).slice(1, 2), [String(host.memory.total / 1024)]);
  assert.match(inside('uptime'), /load average: 0\.50, 0\.25, 1\.00/);
  assert.equal(inside('pgrep -x sleep').trim(), String(task.pid));
  assert.match(inside('env TERM=dumb top -bn1'), new RegExp(`^ *${task.pid} root .* sleep`, 'm'));
  assert.equal(inside('sysctl -n kernel.ostype'), 'Linux\n');
  assert.match(inside(`pmap -x ${task.pid}`), /total kB/);
});
