/** Machines for the safety tests: programs compiled for them, and what the host sees of them while they run. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after } from 'node:test';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
const home = dirname(dirname(here));
/** A folder for the programs, gone when the tests of a file are over. The machine sees it too. */
const folder = mkdtempSync(join(tmpdir(), 'uml-safety-'));
after(() => rmSync(folder, { recursive: true, force: true }));

/** The program of test/safety/NAME.c, and headers that are made for it. */
export function compile(name: string, headers: Readonly<Record<string, string>> = {}): string {
  const out = join(folder, name);
  for (const [header, text] of Object.entries(headers)) writeFileSync(join(folder, header), text);
  execFileSync('gcc', ['-O1', '-w', '-pthread', '-I', folder, '-o', out, join(here, `${name}.c`)]);
  return out;
}

/** A file beside the programs. */
export function write(name: string, text: string, mode: number): string {
  const file = join(folder, name);
  writeFileSync(file, text, { mode });
  return file;
}

/** Where a machine's own temporary files would be. */
export const temporary = join(folder, 'tmp');
mkdirSync(temporary);
/** Seconds after which something hangs: nobody waits for as long, on a busy host either. */
const LIMIT = 300;

/** A machine that runs one command; its input stays open until `end`. */
export class Machine {
  stdout = '';
  stderr = '';
  readonly child: ChildProcess;
  /** The exit status, or the signal's name. */
  readonly ended: Promise<number | string | null>;

  constructor(args: readonly string[]) {
    const detached = true;
    const env = { ...process.env, TMPDIR: temporary };
    this.child = spawn(join(home, 'bin/uml'), ['run', ...args], { stdio: 'pipe', detached, env });
    this.child.stdout!.on('data', (data: Buffer) => (this.stdout += data.toString('latin1')));
    this.child.stderr!.on('data', (data: Buffer) => (this.stderr += data.toString('latin1')));
    this.child.stdin!.on('error', () => {});
    const timer = setTimeout(() => this.child.kill('SIGKILL'), LIMIT * 1000);
    this.ended = new Promise(resolve => {
      this.child.on('close', (code, signal) => {
        clearTimeout(timer);
        resolve(code ?? signal);
      });
    });
  }

  /** Waits until the output holds `text`. */
  async says(text: string): Promise<void> {
    for (; !this.stdout.includes(text); await sleep(10)) {
      if (this.child.exitCode !== null || this.child.signalCode !== null)
        throw new Error(`no "${text}" in: ${this.stdout}\n${this.stderr}`);
    }
  }

  end(): Promise<number | string | null> {
    this.child.stdin!.end();
    return this.ended;
  }

  /** The kernel's process and all that come from it, by way of parents: pid and parent. */
  get kernel(): number {
    const node = (pid: number): number =>
      exe(pid).includes('node')
        ? pid
        : (childrenOf(pid)
            .map(node)
            .find(found => found > 0) ?? 0);
    return node(this.child.pid!);
  }

  get reaper(): number {
    return childrenOf(this.kernel).find(pid => exe(pid).endsWith('/stub')) ?? 0;
  }

  /** The host processes of address spaces. */
  get spaces(): number[] {
    return childrenOf(this.reaper);
  }

  /** Waits until nobody is on the way in or out, and all that was asked for is done: the spaces then. */
  async still(): Promise<number[]> {
    for (let before = ''; ; await sleep(50)) {
      const { kernel, reaper, spaces } = this;
      const now = [reaper, ...spaces].flatMap(threads);
      const sleeps = [...threads(kernel).slice(0, 1), ...now].every(thread => thread.startsWith('S'));
      if (sleeps && now.join() === before) return spaces;
      before = sleeps ? now.join() : '';
      if (this.child.exitCode !== null || this.child.signalCode !== null)
        throw new Error(`over: ${this.stderr}`);
    }
  }
}

/** Runs a command to its end. */
export async function run(args: readonly string[], input = ''): Promise<Machine & { status: unknown }> {
  const machine = new Machine(args);
  machine.child.stdin!.end(input);
  const status = await machine.ended;
  return Object.assign(machine, { status });
}

export const sleep = (ms: number): Promise<void> => new Promise(resolve => setTimeout(resolve, ms));

export function read(path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return '';
  }
}

export function list(path: string): string[] {
  try {
    return readdirSync(path);
  } catch {
    return [];
  }
}

export function childrenOf(pid: number): number[] {
  if (pid <= 0) return [];
  return list('/proc')
    .filter(name => /^\d+$/.test(name) && Number(/\) . (\d+)/.exec(read(`/proc/${name}/stat`))?.[1]) === pid)
    .map(Number);
}

/** Of each thread of a process: its state, its number, and how often it was switched to. */
function threads(pid: number): string[] {
  return list(`/proc/${pid}/task`).map(tid => {
    const status = read(`/proc/${pid}/task/${tid}/status`);
    const switches = ['voluntary_ctxt_switches', 'nonvoluntary_ctxt_switches'].map(name =>
      field(status, name),
    );
    return [field(status, 'State'), tid, ...switches].join(' ');
  });
}

/** A field of proc_pid_status(5). */
export const field = (status: string, name: string): string =>
  new RegExp(`^${name}:\\s*(.*)$`, 'm').exec(status)?.[1] ?? '';

/** The process that was started last; numbers may have begun anew meanwhile. */
export function newest(pids: readonly number[]): number {
  const start = (pid: number): number => Number(read(`/proc/${pid}/stat`).split(') ')[1]?.split(' ')[19]);
  return pids.reduce((one, other) => (start(other) > start(one) ? other : one));
}

export const alive = (pid: number): boolean => read(`/proc/${pid}/stat`) !== '';

function exe(pid: number): string {
  try {
    return readlinkSync(`/proc/${pid}/exe`);
  } catch {
    return '';
  }
}
