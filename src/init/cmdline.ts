/**
 * The kernel's command line (bootparam(7), Documentation: "The kernel's command-line parameters").
 *
 * Words are `name`, `name=value` or `name="value with spaces"`; dashes and underscores in names are the same.
 * What the kernel does not know goes to init: `name=value` to its environment, other words and all that follows
 * `--` to its arguments; `module.name=value` goes nowhere. Words before `init=` do not become arguments of init.
 * Mistakes that Linux would only mention on its console are errors here, of one line each.
 */

const MIB = 2 ** 20;
const MIN_MEM = 16 * MIB;
const MAX_MEM = 2 ** 36;
const MAX_CPUS = 64;
/** Linux's limit on the words that it passes to init (init/main.c; see bootparam(7)). */
const MAX_INIT_WORDS = 32;

const LOGLEVEL_QUIET = 4;
const LOGLEVEL_DEBUG = 10;

/**
 * A console's channel: the host descriptors that it reads and writes, nothing behind it ('null'), or no console at all.
 */
export type Channel = 'none' | 'null' | { readonly input: number; readonly output: number };

/** What the words set; undefined where they set nothing. */
export interface CommandLine {
  mem?: number;
  ncpus?: number;
  root?: string;
  rootfstype?: string;
  rootflags?: string;
  /** The last of `ro` and `rw`. */
  readonly?: boolean;
  init?: string;
  umid?: string;
  hostname?: string;
  loglevel?: number;
  console?: Channel;
  panic?: number;
  /** For init's environment (name=value; the last word of a name counts), and for its arguments. */
  env: string[];
  args: string[];
}

/** `64M`, `0x4000000`, `1g`: bytes, or null for anything else (memparse's grammar). */
export function parseSize(text: string): number | null {
  const match = /^(0x[0-9a-f]+|[0-9]+)([kmgt]?)b?$/i.exec(text);
  if (match === null) return null;
  const scale = 1024 ** ' kmgt'.indexOf(match[2]?.toLowerCase() || ' ');
  return Number(match[1]) * scale;
}

/** Memory in bytes, rounded down to whole MiB, or what is wrong with the text. */
export function parseMem(text: string): number | string {
  const size = parseSize(text);
  if (size === null) return `"${text}" is not a size; say for example 512M or 2G`;
  if (size < MIN_MEM) return `${text} is too little: a machine needs at least ${MIN_MEM / MIB}M`;
  if (size > MAX_MEM) return `${text} is too much: at most ${MAX_MEM / 2 ** 30}G`;
  return Math.floor(size / MIB) * MIB;
}

/** A number of processors, or what is wrong with the text. */
export function parseCpus(text: string): number | string {
  const count = parseCount(text, 1, MAX_CPUS);
  return count ?? `"${text}" is not a number of processors from 1 to ${MAX_CPUS}`;
}

/** A decimal integer in [min, max], or null. */
export function parseCount(text: string, min: number, max: number): number | null {
  if (!/^[+-]?[0-9]{1,15}$/.test(text)) return null;
  const value = Number(text);
  return value >= min && value <= max ? value : null;
}

/** hostname(7), and what sethostname(2) has room for. */
export const isHostname = (text: string): boolean => /^(?=.{1,64}$)[a-z0-9]([\w.-]*[a-z0-9])?$/i.test(text);
export const HOSTNAME_RULE = 'a host name has 1 to 64 letters, digits, dots and dashes';

/** `fd:0,fd:1`, `fd:3`, `null` or `none`: the UML console channels that need no device of the host. */
export function parseChannel(text: string): Channel | { readonly wrong: string } {
  if (text === 'null' || text === 'none') return text;
  const ends = text.split(',').map(end => (/^fd:[0-9]$/.test(end) ? Number(end.slice(3)) : null));
  const [input, output = input] = ends;
  if (ends.length > 2 || input == null || output == null)
    return { wrong: `"${text}" is not a channel; say fd:IN,fd:OUT with descriptors 0 to 9, null or none` };
  return { input, output };
}

/** What a value sets, or what is wrong with it. */
type Parse = (value: string) => Partial<CommandLine> | string;

