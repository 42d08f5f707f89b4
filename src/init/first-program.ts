/** The first program: its task, its descriptors, its start (init/options.ts, InitOptions). */
import type { Cred } from '../core/cred.ts';
import { CAPS_NONE, ROOT_CRED } from '../core/cred.ts';
import { chmod, chown } from '../fs/attr.ts';
import type { WalkContext } from '../fs/context.ts';
import { FilesStruct } from '../fs/fd-table.ts';
import type { File } from '../fs/file.ts';
import { FsStruct } from '../fs/fs-struct.ts';
import { lookup } from '../fs/lookup.ts';
import { LOOKUP_DIRECTORY, LOOKUP_FOLLOW } from '../fs/namei.ts';
import { open } from '../fs/open.ts';
import { REGISTERS_SET } from '../kernel/entry.ts';
import { execve } from '../kernel/exec.ts';
import { registerTask } from '../kernel/exit.ts';
import { bootLimits } from '../kernel/rlimit.ts';
import { SigHand } from '../kernel/sighand.ts';
import { SignalState } from '../kernel/signal-state.ts';
import { newSpaceFor } from '../kernel/spaces.ts';
import { Task } from '../kernel/task.ts';
import { ThreadGroup } from '../kernel/thread-group.ts';
import { UserAccess } from '../kernel/user-access.ts';
import { ENOENT } from '../uapi/errno.ts';
import { O_RDWR } from '../uapi/fcntl.ts';
import { SIGCHLD } from '../uapi/signal.ts';
import { logInit } from './boot-log.ts';
import { execTrouble, inWords } from './exec-trouble.ts';
import type { MachineKernel } from './machine-kernel.ts';
import type { InitOptions, Panic, UserOptions } from './options.ts';

const MANY = 1 << 30;
/** devpts is mounted with this gid, too. */
const TTY_GROUP = 5;
const DEFAULT_INITS = ['/sbin/init', '/etc/init', '/bin/init', '/bin/sh'];

/** A process made by the kernel, without a program yet. */
export function newProcess(
  kernel: MachineKernel,
  ctx: WalkContext,
  parent: ThreadGroup | null,
  cred: Cred,
): Task {
  const pid = kernel.pids.alloc();
  const { thread, mm } = newSpaceFor(kernel);
  const session = kernel.jobs.newSession(pid);
  const group = new ThreadGroup({
    tgid: pid,
    parent,
    creator: null,
    copyOf: null,
    processGroup: session,
    sighand: new SigHand(),
    rlimits: bootLimits(Math.max(1024, Math.floor(kernel.ram.totalPages / 8))),
    exitSignal: SIGCHLD,
  });
  session.session.leader = group;
  const task = new Task(kernel, pid, group, {
    comm: 'swapper',
    cred,
    mm,
    files: new FilesStruct(),
    fs: new FsStruct(ctx.root, ctx.cwd),
    user: t => new UserAccess(kernel.memory.bytes, kernel.memory.view, t),
    signals: new SignalState(group),
  });
  task.thread = thread;
  thread.owner = task;
  registerTask(task);
  return task;
}

/**
 * The kernel as process 1, for machines that run one command. Its task is only for show and never runs; its children
 * are reaped as they end.
 */
export function newKernelProcess(kernel: MachineKernel, ctx: WalkContext): ThreadGroup {
  const pid = kernel.pids.alloc();
  const session = kernel.jobs.newSession(pid);
  const group = new ThreadGroup({
    tgid: pid,
    parent: null,
    creator: null,
    copyOf: null,
    processGroup: session,
    sighand: new SigHand(),
    rlimits: bootLimits(1024),
    exitSignal: 0,
  });
  group.isKernel = true;
  session.session.leader = group;
  const task = new Task(kernel, pid, group, {
    comm: 'linux',
    cred: ROOT_CRED,
    mm: null,
    files: new FilesStruct(),
    fs: new FsStruct(ctx.root, ctx.cwd),
    user: t => new UserAccess(kernel.memory.bytes, kernel.memory.view, t),
    signals: new SignalState(group),
  });
  task.state = 'S';
  group.setLeader(task);
  kernel.groups.set(pid, group);
  kernel.tasks.set(pid, task);
  return group;
}

export function credOf(user: UserOptions): Cred {
  const { uid, gid, groups } = user;
  const caps = uid === 0 ? {} : { effective: CAPS_NONE, permitted: CAPS_NONE };
  return {
    ...ROOT_CRED,
    ...caps,
    uid,
    euid: uid,
    suid: uid,
    fsuid: uid,
    gid,
    egid: gid,
    sgid: gid,
    fsgid: gid,
    groups,
  };
}

