/** Why a program cannot be executed, in words, for the one line that the machine's user reads. */
import { lookup } from '../fs/lookup.ts';
import { LOOKUP_DIRECTORY, LOOKUP_FOLLOW } from '../fs/namei.ts';
import { open } from '../fs/open.ts';
import type { Task } from '../kernel/task.ts';
import { EACCES, ELOOP, ENOENT, ENOEXEC, ENOMEM, ENOTDIR } from '../uapi/errno.ts';
import { O_RDONLY } from '../uapi/fcntl.ts';
import { STRERROR } from '../uapi/strerror.ts';

const HEAD = 256;
const ELF_MAGIC = 0x7f454c46;
/** The shorter of the two header sizes of elf(5). */
const ELF_HEADER = 52;
const CLASS = 4;
const CLASS_32 = 1;
const DATA = 5;
const BIG_ENDIAN = 2;
const MACHINE = 18;
const EM_X86_64 = 62;

/** Values of e_machine (elf(5)). */
const MACHINES: Readonly<Record<number, string>> = {
  2: 'SPARC',
  3: 'i386',
  8: 'MIPS',
  20: 'PowerPC',
  21: 'PowerPC 64',
  22: 'S/390',
  40: 'ARM',
  43: 'SPARC 64',
  62: 'x32',
  183: 'AArch64',
  243: 'RISC-V',
  258: 'LoongArch',
};

const WORDS: Readonly<Record<number, string>> = {
  [-EACCES]: 'permission denied',
  [-ENOENT]: 'no such file or directory',
  [-ENOTDIR]: 'not a directory',
  [-ELOOP]: 'too many symbolic links or script interpreters',
  [-ENOMEM]: 'not enough memory; say more with --mem',
};

export const inWords = (errno: number): string =>
  WORDS[errno] ?? STRERROR[-errno]?.toLowerCase() ?? `error ${-errno}`;

/** What `errno` of an exec means for the file at `path`. */
export function execTrouble(task: Task, path: string, errno: number): string {
  if (errno === -EACCES) return isDirectory(task, path) ? 'is a directory' : inWords(errno);
  if (errno !== -ENOEXEC && errno !== -ENOENT) return inWords(errno);
  const head = readHead(task, path);
  if (head === null) return inWords(errno);
  return errno === -ENOENT ? missingInterpreter(head) : notForUs(head);
}

const isDirectory = (task: Task, path: string): boolean =>
  typeof lookup(task.kernel.vfs, task, null, path, LOOKUP_FOLLOW | LOOKUP_DIRECTORY) !== 'number';

/** The file's first bytes, or null if it cannot be read. */
function readHead(task: Task, path: string): Buffer | null {
  const file = open(task.kernel.vfs, task, null, path, O_RDONLY, 0);
  if (typeof file === 'number') return null;
  const bytes = Buffer.alloc(HEAD);
  const got = file.read(bytes, 0, HEAD, 0);
  file.put();
  return got < 0 ? null : bytes.subarray(0, got);
}

const isElf = (head: Buffer): boolean => head.length >= 4 && head.readUInt32BE(0) === ELF_MAGIC;

function missingInterpreter(head: Buffer): string {
  const script = /^#![ \t]*([^ \t\n\0]+)/.exec(head.toString('latin1'));
  if (script !== null) return `its interpreter ${script[1]} does not exist in this root`;
  return isElf(head) ? 'its dynamic loader does not exist in this root' : inWords(-ENOENT);
}

function notForUs(head: Buffer): string {
  if (!isElf(head)) return 'not a program: it is no ELF file and does not begin with #!';
  if (head.length < ELF_HEADER) return 'not a program: an ELF file that is cut short';
  const machine = head[DATA] === BIG_ENDIAN ? head.readUInt16BE(MACHINE) : head.readUInt16LE(MACHINE);
  if (machine === EM_X86_64 && head[CLASS] !== CLASS_32)
    return 'not a program: its ELF headers make no sense, or are cut short';
  return `a program for ${MACHINES[machine] ?? `machine ${machine}`}; this machine runs 64-bit x86-64 programs only`;
}
