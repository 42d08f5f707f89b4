/** What /proc shows of a machine that its kernel does not know: the processors, the terminals, the boot itself. */
import { FIRST_SERIAL, MAX_CONSOLES, MAX_SERIAL, TTY_MAJOR, TTYAUX_MAJOR } from '../drivers/tty/terminals.ts';
import type { TtyDriver } from '../fs/proc/source.ts';
import { processorTexts } from '../host/facts.ts';
import type { ProcFacts } from '../kernel/proc/proc-source.ts';
import type { MachineClock } from './machine-clock.ts';
import type { MachineKernel } from './machine-kernel.ts';
import type { MachineOptions } from './options.ts';
import { BUILDER } from './release.ts';

const PTY_MASTER_MAJOR = 128;
const PTY_SLAVE_MAJOR = 136;
const LAST_PTY = 1048575;

const alone = (node: string, minor: number, type: string): TtyDriver => ({
  name: node,
  node,
  major: TTYAUX_MAJOR,
  firstMinor: minor,
  lastMinor: minor,
  type,
});

const TTY_DRIVERS: readonly TtyDriver[] = [
  alone('/dev/tty', 0, 'system:/dev/tty'),
  alone('/dev/console', 1, 'system:console'),
  alone('/dev/ptmx', 2, 'system'),
  {
    name: 'serial',
    node: '/dev/ttyS',
    major: TTY_MAJOR,
    firstMinor: FIRST_SERIAL,
    lastMinor: FIRST_SERIAL + MAX_SERIAL - 1,
    type: 'serial',
  },
  {
    name: 'pty_slave',
    node: '/dev/pts',
    major: PTY_SLAVE_MAJOR,
    firstMinor: 0,
    lastMinor: LAST_PTY,
    type: 'pty:slave',
  },
  {
    name: 'pty_master',
    node: '/dev/ptm',
    major: PTY_MASTER_MAJOR,
    firstMinor: 0,
    lastMinor: LAST_PTY,
    type: 'pty:master',
  },
  {
    name: 'console',
    node: '/dev/tty',
    major: TTY_MAJOR,
    firstMinor: 0,
    lastMinor: MAX_CONSOLES - 1,
    type: 'console',
  },
];

export function procFacts(kernel: MachineKernel, clock: MachineClock, options: MachineOptions): ProcFacts {
  const bootId = new Uint8Array(16);
  kernel.fillRandom(bootId, 0, 16);
  return {
    cmdline: options.cmdline,
    bootMonotonic: clock.boot,
    // Times since boot are those of CLOCK_MONOTONIC, which is the host's.
    bootTime: Math.floor(clock.realtime().sec - clock.monotonic() / 1e9),
    bootId,
    builder: BUILDER,
    cpuinfo: () => hostProcessors(options.ncpus),
    ttyDrivers: TTY_DRIVERS,
    consoles: [{ name: 'tty0', major: TTY_MAJOR, minor: 0 }],
  };
}

/** A paragraph for each processor: the host's, starting over if it has fewer. */
function hostProcessors(count: number): string {
  const paragraphs = processorTexts()
    .split(/\n\n+/)
    .filter(text => text !== '');
  return Array.from({ length: count }, (_, i) => {
    const text = paragraphs[i % paragraphs.length] ?? '';
    return `${text.replace(/^(processor|apicid|initial apicid|core id)(\t+): .*$/gm, `$1$2: ${i}`)}\n\n`;
  }).join('');
}