/**
 * Opens the console as these descriptors. /dev/console does not become a controlling terminal (init's children
 * share it). A command gets the console by its terminal's name, which does, and owns it, as after login(1).
 */
export function openConsole(
  kernel: MachineKernel,
  task: Task,
  fds: readonly number[],
  node = '/dev/console',
): void {
  const { root, cwd, namespace, clock, current, cred } = task;
  const superuser: WalkContext = { cred: ROOT_CRED, root, cwd, namespace, umask: 0, clock, current };
  const path = lookup(kernel.vfs, superuser, null, node, LOOKUP_FOLLOW);
  if (typeof path === 'number') return;
  if (cred.uid !== 0) {
    chown(kernel.vfs, superuser, path, cred.uid, TTY_GROUP);
    chmod(kernel.vfs, superuser, path, 0o620);
  }
  path.put();
  const file = open(kernel.vfs, superuser, null, node, O_RDWR, 0);
  if (typeof file === 'number') return;
  for (const fd of fds) installAt(task, file.get(), fd);
  file.put();
}

/** Takes the caller's reference. */
export function installAt(task: Task, file: File, fd: number): void {
  task.files.install(file, false, MANY, fd);
}

/** Starts init; null, or why none could be started. */
export async function startInit(
  task: Task,
  init: Extract<InitOptions, { type: 'init' }>,
): Promise<Pick<Panic, 'reason' | 'hint'> | null> {
  const candidates = init.path === null ? DEFAULT_INITS : [init.path];
  for (const path of candidates) {
    const argv = [path, ...init.args];
    logInit(task.kernel.printk, path, argv, init.envp);
    const result = await exec(task, path, argv, init.envp);
    if (result === 0) return null;
    if (init.path !== null) {
      const hint = `init=${path}: ${execTrouble(task, path, result)}`;
      return { reason: `Requested init ${path} failed (error ${result}).`, hint };
    }
  }
  const hint = `no program in this root to start with (${DEFAULT_INITS.join(', ')}); init=PATH names another`;
  return { reason: 'No working init found.  Try passing init= option to kernel.', hint };
}

/** Starts the command; null, or what is wrong and the status that a shell would give. */
export async function startCommand(
  kernel: MachineKernel,
  task: Task,
  command: Extract<InitOptions, { type: 'command' }>,
): Promise<{ message: string; status: number } | null> {
  const dir = lookup(kernel.vfs, task, null, command.cwd, LOOKUP_FOLLOW | LOOKUP_DIRECTORY);
  if (typeof dir === 'number') return { message: `--workdir ${command.cwd}: ${inWords(dir)}`, status: 126 };
  task.fs.setCwd(dir);
  const name = command.argv[0] ?? '';
  let worst = { path: name, errno: -ENOENT };
  for (const path of candidatesOf(name, command.envp)) {
    const errno = await exec(task, path, command.argv, command.envp);
    if (errno === 0) {
      logInit(kernel.printk, path, command.argv, command.envp);
      return null;
    }
    if (errno !== -ENOENT || exists(task, path)) worst = { path, errno };
  }
  const { path, errno } = worst;
  if (errno !== -ENOENT || exists(task, path))
    return { message: `${name || '""'}: ${execTrouble(task, path, errno)}`, status: 126 };
  const trouble = name === '' || name.includes('/') ? inWords(errno) : 'command not found in PATH';
  return { message: `${name || '""'}: ${trouble}`, status: 127 };
}

const exists = (task: Task, path: string): boolean =>
  typeof lookup(task.kernel.vfs, task, null, path, LOOKUP_FOLLOW) !== 'number';

function candidatesOf(name: string, envp: readonly string[]): string[] {
  if (name === '' || name.includes('/')) return [name];
  const path = envp.find(e => e.startsWith('PATH='))?.slice(5) ?? '/usr/local/bin:/usr/bin:/bin';
  return path.split(':').map(dir => (dir === '' ? name : `${dir}/${name}`));
}

async function exec(
  task: Task,
  path: string,
  argv: readonly string[],
  envp: readonly string[],
): Promise<number> {
  const name = { at: null, filename: path, calledAs: path, isLost: false, flags: LOOKUP_FOLLOW };
  const result = await execve(task, { ...name, argv, envp });
  if (result !== REGISTERS_SET) return result;
  task.kernel.observer?.started(task, path, argv, envp);
  task.thread?.resume();
  return 0;
}
