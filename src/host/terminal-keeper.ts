/**
 * Restores a terminal's settings after this process was killed in a way that it cannot notice.
 *
 * A shell reads from a pipe that only we hold open. A line dismisses it; end of file means that we are gone. It has a
 * session of its own, so that no signal to our process group reaches it. On a host without sh and stty nothing
 * restores the terminal.
 */
import { spawn } from 'node:child_process';
import type { Termios } from '../uapi/termios.ts';

const SCRIPT = 'read -r line || exec stty "$0" <&3';
/** glibc's NCCS: stty(1) requires all of them. */
const CONTROL_CHARACTERS = 32;

/** What `stty -g` prints for these settings. */
export function sttyWords(t: Termios): string {
  const cc = Array.from({ length: CONTROL_CHARACTERS }, (_, i) => t.cc[i] ?? 0);
  return [t.iflag, t.oflag, t.cflag, t.lflag, ...cc].map(word => (word >>> 0).toString(16)).join(':');
}

/** Starts the keeper; the returned function dismisses it. */
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
