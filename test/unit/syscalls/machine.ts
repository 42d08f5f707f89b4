/** A machine for tests of system calls: a real VFS on tmpfs, real tasks, and a program's memory that is an array. */

import { type Cred, ROOT_CRED } from '../../../src/core/cred.ts';
import type { UserMemory } from '../../../src/core/user.ts';
import { WaitQueue } from '../../../src/core/wait.ts';
import { ANON_INODE_FS_MAGIC, AnonSuper, PIPEFS_MAGIC } from '../../../src/fs/anon.ts';
import { mkdir } from '../../../src/fs/create.ts';
import { Path } from '../../../src/fs/dentry.ts';
import { FilesStruct } from '../../../src/fs/fd-table.ts';
import { FsStruct } from '../../../src/fs/fs-struct.ts';
import { lookup } from '../../../src/fs/lookup.ts';
import type { Mount } from '../../../src/fs/mount.ts';
import { makeMount, mount, mountRoot } from '../../../src/fs/mounts.ts';
import { tmpfsType } from '../../../src/fs/tmpfs/super.ts';
import { Vfs } from '../../../src/fs/vfs.ts';
import { EventFd } from '../../../src/ipc/eventfd.ts';
import { InotifyHub } from '../../../src/ipc/inotify-hub.ts';
import { openFifo } from '../../../src/ipc/pipe-file.ts';
import { PipeLimits } from '../../../src/ipc/pipe-limits.ts';
import { SysvIpc } from '../../../src/ipc/sysv/ipc.ts';
import { Accounting } from '../../../src/kernel/accounting.ts';
import { Habits } from '../../../src/kernel/habits/habit.ts';
import type { Kernel } from '../../../src/kernel/kernel.ts';
import { bootLimits } from '../../../src/kernel/rlimit.ts';
import { JobControl } from '../../../src/kernel/session.ts';
import { SigHand } from '../../../src/kernel/sighand.ts';
import { SignalState } from '../../../src/kernel/signal-state.ts';
import { Tally } from '../../../src/kernel/tally.ts';
import { Task } from '../../../src/kernel/task.ts';
import { ThreadGroup } from '../../../src/kernel/thread-group.ts';
import type { UserAccess } from '../../../src/kernel/user-access.ts';
import { Users } from '../../../src/kernel/user-counts.ts';
import { NumberTable } from '../../../src/lib/number-table.ts';
import { type Syscall, WIDTH_INT, WIDTH_ULONG } from '../../../src/syscalls/args.ts';
import { fileCalls } from '../../../src/syscalls/files.ts';
import { EFAULT, ENAMETOOLONG } from '../../../src/uapi/errno.ts';
import { TestRam } from '../fs/machine.ts';
import { FakeTime } from '../ipc/sim.ts';

/** Where a program's memory begins: below, and past its end, is nothing. */
export const BASE = 0x10000;

/** The memory of a test's program. `out` windows are apart from it and copied as the call ends, as the real ones may be. */
export class TestMemory implements UserMemory {
  readonly ram: Uint8Array;
  readonly view: DataView;
  readonly maxWindow: number;
  readonly size: number;
  private windows: { addr: number; at: number; len: number }[] = [];
  private next: number;

  constructor(size: number, maxWindow = 8192) {
    this.size = size;
    this.maxWindow = maxWindow;
    this.ram = new Uint8Array(size * 2 + (1 << 20));
    this.view = new DataView(this.ram.buffer);
    this.next = size;
  }

  gather(): number {
    return -EFAULT;
  }

  in(addr: number, len: number): number {
    if (len > this.maxWindow) throw new Error(`a window of ${len} bytes`);
    return addr >= BASE && addr + len <= BASE + this.size ? addr - BASE : -EFAULT;
  }

  out(addr: number, len: number): number {
    if (this.in(addr, len) < 0) return -EFAULT;
    const at = this.next;
    this.ram.fill(0xee, at, at + len);
    this.windows.push({ addr, at, len });
    this.next += len;
    return at;
  }

  room(addr: number, len: number): number {
    return addr < BASE ? 0 : Math.max(0, Math.min(len, BASE + this.size - addr));
  }

  shrink(len: number): void {
    const latest = this.windows.at(-1);
    if (latest === undefined) throw new Error('shrink without a window');
    latest.len = len;
  }

  string(addr: number, max: number): string | number {
    let text = '';
    for (let at = addr; at < addr + max; at++) {
      if (at < BASE || at >= BASE + this.size) return -EFAULT;
      const byte = this.ram[at - BASE]!;
      if (byte === 0) return text;
      text += String.fromCharCode(byte);
    }
    return -ENAMETOOLONG;
  }

