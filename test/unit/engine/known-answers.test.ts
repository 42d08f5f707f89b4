/** The table of known answers, as threads see it in the memory file. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { NativeKnownAnswers } from '../../../src/engine/native/known-answers.ts';
import { FILE, GLOBAL, KNOWN, SIZE } from '../../../src/engine/native/layout.ts';
import type { MemoryFile } from '../../../src/engine/native/memory-file.ts';
import { HalfSipHash } from '../../../src/lib/half-siphash.ts';

const buffer = (): MemoryFile => {
  const bytes = new Uint8Array(FILE.FILE_KNOWN + SIZE.KNOWN_SIZE);
  return {
    bytes,
    i32: new Int32Array(bytes.buffer),
    view: new DataView(bytes.buffer),
  } as unknown as MemoryFile;
};
const answersIn = (memory: MemoryFile): NativeKnownAnswers => new NativeKnownAnswers(memory);
const entryAt = (memory: MemoryFile, entry: number): number[] => {
  const at = (FILE.FILE_KNOWN + KNOWN.KNOWN_ENTRY * entry) / 4;
  return [...memory.i32.subarray(at, at + 3)];
};
const epochOf = (memory: MemoryFile): number => memory.i32[GLOBAL.G_EPOCH / 4]!;

const KEY = { low: 0x1234567, high: -5 };
const STAT = { nr: 4, numbers: [], out: 1 };
const OPEN = { nr: 257, numbers: [0, 2], out: -1 };
const NONE = { result: -2, offset: 0, length: 0 };
const learnOpen = (to: NativeKnownAnswers, name: string, args = [-100, 1e14, 0, 0]): number =>
  to.learn(KEY, OPEN, args, name, NONE);

test('an answer stands in its place, with the epoch in which it holds', () => {
  const memory = buffer();
  const answers = answersIn(memory);
  const entry = learnOpen(answers, '/no/such');
  const [low, high, word] = entryAt(memory, entry);
  assert.equal(low! & (KNOWN.KNOWN_ENTRIES - 1), entry);
  assert.notEqual(high, 0);
  assert.equal(word, (epochOf(memory) << 8) | 2);
  answers.forget(entry);
  assert.equal(entryAt(memory, entry)[2], 0);
});

/** As the stub finds it: what an entry writes, with the key and the words that were hashed. */
function dataOf(
  memory: MemoryFile,
  entry: number,
  key: typeof KEY,
  words: readonly number[],
  length: number,
): number[] {
  const hash = new HalfSipHash();
  hash.begin(key.low, key.high);
  for (const word of words) hash.word(word);
  hash.finish();
  const place = entry & (KNOWN.KNOWN_DATA_ENTRIES - 1);
  const at = (FILE.FILE_KNOWN + KNOWN.KNOWN_DATA + KNOWN.KNOWN_DATA_ENTRY * place) / 4;
  return Array.from({ length: length / 4 }, (_, i) => memory.i32[at + i]! ^ hash.more());
}

test('what a call writes is there for who has the key alone', () => {
  const memory = buffer();
  const answers = answersIn(memory);
  const data = Array.from({ length: 36 }, (_, i) => i * 0x01010101);
  const offset = FILE.FILE_SCRATCH;
  data.forEach((word, i) => {
    memory.view.setInt32(offset + 4 * i, word, true);
  });
  const entry = answers.learn(KEY, STAT, [0], 'name', { result: 3, offset, length: 144 });
  assert.equal(entryAt(memory, entry)[2], (epochOf(memory) << 8) | KNOWN.KNOWN_GOOD);
  assert.equal(memory.i32[(FILE.FILE_KNOWN + KNOWN.KNOWN_ENTRY * entry) / 4 + 3], (3 << 16) | 144);
  const words = [
    STAT.nr,
    4,
    new DataView(Buffer.from('name').buffer, Buffer.from('name').byteOffset).getInt32(0, true),
  ];
  assert.deepEqual(dataOf(memory, entry, KEY, words, 144), data);
  const others = dataOf(memory, entry, { low: KEY.low, high: KEY.high + 1 }, words, 144);
  assert.ok(others.every((word, i) => word !== data[i]));
});