/** Options that take a value. */
const OPTIONS: Readonly<Record<string, Parse>> = {
  mem: value => set('mem', parseMem(value)),
  ncpus: value => set('ncpus', parseCpus(value)),
  root: root => ({ root }),
  rootfstype: rootfstype => ({ rootfstype }),
  rootflags: rootflags => ({ rootflags }),
  umid: umid => (isFolderName(umid) ? { umid } : 'say a name of letters, digits, dots and dashes'),
  hostname: hostname => (isHostname(hostname) ? { hostname } : HOSTNAME_RULE),
  loglevel: value => set('loglevel', parseCount(value, 0, 15) ?? 'say 0 to 15'),
  panic: value => set('panic', parseCount(value, -1e9, 1e9) ?? 'say a number of seconds'),
  con: setConsole,
  con0: setConsole,
  init: init => (init.startsWith('/') ? { init, args: [] } : 'say a path that begins with a slash'),
};

/** Whether this can name a folder of our own: not the one above (`..`) or the one that holds it (`.`). */
const isFolderName = (name: string): boolean => /^[\w.-]{1,63}$/.test(name) && !/^\.+$/.test(name);

/** Options that are a single word. */
const FLAGS: Readonly<Record<string, Partial<CommandLine>>> = {
  ro: { readonly: true },
  rw: { readonly: false },
  quiet: { loglevel: LOGLEVEL_QUIET },
  debug: { loglevel: LOGLEVEL_DEBUG },
};

function set<T>(name: keyof CommandLine, value: T | string): Partial<CommandLine> | string {
  return typeof value === 'string' ? value : { [name]: value };
}

function setConsole(value: string): Partial<CommandLine> | string {
  const channel = parseChannel(value);
  return typeof channel === 'object' && 'wrong' in channel ? channel.wrong : { console: channel };
}

/** UML options for devices that this kernel lacks: passed on to init, they would fail silently. */
const MISSING = /^(ubd\w*|initrd|eth\d+|vec\d+|ssl\d*|con[1-9]\d*)$/;

/** Takes one pair of double quotes off a value, as in name="a b". */
const unquote = (value: string): string => /^"(.*)"$/s.exec(value)?.[1] ?? value;

function setEnv(line: CommandLine, name: string, value: string): void {
  line.env = line.env.filter(entry => !entry.startsWith(`${name}=`));
  line.env.push(`${name}=${value}`);
}

/** What a known option sets, or what is wrong with it; null for an unknown one. */
function lookUp(name: string, value: string | null): Partial<CommandLine> | string | null {
  const flag = Object.hasOwn(FLAGS, name) ? FLAGS[name] : undefined;
  if (flag !== undefined && value === null) return flag;
  const parse = Object.hasOwn(OPTIONS, name) ? OPTIONS[name] : undefined;
  if (parse === undefined) return null;
  return value === null ? 'it needs a value' : parse(value);
}

/** Takes one word before `--`; returns what is wrong with it, if anything. */
function takeWord(line: CommandLine, word: string): string | undefined {
  const eq = word.indexOf('=');
  const name = eq < 0 ? word : word.slice(0, eq);
  const value = unquote(word.slice(eq + 1));
  const said = lookUp(name.replaceAll('-', '_'), eq < 0 ? null : value);
  if (typeof said === 'string') return `${name}=: ${said}`;
  if (said !== null) {
    Object.assign(line, said);
    return;
  }
  if (eq >= 0 && MISSING.test(name)) return `${name}=: this kernel has no such device`;
  if (name.includes('.')) return;
  if (eq < 0) line.args.push(unquote(word));
  else setEnv(line, name, value);
}

/** Reads the words of a command line. A string is one line that says what is wrong. */
export function parseCommandLine(words: readonly string[]): CommandLine | string {
  const line: CommandLine = { env: [], args: [] };
  const end = words.indexOf('--');
  for (const word of end < 0 ? words : words.slice(0, end)) {
    const wrong = takeWord(line, word);
    if (wrong !== undefined) return wrong;
  }
  if (line.env.length > MAX_INIT_WORDS) return `Too many boot env vars at '${line.env.at(-1)}'`;
  if (line.args.length > MAX_INIT_WORDS) return `Too many boot init vars at '${line.args.at(-1)}'`;
  if (end >= 0) line.args.push(...words.slice(end + 1));
  return line;
}

/** The words as /proc/cmdline shows them: those with spaces are in quotes. */
export const joinWords = (words: readonly string[]): string =>
  words.map(word => (/\s/.test(word) ? quote(word) : word)).join(' ');

function quote(word: string): string {
  const eq = word.indexOf('=');
  return eq < 0 || word.includes('"') ? `"${word}"` : `${word.slice(0, eq)}="${word.slice(eq + 1)}"`;
}