  /** The call has ended. */
  flush(): void {
    for (const { addr, at, len } of this.windows) this.ram.copyWithin(addr - BASE, at, at + len);
    this.windows = [];
    this.next = this.size;
  }
}

export class CallMachine {
  readonly time = new FakeTime();
  readonly vfs: Vfs;
  readonly kernel: Kernel;
  private lastPid = 100;

  constructor() {
    let dev = 0;
    const env = { clock: this.time, ram: new TestRam(), newDev: () => ++dev };
    const vfs = new Vfs(env);
    this.vfs = vfs;
    vfs.registerFileSystem(tmpfsType());
    const pipeLimits = new PipeLimits();
    vfs.openFifo = (inode, flags, { cred }) => openFifo(inode, flags, cred, pipeLimits);
    this.kernel = {
      pipeLimits,
      clock: this.time,
      timers: this.time,
      clockSet: new WaitQueue(),
      vfs,
      pipefs: new AnonSuper('pipefs', PIPEFS_MAGIC, env.newDev(), this.time),
      anonInodes: new AnonSuper('anon_inodefs', ANON_INODE_FS_MAGIC, env.newDev(), this.time),
      shmem: makeMount(vfs, 'tmpfs', 'none', 0, '') as Mount,
      inotify: new InotifyHub(vfs),
      ipc: new SysvIpc(env.ram, () => ({ pid: 1, now: 0 })),
      tasks: new NumberTable(),
      groups: new NumberTable(),
      jobs: new JobControl(),
      users: new Users(),
      tally: new Tally(),
      accounting: new Accounting(),
      habits: new Habits(),
      promiseResolved: () => {},
    } as unknown as Kernel;
    const ns = mountRoot(vfs, 'tmpfs', 'none', 0, '');
    if (typeof ns === 'number') throw new Error(`cannot mount the root: ${ns}`);
    this.root = new Path(ns.root, ns.root.root).get();
  }

  readonly root: Path;

  /** A process in directory /t/here, on a filesystem of its own, with three descriptors that are no files. */
  process(memory: UserMemory = new TestMemory(1 << 16), cred: Cred = ROOT_CRED): Task {
    const { kernel } = this;
    const pid = ++this.lastPid;
    const fs = new FsStruct(this.root, this.root);
    const processGroup = kernel.jobs.newSession(pid);
    const sighand = new SigHand();
    const init = {
      tgid: pid,
      parent: null,
      creator: null,
      copyOf: null,
      processGroup,
      sighand,
      rlimits: bootLimits(100),
      exitSignal: 0,
    };
    const group = new ThreadGroup(init);
    const files = new FilesStruct();
    const task = new Task(kernel, pid, group, {
      comm: 'test',
      cred,
      mm: null,
      files,
      fs,
      user: () => memory as UserAccess,
      signals: new SignalState(group),
    });
    group.addThread(task);
    kernel.tasks.set(pid, task);
    kernel.groups.set(pid, group);
    for (let fd = 0; fd < 3; fd++)
      files.install(new EventFd(kernel.anonInodes.newInode(0o600, cred), 0, 0), false, 3);
    fs.umask = 0;
    if (mkdir(this.vfs, task, null, '/t', 0o777) === 0) {
      mount(this.vfs, task, 'none', '/t', 'tmpfs', 0, '');
      mkdir(this.vfs, task, null, '/t/here', 0o777);
    }
    fs.umask = 0o022;
    const cwd = lookup(this.vfs, task, null, '/t/here', 0);
    if (typeof cwd !== 'number') fs.setCwd(cwd);
    return task;
  }
}

const TABLE: ReadonlyMap<string, Syscall> = new Map(fileCalls.map(row => [row.name, row]));

/** Makes a system call as the dispatcher would; a promise if it has to wait. */
export function syscall(task: Task, name: string, ...args: readonly number[]): number | Promise<number> {
  const row = TABLE.get(name);
  if (row === undefined) throw new Error(`no system call ${name}`);
  const regs = [0, 1, 2, 3, 4, 5].map(i => {
    const value = args[i] ?? 0;
    const width = row.args[i]?.width;
    if (width === WIDTH_INT) return value | 0;
    return width === WIDTH_ULONG && value < 0 ? value + 2 ** 64 : value;
  });
  const flush = (result: number): number => {
    if (task.user instanceof TestMemory) task.user.flush();
    return result;
  };
  const result = row.run(task, regs[0]!, regs[1]!, regs[2]!, regs[3]!, regs[4]!, regs[5]!);
  return typeof result === 'number' ? flush(result) : result.then(flush);
}
