/** Runs the programs as a user does, for the tests of the command line. */
import { spawn } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const home = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

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
    const timer = setTimeout(() => child.kill('SIGKILL'), 60_000);
    child.on('close', (code, signal) => {
      clearTimeout(timer);
      ended.status = code ?? signal;
      resolve(ended);
    });
  });
}

/** A program's path. */
export const program = (name: 'linux' | 'uml'): string => join(home, 'bin', name);

export const uml = (...args: string[]): Promise<Ended> => start('uml', ['run', ...args]);
export const shell = (script: string): Promise<Ended> => uml('/bin/sh', '-c', script);
