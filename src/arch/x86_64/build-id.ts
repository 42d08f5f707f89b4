/** The build ID of an ELF file: the note NT_GNU_BUILD_ID in its PT_NOTE segments (elf(5), "Notes"). */
import { getUint64 } from '../../lib/int64.ts';
import { EHDR_SIZE, PHDR_SIZE, readHeader } from './elf.ts';

const PT_NOTE = 4;
const NT_GNU_BUILD_ID = 3;
/** "GNU" with its NUL, read as a number. */
const GNU = 0x00554e47;
const NOTE_HEADER = 12;
const LONGEST_ID = 20;
/** What comes later in a segment of notes is not looked at. */
const LONGEST_NOTES = 65536;

/** Reads `len` bytes at `pos` into the front of `buf`: how many there were, or -errno. */
export type ReadAt = (buf: Uint8Array, len: number, pos: number) => number;

/** Null if the file has none, or is not such a file. */
export function findBuildId(read: ReadAt): Uint8Array | null {
  const header = readHeader(readView(read, 0, EHDR_SIZE));
  if (typeof header === 'number') return null;
  const length = header.phnum * PHDR_SIZE;
  const segments = readView(read, header.phoff, length);
  if (segments.byteLength < length) return null;
  for (let i = 0; i < header.phnum; i++) {
    const at = i * PHDR_SIZE;
    if (segments.getUint32(at, true) !== PT_NOTE) continue;
    // Linux looks at 32 bits of the size only, too, and does not mind if the file ends before.
    const size = Math.min(segments.getUint32(at + 32, true), LONGEST_NOTES);
    const id = idOf(readView(read, getUint64(segments, at + 8), size));
    if (id !== null) return id;
  }
  return null;
}

/** As much as the file has. */
function readView(read: ReadAt, pos: number, len: number): DataView {
  const bytes = new Uint8Array(len);
  return new DataView(bytes.buffer, 0, Math.max(read(bytes, len, pos), 0));
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
