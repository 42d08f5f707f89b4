/** The build ID of an ELF file: the note NT_GNU_BUILD_ID in its PT_NOTE segments (elf(5), "Notes"). */
import { EHDR_SIZE, PHDR_SIZE, readHeader } from './elf.ts';

const PT_NOTE = 4;
const NT_GNU_BUILD_ID = 3;
/** "GNU" with its NUL, read as a number. */
const GNU = 0x00554e47;
const NOTE_HEADER = 12;
const LONGEST_ID = 20;
/** Longer segments of notes are not looked at. */
const LONGEST_NOTES = 65536;

/** Reads `len` bytes at `pos` into the front of `buf`: how many there were, or -errno. */
export type ReadAt = (buf: Uint8Array, len: number, pos: number) => number;

/** Null if the file has none, or is not such a file. */
export function findBuildId(read: ReadAt): Uint8Array | null {
  const head = readView(read, 0, EHDR_SIZE);
  const header = head === null ? -1 : readHeader(head);
  if (typeof header === 'number') return null;
  const segments = readView(read, header.phoff, header.phnum * PHDR_SIZE);
  if (segments === null) return null;
  for (let i = 0; i < header.phnum; i++) {
    const at = i * PHDR_SIZE;
    if (segments.getUint32(at, true) !== PT_NOTE) continue;
    const size = segments.getUint32(at + 32, true);
    const notes = size > LONGEST_NOTES ? null : readView(read, segments.getUint32(at + 8, true), size);
    const id = notes === null ? null : idOf(notes);
    if (id !== null) return id;
  }
  return null;
}

function readView(read: ReadAt, pos: number, len: number): DataView | null {
  const bytes = new Uint8Array(len);
  return read(bytes, len, pos) === len ? new DataView(bytes.buffer) : null;
}

const padded = (len: number): number => Math.ceil(len / 4) * 4;

/** A note: 0 length of the name | 4 length of the content | 8 type | the name | the content, both padded to words. */
function idOf(notes: DataView): Uint8Array | null {
  for (let at = 0; at + NOTE_HEADER + 4 <= notes.byteLength; ) {
    const name = notes.getUint32(at, true);
    const content = notes.getUint32(at + 4, true);
    const begin = at + NOTE_HEADER + padded(name);
    const isId =
      notes.getUint32(at + 8, true) === NT_GNU_BUILD_ID &&
      name === 4 &&
      notes.getUint32(at + NOTE_HEADER, true) === GNU;
    if (isId && content > 0 && content <= LONGEST_ID && begin + content <= notes.byteLength)
      return new Uint8Array(notes.buffer, begin, content);
    at = begin + padded(content);
  }
  return null;
}
