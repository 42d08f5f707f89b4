/**
 * The page of supported calls (SYSCALLS.md), generated from the table: calls that follow their man pages, calls with
 * exceptions, and calls that are missing.
 */
import { NR } from '../arch/x86_64/unistd.ts';
import type { Syscall } from './args.ts';
import { SYSCALLS } from './table.ts';

const WIDTH = 120;

/** Numbers that have no call on Linux either (unimplemented(2), arch/x86/entry/syscalls/syscall_64.tbl). */
const NOWHERE: ReadonlySet<string> = new Set([
  '_sysctl',
  'afs_syscall',
  'create_module',
  'epoll_ctl_old',
  'epoll_wait_old',
  'get_kernel_syms',
  'get_thread_area',
  'getpmsg',
  'lookup_dcookie',
  'nfsservctl',
  'putpmsg',
  'query_module',
  'security',
  'set_thread_area',
  'tuxcall',
  'vserver',
]);

/** Names, in lines of at most WIDTH columns. */
function lines(names: readonly string[]): string {
  let text = '';
  let column = 0;
  for (const name of names) {
    const fits = column > 0 && column + 1 + name.length <= WIDTH;
    text += fits ? ` ${name}` : `${column > 0 ? '\n' : ''}${name}`;
    column = fits ? column + 1 + name.length : name.length;
  }
  return text;
}

const inOrder = (rows: readonly Syscall[]): Syscall[] =>
  [...rows].sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));

/** The whole page, in Markdown. */
export function supportedPage(): string {
  const rows = inOrder(SYSCALLS);
  const known = new Set(rows.map(({ name }) => name));
  const whole = rows.filter(({ note }) => note === '').map(({ name }) => name);
  const differing = rows.filter(({ note }) => note !== '');
  const missing = Object.keys(NR).filter(name => !known.has(name) && !NOWHERE.has(name));
  return `# System calls

Written by \`npm run calls\` from the table in \`src/syscalls/\`; a test holds it to that. The calls of x86-64 Linux:
${whole.length} do what their man pages say, ${differing.length} do with exceptions, ${missing.length} are not there (ENOSYS).

## With exceptions

| call | |
|---|---|
${differing.map(({ name, note }) => `| ${name} | ${note} |`).join('\n')}

## As the man pages say

${lines(whole)}

## Not there

${lines(missing.sort())}
`;
}
