/** What the kernel logs about itself while it boots, in Linux's words, and where its log is shown. */
import type { KernelLog } from '../core/log.ts';
import { KERN_DEBUG, KERN_ERR, KERN_INFO, KERN_NOTICE, type Printk } from '../core/printk.ts';
import type { ConsoleLine } from '../drivers/tty/console.ts';
import type { MachineOptions, RootOptions } from './options.ts';
import { BUILDER, RELEASE, VERSION } from './release.ts';

export function logBegin(log: KernelLog, options: MachineOptions): void {
  log.log(KERN_NOTICE, `Linux version ${RELEASE} ${BUILDER} ${VERSION}`);
  log.log(KERN_NOTICE, `Kernel command line: ${options.cmdline}`);
}

/** Once the machine's parts are there. */
export function logMachine(log: KernelLog, { mem, ncpus }: MachineOptions): void {
  log.log(KERN_INFO, `Memory: ${mem / 1024}K/${mem / 1024}K available`);
  log.log(KERN_INFO, `smp: Brought up 1 node, ${ncpus} ${ncpus === 1 ? 'CPU' : 'CPUs'}`);
  log.log(KERN_INFO, 'clocksource: Switched to clocksource host');
  log.log(KERN_INFO, 'NET: Registered PF_UNIX/PF_LOCAL protocol family');
  log.log(KERN_INFO, 'random: crng init done');
}

const rootType = (root: RootOptions): string => (root.type === 'device' ? (root.fstype ?? '') : root.type);

export function logRoot(log: KernelLog, { root }: MachineOptions): void {
  const how = root.readonly ? ' readonly' : '';
  log.log(KERN_INFO, `VFS: Mounted root (${rootType(root)} filesystem)${how}.`);
  log.log(KERN_INFO, 'devtmpfs: mounted');
}

/** Why the root cannot be mounted; the panic follows. */
export function logNoRoot(log: Printk, name: string, errno: number): void {
  log.log(KERN_ERR, `VFS: Cannot open root device "${name}" or unknown-block(0,0): error ${errno}`);
  log.log(KERN_ERR, 'Please append a correct "root=" boot option; there are no partitions');
}

/** Which program is started; its arguments and environment only at debug level (loglevel=8). */
export function logInit(
  log: KernelLog,
  path: string,
  argv: readonly string[],
  envp: readonly string[],
): void {
  log.log(KERN_INFO, `Run ${path} as init process`);
  log.log(KERN_DEBUG, '  with arguments:');
  for (const word of argv) log.log(KERN_DEBUG, `    ${word}`);
  log.log(KERN_DEBUG, '  with environment:');
  for (const word of envp) log.log(KERN_DEBUG, `    ${word}`);
}

/** Shows the kernel log: through the console's line if both use the same descriptor, so that lines do not mix. */
export function showLog(
  log: KernelLog,
  options: MachineOptions,
  line: ConsoleLine | null,
  linesTo: (fd: number) => (text: string) => void,
): void {
  const { fd, level } = options.log;
  if (fd === null) return;
  log.consoleLevel = level;
  const onLine = line !== null && typeof options.console === 'object' && fd === options.console.output;
  const write = onLine ? (text: string) => line.print(text) : linesTo(fd);
  log.addConsole({ write }, true);
}
