/** Registers the filesystems and devices that every machine has; root.ts mounts them. */

import { memDevices } from '../drivers/char/mem.ts';
import { registerCharDevices } from '../drivers/char/register.ts';
import { Terminals } from '../drivers/tty/terminals.ts';
import { Devpts } from '../fs/devpts/devpts.ts';
import { Devtmpfs } from '../fs/devtmpfs/devtmpfs.ts';
import { hostfsType } from '../fs/hostfs/type.ts';
import { overlayType } from '../fs/overlay/type.ts';
import { procFileSystem } from '../fs/proc/super.ts';
import { addSysfsDevice } from '../fs/sysfs/device.ts';
import { Sysfs } from '../fs/sysfs/sysfs.ts';
import { populateSysfs } from '../fs/sysfs/system.ts';
import { ramfsType } from '../fs/tmpfs/ramfs.ts';
import { tmpfsType } from '../fs/tmpfs/super.ts';
import { largePages, processorCaches } from '../host/facts.ts';
import type { HostFiles } from '../host/files.ts';
import type { KernelProc } from '../kernel/proc/proc-source.ts';
import type { Task } from '../kernel/task.ts';
import type { MachineKernel } from './machine-kernel.ts';
import type { MachineOptions } from './options.ts';

/** A new pseudo-terminal's master may get descriptors below this. */
const MOST_DESCRIPTORS = 1024;

const TTY_NODES = [
  { name: 'tty', major: 5, minor: 0, mode: 0o666 },
  { name: 'console', major: 5, minor: 1, mode: 0o600 },
  { name: 'ptmx', major: 5, minor: 2, mode: 0o666 },
  { name: 'tty0', major: 4, minor: 0, mode: 0o620 },
];

/** Links that udev makes on other systems. */
const LINKS = [
  { name: 'fd', target: '/proc/self/fd' },
  { name: 'stdin', target: '/proc/self/fd/0' },
  { name: 'stdout', target: '/proc/self/fd/1' },
  { name: 'stderr', target: '/proc/self/fd/2' },
];

/** Returns the machine's terminals. */
export function registerAll(
  kernel: MachineKernel,
  proc: KernelProc,
  files: HostFiles,
  options: MachineOptions,
): Terminals {
  const { vfs } = kernel;
  const devtmpfs = new Devtmpfs(vfs.env);
  const sysfs = new Sysfs(vfs.env);
  const devpts = new Devpts();
  const types = [
    procFileSystem(proc),
    tmpfsType(),
    ramfsType,
    devtmpfs.type,
    sysfs.type,
    devpts,
    overlayType,
  ];
  for (const type of types) vfs.registerFileSystem(type);
  registerHostfs(kernel, files, options);
  populateSysfs(sysfs, {
    cpus: options.ncpus,
    caches: processorCaches(),
    memory: () => proc.memory,
    largePages: largePages(),
  });
  const fillRandom = kernel.fillRandom.bind(kernel);
  registerCharDevices('mem', memDevices({ log: kernel.printk, fillRandom }), { vfs, devtmpfs, sysfs });
  addTerminalNodes(devtmpfs, sysfs);
  for (const { name, target } of LINKS) devtmpfs.link(name, target);
  return registerTerminals(kernel, devpts);
}

/** Adds the nodes in /dev and /sys; the console's names the terminal behind it. */
function addTerminalNodes(devtmpfs: Devtmpfs, sysfs: Sysfs): void {
  for (const node of TTY_NODES) {
    const { mode, ...plain } = node;
    devtmpfs.add({ ...node, block: false });
    const active = { name: 'active', show: () => 'tty0\n' };
    addSysfsDevice(sysfs, {
      class: 'tty',
      name: node.name,
      node: mode === 0o600 ? plain : node,
      attributes: node.name === 'console' ? [active] : [],
    });
  }
}

/** mount(2) of hostfs gives no more access to the host than the root: read-only if the root is disposable. */
function registerHostfs({ vfs }: MachineKernel, files: HostFiles, { root }: MachineOptions): void {
  if (root.type === 'device') return;
  const readOnly = root.type === 'overlay' || root.readonly;
  vfs.registerFileSystem(hostfsType(files, { directory: root.dir, readOnly }));
}

function registerTerminals(kernel: MachineKernel, devpts: Devpts): Terminals {
  const { clock, timers, jobs } = kernel;
  const terminals = new Terminals(
    { clock, timers, groups: jobs, hungUp: new WeakMap() },
    devpts,
    (current, file, cloexec) => (current as Task).files.install(file, cloexec, MOST_DESCRIPTORS),
  );
  terminals.register(kernel.vfs);
  jobs.sessionEnded = session => terminals.sessionEnded(session);
  return terminals;
}
