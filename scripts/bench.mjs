#!/usr/bin/env node
/**
 * The benchmarks: each row on the host, in a machine and (when linux.uml is installed) in real UML, in turn, as
 * medians and as ratios to the host.
 *
 *   node scripts/bench.mjs [--rows a,b] [--rounds N] [--no-uml] [--json] [--no-fail]
 *
 * Ends with 1 when a row misses its goal, unless --no-fail.
 */
import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { home, node, run } from './common.mjs';

/**
 * A `goal` is a ratio to the host's value, a `limit` the most that the value itself may be. A row with neither is only
 * shown. Programs know their numbers without asking, so getppid does not measure what asking costs.
 */
const ROWS = [
  { name: 'getppid', title: 'getppid, from glibc', unit: 'us', goal: 2 },
  { name: 'umask', title: 'umask, for which the kernel is asked', unit: 'us' },
  { name: 'pread', title: 'pread 4 KiB of a cached file', unit: 'us', goal: 2.5 },
  { name: 'pwrite', title: 'pwrite 4 KiB to tmpfs', unit: 'us', goal: 2.5 },
  { name: 'pipe', title: 'write and read 1 B through a pipe, one process', unit: 'us', goal: 3 },
  { name: 'pingpong', title: 'pipe ping-pong between two processes', unit: 'us', goal: 1 },
  { name: 'fork', title: 'fork + exit + wait', unit: 'us', goal: 2.5 },
  { name: 'exec', title: 'fork + exec /bin/true', unit: 'us', goal: 2.5 },
  { name: 'touch', title: 'first touch of an anonymous page', unit: 'us', goal: 2 },
  { name: 'loop', title: 'a loop of additions', unit: 'ms', goal: 1.02 },
  { name: 'true', title: '300 times /bin/true from bash', unit: 's', goal: 2.5 },
  { name: 'make', title: 'make -j2 of 20 small C files', unit: 's', goal: 2 },
  { name: 'git', title: 'git add + commit of a tree of 2,000 files', unit: 's', goal: 2.5 },
  { name: 'python', title: 'python3 -c pass, 10 times', unit: 's', goal: 2.5 },
  { name: 'boot', title: 'boot to the first command, whole process', unit: 's', limit: 0.25 },
  { name: 'memory', title: 'memory of an idle machine, whole process tree', unit: 'MiB', limit: 90 },
];

const MICRO = join(home, 'dist/bench/micro');
const SCRIPT = join(home, 'bench/rows.sh');
/** Nanoseconds. Near processors take 25 to 60, others 150 and more. */
const FAR = 100;
const UML_INIT = join(home, 'bench/uml-init.sh');
const TIMEOUT = 300;

function parseArguments(words) {
  const options = { rows: ROWS, rounds: 3, uml: true, json: false, fail: true };
  for (let i = 0; i < words.length; i++) {
    const [word, value = words[i + 1] ?? ''] = words[i].split('=');
    if (word === '--rows') options.rows = rowsOf(value.split(','));
    else if (word === '--rounds') options.rounds = Number(value);
    else if (word === '--no-uml') options.uml = false;
    else if (word === '--json') options.json = true;
    else if (word === '--no-fail') options.fail = false;
    else usage(`unknown option ${word}`);
    if ((word === '--rows' || word === '--rounds') && !words[i].includes('=')) i++;
  }
  if (!(options.rounds >= 1)) usage('--rounds needs a number');
  return options;
}

function rowsOf(names) {
  if (names.some(name => !ROWS.some(row => row.name === name)))
    usage(`the rows are ${ROWS.map(row => row.name).join(', ')}`);
  return ROWS.filter(row => names.includes(row.name));
}

function usage(message) {
  process.stderr.write(`bench: ${message}\n`);
  process.exit(2);
}

/** Kernel words that run bench/uml-init.sh in real UML. */
const umlWords = words => [
  ...[
    'mem=1G',
    'root=/dev/root',
    'rootfstype=hostfs',
    'rootflags=/',
    'rw',
    'quiet',
    'con=null',
    'con0=fd:0,fd:1',
  ],
  ...[`init=${UML_INIT}`, `bench_micro=${MICRO}`, ...words],
];

