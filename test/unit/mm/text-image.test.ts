/** Patched copies of text, made when there is memory for them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TextImages } from '../../../src/mm/text-image.ts';

const PAGE = 4096;
const IMAGE = 4 * PAGE;
/** syscall; cmp $-4096,%rax. */
const SITE = [0x0f, 0x05, 0x48, 0x3d, 0x00, 0xf0, 0xff, 0xff];

/** A machine's memory with a file of one page at its beginning, whose text has one site. */
class Memory {
  readonly bytes = new Uint8Array(8 * PAGE);
  pages = 1;
  hasRoom = true;
  readable = true;
  readonly patched: number[] = [];
  readonly mapped: number[] = [];
  readonly cache = { size: PAGE, ensure: () => (this.readable ? 0 : -5), offsetOf: (pos: number) => pos };
  readonly images: TextImages;

  constructor() {
    this.bytes.set(SITE, 100);
    const ram = {
      bytes: this.bytes,
      charge: (pages: number) => this.charge(pages),
      alloc: () => (this.hasRoom ? IMAGE : -1),
      store: () => 0,
    };
    const callSites = {
      newText: () => 0,
      newSite: () => 0,
      patch: (at: number) => this.patched.push(at),
      setText: () => {},
    };
    this.images = new TextImages(ram as never, callSites as never);
  }

  private charge(pages: number): boolean {
    if (this.pages < pages) return false;
    this.pages -= pages;
    return true;
  }

  /** Whether a program that maps the text gets an image of it. */
  map(): boolean {
    const space = { mapMemory: (...args: number[]) => this.mapped.push(args[3]!) };
    const vma = { start: PAGE, end: 2 * PAGE, length: PAGE, pos: 0, posOf: (at: number) => at - PAGE };
    const mm = { patchesText: true, texts: [], space };
    return this.images.map(
      mm as never,
      { ...vma, mapped: { set: () => {} } } as never,
      { cache: this.cache } as never,
    );
  }
}

const failures: Readonly<Record<string, Partial<Pick<Memory, 'pages' | 'hasRoom' | 'readable'>>>> = {
  'the machine is full': { pages: 0 },
  'there are no offsets': { hasRoom: false },
  'the file cannot be read': { readable: false },
};

for (const [what, failure] of Object.entries(failures))
  test(`${what}: the next program that maps the text gets an image`, () => {
    const memory = new Memory();
    Object.assign(memory, failure);
    assert.ok(!memory.map());
    Object.assign(memory, { pages: 1, hasRoom: true, readable: true });
    assert.ok(memory.map());
    assert.deepEqual([memory.patched, memory.mapped], [[IMAGE + 100], [IMAGE]]);
    assert.equal(memory.pages, 0, 'it is charged once');
  });
