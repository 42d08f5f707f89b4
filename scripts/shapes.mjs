#!/usr/bin/env node
/**
 * Which compiled code V8 threw away because a field turned out to be of another kind than before. Runs a command in a
 * machine, and prints for each such change the field, its kinds as V8 writes them (s: small integers, d: numbers,
 * h: objects, t: anything; const: set once), the source, and how many functions were lost.
 *
 *   npm run shapes -- COMMAND [ARGUMENT]...
 */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { SourceMap } from 'node:module';
import { join } from 'node:path';
import { home, node, run } from './common.mjs';

const TIMEOUT = 300;
const CHANGE = /^\[generalizing\](\S+?):(\S+->\S+) .*?(?:uml\.cjs:(\d+))?\]$/;
const LOST = /^\[marking dependent code .*<SharedFunctionInfo ?(.*?)>.* reason: dependent (.*)\]$/;

const command = process.argv.slice(2);
if (command.length === 0) {
  process.stderr.write('shapes: a command is needed, as in "npm run shapes -- make -C /some/where"\n');
  process.exit(2);
}

const built = spawnSync(node, [join(home, 'scripts/build.mjs'), '--if-stale'], { stdio: 'inherit' });
if (built.status !== 0) process.exit(1);

const dist = join(home, 'dist');
const map = new SourceMap(JSON.parse(readFileSync(join(dist, 'uml.cjs.map'), 'utf8')));

/** The source file and line at the start of a line of the bundle. */
function sourceOf(line) {
  const { originalSource, originalLine } = line === undefined ? {} : map.findEntry(Number(line) - 1, 0);
  return originalSource === undefined
    ? ''
    : `${originalSource.replace(/^(\.\.\/)+/, '')}:${originalLine + 1}`;
}

/** The changes that made V8 throw functions away, which its trace lists right after them. */
function* changes(text) {
  let last = null;
  let lost = [];
  for (const line of [...text.split('\n'), '[generalizing]end:-> ]']) {
    const [, name, reason] = LOST.exec(line) ?? [];
    if (name !== undefined && !reason.startsWith('allocation site')) lost.push(name || '(unnamed)');
    if (!line.startsWith('[generalizing]')) continue;
    if (lost.length > 0) yield { last, lost };
    last = CHANGE.exec(line);
    lost = [];
  }
}

const flags = readFileSync(join(home, 'bin/node.flags'), 'utf8').trim().split(' ');
const words = [
  ...flags,
  '--trace-generalization',
  '--trace-deopt',
  join(home, 'bin/start.cjs'),
  'uml',
  'run',
  '--',
];
const { status, stdout, stderr } = await run(node, [...words, ...command], {
  timeout: TIMEOUT,
  env: { ...process.env, UML_CLOSED: '' },
});
for (const { last, lost } of changes(stdout.toString('latin1'))) {
  const [, field, kinds, line] = last ?? [];
  const what = field === undefined ? '(unknown)' : `${field} ${kinds}`;
  process.stdout.write(
    `${String(lost.length).padStart(3)}  ${what}  ${sourceOf(line)}\n     ${lost.join(' ')}\n`,
  );
}
if (status !== 0)
  process.stderr.write(`shapes: the machine ended with ${status}: ${stderr.toString().slice(-300)}\n`);
process.exit(status === 0 ? 0 : 1);
