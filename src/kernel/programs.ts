/**
 * What execve(2) makes of files: scripts, or ELF programs with what their headers say. A file that cannot change is
 * read once.
 */
import { EHDR_SIZE, type ElfFile, PHDR_SIZE, readHeader, readProgramHeaders } from '../arch/x86_64/elf.ts';
import type { File } from '../fs/file.ts';
import type { Inode } from '../fs/inode.ts';
import { latin1 } from '../lib/latin1.ts';
import { EIO, ENOEXEC } from '../uapi/errno.ts';

export interface Script {
  readonly interpreter: string;
  readonly argument: string;
}

export interface ElfProgram {
  readonly elf: ElfFile;
  /** The name of the program interpreter, if the program asks for one. */
  readonly interp: string | null;
}

const SHEBANG_MAX = 256;
const INTERP_MAX = 4096;
const LINE_FEED = 10;

export class Programs {
  private readonly known: WeakMap<Inode, Script | ElfProgram> = new WeakMap();
  /** Headers are read into this, one after the other, and evaluated at once. */
  private readonly bytes: Uint8Array = new Uint8Array(2 * INTERP_MAX);
  private readonly view: DataView = new DataView(this.bytes.buffer);

  /** -ENOEXEC if the file is neither. */
  look(file: File): Script | ElfProgram | number {
    const { inode } = file;
    const known = inode.isSteady ? this.known.get(inode) : undefined;
    if (known !== undefined) return known;
    const got = file.read(this.bytes, 0, SHEBANG_MAX, 0);
    const found = this.isScript(got) ? this.readScript(got) : this.readElf(file, got);
    if (typeof found === 'object' && inode.isSteady) this.known.set(inode, found);
    return found;
  }

  private isScript(got: number): boolean {
    return got >= 2 && this.bytes[0] === 0x23 && this.bytes[1] === 0x21;
  }

  /** The script's first line; -ENOEXEC if it names nothing. */
  private readScript(got: number): Script | number {
    const end = this.bytes.indexOf(LINE_FEED);
    const whole = end >= 0 && end < got;
    const line = latin1(this.bytes, 2, (whole ? end : got) - 2).replace(/^[ \t]+|[ \t]+$/g, '');
    const match = /^([^ \t\0]+)[ \t]*([^\0]*)/.exec(line);
    if (match === null) return -ENOEXEC;
    // A name that the buffer cuts off must not be run as if it were whole.
    if (!whole && got === SHEBANG_MAX && !/[ \t]/.test(line)) return -ENOEXEC;
    return { interpreter: match[1]!, argument: match[2]! };
  }

  private readElf(file: File, got: number): ElfProgram | number {
    if (got < EHDR_SIZE) return -ENOEXEC;
    const header = readHeader(this.view);
    if (typeof header === 'number') return header;
    const size = header.phnum * PHDR_SIZE;
    if (file.read(this.bytes, 0, size, header.phoff) !== size) return -ENOEXEC;
    const elf = readProgramHeaders(header, this.view);
    if (typeof elf === 'number') return elf;
    const interp =
      elf.interp === null ? null : this.readInterpreter(file, elf.interp.offset, elf.interp.size);
    return typeof interp === 'number' ? interp : { elf, interp };
  }

  /** -ENOEXEC if it is not a sound string, -EIO if it cannot be read. */
  private readInterpreter(file: File, offset: number, size: number): string | number {
    if (size < 2 || size > INTERP_MAX) return -ENOEXEC;
    if (file.read(this.bytes, 0, size, offset) !== size) return -EIO;
    return this.bytes[size - 1] === 0 ? latin1(this.bytes, 0, this.bytes.indexOf(0)) : -ENOEXEC;
  }
}
