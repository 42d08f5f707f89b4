/** From a mounted root to a running program: init as process 1, or one command below the kernel (InitOptions). */
import { ROOT_CRED } from '../core/cred.ts';
import { HostStreamFile, HostStreamInode } from '../drivers/tty/host-stream.ts';
import type { WalkContext } from '../fs/context.ts';
import { open } from '../fs/open.ts';
import { type DescriptorCalls, HostDescriptor } from '../host/descriptors.ts';
import type { HostPoller } from '../host/poller.ts';
import type { Task } from '../kernel/task.ts';
import { O_ACCMODE, O_APPEND } from '../uapi/fcntl.ts';
import { exitCode, termSignal } from '../uapi/wait.ts';
import {
  credOf,
  installAt,
  newKernelProcess,
  newProcess,
  openConsole,
  startCommand,
  startInit,
} from './first-program.ts';
import type { MachineKernel } from './machine-kernel.ts';
import type { InitOptions, StdioOptions } from './options.ts';
import type { Power } from './power.ts';

export interface StartHost {
  readonly calls: DescriptorCalls;
  readonly poller: HostPoller;
}

export async function startFirst(
  kernel: MachineKernel,
  context: WalkContext,
  init: InitOptions,
  host: StartHost,
  power: Power,
): Promise<void> {
  if (init.type === 'init') {
    const task = newProcess(kernel, context, null, ROOT_CRED);
    openConsole(kernel, task, [0, 1, 2]);
    const failed = await startInit(task, init);
    if (failed !== null) power.panic(failed);
    return;
  }
  const task = newProcess(kernel, context, newKernelProcess(kernel, context), credOf(init.user));
  for (const [fd, what] of init.stdio.entries()) openStdio(kernel, task, what, fd, host);
  task.group.ended = status => {
    const signal = termSignal(status);
    power.shutdown('poweroff', signal !== 0 ? 128 + signal : exitCode(status));
  };
  const failed = await startCommand(kernel, task, init);
  if (failed !== null) power.end({ type: 'error', ...failed });
}

/** A descriptor that the host has closed stays closed. */
function openStdio(
  kernel: MachineKernel,
  task: Task,
  what: StdioOptions,
  fd: number,
  { calls, poller }: StartHost,
): void {
  if (what === 'console') {
    openConsole(kernel, task, [fd], '/dev/tty0');
    return;
  }
  if (what === 'closed') return;
  const host = HostDescriptor.of(calls, what.fd);
  if (typeof host === 'number') return;
  const flags = calls.statusFlags(host.fd) & (O_ACCMODE | O_APPEND);
  if (host.isNull && openNull(kernel, task, fd, flags)) {
    host.close();
    return;
  }
  const inode = new HostStreamInode(kernel.pipefs, task.cred, what.fd, calls, poller);
  installAt(task, new HostStreamFile(inode, flags, host, poller), fd);
}

/** The host's /dev/null is the guest's, for who looks at what its input and output are. Does the guest have one? */
function openNull(kernel: MachineKernel, task: Task, fd: number, flags: number): boolean {
  const file = open(kernel.vfs, task, null, '/dev/null', flags, 0);
  if (typeof file === 'number') return false;
  installAt(task, file, fd);
  return true;
}
