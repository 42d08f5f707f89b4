/** From a mounted root to a running program: init as process 1, or one command below the kernel (InitOptions). */
import { ROOT_CRED } from '../core/cred.ts';
import type { ConsoleLine } from '../drivers/tty/console.ts';
import type { WalkContext } from '../fs/context.ts';
import { exitCode, termSignal } from '../uapi/wait.ts';
import {
  credOf,
  newKernelProcess,
  newProcess,
  openConsole,
  startCommand,
  startInit,
} from './first-program.ts';
import type { MachineKernel } from './machine-kernel.ts';
import type { MachineOptions } from './options.ts';
import type { Power } from './power.ts';
import { ignoreSignals, relaySignals } from './relay.ts';
import { type StartHost, Stdio } from './stdio.ts';

export async function startFirst(
  kernel: MachineKernel,
  context: WalkContext,
  { init, ignored }: MachineOptions,
  host: StartHost & { readonly line: ConsoleLine | null },
  power: Power,
): Promise<void> {
  if (init.type === 'init') {
    const task = newProcess(kernel, context, null, ROOT_CRED);
    openConsole(kernel, task, [0, 1, 2]);
    const failed = await startInit(task, init);
    if (failed !== null) power.panic(failed.reason, failed.hint);
    return;
  }
  const task = newProcess(kernel, context, newKernelProcess(kernel, context), credOf(init.user));
  const stdio = new Stdio(kernel, context, host);
  for (const [fd, what] of init.stdio.entries()) stdio.open(task, what, fd);
  task.group.ended = status => {
    const signal = termSignal(status);
    power.shutdown('poweroff', signal !== 0 ? 128 + signal : exitCode(status));
  };
  const terminal = init.stdio.includes('console') ? (host.line?.tty ?? null) : null;
  if (terminal === null) ignoreSignals(task, ignored);
  relaySignals(task, terminal, power);
  const failed = await startCommand(kernel, task, init);
  if (failed !== null) power.end({ type: 'error', ...failed });
}
