/**
 * A machine: `boot` makes one, runs it to its end and reports how it ended (init/options.ts has the types).
 */
import { availableParallelism } from 'node:os';
import { KernelLog } from './core/log.ts';
import { RAM_RANGE } from './engine/native/layout.ts';
import { NativeEngine } from './engine/native/native-engine.ts';
import { BackgroundThreads } from './host/background.ts';
import { onUncaught } from './host/bugs.ts';
import { DescriptorCalls } from './host/descriptors.ts';
import { HostFacts } from './host/facts.ts';
import { type Libc, openLibc } from './host/libc.ts';
import { monotonicNow } from './host/monotonic.ts';
import { NativeFiles } from './host/native-files.ts';
import { linesTo } from './host/output.ts';
import { packageFile } from './host/package.ts';
import { HostPoller } from './host/poller.ts';
import { onStop, takeEndingSignals } from './host/signals.ts';
import { HostTerminal } from './host/terminal.ts';
import { takeUmid } from './host/umid.ts';
import { logBegin, logMachine, logRoot, showLog } from './init/boot-log.ts';
import { connectConsole } from './init/console.ts';
import { registerAll } from './init/filesystems.ts';
import { Loop } from './init/loop.ts';
import { MachineClock } from './init/machine-clock.ts';
import { MachineKernel } from './init/machine-kernel.ts';
import type { ExitReport, MachineOptions } from './init/options.ts';
import { Power } from './init/power.ts';
import { procFacts } from './init/proc-facts.ts';
import { MACHINE, RELEASE, VERSION } from './init/release.ts';
import { mountAll } from './init/root.ts';
import { startFirst } from './init/start.ts';
import { Entry } from './kernel/entry.ts';
import { KernelProc } from './kernel/proc/proc-source.ts';
import { Uts } from './kernel/uts.ts';
import { Strace } from './syscalls/strace.ts';
import { entryCall, prefetchPlan, syscallsByNumber } from './syscalls/table.ts';

/** What a machine takes from its host. */
interface Host {
  readonly libc: Libc;
  readonly facts: HostFacts;
  readonly poller: HostPoller;
  readonly calls: DescriptorCalls;
  /** How many of the host's processors we may use. */
  readonly processors: number;
  readonly background: BackgroundThreads;
  /** Prints system calls; null unless that was asked for. */
  readonly strace: Strace | null;
}

export async function boot(options: MachineOptions): Promise<ExitReport> {
  const libc = openLibc();
  const facts = new HostFacts(libc);
  if (facts.missing !== null) return failure(facts.missing);
  const calls = new DescriptorCalls(libc);
  if (typeof options.console === 'object') new HostTerminal(calls, options.console.input).awaitForeground();
  const letGo = options.umid === null ? () => {} : takeUmid(options.umid);
  if (typeof letGo === 'string') return failure(letGo);
  const host = hostOf(libc, facts, calls, options);
  const clock = new MachineClock(id => facts.time(id));
  const log = new KernelLog({ monotonic: () => clock.monotonic() - clock.boot });
  logBegin(log, options);
  let lost = (): void => {};
  const engine = startEngine(host, options, () => lost());
  if (typeof engine === 'string') {
    letGo();
    return failure(engine);
  }
  return new Promise(resolve => {
    const power = new Power(log, options.panic * 1000, resolve);
    lost = () => power.panic('the engine is gone: its reaper was killed');
    watchOver(power, engine, letGo, options);
    try {
      const kernel = newKernel(host, engine, clock, log, power, options);
      run(host, kernel, clock, power, options);
    } catch (bug) {
      power.crash(bug);
    }
  });
}

const failure = (message: string): ExitReport => ({ type: 'error', message, status: null });

function hostOf(libc: Libc, facts: HostFacts, calls: DescriptorCalls, options: MachineOptions): Host {
  const processors = availableParallelism();
  return {
    libc,
    facts,
    poller: new HostPoller(libc),
    calls,
    processors,
    background: new BackgroundThreads(libc, monotonicNow()),
    strace: straceOf(libc, calls, options),
  };
}

