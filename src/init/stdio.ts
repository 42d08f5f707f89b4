/**
 * A command's standard descriptors are what they are on the host: a file or directory that was passed (and nothing
 * next to it), the machine's own /dev/null and the like, or a stream of bytes for pipes, sockets and other devices.
 */

import { HostStreamFile, HostStreamInode } from '../drivers/tty/host-stream.ts';
import type { WalkContext } from '../fs/context.ts';
import type { File } from '../fs/file.ts';
import { GivenDescriptors } from '../fs/hostfs/given.ts';
import { open } from '../fs/open.ts';
import { type DescriptorCalls, HostDescriptor } from '../host/descriptors.ts';
import type { HostFiles } from '../host/files.ts';
import type { HostPoller } from '../host/poller.ts';
import type { Task } from '../kernel/task.ts';
import { ENXIO } from '../uapi/errno.ts';
import { O_ACCMODE, O_APPEND } from '../uapi/fcntl.ts';
import { isChr, makedev } from '../uapi/stat.ts';
import { installAt, openConsole } from './first-program.ts';
import type { MachineKernel } from './machine-kernel.ts';
import type { StdioOptions } from './options.ts';

export interface StartHost {
  readonly calls: DescriptorCalls;
  readonly poller: HostPoller;
  readonly files: HostFiles;
}

/** Devices of the host that are the same here (null(4), full(4), random(4)). */
const SAME_DEVICES: ReadonlyMap<number, string> = new Map([
  [makedev(1, 3), '/dev/null'],
  [makedev(1, 5), '/dev/zero'],
  [makedev(1, 7), '/dev/full'],
  [makedev(1, 8), '/dev/random'],
  [makedev(1, 9), '/dev/urandom'],
]);

export class Stdio {
  private readonly kernel: MachineKernel;
  private readonly context: WalkContext;
  private readonly host: StartHost;
  private readonly given: GivenDescriptors;
  /** By the host file's device and inode, so that `2>&1` is one pipe. */
  private readonly streams: Map<string, HostStreamInode> = new Map();

  constructor(kernel: MachineKernel, context: WalkContext, host: StartHost) {
    this.kernel = kernel;
    this.context = context;
    this.host = host;
    this.given = new GivenDescriptors(host.files, kernel.vfs);
  }

  /** Gives the task a descriptor; one that the host has closed stays closed. */
  open(task: Task, what: StdioOptions, fd: number): void {
    if (what === 'closed') return;
    if (what === 'console') {
      openConsole(this.kernel, task, [fd], '/dev/tty0');
      return;
    }
    const flags = this.host.calls.statusFlags(what.fd);
    const file = flags < 0 ? flags : this.openPassed(task, what.fd, flags & (O_ACCMODE | O_APPEND));
    if (typeof file !== 'number') installAt(task, file, fd);
  }

  private openPassed(task: Task, fd: number, flags: number): File | number {
    const given = this.given.open(fd, flags);
    if (given !== null && typeof given !== 'number') return given;
    const host = HostDescriptor.of(this.host.calls, fd);
    if (typeof host === 'number') return host;
    return this.openDevice(host, flags) ?? this.openStream(task, host, flags);
  }

  /** The machine's own device that corresponds to the host's, or null. */
  private openDevice(host: HostDescriptor, flags: number): File | null {
    const node = isChr(host.stat.mode) ? SAME_DEVICES.get(host.stat.rdev) : undefined;
    const file = node === undefined ? -ENXIO : open(this.kernel.vfs, this.context, null, node, flags, 0);
    if (typeof file === 'number') return null;
    host.close();
    return file;
  }

  private openStream(task: Task, host: HostDescriptor, flags: number): File {
    const { calls, poller } = this.host;
    const key = `${host.stat.dev} ${host.stat.ino}`;
    const inode =
      this.streams.get(key) ?? new HostStreamInode(this.kernel.pipefs, task.cred, host, calls, poller);
    this.streams.set(key, inode);
    return new HostStreamFile(inode, flags, host, poller);
  }
}