test('what takes the place of other data makes that forgotten', () => {
  const memory = buffer();
  const answers = answersIn(memory);
  const places = new Map<number, number>();
  const learn = (name: string, length: number): number =>
    answers.learn(KEY, STAT, [0], name, { result: 0, offset: FILE.FILE_SCRATCH, length });
  for (let i = 0; ; i++) {
    const entry = learn(`name${i}`, 16);
    const place = entry & (KNOWN.KNOWN_DATA_ENTRIES - 1);
    const before = places.get(place);
    if (before !== undefined && before !== entry) {
      assert.equal(entryAt(memory, before)[2], 0);
      assert.notEqual(entryAt(memory, entry)[2], 0);
      break;
    }
    places.set(place, entry);
  }
  assert.equal(learn('name', KNOWN.KNOWN_DATA_ENTRY + 1), -1, 'too much');
  assert.ok(learn('name', KNOWN.KNOWN_DATA_ENTRY) >= 0);
  const result = { offset: 0, length: 0 };
  assert.equal(answers.learn(KEY, STAT, [0], 'name', { result: 0x8000, ...result }), -1, 'too large');
  assert.equal(answers.learn(KEY, STAT, [0], 'name', { result: -255, ...result }), -1, 'no errno');
});

test('an epoch ends only if something was learned in it', () => {
  const memory = buffer();
  const answers = answersIn(memory);
  const before = epochOf(memory);
  answers.forgetAll();
  assert.equal(epochOf(memory), before);
  learnOpen(answers, 'a');
  answers.forgetAll();
  assert.equal(epochOf(memory), before + 1);
});

test('after the last epoch the table is empty', () => {
  const memory = buffer();
  const answers = answersIn(memory);
  const entry = learnOpen(answers, 'a');
  Object.assign(answers, { epoch: 2 ** 24 - 1 });
  answers.forgetAll();
  assert.equal(epochOf(memory), 1);
  assert.deepEqual(entryAt(memory, entry), [0, 0, 0]);
});

test('everything that matters is in the hash, and nothing else', () => {
  const memory = buffer();
  const answers = answersIn(memory);
  const hashOf = (entry: number): string => entryAt(memory, entry).slice(0, 2).join();
  const base = hashOf(learnOpen(answers, '/a/name'));
  assert.equal(hashOf(learnOpen(answers, '/a/name', [-100, 77, 0, 9])), base, 'pointers do not matter');
  const others = [
    learnOpen(answers, '/a/namf'),
    learnOpen(answers, '/a/name/'),
    learnOpen(answers, '/a/name', [-100, 0, 1, 0]),
    learnOpen(answers, '/a/name', [3, 0, 0, 0]),
    answers.learn(KEY, STAT, [0], '/a/name', NONE),
    answers.learn({ low: KEY.low, high: -6 }, OPEN, [-100, 0, 0, 0], '/a/name', NONE),
    answers.learn({ low: KEY.low + 1, high: KEY.high }, OPEN, [-100, 0, 0, 0], '/a/name', NONE),
  ].map(hashOf);
  assert.equal(new Set([base, ...others]).size, others.length + 1);
});

test('names of any length up to the longest', () => {
  const answers = answersIn(buffer());
  assert.equal(learnOpen(answers, ''), -1);
  for (let length = 1; length <= KNOWN.KNOWN_LONGEST; length++)
    assert.ok(learnOpen(answers, 'x'.repeat(length)) >= 0);
  assert.equal(learnOpen(answers, 'x'.repeat(KNOWN.KNOWN_LONGEST + 1)), -1);
});

test('one bit of a word changes half of the hash', () => {
  const hash = new HalfSipHash();
  const of = (word: number): [number, number] => {
    hash.begin(1, 2);
    hash.word(word);
    hash.finish();
    return [hash.low, hash.high];
  };
  const [low, high] = of(0);
  let changed = 0;
  for (let bit = 0; bit < 32; bit++) {
    const [a, b] = of(1 << bit);
    for (const word of [a ^ low, b ^ high])
      changed += [...(word >>> 0).toString(2)].filter(digit => digit === '1').length;
  }
  assert.ok(Math.abs(changed / 32 - 32) < 4, `${changed / 32} of 64 bits`);
});
