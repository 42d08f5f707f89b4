/**
 * Answers that are known beforehand (engine.ts), in a table that all spaces can read: stub/known.c looks there before it
 * asks. An entry is found by a keyed hash of the call: whoever has not the key learns nothing from the table.
 * What stands there is of the kernel's making alone.
 */
import { HalfSipHash } from '../../lib/half-siphash.ts';
import type { KnownAnswers, KnownCall, KnownKey } from '../engine.ts';
import { FILE, GLOBAL, KNOWN, SIZE } from './layout.ts';
import type { MemoryFile } from './memory-file.ts';

const { KNOWN_CALL, KNOWN_ENTRIES, KNOWN_ENTRY, KNOWN_LONGEST } = KNOWN;
const EPOCH = GLOBAL.G_EPOCH / 4;
/** An entry has 24 bits for it. */
const LAST_EPOCH = 2 ** 24 - 1;

export class NativeKnownAnswers implements KnownAnswers {
  private readonly memory: MemoryFile;
  private readonly hash = new HalfSipHash();
  private epoch = 1;
  /** Whether something was learned in this epoch. */
  private used = false;

  constructor(memory: MemoryFile) {
    this.memory = memory;
    memory.i32[EPOCH] = this.epoch;
  }

  addCall({ nr, numbers }: KnownCall): void {
    const mask = numbers.reduce((bits, index) => bits | (1 << index), 0);
    this.memory.i32[(GLOBAL.G_KNOWN + 4 * nr) / 4] = KNOWN_CALL | mask;
  }

  learn(key: KnownKey, call: KnownCall, args: readonly number[], name: string, errno: number): number {
    if (name === '' || name.length > KNOWN_LONGEST) return -1;
    this.hashCall(key, call, args, name);
    const { low, high } = this.hash;
    const { i32 } = this.memory;
    const entry = low & (KNOWN_ENTRIES - 1);
    const at = wordOf(entry);
    // In this order: whoever reads meanwhile sees that something changes (stub/known.c).
    Atomics.store(i32, at + 2, 0);
    i32[at] = low;
    i32[at + 1] = high;
    Atomics.store(i32, at + 2, (this.epoch << 8) | errno);
    this.used = true;
    return entry;
  }

  forget(entry: number): void {
    Atomics.store(this.memory.i32, wordOf(entry) + 2, 0);
  }

  forgetAll(): void {
    if (!this.used) return;
    this.used = false;
    if (this.epoch === LAST_EPOCH) {
      this.memory.bytes.fill(0, FILE.FILE_KNOWN, FILE.FILE_KNOWN + SIZE.KNOWN_SIZE);
      this.epoch = 0;
    }
    Atomics.store(this.memory.i32, EPOCH, ++this.epoch);
  }

  /** As stub/known.c does it. */
  private hashCall(key: KnownKey, call: KnownCall, args: readonly number[], name: string): void {
    const { hash } = this;
    const { length } = name;
    hash.begin(key.low, key.high);
    hash.word(call.nr);
    for (const index of call.numbers) hash.word(args[index]! | 0);
    hash.word(length);
    let at = 0;
    for (; at + 4 <= length; at += 4)
      hash.word(
        name.charCodeAt(at) |
          (name.charCodeAt(at + 1) << 8) |
          (name.charCodeAt(at + 2) << 16) |
          (name.charCodeAt(at + 3) << 24),
      );
    let rest = 0;
    for (let shift = 0; at < length; at++, shift += 8) rest |= name.charCodeAt(at) << shift;
    if ((length & 3) !== 0) hash.word(rest);
    hash.finish();
  }
}

const wordOf = (entry: number): number => (FILE.FILE_KNOWN + KNOWN_ENTRY * entry) / 4;
