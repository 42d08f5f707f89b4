/**
 * What every filesystem that can be written to must do: one suite, run on each of them.
 *
 * `makeRoot` answers system calls (`Sys`) whose caller is root and whose working directory is an empty
 * directory of the filesystem under test. What it cannot do is named in `cannot`.
 */
import { describe, test } from 'node:test';
import type { Sys } from './machine.ts';
import { attributes } from './suite/attributes.ts';
import type { Ability, Check } from './suite/check.ts';
import { data, openings } from './suite/data.ts';
import { links, renames } from './suite/links.ts';
import { names } from './suite/names.ts';

export interface SuiteRoot {
  readonly sys: Sys;
  /** Called after each test. */
  done?(): void;
}

export function runFilesystemSuite(
  name: string,
  makeRoot: () => SuiteRoot,
  cannot: readonly Ability[] = [],
): void {
  const check: Check = (what, needs, act) => {
    const missing = needs.filter(ability => cannot.includes(ability));
    test(what, { skip: missing.length > 0 && `cannot: ${missing.join(', ')}` }, () => {
      const root = makeRoot();
      try {
        act(root.sys);
      } finally {
        root.done?.();
      }
    });
  };
  describe(name, () => {
    names(check);
    renames(check);
    links(check);
    openings(check);
    data(check);
    attributes(check);
  });
}
