/**
 * A machine: `boot` makes one, runs it to its end and tells how it ended (init/options.ts has the shapes).
 */
import { writeSync } from 'node:fs';
import { KERN_EMERG, KERN_INFO } from './core/printk.ts';
import { KernelLog } from './core/log.ts';
import { registerCharDevices } from './drivers/char/register.ts';
import { memDevices } from './drivers/char/mem.ts';
import type { ConsoleLine } from './drivers/tty/console.ts';
import { HostStreamFile } from './drivers/tty/host-stream.ts';
import { Terminals } from './drivers/tty/terminals.ts';
import { NativeEngine } from './engine/native/native-engine.ts';
import { Devpts } from './fs/devpts/devpts.ts';
import { procFileSystem } from './fs/proc/super.ts';
import { Devtmpfs } from './fs/devtmpfs/devtmpfs.ts';
import { hostfsType } from './fs/hostfs/type.ts';
import { overlayType } from './fs/overlay/type.ts';
import { Sysfs } from './fs/sysfs/sysfs.ts';
import { populateSysfs } from './fs/sysfs/system.ts';
import { tmpfsType } from './fs/tmpfs/super.ts';
import { openChannel, parseChannel } from './host/channel-spec.ts';
import { DescriptorCalls, HostDescriptor } from './host/descriptors.ts';
import { HostFacts } from './host/facts.ts';
import { openLibc } from './host/libc.ts';
import { NativeFiles } from './host/native-files.ts';
import { packageFile } from './host/package.ts';
import { HostPoller } from './host/poller.ts';
import { HostTerminal } from './host/terminal.ts';
import {
  credOf,
  installAt,
  newKernelProcess,
  newProcess,
  openConsole,
  startCommand,
  startInit,
} from './init/first-program.ts';
import { Loop } from './init/loop.ts';
import { MachineClock } from './init/machine-clock.ts';
import { MachineKernel } from './init/machine-kernel.ts';
import type { ExitReport, MachineOptions } from './init/options.ts';
import { procFacts } from './init/proc-facts.ts';
import { mountAll, type MountedRoot } from './init/root.ts';
import { ROOT_CRED } from './core/cred.ts';
import { Entry } from './kernel/entry.ts';
import { KernelProc } from './kernel/proc/proc-source.ts';
import type { Task } from './kernel/task.ts';
import { Uts } from './kernel/uts.ts';
import { Strace } from './syscalls/strace.ts';
import { entryCall, prefetchPlan, syscallsByNumber } from './syscalls/table.ts';
import { exitCode, termSignal } from './uapi/wait.ts';

const RELEASE = '6.18.0-uml';
const VERSION = '#1 SMP PREEMPT_DYNAMIC';
/** Offsets of the memory file for the machine's memory: far more than pages, so that files lie in one piece. */
const RAM_RANGE = 2 ** 36;

