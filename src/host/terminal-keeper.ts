/**
 * Puts a terminal back when this process was killed in a way that nobody notices from inside.
 *
 * A shell waits at a pipe that only we hold open. A line means that all is well; the end of the pipe that we are
 * gone. It is in a session of its own, so that no signal for our process group reaches it. A host without sh and
 * stty does without.
 */
import { spawn } from 'node:child_process';
import type { Termios } from '../uapi/termios.ts';

const SCRIPT = 'read -r line || exec stty "$0" <&3';
/** glibc's NCCS: stty(1) wants all of them. */
const CONTROL_CHARACTERS = 32;

/** What `stty -g` prints for these settings. */
export function sttyWords(t: Termios): string {
  const cc = Array.from({ length: CONTROL_CHARACTERS }, (_, i) => t.cc[i] ?? 0);
  return [t.iflag, t.oflag, t.cflag, t.lflag, ...cc].map(word => (word >>> 0).toString(16)).join(':');
}

/** Starts the keeper; the answer dismisses it. */
export function keepSettings(fd: number, settings: Termios): () => void {
  const keeper = spawn('/bin/sh', ['-c', SCRIPT, sttyWords(settings)], {
    detached: true,
    cwd: '/',
    env: { PATH: '/usr/bin:/bin' },
    stdio: ['pipe', 'ignore', 'ignore', fd],
  });
  const ignore = (): void => {};
  keeper.on('error', ignore);
  keeper.stdin?.on('error', ignore);
  keeper.unref();
  return () => keeper.stdin?.end('\n');
}
