/**
 * The oracle: a program runs on the host and in a machine, both times in a fresh folder of the same name, and must
 * print the same and end in the same way.
 *
 * A program is a C file or a shell script. Lines `test: key value` in its first comment set things up:
 *   flags     more words for the C compiler            needs     commands or files without which it is skipped
 *   machine   more options for uml run                 status    the status on the host (0)
 *   skip      why it cannot run here, printed         prepare   a shell command that fills the folder first, on the host
 * A program that ends with status 77 on the host is skipped: it found that the host cannot do it.
 */
import { createHash } from 'node:crypto';
import {
  accessSync,
  constants,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, delimiter, dirname, join } from 'node:path';
import { home, parallel, run } from './common.mjs';

const PROGRAMS = 'test/programs';
const SKIPPED = 77;
const WIDTH = 2;
/**
 * Seconds after which a program counts as hanging: far more than any takes on a busy host, or on one that stalls for a
 * while. A machine's time is within a small factor of the host's.
 */
const HOST_TIMEOUT = 300;
const MACHINE_FACTOR = 5;
/** How much of a difference is shown: lines, and bytes of a line. */
const SHOWN_LINES = 12;
const SHOWN_BYTES = 200;

export const findPrograms = () =>
  readdirSync(join(home, PROGRAMS), { recursive: true })
    .filter(name => /\.(c|sh)$/.test(name))
    .sort()
    .map(name => join(PROGRAMS, name));

