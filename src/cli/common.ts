/** What the programs share: defaults, the host's words as bytes, and how the programs end. */
import { accessSync, constants, readFileSync, readlinkSync, statSync } from 'node:fs';
import { availableParallelism, hostname as osHostname, totalmem } from 'node:os';
import { reapChildren } from '../host/children.ts';
import { openLibc } from '../host/libc.ts';
import { packageFile } from '../host/package.ts';
import { isHostname } from '../init/cmdline.ts';
import type { ExitReport, MachineOptions, RootOptions, VolumeOptions } from '../init/options.ts';
import type { Account } from '../init/passwd.ts';
import { boot } from '../machine.ts';
import { isClosed, readGuestFile } from './guest-files.ts';

const MIB = 2 ** 20;

export const DEFAULT_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
const OTHER_HOSTNAME = 'uml';

/** The host's own name if the root is the host's, else the name in the root's /etc/hostname. */
export function defaultHostname(root: RootOptions): string {
  const dir = root.type === 'device' ? null : hostPath(root.dir);
  const name = dir === null ? '' : dir === '/' ? osHostname() : readGuestFile(dir, '/etc/hostname').trim();
  return isHostname(name) ? name : OTHER_HOSTNAME;
}

/** Half of the host's memory, which is taken only as it is used. At most 2 GiB, so that offsets stay small integers. */
export const defaultMem = (): number =>
  Math.min(2048 * MIB, Math.max(64 * MIB, Math.floor(totalmem() / 2 / MIB) * MIB));

export const defaultCpus = (): number => availableParallelism();

/** A host string in the kernel's form: one character a byte. */
export const toBytes = (text: string): string => Buffer.from(text, 'utf8').toString('latin1');

/** The last words that this program was given, with their bytes: Node replaces those that are not UTF-8. */
export function asGiven(words: readonly string[]): string[] {
  if (!words.some(word => word.includes('\ufffd'))) return words.map(toBytes);
  return readFileSync('/proc/self/cmdline', 'latin1').split('\0').slice(0, -1).slice(-words.length);
}

/** The same for the tail of a word that this program was given. */
export function partAsGiven(part: string): string {
  if (!part.includes('\ufffd')) return toBytes(part);
  for (const word of readFileSync('/proc/self/cmdline', 'latin1').split('\0'))
    for (let at = 0; at < word.length; at++) if (hostPath(word.slice(at)) === part) return word.slice(at);
  return toBytes(part);
}

/** The value of a variable of this program's environment, undefined if there is none. */
export function variable(name: string): string | undefined {
  const key = name === 'NODE_OPTIONS' ? 'UML_NODE_OPTIONS' : name; // bin/launch.sh
  const value = process.env[key];
  if (!value?.includes('\ufffd')) return value === undefined ? undefined : toBytes(value);
  const start = `${toBytes(key)}=`;
  const given = readFileSync('/proc/self/environ', 'latin1')
    .split('\0')
    .find(entry => entry.startsWith(start));
  return given?.slice(start.length);
}

/** The directory in which this program was started; throws if it is gone. */
export function workingDirectory(): string {
  const dir = process.cwd();
  return dir.includes('\ufffd') ? readlinkSync('/proc/self/cwd', 'latin1') : toBytes(dir);
}

/** The inverse of `toBytes`, for calls of the host. */
export const hostPath = (bytes: string): string => Buffer.from(bytes, 'latin1').toString('utf8');

export function packageVersion(): string {
  return JSON.parse(readFileSync(packageFile('package.json'), 'utf8')).version;
}

/** Why a host directory cannot be a root, or null. */
export function directoryTrouble(dir: string): string | null {
  try {
    if (!statSync(dir).isDirectory()) return `${dir} is not a directory`;
    accessSync(dir, constants.R_OK | constants.X_OK);
    return null;
  } catch (error) {
    return `${dir}: ${describe(error)}`;
  }
}

/** A host error in words. */
export function describe(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code === 'ENOENT') return 'no such file or directory';
  if (code === 'EACCES' || code === 'EPERM') return 'permission denied';
  const text = error instanceof Error ? error.message : String(error);
  return /^[A-Z0-9]+: (.*?), /.exec(text)?.[1] ?? text;
}

/** The environment that login(1) would give a user, plus the host's language and terminal. */
export function loginEnvironment(account: Account, host: NodeJS.ProcessEnv): Map<string, string> {
  const env = new Map([
    ['HOME', account.home],
    ['USER', account.name],
    ['LOGNAME', account.name],
    ['SHELL', account.shell],
    ['PATH', DEFAULT_PATH],
    ['TERM', host['TERM'] || 'linux'],
  ]);
  for (const [name, value = ''] of Object.entries(host))
    if (/^(LANG|LANGUAGE|LC_[A-Z]+|TZ|COLORTERM)$/.test(name)) env.set(name, toBytes(value));
  return env;
}

/**
 * In a disposable root, an empty home for root if the host's user may not read the real one: a shell that cannot read
 * its start-up files complains.
 */
export const homeVolumes = (root: RootOptions, account: Account): VolumeOptions[] =>
  root.type === 'overlay' && account.uid === 0 && isClosed(hostPath(root.dir), account.home)
    ? [{ host: null, guest: account.home, readonly: false }]
    : [];

/** Whether a descriptor was closed when we were started. bin/launch.sh tells for those below 10, as Node opens them. */
export const wasClosed = (fd: number): boolean => process.env['UML_CLOSED']?.includes(`${fd}`) ?? false;

/** Signals that nohup(1) and the like ignored for us. bin/launch.sh tells, as Node undoes that. */
export function ignoredSignals(): number[] {
  const mask = Number(process.env['UML_IGNORED'] ?? 0);
  return Array.from({ length: 31 }, (_, i) => i + 1).filter(signal => (mask & (1 << (signal - 1))) !== 0);
}

export const toEnvp = (env: Map<string, string>): string[] =>
  [...env].map(([name, value]) => `${name}=${value}`);

/** Error output of commander: one line that begins with the program's name. */
export const ERRORS = {
  outputError: (text: string, write: (text: string) => void) => write(text.replace(/^error:/, 'uml:')),
};

/** Writes one line to standard error and ends the program. */
export function fail(program: string, message: string, status: number): never {
  process.stderr.write(`${program}: ${message}\n`);
  process.exit(status);
}

/** A reboot: executes this program again, in the same process. */
async function startAnew(): Promise<never> {
  reapChildren(openLibc());
  process.execve?.(
    process.execPath,
    [process.execPath, ...process.execArgv, ...process.argv.slice(1)],
    process.env,
  );
  process.exit(0);
}

/** An exception before there is a machine (an incomplete package) becomes one line, too. */
async function start(options: MachineOptions): Promise<ExitReport> {
  try {
    return await boot(options);
  } catch (bug) {
    return { type: 'error', message: `the machine cannot start: ${describe(bug)}`, status: null };
  }
}

/**
 * Runs the machine and ends this program accordingly, with the status `failed` unless the machine ended regularly.
 * `hint` may say why it panicked. For a machine that runs one command a reboot is the end.
 */
export async function runMachine(
  program: string,
  options: MachineOptions,
  failed: number,
  hint: string | null = null,
): Promise<never> {
  const report = await start(options);
  if (report.type === 'exit') process.exit(report.status);
  if (report.type === 'restart' && program === 'uml') process.exit(0);
  if (report.type === 'restart') return startAnew();
  if (report.type === 'error') fail(program, report.message, report.status ?? failed);
  fail(program, `the machine panicked: ${hint ?? report.hint ?? report.reason}`, failed);
}