export async function boot(options: MachineOptions): Promise<ExitReport> {
  const libc = openLibc();
  const facts = new HostFacts(libc);
  if (facts.missing !== null) return { type: 'error', message: facts.missing, status: 1 };
  const clock = new MachineClock(() => facts.realtime());
  const log = new KernelLog({ monotonic: () => clock.monotonic() - clock.boot });
  const poller = new HostPoller(libc);
  const table = syscallsByNumber();
  const entry = new Entry(table.map(row => (row === undefined ? undefined : entryCall(row))));
  if (options.strace !== null) {
    const fd = options.strace;
    entry.observer = new Strace(table, line => writeSync(fd, `${line}\n`));
  }
  const engine = NativeEngine.start({
    libc,
    poller,
    stub: packageFile('dist/stub'),
    ramSize: RAM_RANGE,
    events: {
      trap: thread => entry.trap(thread),
      spaceDied: space => log.log(KERN_INFO, `space ${space.id} died`),
      hostEvents: () => poller.dispatch(),
    },
  });
  if (typeof engine === 'string') return { type: 'error', message: engine, status: 1 };
  table.forEach((row, nr) => {
    if (row !== undefined) engine.setPrefetch(nr, prefetchPlan(row));
  });
  return new Promise<ExitReport>(resolve => {
    const calls = new DescriptorCalls(libc);
    const terminal = options.console.input === null ? null : new HostTerminal(calls, options.console.input);
    let over = false;
    const end = (report: ExitReport): void => {
      if (over) return;
      over = true;
      loop.stop();
      terminals.shutdown();
      terminal?.restore();
      engine.shutdown();
      resolve(report);
    };
    const kernel = new MachineKernel({
      engine,
      clock,
      log,
      uts: new Uts(options.hostname, RELEASE, VERSION, 'x86_64'),
      mem: options.mem,
      ncpus: options.ncpus,
      cpu: facts.cpu,
      fillRandom: (buf, off, len) => facts.fillRandom(buf, off, len),
      ended: () => end({ type: 'exit', status: 0 }),
      initExited: status => panic(`Attempted to kill init! exitcode=0x${status.toString(16).padStart(8, '0')}`),
    });
    const panic = (reason: string): void => {
      log.log(KERN_EMERG, `Kernel panic - not syncing: ${reason}`);
      end({ type: 'panic', reason });
    };
    const loop = new Loop(kernel);
    const { vfs } = kernel;
    const files = new NativeFiles(libc);
    const devtmpfs = new Devtmpfs(vfs.env);
    const sysfs = new Sysfs(vfs.env);
    const devpts = new Devpts();
    const proc = new KernelProc(kernel, procFacts(kernel, clock, options));
    vfs.registerFileSystem(procFileSystem(proc));
    for (const type of [tmpfsType(), tmpfsType('ramfs', false), devtmpfs.type, sysfs.type, devpts, overlayType]) vfs.registerFileSystem(type);
    if (options.root.type !== 'device') {
      vfs.registerFileSystem(hostfsType(files, { directory: options.root.dir, readOnly: options.root.readonly }));
    }
    populateSysfs(sysfs, { cpus: options.ncpus, memory: () => proc.memory });
    registerCharDevices('mem', memDevices({ log, fillRandom: kernel.fillRandom.bind(kernel) }), { vfs, devtmpfs, sysfs });
    const terminals = new Terminals(
      { clock, timers: kernel.timers, groups: kernel.jobs, hungUp: new WeakMap() },
      devpts,
      (current, file, cloexec) => (current as Task).files.install(file, cloexec, 1024),
    );
    terminals.register(vfs);
    kernel.jobs.sessionEnded = session => terminals.sessionEnded(session);
    for (const [name, major, minor, mode] of [['tty', 5, 0, 0o666], ['console', 5, 1, 0o600], ['ptmx', 5, 2, 0o666], ['tty0', 4, 0, 0o620]] as const) devtmpfs.add({ name, block: false, mode, major, minor });
    for (const [name, target] of [['fd', ''], ['stdin', '/0'], ['stdout', '/1'], ['stderr', '/2']] as const) devtmpfs.link(name, `/proc/self/fd${target}`);
    let line: ConsoleLine | null = null;
    if (options.console.output !== null || options.console.input !== null) {
      const spec = parseChannel(`fd:${options.console.input ?? options.console.output},fd:${options.console.output ?? options.console.input}`);
      const opened = typeof spec === 'string' ? null : openChannel(spec, calls, poller);
      if (opened !== null && typeof opened !== 'number') {
        line = terminals.addConsole(0, opened.channel);
        const console = line;
        if (terminal?.isTerminal) {
          terminal.setRaw();
          terminal.guard();
          process.on('SIGWINCH', () => {
            const { size } = terminal;
            if (size !== null) console.resize(size.rows, size.cols);
          });
        }
      }
    }
    showLog(log, options, line);
    const root = mountAll(vfs, files, options);
    if (typeof root === 'string') {
      panic(root);
      return;
    }
    proc.setRoot(root.context.root);
    loop.start();
    void startFirst(kernel, root, options, calls, poller, panic, end);
  });
}

/** Where the kernel log is shown: through the console's line if it has the same descriptor, so that lines do not mix. */
function showLog(log: KernelLog, { log: shown, console }: MachineOptions, line: ConsoleLine | null): void {
  const { fd } = shown;
  if (fd === null) return;
  log.consoleLevel = shown.level;
  const write = line !== null && fd === console.output ? (text: string) => line.print(text) : (text: string) => writeSync(fd, text);
  log.addConsole({ write }, true);
}

async function startFirst(
  kernel: MachineKernel,
  { context }: MountedRoot,
  options: MachineOptions,
  calls: DescriptorCalls,
  poller: HostPoller,
  panic: (reason: string) => void,
  end: (report: ExitReport) => void,
): Promise<void> {
  const { init } = options;
  if (init.type === 'init') {
    const task = newProcess(kernel, context, null, ROOT_CRED);
    openConsole(kernel, task, [0, 1, 2]);
    const failed = await startInit(task, init);
    if (failed !== null) panic(failed);
    return;
  }
  const one = newKernelProcess(kernel, context);
  const task = newProcess(kernel, context, one, credOf(init.user));
  init.stdio.forEach((what, fd) => {
    if (what === 'console') {
      openConsole(kernel, task, [fd], '/dev/tty0');
      return;
    }
    const host = HostDescriptor.of(calls, what.fd);
    if (typeof host === 'number') return;
    const inode = kernel.pipefs.newInode(0o10600, task.cred);
    installAt(task, new HostStreamFile(inode, calls.statusFlags(what.fd) & 0o2003, host, poller), fd);
  });
  task.group.ended = status => {
    const signal = termSignal(status);
    end({ type: 'exit', status: signal !== 0 ? 128 + signal : exitCode(status) });
  };
  const failed = await startCommand(kernel, task, init);
  if (failed !== null) end({ type: 'error', ...failed });
}
