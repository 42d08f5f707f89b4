/** Writes what the stub and its driver share as C: `layout.h` and `filters.h`. Run by the build. */
import type { Instruction } from './bpf.ts';
import { DISPATCH, FILTERS, FORK_FLAGS, TEXT_SIZE, THREAD_FLAGS } from './filters.ts';
import {
  ANSWERS,
  CHANNEL,
  FD,
  FILE,
  FORESEEN,
  GLOBAL,
  KICK_SIGNAL,
  KNOWN,
  OP,
  OWN_MAP_FLAGS,
  SIZE,
  SLOT,
  SPACE,
  VA,
} from './layout.ts';
import { ACTION, KIND, NOTE, STATE } from './words.ts';

const NOTICE = '/* Written by the build from src/engine/native: layout.ts, words.ts, filters.ts. */\n';

function hex(value: number): string {
  return `0x${value.toString(16)}`;
}

export function layoutHeader(): string {
  const all = {
    ...VA,
    ...SIZE,
    ...FILE,
    ...GLOBAL,
    ...SPACE,
    ...ANSWERS,
    ...OP,
    ...SLOT,
    ...STATE,
    ...KIND,
    ...KNOWN,
    ...FORESEEN,
    ...CHANNEL,
    ...ACTION,
    ...NOTE,
    ...FD,
    ...DISPATCH,
  };
  const rows = Object.entries({ ...all, KICK_SIGNAL, OWN_MAP_FLAGS, FORK_FLAGS, THREAD_FLAGS, TEXT_SIZE });
  return NOTICE + rows.map(([name, value]) => `#define ${name} ${hex(value)}\n`).join('');
}

export function filtersHeader(): string {
  const rows = (program: readonly Instruction[]): string =>
    program.map(i => `\t{ ${hex(i.code)}, ${i.jt}, ${i.jf}, ${hex(i.k)} },\n`).join('');
  const programs = Object.entries(FILTERS);
  const arrays = programs.map(
    ([name, p]) => `static const struct sock_filter ${name}_code[] = {\n${rows(p)}};\n`,
  );
  return NOTICE + arrays.join('');
}
