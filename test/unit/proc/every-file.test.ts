// test: needs root, whose view of the host is the oracle
/** All files of procfs: whatever they are, they open, can be told apart, and take what is done with them. */
import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import { lookup } from '../../../src/fs/lookup.ts';
import { O_DIRECTORY, O_RDONLY, O_RDWR, O_TRUNC, O_WRONLY } from '../../../src/uapi/fcntl.ts';
import { dice } from '../dice.ts';
import { calls } from './calls.ts';
import { HostMirror } from './host-mirror.ts';

let host: HostMirror;
const { openAt, openFile, readAt, text } = calls(() => host);

beforeEach(() => {
  host = new HostMirror();
  host.current = host.mirror(process.pid);
});

test('every file opens and reads for root', () => {
  let count = 0;
  for (const [path, type] of walk('')) {
    if (type === 8 && !/(kmsg|pagemap|mem)$/.test(path)) assert.equal(typeof text(path), 'string', path);
    count++;
  }
  assert.ok(count > 200);
});

test('inode numbers are those of stat, and of one file each', () => {
  const paths = new Map<number, string>();
  for (const [path] of walk('')) {
    const found = lookup(host.vfs, host.who, null, path, 0);
    assert.ok(typeof found !== 'number', path);
    assert.equal(paths.get(found.inode.ino), undefined, path);
    paths.set(found.inode.ino, path);
  }
});

/** All paths below `path`, with their types. */
function* walk(path: string): Generator<[string, number]> {
  const dir = openFile(path === '' ? '/' : path, O_RDONLY | O_DIRECTORY);
  const entries: [string, number][] = [];
  dir.readdir(0, (name, _ino, type) => entries.push([name, type]) > 0);
  for (const [name, type] of entries.slice(2)) {
    yield [`${path}/${name}`, type];
    if (type === 4) yield* walk(`${path}/${name}`);
  }
}

test('whatever is written and wherever it is read, nothing throws', () => {
  const random = dice(42);
  const words = [
    '',
    '\n',
    '0',
    '-1',
    '9'.repeat(400),
    '0x',
    '7 7 7 7',
    '\0\0',
    'x'.repeat(4096),
    'y'.repeat(5000),
  ];
  const positions = [0, 1, 4095, 4096, 2 ** 31, 2 ** 46, 2 ** 52];
  const buf = new Uint8Array(70_000);
  for (const [path, type] of [...walk('')]) {
    if (type !== 8) continue;
    for (const flags of [O_RDONLY, O_WRONLY, O_RDWR | O_TRUNC]) {
      const file = openAt(path, flags);
      if (typeof file === 'number') continue;
      for (let i = 0; i < 6; i++) {
        const word = words[random(words.length)]!;
        const pos = positions[random(positions.length)]!;
        if (file.writable)
          assert.ok(file.write(Buffer.from(word, 'latin1'), 0, word.length, pos) <= word.length);
        // The memory of the test's own process is no place for guesses.
        if (file.readable && !path.endsWith('/mem'))
          assert.ok(file.read(buf, 0, random(buf.length), pos) < buf.length, path);
        file.seek(pos, random(6));
        file.poll();
      }
      file.put();
    }
  }
});

test('a text is the same in any pieces', () => {
  const random = dice(7);
  for (const name of ['status', 'smaps', 'maps', 'limits', 'mountinfo', 'stat']) {
    const whole = readAt(openFile(`/self/${name}`), 0, 1 << 20) as string;
    const file = openFile(`/self/${name}`);
    let text = '';
    for (let piece = 'x'; piece !== ''; text += piece)
      piece = readAt(file, text.length, 1 + random(9000)) as string;
    assert.equal(text, whole);
    const back = random(whole.length);
    assert.equal(readAt(file, back, 100), whole.slice(back, back + 100));
  }
});