/** The settings at the start of a program. */
function settingsOf(text) {
  const settings = { flags: '', needs: '', status: '0', machine: '' };
  for (const [, key, value] of text
    .slice(0, 2000)
    .matchAll(/^(?:#|\/\/|\/\*| \*) test: (\w+) (.*?)(?: \*\/)?$/gm))
    settings[key] = value.trim();
  return settings;
}

const splitWords = text => text.split(/\s+/).filter(Boolean);

const onPath = name =>
  name.includes('/')
    ? existsSync(name)
    : process.env.PATH.split(delimiter).some(dir => {
        try {
          accessSync(join(dir, name), constants.X_OK);
          return true;
        } catch {
          return false;
        }
      });

/** A program's text with the texts of the local headers that it includes. */
const withHeaders = (file, text) =>
  [...text.matchAll(/^#include "(.*)"$/gm)].reduce((all, [, name]) => {
    const header = join(dirname(file), name);
    return all + withHeaders(header, readFileSync(header, 'latin1'));
  }, text);

/** The command for a program; a C program is compiled once for each content. { error } if it does not compile. */
async function commandOf(path, text, settings) {
  const file = join(home, path);
  if (path.endsWith('.sh')) return ['/bin/bash', file];
  const cc = splitWords(settings.cc ?? 'cc');
  const args = ['-O1', '-g', '-D_GNU_SOURCE', '-Wall', '-Wno-unused-result', ...splitWords(settings.flags)];
  const key = createHash('sha256')
    .update(withHeaders(file, text))
    .update([...cc, ...args].join(' '))
    .digest('hex')
    .slice(0, 16);
  const binary = join(home, 'dist/test', `${basename(path, '.c')}-${key}`);
  if (existsSync(binary)) return [binary];
  mkdirSync(join(home, 'dist/test'), { recursive: true });
  const made = `${binary}.${process.pid}`;
  const { status, stderr } = await run(cc[0], [...cc.slice(1), '-o', made, file, ...args]);
  if (status !== 0) return { error: stderr.toString() };
  renameSync(made, binary);
  return [binary];
}

/** Removes a folder in which processes that a program left behind may still be working. */
function discard(folder) {
  if (!existsSync(folder)) return;
  const old = mkdtempSync(`${folder}-`);
  renameSync(folder, old);
  try {
    rmSync(old, { recursive: true, force: true });
  } catch {
    // It is removed at the end, with everything else.
  }
}

/** One run in a fresh folder; `prefix`: words before the command, or null. */
async function runIn(scratch, prefix, command, { timeout, prepare }) {
  discard(scratch);
  mkdirSync(scratch, { recursive: true });
  if (prepare !== undefined) {
    const { status, stderr } = await run('/bin/sh', ['-ec', prepare], { cwd: scratch });
    if (status !== 0) throw new Error(`its preparation fails: ${stderr}`);
  }
  const env = { PATH: process.env.PATH, HOME: scratch, TMPDIR: scratch, LC_ALL: 'C.UTF-8', TERM: 'xterm' };
  const settings = Object.entries({ ...env, SHELL: '/bin/bash', USER: 'root', LOGNAME: 'root' });
  const [program, ...args] = prefix
    ? [
        ...prefix,
        ...settings.flatMap(([name, value]) => ['--env', `${name}=${value}`]),
        '--workdir',
        scratch,
        '--',
        ...command,
      ]
    : command;
  const begin = Date.now();
  const result = await run(program, args, { cwd: scratch, env: Object.fromEntries(settings), timeout });
  const status = result.timedOut ? 'timeout' : (result.signal ?? result.status);
  return {
    status: String(status),
    seconds: Math.round((Date.now() - begin) / 100) / 10,
    stdout: result.stdout.toString('latin1'),
    stderr: result.stderr.toString('latin1'),
  };
}

/** Deaths by a signal as the statuses that uml run gives. */
const SIGNALS = {
  SIGABRT: '134',
  SIGSEGV: '139',
  SIGKILL: '137',
  SIGTERM: '143',
  SIGPIPE: '141',
  SIGBUS: '135',
  SIGFPE: '136',
  SIGILL: '132',
};
const normal = status => SIGNALS[status] ?? status;

/** Where two texts differ, or null: the last equal lines, then the differing lines of each. */
function difference(what, native, machine) {
  if (native === machine) return null;
  const [left, right] = [native.split('\n'), machine.split('\n')];
  const shortest = Math.min(left.length, right.length);
  let [before, after] = [0, 0];
  while (before < shortest && left[before] === right[before]) before++;
  while (after < shortest - before && left.at(-1 - after) === right.at(-1 - after)) after++;
  const show = (mark, lines) =>
    lines
      .slice(0, SHOWN_LINES)
      .map(line => `    ${mark} ${JSON.stringify(line).slice(1, -1).slice(0, SHOWN_BYTES)}`);
  const apart = (mark, lines) => {
    const own = lines.slice(before, lines.length - after);
    const more = own.length - SHOWN_LINES;
    return [...show(mark, own), ...(more > 0 ? [`    ${mark} (and ${more} lines more)`] : [])];
  };
  return [
    `    ${what} differs at line ${before + 1} (- host, + machine):`,
    ...show(' ', left.slice(Math.max(0, before - 2), before)),
    ...apart('-', left),
    ...apart('+', right),
  ].join('\n');
}

function compare(native, machine) {
  const status =
    normal(native.status) === normal(machine.status)
      ? null
      : `    status: host ${native.status} in ${native.seconds} s, machine ${machine.status} in ${machine.seconds} s`;
  const found = [
    status,
    difference('output', native.stdout, machine.stdout),
    difference('stderr', native.stderr, machine.stderr),
  ];
  return found.filter(Boolean).join('\n');
}

const machinePrefix = (settings, timeout) => [
  join(home, 'bin/uml'),
  'run',
  '--user',
  `${process.getuid()}:${process.getgid()}`,
  '--timeout',
  String(timeout),
  ...splitWords(settings.machine),
];

/** Runs one program: { outcome: 'passed' | 'failed' | 'skipped', detail }. */
async function judge(path, scratch, options) {
  const text = readFileSync(join(home, path), 'utf8');
  const settings = settingsOf(text);
  const missing = splitWords(settings.needs).find(name =>
    name === 'root' ? process.getuid() !== 0 : !onPath(name),
  );
  if (missing !== undefined) return { outcome: 'skipped', detail: `needs ${missing}` };
  if (settings.skip !== undefined) return { outcome: 'skipped', detail: settings.skip };
  const command = await commandOf(path, text, settings);
  if (command.error !== undefined)
    return { outcome: 'failed', detail: `    does not compile:\n${command.error}` };
  const { prepare } = settings;
  const native = await runIn(scratch, null, command, { timeout: HOST_TIMEOUT, prepare });
  if (native.status === String(SKIPPED))
    return { outcome: 'skipped', detail: native.stdout.trim() || 'the host cannot do it' };
  if (normal(native.status) !== settings.status)
    return {
      outcome: 'failed',
      detail: `    fails on the host: ${native.status} in ${native.seconds} s\n${native.stdout.slice(-600)}${native.stderr.slice(-600)}`,
    };
  const timeout = HOST_TIMEOUT + Math.ceil(native.seconds * MACHINE_FACTOR);
  // The machine's own timeout comes first: it says which machine hung, and ends it in order.
  const other = options.native
    ? await runIn(scratch, null, command, { timeout, prepare })
    : await runIn(scratch, machinePrefix(settings, timeout), command, { timeout: timeout + 60, prepare });
  const detail = compare(native, other);
  return { outcome: detail === '' ? 'passed' : 'failed', detail };
}

/** An exception fails the program that it came from, not the whole run. */
const failure = error => ({ outcome: 'failed', detail: `    ${error.stack}` });

export async function runOracle(programs, options) {
  const scratch = mkdtempSync(join(tmpdir(), 'uml-oracle-'));
  process.on('exit', () => rmSync(scratch, { recursive: true, force: true, maxRetries: 3 }));
  const counts = { passed: 0, failed: 0, skipped: 0 };
  const width = Array.from({ length: WIDTH }, (_, i) => join(scratch, String(i)));
  await parallel(WIDTH, programs, async path => {
    const folder = width.pop();
    const begin = Date.now();
    const { outcome, detail } = await judge(path, folder, options).catch(failure);
    width.push(folder);
    counts[outcome]++;
    const time = `${((Date.now() - begin) / 1000).toFixed(1)} s`;
    const name = path.slice(PROGRAMS.length + 1);
    if (outcome === 'skipped') process.stdout.write(`skip  ${name}: ${detail}\n`);
    else
      process.stdout.write(
        `${outcome === 'passed' ? 'ok  ' : 'FAIL'}  ${name} (${time})\n${detail && `${detail}\n`}`,
      );
  });
  return counts;
}