/** The three places as commands: `rows` runs rows, `boot` ends at once, `idle` does nothing for a while. */
const PLACES = {
  host: { rows: names => [SCRIPT, MICRO, ...names] },
  machine: {
    rows: names => [join(home, 'bin/uml'), 'run', SCRIPT, MICRO, ...names],
    boot: [join(home, 'bin/uml'), 'run', '/bin/true'],
    idle: [join(home, 'bin/uml'), 'run', '/bin/sleep', '60'],
  },
  uml: {
    rows: names => ['linux.uml', ...umlWords([`bench_rows=${names.join(',')}`])],
    boot: ['linux.uml', ...umlWords([])],
    idle: ['linux.uml', ...umlWords(['bench_sleep=60'])],
  },
};

/** Runs rows in a place; adds the values to `values[place][row]`. */
async function runRows(place, names, values) {
  const [command, ...args] = PLACES[place].rows(names);
  const { stdout, stderr, status } = await run(command, args, { timeout: TIMEOUT, cwd: '/' });
  const lines = stdout.toString().matchAll(/^([a-z]+) ([0-9.]+)\r?$/gm);
  for (const [, name, value] of lines) add(values, place, name, Number(value));
  if (status !== 0 && place !== 'uml')
    process.stderr.write(`bench: ${place} ended with ${status}: ${stderr.toString().slice(-300)}\n`);
}

/**
 * Nanoseconds that a word takes from one processor to another; NaN: unknown. The processors of a virtual machine may be
 * anywhere on its host, sometimes near each other and sometimes not. When not, all that goes from a program to its
 * kernel takes several times as long.
 */
function distance() {
  const { stdout } = spawnSync(MICRO, ['word'], { encoding: 'utf8' });
  return Number(/^word ([0-9.]+)$/m.exec(stdout)?.[1] ?? Number.NaN) * 1000;
}

function add(values, place, name, value) {
  values[place] ??= {};
  values[place][name] ??= [];
  values[place][name].push(value);
}

/** Seconds from the start of the process to its end, for a machine that runs one empty command. */
async function runBoot(place, values) {
  const [command, ...args] = PLACES[place].boot;
  const begin = performance.now();
  const { status } = await run(command, args, { timeout: 60, cwd: '/' });
  if (status === 0) add(values, place, 'boot', (performance.now() - begin) / 1000);
}

/** The process and all its descendants. */
function processTree(root) {
  const { stdout } = spawnSync('ps', ['-e', '-o', 'pid=,ppid='], { encoding: 'utf8' });
  const pairs = stdout
    .trim()
    .split('\n')
    .map(line => line.trim().split(/\s+/).map(Number));
  const tree = [root];
  for (const pid of tree) tree.push(...pairs.filter(([, parent]) => parent === pid).map(([child]) => child));
  return tree;
}

/**
 * MiB of memory: the proportional share of anonymous and shared memory of all processes. Program files count once, as
 * far as the process with most of them has them in memory (their share would depend on what else runs Node).
 */
function memoryOf(pids) {
  let own = 0;
  let files = 0;
  for (const pid of pids) {
    const field = (file, name) =>
      Number(
        new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(readFileSync(`/proc/${pid}/${file}`, 'utf8'))?.[1] ?? 0,
      );
    try {
      own += field('smaps_rollup', 'Pss_Anon') + field('smaps_rollup', 'Pss_Shmem');
      files = Math.max(files, field('status', 'RssFile'));
    } catch {
      // It has ended meanwhile, or is a zombie.
    }
  }
  return (own + files) / 1024;
}

async function runMemory(place, values) {
  const [command, ...args] = PLACES[place].idle;
  const child = spawn(command, args, { stdio: ['ignore', 'ignore', 'ignore'], detached: true, cwd: '/' });
  const ended = new Promise(resolve => child.on('exit', resolve));
  await new Promise(resolve => setTimeout(resolve, place === 'uml' ? 4000 : 2000));
  if (child.exitCode === null) add(values, place, 'memory', memoryOf(processTree(child.pid)));
  for (const pid of processTree(child.pid).reverse()) kill(pid);
  await ended;
}

