#!/usr/bin/env node
/**
 * The tests: unit tests (test/unit, test/cli, test/safety), then the oracle: each program of test/programs runs on the
 * host and in a machine, and its output, errors and status must be the same.
 *
 *   node scripts/test.mjs [--unit] [--oracle] [--native] [--list] [pattern...]
 *
 * --native runs the programs twice on the host, to see that they are deterministic. A pattern selects tests whose path
 * contains it. The last line says how many passed.
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { home, node } from './common.mjs';
import { findPrograms, runOracle } from './oracle.mjs';

const words = process.argv.slice(2);
const flags = new Set(words.filter(word => word.startsWith('--')));
const patterns = words.filter(word => !word.startsWith('--'));
const unknown = [...flags].find(flag => !['--unit', '--oracle', '--native', '--list'].includes(flag));
if (unknown !== undefined) {
  process.stderr.write(`test: unknown option ${unknown}\n`);
  process.exit(2);
}
const both = !flags.has('--unit') && !flags.has('--oracle') && !flags.has('--native');
const selected = path => patterns.length === 0 || patterns.some(pattern => path.includes(pattern));

const unitTests = () =>
  ['test/unit', 'test/cli', 'test/safety']
    .flatMap(dir => readdirSync(join(home, dir), { recursive: true }).map(name => join(dir, name)))
    .filter(path => path.endsWith('.test.ts') && selected(path))
    .sort();

/** Tests that compare with the host as root sees it say so in their first line, and need root. */
const mayRun = path =>
  process.getuid() === 0 || !readFileSync(join(home, path), 'latin1').startsWith('// test: needs root');

/** Runs node --test; resolves with its counts. */
function runUnit(files) {
  const scratch = mkdtempSync(join(tmpdir(), 'uml-test-'));
  const tap = join(scratch, 'tap');
  // The limit is for a whole file, and meant for tests that hang.
  const args = ['--test', '--test-concurrency=2', '--test-timeout=900000'];
  args.push('--test-reporter=dot', '--test-reporter-destination=stdout');
  args.push('--test-reporter=tap', `--test-reporter-destination=${tap}`);
  return new Promise(resolve => {
    spawn(node, [...args, ...files], { cwd: home, stdio: 'inherit' }).on('exit', status => {
      const text = readFileSync(tap, 'utf8');
      rmSync(scratch, { recursive: true });
      const count = name => Number(new RegExp(`^# ${name} (\\d+)$`, 'm').exec(text)?.[1] ?? 0);
      const failed = count('fail') + count('cancelled');
      resolve({ passed: count('pass'), failed: failed || Number(status !== 0), skipped: count('skipped') });
    });
  });
}

/** Builds dist/ if it is stale, so that no test waits for it. */
const build = () =>
  new Promise(resolve => {
    const args = [join(home, 'scripts/build.mjs'), '--if-stale'];
    spawn(node, args, { stdio: 'inherit' }).on('exit', status => resolve(status === 0));
  });

const total = { passed: 0, failed: 0, skipped: 0 };
const add = counts => {
  for (const name of Object.keys(total)) total[name] += counts[name];
};

const wanted = both || flags.has('--unit') ? unitTests() : [];
const files = wanted.filter(mayRun);
total.skipped += wanted.length - files.length;
const programs =
  both || flags.has('--oracle') || flags.has('--native') ? findPrograms().filter(selected) : [];
if (flags.has('--list')) {
  for (const path of [...files, ...programs]) process.stdout.write(`${relative(home, join(home, path))}\n`);
  process.exit(0);
}
if (!flags.has('--native') && !(await build())) process.exit(1);
if (files.length > 0) add(await runUnit(files));
if (programs.length > 0) add(await runOracle(programs, { native: flags.has('--native') }));
process.stdout.write(`\n${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped\n`);
process.exit(total.failed > 0 || total.passed === 0 ? 1 : 0);
