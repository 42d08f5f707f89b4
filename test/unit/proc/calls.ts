/** System calls on the /proc of a mirror, in short. */
import assert from 'node:assert/strict';
import { File } from '../../../src/fs/file.ts';
import { lookup } from '../../../src/fs/lookup.ts';
import { open } from '../../../src/fs/open.ts';
import { latin1 } from '../../../src/lib/latin1.ts';
import { O_DIRECTORY, O_RDONLY, O_TRUNC, O_WRONLY } from '../../../src/uapi/fcntl.ts';
import type { HostMirror } from './host-mirror.ts';

/** On the mirror that a test has at that time. */
export function calls(host: () => HostMirror) {
  const openAt = (path: string, flags = O_RDONLY) => open(host().vfs, host().who, null, path, flags, 0);

  function openFile(path: string, flags = O_RDONLY): File {
    const file = openAt(path, flags);
    assert.ok(file instanceof File, `${path}: ${file}`);
    return file;
  }

  function readAt(file: File, pos: number, len: number): string | number {
    const buf = new Uint8Array(len);
    const n = file.read(buf, 0, len, pos);
    return n < 0 ? n : latin1(buf, 0, n);
  }

  function text(path: string): string | number {
    const file = openAt(path);
    return typeof file === 'number' ? file : readAt(file, 0, 100_000);
  }

  function write(path: string, value: string, flags = O_WRONLY | O_TRUNC): number {
    const file = openAt(path, flags);
    if (typeof file === 'number') return file;
    return file.write(Buffer.from(value, 'latin1'), 0, value.length, 0);
  }

  function readlink(path: string): string | number {
    const found = lookup(host().vfs, host().who, null, path, 0);
    if (typeof found === 'number') return found;
    return found.inode.readlink(host().who);
  }

  function names(path: string, room = 1000): string[] {
    const dir = openFile(path, O_RDONLY | O_DIRECTORY);
    const all: string[] = [];
    for (let pos = 0, more = true; more; ) {
      let left = room;
      more = false;
      assert.ok(
        dir.readdir(pos, (name, _ino, _type, next) => {
          if (left-- === 0) {
            more = true;
            return false;
          }
          all.push(name);
          pos = next;
          return true;
        }) >= 0,
      );
    }
    return all;
  }

  return { openAt, openFile, readAt, text, write, readlink, names };
}
