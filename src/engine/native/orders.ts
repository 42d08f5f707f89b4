/**
 * Orders to a space's mapping thread: system calls that it makes one after the other, from a page that the guest can
 * only read.
 *
 * The guest can write to where the mapping thread reports its progress, so only a note (`NOTE_DONE`) counts. A note is
 * therefore ordered from time to time, and there are never more orders outstanding than the page holds.
 */
import { FD, FILE, OP, SIZE, SPACE, VA } from './layout.ts';
import type { MemoryFile } from './memory-file.ts';
import { NOTE } from './words.ts';

const WRITE = 1;
const NOTE_EVERY = 128;
const NOTE_PLACES = 64;
const TWO32 = 2 ** 32;
const REFUSAL_PLACES = (SPACE.P_TEXTS - SPACE.P_REFUSALS) / NOTE.NOTE_SIZE;

export class Orders {
  /** Where the space's pages lie in the memory file. */
  readonly file: number;
  private readonly words: Int32Array;
  private readonly spaceId: number;
  posted = 0;
  private published = 0;
  /** Orders known to be done. */
  acknowledged = 0;
  /** The last order that a note covers, whether the note has come or is still out. */
  noted = 0;
  /** For each note that is out, in order, how many orders were posted before it. */
  private readonly notes: number[] = [];
  private notePlace = 0;
  private refusalPlace = 0;
  private wantsNote = false;

  constructor(memory: MemoryFile, spaceId: number) {
    this.spaceId = spaceId;
    this.file = FILE.FILE_SPACES + spaceId * SIZE.SPACE_STRIDE;
    this.words = new Int32Array(memory.buffer, this.file, SIZE.SPACE_STRIDE / 4);
  }

  /** The space is dead. Wipes its orders and what its program wrote, which must not reach the next one. */
  wipe(): void {
    const { words } = this;
    const used = Math.min(this.posted, SIZE.MAX_OPS) * OP.OP_SIZE;
    words.fill(0, 0, (SPACE.P_OPS + used) / 4);
    words.fill(0, SPACE.P_NOTES / 4);
  }

  get unpublished(): boolean {
    return this.published !== this.posted || this.wantsNote;
  }

  get room(): number {
    return SIZE.MAX_OPS - 2 - (this.posted - this.acknowledged);
  }

  post(nr: number, a = 0, b = 0, c = 0, d = 0, e = 0, f = 0, kind: number = OP.OP_KIND_CALL): void {
    this.put(nr, a, b, c, d, e, f, kind);
    if (this.posted - this.noted >= NOTE_EVERY) this.askForNote();
  }

  /** Makes all posted orders visible to the mapping thread. */
  publish(): void {
    if (this.wantsNote) this.askForNote();
    this.published = this.posted;
    Atomics.store(this.words, SPACE.P_POSTED / 4, this.posted | 0);
  }

  /** Requests one note for all that is ordered until the next `publish`. */
  noteAtPublish(): void {
    this.wantsNote = true;
  }

  /** Orders a note that is sent once everything so far is done. */
  askForNote(): void {
    const place = SPACE.P_NOTES + (this.notePlace++ % NOTE_PLACES) * NOTE.NOTE_SIZE;
    this.words[place / 4] = NOTE.NOTE_DONE;
    this.words[place / 4 + 1] = this.spaceId;
    this.noteAt(place);
  }

  /** The first order of a new space: a note that it is there. */
  askForBirthNote(): void {
    const place = SPACE.P_NOTES + (this.notePlace++ % NOTE_PLACES) * NOTE.NOTE_SIZE;
    this.words[place / 4] = NOTE.NOTE_BORN;
    this.words[place / 4 + 1] = this.spaceId;
    this.put(WRITE, FD.FD_NOTES, VA.STUB_SPACE + place, NOTE.NOTE_SIZE, 0, 0, 0, OP.OP_KIND_CALL);
  }

  /** A NOTE_DONE came from this space's process. */
  noteCame(): void {
    const upTo = this.notes.shift();
    if (upTo !== undefined) this.acknowledged = upTo;
  }

  /** The note that a failed order sends: space `id`'s process, or a thread of it, was not made. Returns its address. */
  placeRefusal(id: number): number {
    const place = SPACE.P_REFUSALS + (this.refusalPlace++ % REFUSAL_PLACES) * NOTE.NOTE_SIZE;
    this.words[place / 4] = NOTE.NOTE_REFUSED;
    this.words[place / 4 + 1] = id;
    return VA.STUB_SPACE + place;
  }

  /** Sets where a text with patched sites lies in this space. */
  setText(text: number, address: number): void {
    this.setWord64(SPACE.P_TEXTS + 8 * text, address);
  }

  private noteAt(place: number): void {
    this.put(WRITE, FD.FD_NOTES, VA.STUB_SPACE + place, NOTE.NOTE_SIZE, 0, 0, 0, OP.OP_KIND_CALL);
    this.noted = this.posted;
    this.wantsNote = false;
    this.notes.push(this.posted);
  }

  private put(
    nr: number,
    a: number,
    b: number,
    c: number,
    d: number,
    e: number,
    f: number,
    kind: number,
  ): void {
    const { words } = this;
    const at = (SPACE.P_OPS + (this.posted & (SIZE.MAX_OPS - 1)) * OP.OP_SIZE) / 4;
    const args = at + OP.OP_ARGS / 4;
    // A starting program has dozens of these: each 64-bit word is put without a call. Number and kind are small.
    words[at + OP.OP_NR / 4] = nr;
    words[args] = a | 0;
    words[args + 1] = a < 0 ? -1 : a / TWO32;
    words[args + 2] = b | 0;
    words[args + 3] = b < 0 ? -1 : b / TWO32;
    words[args + 4] = c | 0;
    words[args + 5] = c < 0 ? -1 : c / TWO32;
    words[args + 6] = d | 0;
    words[args + 7] = d < 0 ? -1 : d / TWO32;
    words[args + 8] = e | 0;
    words[args + 9] = e < 0 ? -1 : e / TWO32;
    words[args + 10] = f | 0;
    words[args + 11] = f < 0 ? -1 : f / TWO32;
    words[at + OP.OP_KIND / 4] = kind;
    this.posted++;
  }

  private setWord64(at: number, value: number): void {
    this.words[at / 4] = value | 0;
    this.words[at / 4 + 1] = value / TWO32;
  }
}
