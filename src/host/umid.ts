/**
 * A machine's name on this host (umid=): as in User Mode Linux, the folder ~/.uml/NAME with the process id in `pid`
 * exists while the machine runs.
 *
 * Only what was made here is removed: the file, and the folder if it is then empty.
 */
import { mkdirSync, readFileSync, rmdirSync, unlinkSync, writeFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { join } from 'node:path';

/** Takes the name, one component of a path; returns an error message, or a function that releases the name. */
export function takeUmid(name: string): string | (() => void) {
  if (name.includes('/') || name === '.' || name === '..' || name === '') return `umid=${name}: not a name`;
  const dir = join(process.env['HOME'] || userInfo().homedir, '.uml', name);
  const file = join(dir, 'pid');
  const owner = runningOwner(file);
  if (owner !== null) return `umid=${name} is in use by process ${owner}; choose another name`;
  try {
    mkdirSync(dir, { recursive: true });
    writeFileSync(file, `${process.pid}\n`);
  } catch (error) {
    letGo(dir, file);
    return `umid=${name}: ${error instanceof Error ? error.message : String(error)}`;
  }
  return () => letGo(dir, file);
}

/** Ignores errors: others may have put something there, or removed it. */
function letGo(dir: string, file: string): void {
  for (const remove of [() => unlinkSync(file), () => rmdirSync(dir)])
    try {
      remove();
    } catch {}
}

/** The running process that has the name; null if there is none, or if one was killed and left the folder. */
function runningOwner(file: string): number | null {
  try {
    const pid = Number(readFileSync(file, 'latin1'));
    if (!(pid > 0) || pid === process.pid) return null;
    process.kill(pid, 0);
    return pid;
  } catch {
    return null;
  }
}
