/** The table of system calls as a C header, for programs that make random ones: what each argument is, in a letter. */
import type { Arg } from '../../src/syscalls/args.ts';
import { syscallsByNumber } from '../../src/syscalls/table.ts';

/** Letters that storm-arguments.h knows, by what the table says; of descriptors by what calls are about. */
const BY_KIND: Readonly<Record<string, string>> = {
  dirfd: 'd',
  path: 'p',
  string: 'p',
  strings: 'S',
  pid: 'P',
  signal: 'g',
  octal: 'm',
  flags: 'F',
  enum: 'E',
};
const DESCRIPTORS: readonly (readonly [RegExp, string])[] = [
  [/^(accept4?|bind|connect|listen|send(to|msg|mmsg)|recv(from|msg|mmsg)|[gs]etsockopt|shutdown)$/, '1'],
  [/^epoll/, '2'],
  [/^timerfd/, '3'],
  [/^mq_/, '4'],
  [/^inotify/, '5'],
  [/^(pidfd|process_madvise|setns)/, '6'],
  [/splice|tee/, '7'],
];
const NUMBERS: readonly (readonly [RegExp, string])[] = [
  [/^(sigsetsize|sizemask)$/, 'G'],
  [/iovcnt|nr_segs|vlen|nsops|nr_futexes/, 'n'],
  [/^(request)$/, 'r'],
  [/^shmaddr$/, 'a'],
  [/id$|key|wd/, 'k'],
  [/uid|gid|owner|group/, 'u'],
  [/len|count|size|nbytes|cnt|offset|pgoff/, 'z'],
];
const POINTERS: readonly (readonly [RegExp, string])[] = [
  [/iov/, 'v'],
  [/^(msg|msgvec)$/, 'M'],
  [/^envp$/, 'S'],
  [/^(dest_addr|src_addr)$/, 'A'],
  [/^(new_address|old_address|stack)$/, 'a'],
  [/time|tmo|^req$|^tp$|^new$/, 't'],
];
const MEMORY = /map|mprot|brk|msync|mincore|madvise|lock|seal|pkey/;

function letter(call: string, { name, kind, names }: Arg): string {
  if (kind === 'fd') return DESCRIPTORS.find(([calls]) => calls.test(call))?.[1] ?? 'f';
  if ((kind === 'flags' || kind === 'enum') && Object.keys(names ?? {}).length === 0) return 'i';
  const known = BY_KIND[kind];
  if (known !== undefined) return known;
  const isNumber = ['int', 'uint', 'long', 'ulong', 'hex'].includes(kind);
  if (name === 'addr') return MEMORY.test(call) ? 'a' : 'A';
  return (isNumber ? NUMBERS : POINTERS).find(([names]) => names.test(name))?.[1] ?? (isNumber ? 'i' : 'b');
}

/** `calls[]`: number, letters, and for each argument the values that have names. */
export function callTable(): string {
  const rows = syscallsByNumber().map((row, nr) => {
    if (row === undefined) return '';
    const values = row.args.map(({ names }) => [...new Set(Object.values(names ?? {}))]);
    const arrays = values.map(list => (list.length > 0 ? `(const long[]){${list.join()}}` : '0'));
    const letters = row.args.map(arg => letter(row.name, arg)).join('');
    return `\t{${nr}, "${letters}", {${arrays.join()}}, {${values.map(list => list.length).join()}}},\n`;
  });
  return `static const struct call {\n\tint nr;\n\tconst char *letters;\n\tconst long *values[6];\n\tint counts[6];\n} calls[] = {\n${rows.join('')}};\n`;
}
