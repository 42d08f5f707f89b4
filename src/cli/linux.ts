/**
 * linux [kernel options] [init arguments]
 *
 * The classic command: its words are the kernel's command line. With neither root= nor init= it boots a
 * disposable view of the host's own root into a shell for root; with either it does what Linux does.
 */
import { type CommandLine, joinWords, parseCommandLine } from '../init/cmdline.ts';
import type { ConsoleOptions, InitOptions, MachineOptions, RootOptions } from '../init/options.ts';
import { type Account, findUser } from '../init/passwd.ts';
import {
  asGiven,
  defaultCpus,
  defaultHostname,
  defaultMem,
  directoryTrouble,
  fail,
  homeVolumes,
  hostPath,
  ignoredSignals,
  loginEnvironment,
  packageVersion,
  runMachine,
  toEnvp,
  wasClosed,
} from './common.ts';
import { readGuestFile } from './guest-files.ts';
import { SHOWCONFIG } from './showconfig.ts';

const LOGLEVEL_DEFAULT = 7;

const HELP = `Usage: linux [kernel options] [init arguments]

Boots a Linux machine whose kernel is this program. Without options: a shell as root in a disposable view
of this host's files (changes are kept in memory and are gone when the machine ends).

  mem=SIZE              physical memory, for example 512M (default: half of the host's, at most 2G)
  ncpus=N               processors (default: the host's)
  root=/dev/root rootfstype=hostfs rootflags=DIR
                        the host directory DIR as the root, read-only unless rw is given (or root remounts it)
  ro, rw                mount the root read-only or read-write
  init=PATH             the program that becomes process 1
                        (with root= and no init=: /sbin/init, /etc/init, /bin/init, /bin/sh)
  con0=fd:IN,fd:OUT     the console's descriptors (default: fd:0,fd:1), or null
  hostname=NAME         the machine's host name (default: the host's, or the one in the root's /etc/hostname)
  umid=NAME             the machine's name on this host
  quiet, loglevel=N     show only serious kernel messages, or those below level N
  panic=SECONDS         wait this long between a panic and the end
  --showconfig          print what is built into the kernel
  --version, --help     print the version, or this text

Other words go to init, as on Linux: name=value to its environment, the rest and all that follows -- to its
arguments. "uml run --help" describes the command that runs one program and ends with its status.
`;

/** The host's reason why the directory of rootflags= cannot be the root, or null. */
function hostfsTrouble(line: CommandLine): string | null {
  if (line.rootfstype !== 'hostfs') return null;
  const trouble = directoryTrouble(hostPath(line.rootflags || '/'));
  return trouble && `rootflags= must name a host directory that you may read; ${trouble}`;
}

/** root=, rootfstype= and rootflags= as a root; an impossible one fails when it is mounted. */
function rootOf(line: CommandLine): RootOptions {
  if (line.root === undefined && line.rootfstype === undefined && line.rootflags === undefined)
    return { type: 'overlay', dir: '/', readonly: line.readonly ?? false };
  const readonly = line.readonly ?? true;
  if (line.rootfstype === 'hostfs') return { type: 'hostfs', dir: line.rootflags || '/', readonly };
  const { root: name = '/dev/root', rootfstype: fstype = null, rootflags: flags = '' } = line;
  return { type: 'device', name, fstype, flags, readonly };
}

function superuser(): Account {
  const user = findUser('root', readGuestFile('/', '/etc/passwd'), readGuestFile('/', '/etc/group'));
  if (typeof user !== 'string') return user;
  return { name: 'root', uid: 0, gid: 0, groups: [0], home: '/', shell: '/bin/sh' };
}

/** A shell for root, with the words meant for init as its arguments. */
function shellOfRoot(line: CommandLine): InitOptions {
  const account = superuser();
  const env = [...toEnvp(loginEnvironment(account, process.env)), ...line.env];
  const argv = [account.shell, ...line.args];
  return {
    type: 'command',
    argv,
    envp: env,
    cwd: '/',
    user: { uid: account.uid, gid: account.gid, groups: account.groups },
    stdio: ['console', 'console', 'console'],
  };
}

function initOf(line: CommandLine, root: RootOptions): InitOptions {
  if (root.type === 'overlay' && line.init === undefined) return shellOfRoot(line);
  const envp = ['HOME=/', `TERM=${process.env['TERM'] || 'linux'}`, ...line.env];
  return { type: 'init', path: line.init ?? null, args: line.args, envp };
}

function optionsOf(line: CommandLine, words: readonly string[]): MachineOptions {
  const root = rootOf(line);
  const console: ConsoleOptions = line.console ?? { input: 0, output: 1 };
  return {
    cmdline: joinWords(words),
    mem: line.mem ?? defaultMem(),
    ncpus: line.ncpus ?? defaultCpus(),
    root,
    volumes: homeVolumes(root, superuser()),
    hostname: line.hostname ?? defaultHostname(root),
    init: initOf(line, root),
    console,
    log: {
      fd: typeof console === 'object' ? console.output : null,
      level: line.loglevel ?? LOGLEVEL_DEFAULT,
    },
    panic: line.panic ?? 0,
    umid: line.umid ?? null,
    strace: null,
    timeout: null,
    ignored: ignoredSignals(),
  };
}

/** Options that print something and end, as UML has them: anywhere before `--`. */
function printAndEnd(words: readonly string[]): void {
  const end = words.indexOf('--');
  for (const word of end < 0 ? words : words.slice(0, end)) {
    if (word === '--help') process.stdout.write(HELP);
    else if (word === '--version') process.stdout.write(`${packageVersion()}\n`);
    else if (word === '--showconfig') process.stdout.write(SHOWCONFIG);
    else continue;
    process.exit(0);
  }
}

async function main(): Promise<void> {
  const words = asGiven(process.argv.slice(2));
  printAndEnd(words);
  const line = parseCommandLine(words);
  if (typeof line === 'string') fail('linux', line, 1);
  const closed = typeof line.console === 'object' && Object.values(line.console).find(wasClosed);
  if (typeof closed === 'number') fail('linux', `con0=: descriptor ${closed} is not open`, 1);
  const options = optionsOf(line, words);
  await runMachine('linux', options, 1, hostfsTrouble(line));
}

void main();
