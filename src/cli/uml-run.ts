/**
 * uml run [options] [--] [command [arguments]]
 *
 * Runs one command in a fresh machine and ends with the command's status: 128 + n when signal n killed it, 124
 * after --timeout, 126 and 127 when it cannot be executed or found, 125 when the machine itself failed.
 */
import { openSync } from 'node:fs';
import { resolve } from 'node:path';
import { isatty } from 'node:tty';
import { Command, InvalidArgumentError, Option } from 'commander';
import { isInBackground } from '../host/terminal.ts';
import { HOSTNAME_RULE, isHostname, joinWords, parseCpus, parseMem } from '../init/cmdline.ts';
import type {
  ConsoleOptions,
  MachineOptions,
  RootOptions,
  StdioOptions,
  VolumeOptions,
} from '../init/options.ts';
import { type Account, findUser } from '../init/passwd.ts';
import {
  asGiven,
  defaultCpus,
  defaultHostname,
  defaultMem,
  describe,
  directoryTrouble,
  ERRORS,
  fail,
  homeVolumes,
  hostPath,
  ignoredSignals,
  loginEnvironment,
  partAsGiven,
  runMachine,
  toBytes,
  toEnvp,
  variable,
  wasClosed,
  workingDirectory,
} from './common.ts';
import { readGuestFile } from './guest-files.ts';

const FAILED = 125;
/** Only alerts (an oops, a panic) are shown, as standard error belongs to the command. */
const LOGLEVEL_ALERTS = 2;

interface RunFlags {
  root?: string;
  rw?: boolean;
  volume?: VolumeOptions[];
  mem?: number;
  cpus?: number;
  env?: [string, string][];
  workdir?: string;
  user: string;
  hostname?: string;
  /** A file, or '' for standard error. */
  strace?: string;
  timeout?: number;
  tty?: boolean;
}

const EXAMPLES = `
The root is disposable unless --rw is given: what the command changes is gone when it ends. Without a
command, the user's shell runs.

The status is the command's, or 128 + n when signal n killed it; 124 after --timeout, 125 when the machine
failed or an option is wrong, 126 when the command cannot be executed, 127 when it is not found.

Examples:
  uml run                               a shell as root in a disposable view of this host
  uml run make -j2                      build here, change nothing
  uml run --root ~/debian -t bash -l    a shell in a directory tree
  uml run --volume ~/src:/src --workdir /src --env CC=clang make
  echo hello | uml run --user nobody tr a-z A-Z
  uml run --strace=calls.txt true       every system call, to a file
`;

export function runCommand(): Command {
  return new Command('run')
    .description('Run a command in a fresh machine.')
    .usage('[options] [--] [command [arguments...]]')
    .argument('[command...]')
    .helpOption('-h, --help', 'print this text')
    .configureOutput(ERRORS)
    .passThroughOptions()
    .option('--root <dir>', "the host directory that is the root (default: this host's root)", directory)
    .option('--rw', 'write changes to the root through to the host')
    .option(
      '--volume <host:guest[:ro]>',
      'show a host directory or file in the guest (repeatable)',
      addVolume,
    )
    .option(
      '--mem <size>',
      "memory, for example 512M (default: half of the host's, at most 2G)",
      checked(parseMem),
    )
    .option('--cpus <n>', "processors (default: the host's)", checked(parseCpus))
    .option('--env <name[=value]>', "set a variable, or pass on this host's (repeatable)", addEnv)
    .option('--workdir <dir>', 'the directory to run in (default: this one, or / with --root)', guestPath)
    .option('--user <user[:group]>', 'run as this user, by name or number', 'root')
    .option(
      '--hostname <name>',
      "the machine's name (default: the host's, or the one in --root's /etc/hostname)",
      hostname,
    )
    .addOption(new StraceOption('--strace [file]', 'print the system calls, to a file or standard error'))
    .option('--timeout <seconds>', 'kill the machine after this time, with status 124', seconds)
    .option('-t, --tty', 'give the command a terminal (default: if standard input and output are terminals)')
    .addHelpText('after', EXAMPLES)
    .exitOverride(error => process.exit(error.exitCode === 0 ? 0 : FAILED))
    .action(run);
}

/** Takes a file only as --strace=FILE, as its help says: a word after a bare --strace is the command. */
class StraceOption extends Option {
  override flags = '--strace[=<file>]';
}

/** Gives a bare --strace among the options before the command an empty value. `--` is never an option's value. */
export function bareStrace(command: Command, words: readonly string[]): string[] {
  const given = [...words];
  for (let i = 0; i < given.length && given[i]?.startsWith('-') && given[i] !== '--'; i++) {
    if (given[i] === '--strace') given[i] = '--strace=';
    const taker = command.options.find(option => option.long === given[i] && option.required);
    if (taker === undefined) continue;
    if (given[++i] === '--') fail('uml', `option '${taker.flags}' argument missing`, FAILED);
  }
  return given;
}

/** A commander argument parser from one that returns a string for what is wrong. */
const checked = (parse: (text: string) => number | string) => (text: string) => {
  const value = parse(text);
  if (typeof value === 'string') throw new InvalidArgumentError(value);
  return value;
};