function kill(pid) {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended meanwhile.
  }
}

const median = list =>
  list === undefined ? undefined : [...list].sort((a, b) => a - b)[Math.floor(list.length / 2)];

/** A row's figures: medians, ratios to the host, and whether the goal is met. */
function judge(row, values) {
  const [host, machine, uml] = ['host', 'machine', 'uml'].map(place => median(values[place]?.[row.name]));
  const ratio = host === undefined || machine === undefined ? undefined : machine / host;
  const measured = row.limit === undefined ? ratio : machine;
  const met = measured !== undefined && measured <= (row.limit ?? row.goal ?? Number.POSITIVE_INFINITY);
  return {
    ...row,
    host,
    machine,
    ratio,
    uml,
    umlRatio: uml === undefined || host === undefined ? undefined : uml / host,
    met,
  };
}

const digits = value =>
  value === undefined
    ? '-'
    : value >= 100
      ? value.toFixed(0)
      : value >= 10
        ? value.toFixed(1)
        : value.toFixed(2);
const withUnit = (value, unit) => (value === undefined ? '-' : `${digits(value)} ${unit}`);
const times = value => (value === undefined ? '-' : `${digits(value)}x`);

const goalOf = ({ goal, limit, unit }) =>
  limit !== undefined ? `${limit} ${unit}` : goal === undefined ? '-' : `${goal}x`;

function printTable(results) {
  const head = ['row', 'host', 'machine', 'ratio', 'goal', '', 'real UML', 'ratio'];
  const lines = results.map(row => [
    row.title,
    withUnit(row.host, row.unit),
    withUnit(row.machine, row.unit),
    times(row.ratio),
    goalOf(row),
    goalOf(row) === '-' ? '' : row.met ? 'ok' : 'MISS',
    withUnit(row.uml, row.unit),
    times(row.umlRatio),
  ]);
  const widths = head.map((_, i) => Math.max(...[head, ...lines].map(line => line[i].length)));
  const print = line =>
    process.stdout.write(
      `| ${line.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]) : cell.padStart(widths[i]))).join(' | ')} |\n`,
    );
  print(head);
  print(widths.map((width, i) => (i === 0 ? '-'.repeat(width) : `${'-'.repeat(Math.max(0, width - 1))}:`)));
  lines.forEach(print);
}

const options = parseArguments(process.argv.slice(2));
const step = (command, args) =>
  spawnSync(command, args, { stdio: 'inherit' }).status === 0 || process.exit(1);
step(node, [join(home, 'scripts/build.mjs'), '--if-stale']);
mkdirSync(join(home, 'dist/bench'), { recursive: true });
step(process.env.CC ?? 'cc', ['-O2', '-Wall', '-o', MICRO, join(home, 'bench/micro.c')]);

const hasUml = options.uml && spawnSync('linux.uml', ['--version'], { stdio: 'ignore' }).status === 0;
const wanted = options.rows.map(row => row.name);
const inside = wanted.filter(name => name !== 'boot' && name !== 'memory');
const values = {};
const distances = [];
for (let round = 0; round < options.rounds; round++)
  // Real UML is slow and far from the goals: one round of it is enough.
  for (const place of ['host', 'machine', ...(hasUml && round === 0 ? ['uml'] : [])]) {
    process.stderr.write(`bench: round ${round + 1} of ${options.rounds}, ${place}\n`);
    if (place === 'machine') distances.push(distance());
    if (inside.length > 0) await runRows(place, inside, values);
    if (place === 'machine') distances.push(distance());
    if (wanted.includes('boot') && PLACES[place].boot) await runBoot(place, values);
    if (wanted.includes('memory') && PLACES[place].idle) await runMemory(place, values);
  }

const results = options.rows.map(row => judge(row, values));
if (options.json) process.stdout.write(`${JSON.stringify(results, null, 2)}\n`);
else printTable(results);
const apart = distances.filter(ns => ns > FAR).map(ns => Math.round(ns));
if (apart.length > 0)
  process.stderr.write(
    `bench: the host's processors were far apart for a time: a word from one to the other took ${apart.join(', ')} ns\n`,
  );
process.exit(options.fail && results.some(row => !row.met) ? 1 : 0);