/** The time limit, what the machine's end must undo, and what reaches it from this process: ^Z and uncaught exceptions. */
function watchOver(power: Power, engine: NativeEngine, letGo: () => void, options: MachineOptions): void {
  if (options.timeout !== null) power.limit(options.timeout);
  power.atEnd(() => engine.shutdown());
  power.atEnd(letGo);
  power.atEnd(
    onStop(
      () => engine.pause(true),
      () => engine.pause(false),
    ),
  );
  power.atEnd(onUncaught(bug => power.crash(bug)));
}

function straceOf(libc: Libc, calls: DescriptorCalls, { strace }: MachineOptions): Strace | null {
  return strace === null ? null : new Strace(syscallsByNumber(), linesTo(libc, calls, strace));
}

/** Starts the engine and tells it which system calls its threads can make. */
function startEngine(
  { libc, poller, strace }: Host,
  options: MachineOptions,
  lost: () => void,
): NativeEngine | string {
  const table = syscallsByNumber();
  const entry = new Entry(table.map(row => (row === undefined ? undefined : entryCall(row))));
  entry.observer = strace;
  const engine = NativeEngine.start({
    libc,
    poller,
    stub: packageFile('dist/stub'),
    ramSize: RAM_RANGE,
    processors: options.ncpus,
    foresight: strace === null,
    events: {
      trap: thread => entry.trap(thread),
      died: thread => entry.died(thread),
      hostEvents: () => poller.dispatch(),
      lost,
    },
  });
  if (typeof engine === 'string') return engine;
  table.forEach((row, nr) => {
    if (row === undefined) return;
    engine.setPrefetch(nr, prefetchPlan(row));
    const foregone = entryCall(row).foregone;
    if (foregone !== null) engine.known?.addCall(foregone);
  });
  return engine;
}

function newKernel(
  { facts, strace }: Host,
  engine: NativeEngine,
  clock: MachineClock,
  log: KernelLog,
  power: Power,
  options: MachineOptions,
): MachineKernel {
  return new MachineKernel({
    engine,
    clock,
    log,
    uts: new Uts(options.hostname, RELEASE, VERSION, MACHINE),
    mem: options.mem,
    ncpus: options.ncpus,
    cpu: facts.cpu,
    observer: strace,
    fillRandom: (buf, off, len) => facts.fillRandom(buf, off, len),
    ended: kind => power.shutdown(kind),
    initExited: status =>
      power.panic(`Attempted to kill init! exitcode=0x${status.toString(16).padStart(8, '0')}`),
  });
}

/** Mounts the root, starts the first program and serves guests until the machine is switched off. */
function run(
  host: Host,
  kernel: MachineKernel,
  clock: MachineClock,
  power: Power,
  options: MachineOptions,
): void {
  const { libc, calls, poller } = host;
  const log = kernel.printk;
  const loop = new Loop(kernel, host.processors, host.background);
  power.stop = () => loop.stop();
  const files = new NativeFiles(libc);
  const proc = new KernelProc(kernel, procFacts(kernel, clock, options));
  const terminals = registerAll(kernel, proc, files, options);
  const line = connectConsole(options.console, terminals, calls, poller, power);
  if (typeof line === 'string') {
    power.end(failure(line));
    return;
  }
  // After everything that listens for these signals in order to clean up: this takes their place, and the machine's end
  // does the cleaning up.
  power.atEnd(takeEndingSignals(options.ignored, signal => power.signalled(signal)));
  logMachine(log, options);
  showLog(log, options, line, fd => linesTo(libc, calls, fd));
  const root = mountAll(kernel.vfs, files, options, log);
  if ('type' in root) {
    if (root.type === 'panic') power.panic(root.reason, root.hint);
    else power.end(root);
    return;
  }
  logRoot(log, options);
  proc.setRoot(root.context.root);
  loop.start();
  void startFirst(kernel, root.context, options, { calls, poller, files, line }, power);
}