function addVolume(text: string, list: VolumeOptions[] = []): VolumeOptions[] {
  const [host = '', guest = '', mode, ...rest] = text.split(':');
  if (
    host === '' ||
    !guest.startsWith('/') ||
    rest.length > 0 ||
    (mode !== undefined && !/^r[ow]$/.test(mode))
  )
    throw new InvalidArgumentError('say HOST:GUEST or HOST:GUEST:ro, GUEST beginning with a slash');
  return [...list, { host: toBytes(resolve(host)), guest: toBytes(guest), readonly: mode === 'ro' }];
}

function addEnv(text: string, list: [string, string][] = []): [string, string][] {
  const eq = text.indexOf('=');
  if (eq === 0 || text === '') throw new InvalidArgumentError('say NAME=VALUE or NAME');
  if (eq > 0) return [...list, [toBytes(text.slice(0, eq)), partAsGiven(text.slice(eq + 1))]];
  const value = variable(text);
  return value === undefined ? list : [...list, [toBytes(text), value]];
}

function directory(text: string): string {
  if (text === '') throw new InvalidArgumentError('say a directory of the host');
  return text;
}

function guestPath(text: string): string {
  if (!text.startsWith('/'))
    throw new InvalidArgumentError('say a path in the guest, beginning with a slash');
  return partAsGiven(text);
}

function hostname(text: string): string {
  if (!isHostname(text)) throw new InvalidArgumentError(HOSTNAME_RULE);
  return text;
}

function seconds(text: string): number {
  const value = /^[0-9]*\.?[0-9]+$/.test(text) ? Number(text) : 0;
  if (value <= 0 || value > 1e9) throw new InvalidArgumentError('say a number of seconds above 0');
  return value;
}

function rootOf(flags: RunFlags): RootOptions {
  const dir = toBytes(resolve(flags.root ?? '/'));
  const trouble = directoryTrouble(hostPath(dir));
  if (trouble !== null) fail('uml', `cannot use the root: ${trouble}; --root names a host directory`, FAILED);
  return flags.rw ? { type: 'hostfs', dir, readonly: false } : { type: 'overlay', dir, readonly: false };
}

function accountOf(spec: string, dir: string): Account {
  const found = findUser(toBytes(spec), readGuestFile(dir, '/etc/passwd'), readGuestFile(dir, '/etc/group'));
  if (typeof found !== 'string') return found;
  // A root without a user database still has its superuser.
  if (spec === 'root') return { name: 'root', uid: 0, gid: 0, groups: [0], home: '/', shell: '/bin/sh' };
  fail('uml', `--user: ${found}`, FAILED);
}

/**
 * Without --tty, what is a terminal on the host is the console, if input and output both are; the rest passes through.
 */
function stdioOf(flags: RunFlags): [StdioOptions, StdioOptions, StdioOptions] {
  if (flags.tty) return ['console', 'console', 'console'];
  if (!isatty(0) || !isatty(1)) return [passed(0), passed(1), passed(2)];
  // A shell's background job may write to the terminal, but what is typed is for others: it gets no input.
  if (isInBackground()) return [{ fd: openSync('/dev/null', 'r') }, passed(1), passed(2)];
  return ['console', 'console', isatty(2) ? 'console' : passed(2)];
}

const passed = (fd: number): StdioOptions => (wasClosed(fd) ? 'closed' : { fd });

/** The descriptor that --strace writes to. */
function openStrace(file: string | undefined): number | null {
  if (file === undefined) return null;
  if (file === '') return 2;
  try {
    return openSync(file, 'w');
  } catch (error) {
    fail('uml', `--strace: ${file}: ${describe(error)}`, FAILED);
  }
}

function startDirectory(): string {
  try {
    return workingDirectory();
  } catch {
    return fail('uml', 'the working directory is gone; --workdir names another', FAILED);
  }
}

async function run(words: string[], flags: RunFlags): Promise<void> {
  const root = rootOf(flags);
  const account = accountOf(flags.user, hostPath(root.type === 'device' ? '/' : root.dir));
  const env = loginEnvironment(account, process.env);
  for (const [name, value] of flags.env ?? []) env.set(name, value);
  const argv = words.length > 0 ? asGiven(words) : [account.shell];
  const stdio = stdioOf(flags);
  const console: ConsoleOptions = stdio[0] === 'console' ? { input: 0, output: 1 } : 'none';
  const options: MachineOptions = {
    cmdline: joinWords(['init=', ...argv]),
    mem: flags.mem ?? defaultMem(),
    ncpus: flags.cpus ?? defaultCpus(),
    root,
    volumes: [...homeVolumes(root, account), ...(flags.volume ?? [])],
    hostname: flags.hostname ?? defaultHostname(root),
    init: {
      type: 'command',
      argv,
      envp: toEnvp(env),
      cwd: flags.workdir ?? (flags.root === undefined ? startDirectory() : '/'),
      user: { uid: account.uid, gid: account.gid, groups: account.groups },
      stdio,
    },
    console,
    log: { fd: 2, level: LOGLEVEL_ALERTS },
    panic: 0,
    umid: null,
    strace: openStrace(flags.strace),
    timeout: flags.timeout === undefined ? null : Math.ceil(flags.timeout * 1000),
    ignored: ignoredSignals(),
  };
  await runMachine('uml', options, FAILED);
}
