/**
 * Known answers (answers.ts), in a table that all spaces can read. stub/known.c looks there before it asks. An entry is
 * found by a keyed hash of the call, which also hides what the call writes. Without the key, the table tells nothing.
 * Only the kernel writes to it.
 */
import { HalfSipHash } from '../../lib/half-siphash.ts';
import type { KnownAnswer, KnownAnswers, KnownCall, KnownKey } from '../answers.ts';
import { FILE, GLOBAL, KNOWN, SIZE } from './layout.ts';
import type { MemoryFile } from './memory-file.ts';

const { KNOWN_CALL, KNOWN_OUT, KNOWN_ENTRIES, KNOWN_ENTRY, KNOWN_LONGEST, KNOWN_GOOD } = KNOWN;
const { KNOWN_DATA, KNOWN_DATA_ENTRIES, KNOWN_DATA_ENTRY } = KNOWN;
const EPOCH = GLOBAL.G_EPOCH / 4;
/** The largest result that is kept with data. */
const MOST = 0x7fff;
/** An entry has 24 bits for the epoch. */
const LAST_EPOCH = 2 ** 24 - 1;

export class NativeKnownAnswers implements KnownAnswers {
  private readonly memory: MemoryFile;
  private readonly hash = new HalfSipHash();
  /** For each place for data, the entry that it belongs to. */
  private readonly owners = new Int32Array(KNOWN_DATA_ENTRIES).fill(-1);
  private epoch = 1;
  /** Whether something was learned in this epoch. */
  private used = false;

  constructor(memory: MemoryFile) {
    this.memory = memory;
    memory.i32[EPOCH] = this.epoch;
  }

  addCall({ nr, numbers, out }: KnownCall): void {
    const mask = numbers.reduce((bits, index) => bits | (1 << index), 0);
    this.memory.i32[(GLOBAL.G_KNOWN + 4 * nr) / 4] = KNOWN_CALL | mask | ((out + 1) << KNOWN_OUT);
  }

  learn(
    key: KnownKey,
    call: KnownCall,
    args: readonly number[],
    name: string,
    { result, offset, length }: KnownAnswer,
  ): number {
    if (name === '' || name.length > KNOWN_LONGEST) return -1;
    if (length > KNOWN_DATA_ENTRY || result > MOST || -result >= KNOWN_GOOD) return -1;
    this.hashCall(key, call, args, name);
    const { low, high } = this.hash;
    const { i32 } = this.memory;
    const entry = this.entryFor(low, high, length > 0);
    const at = wordOf(entry);
    // In this order, so that a concurrent reader notices the change (stub/known.c).
    Atomics.store(i32, at + 2, 0);
    i32[at] = low;
    i32[at + 1] = high;
    i32[at + 3] = (Math.max(0, result) << 16) | length;
    if (length > 0) this.hide(entry, offset, length);
    Atomics.store(i32, at + 2, (this.epoch << 8) | (result < 0 ? -result : KNOWN_GOOD));
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

  /** Of its two places: the one that already has it, else a free one, else the first. */
  private entryFor(low: number, high: number, hasData: boolean): number {
    const { i32 } = this.memory;
    const first = low & (KNOWN_ENTRIES - 1);
    for (const entry of [first, first ^ 1]) {
      const at = wordOf(entry);
      if (i32[at] === low && i32[at + 1] === high) return entry;
    }
    for (const entry of [first, first ^ 1]) {
      const owner = hasData ? this.owners[entry & (KNOWN_DATA_ENTRIES - 1)]! : -1;
      if (!this.holds(entry) && (owner < 0 || !this.holds(owner))) return entry;
    }
    return first;
  }

  private holds(entry: number): boolean {
    return this.memory.i32[wordOf(entry) + 2]! >>> 8 === this.epoch;
  }

  /** Puts what the call writes into its place. An entry whose data is there is forgotten. */
  private hide(entry: number, offset: number, length: number): void {
    const { i32, view } = this.memory;
    const place = entry & (KNOWN_DATA_ENTRIES - 1);
    const before = this.owners[place]!;
    if (before >= 0 && before !== entry) this.forget(before);
    this.owners[place] = entry;
    const at = (FILE.FILE_KNOWN + KNOWN_DATA + KNOWN_DATA_ENTRY * place) / 4;
    for (let i = 0; 4 * i < length; i++) i32[at + i] = view.getInt32(offset + 4 * i, true) ^ this.hash.more();
  }

  /** Must match stub/known.c. */
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
