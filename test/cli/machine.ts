/** Runs the programs as a user does, for the tests of the command line. */
import assert from 'node:assert/strict';
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
const home = dirname(dirname(here));

/** Milliseconds after which something hangs: nobody waits for as long, on a busy host either. */
export const LIMIT = 300_000;

export interface Ended {
  /** The exit status, or the signal's name. */
  status: number | string | null;
  stdout: string;
  stderr: string;
}

/** Runs bin/`program` to its end; bytes are characters. */
export function start(
  program: 'linux' | 'uml',
  args: readonly string[],
  input: Buffer | string | Promise<string> = '',
  env = process.env,
): Promise<Ended> {
  return new Promise(resolve => {
    const child = spawn(join(home, 'bin', program), args, { env, stdio: 'pipe' });
    const ended: Ended = { status: null, stdout: '', stderr: '' };
    child.stdout.on('data', (data: Buffer) => (ended.stdout += data.toString('latin1')));
    child.stderr.on('data', (data: Buffer) => (ended.stderr += data.toString('latin1')));
    child.stdin.on('error', () => {});
    void Promise.resolve(input).then(bytes => child.stdin.end(bytes));
    const timer = setTimeout(() => child.kill('SIGKILL'), LIMIT);
    child.on('close', (code, signal) => {
      clearTimeout(timer);
      ended.status = code ?? signal;
      resolve(ended);
    });
  });
}

/** Sends a signal to who may be gone by now: nobody is disturbed then. */
export function kill(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

/** A program's path. */
export const program = (name: 'linux' | 'uml'): string => join(home, 'bin', name);

export const uml = (...args: string[]): Promise<Ended> => start('uml', ['run', ...args]);
export const shell = (script: string): Promise<Ended> => uml('/bin/sh', '-c', script);

/** Why tests on terminals are skipped. */
export const noPython = spawnSync('python3', ['--version']).status !== 0 && 'no python3 to play the user';

/** What a script of this folder prints. */
export const python = (script: string, words: readonly string[], env = process.env): string =>
  execFileSync('python3', ['-B', join(here, script), ...words], { encoding: 'utf8', env });

/** What a command on a terminal says after an event, its status, and whether the terminal is put back. */
export function onTerminal(event: string, command: readonly string[], env = process.env): unknown[] {
  const [said, ...end] = JSON.parse(python('terminal-event.py', [event, ...command], env));
  assert.doesNotMatch(said, /(?<!\r)\n/, 'each line begins at the left');
  return [said.replaceAll('\r', ''), ...end];
}
