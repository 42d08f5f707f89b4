/** A task as /proc shows it (fs/proc/source.ts has the contract). */
import type { Cred } from '../../core/cred.ts';
import type { Path } from '../../fs/dentry.ts';
import type { FilesStruct } from '../../fs/fd-table.ts';
import type { MountNamespace } from '../../fs/namespace.ts';
import type {
  Bits,
  IdMapping,
  NamespaceKind,
  ProcMm,
  ProcTask,
  TaskIo,
  TaskLimit,
  TaskSignals,
  TaskState,
  TaskSyscall,
  TaskUsage,
} from '../../fs/proc/source.ts';
import { NSIG, SIG_DFL, SIG_IGN } from '../../uapi/signal.ts';
import { settleAlong } from '../along.ts';
import { groupUsage } from '../group-usage.ts';
import { seccompMode } from '../seccomp.ts';
import { SigSet } from '../sigset.ts';
import type { Task } from '../task.ts';
import { namespaceInode, namespaceObject } from './namespaces.ts';
import type { KernelProc } from './proc-source.ts';
import { SortedNumbers } from './sorted.ts';
import { sleepsIn } from './wchan.ts';

/** PF_* of linux/sched.h. */
const PF_EXITING = 0x4;
const PF_FORKNOEXEC = 0x40;
const PF_KTHREAD = 0x200000;
const PF_RANDOMIZE = 0x400000;
const COMM_LEN = 15;
const UNSET = 0xffffffff;
/** The first user namespace: every id is itself (user_namespaces(7)). */
const ALL_IDS: readonly IdMapping[] = [{ inside: 0, outside: 0, count: UNSET }];
/** I/O of programs is not counted. */
const NO_IO: TaskIo = {
  readChars: 0,
  writeChars: 0,
  readCalls: 0,
  writeCalls: 0,
  readBytes: 0,
  writeBytes: 0,
};

export class TaskView implements ProcTask {
  readonly task: Task;
  private readonly source: KernelProc;
  private readonly tids = new SortedNumbers();

  constructor(source: KernelProc, task: Task) {
    this.source = source;
    this.task = task;
  }

  get pid(): number {
    return this.task.pid;
  }

  get tgid(): number {
    return this.task.tgid;
  }

  get ppid(): number {
    return this.task.group.ppid;
  }

  get pgid(): number {
    return this.task.pgid;
  }

  get sid(): number {
    return this.task.session.sid;
  }

  get reaped(): boolean {
    return this.task.state === 'X';
  }

  get state(): TaskState {
    return this.task.state;
  }

  get comm(): string {
    return this.task.comm;
  }

  setComm(name: string): void {
    this.task.comm = name.slice(0, COMM_LEN);
  }

  get cred(): Cred {
    return this.task.cred;
  }

  get dumpable(): boolean {
    return this.task.dumpable === 1;
  }

  get tracer(): number {
    return 0;
  }

  get tty(): number {
    return this.source.terminalOf(this.task)?.rdev ?? 0;
  }

  get foregroundGroup(): number {
    return this.source.terminalOf(this.task)?.foreground ?? -1;
  }

  get flags(): number {
    if (this.task.group.isKernel) return PF_KTHREAD;
    const forked = this.task.group.execed ? 0 : PF_FORKNOEXEC;
    return PF_RANDOMIZE | forked | (this.exited ? PF_EXITING : 0);
  }

  get exitSignal(): number {
    return this.isLeader ? this.task.group.exitSignal : -1;
  }

  get exitCode(): number {
    return this.task.group.zombie ? this.task.group.exitStatus : 0;
  }

  get nice(): number {
    return this.task.attributes.sched.nice;
  }

  get policy(): number {
    return this.task.attributes.sched.policy;
  }

  get rtPriority(): number {
    return this.task.attributes.sched.priority;
  }

  get processor(): number {
    return (this.task.thread?.usage().processor ?? 0) % this.task.kernel.ncpus;
  }

  get cpusAllowed(): readonly number[] {
    const { affinity } = this.task.attributes;
    const all = Array.from({ length: this.task.kernel.ncpus }, (_, cpu) => cpu);
    if (affinity === null) return all;
    return all.filter(cpu => ((affinity[cpu >>> 5] ?? 0) & (1 << (cpu & 31))) !== 0);
  }

  get startTime(): number {
    return this.task.startTime;
  }

  get usage(): TaskUsage {
    return this.task.usageNow();
  }

  get processUsage(): TaskUsage {
    return groupUsage(this.task.group);
  }

  get childUsage(): TaskUsage {
    return this.task.group.childUsage;
  }

  get signals(): TaskSignals {
    const { signals, group, kernel, cred } = this.task;
    const { ignored, caught } = this.dispositions();
    return {
      pending: signals.pending.set,
      shared: group.pending.set,
      blocked: signals.blocked,
      ignored,
      caught,
      queued: kernel.users.of(cred.uid).sigpending,
    };
  }

  get noNewPrivs(): boolean {
    return this.task.attributes.noNewPrivs;
  }

  get seccompMode(): number {
    return seccompMode(this.task.attributes.seccomp);
  }

  get seccompFilters(): number {
    return this.task.attributes.seccomp?.filter?.count ?? 0;
  }

  get personality(): number {
    return this.task.attributes.personality;
  }

  get timerSlack(): number {
    return this.task.attributes.timerSlack;
  }

  set timerSlack(ns: number) {
    const { attributes } = this.task;
    attributes.timerSlack = ns === 0 ? attributes.defaultTimerSlack : ns;
  }

  get umask(): number {
    return this.task.fs.umask;
  }

  get limits(): readonly TaskLimit[] {
    return this.task.group.rlimits;
  }

  get io(): TaskIo {
    return NO_IO;
  }

  get oomScoreAdj(): number {
    return this.task.group.oomScoreAdj;
  }

  set oomScoreAdj(value: number) {
    this.task.group.oomScoreAdj = value;
  }

  get oomScoreAdjMin(): number {
    return this.task.group.oomScoreAdjMin;
  }

  set oomScoreAdjMin(value: number) {
    this.task.group.oomScoreAdjMin = value;
  }

  get loginuid(): number {
    return this.task.attributes.loginuid;
  }

  set loginuid(uid: number) {
    this.task.attributes.loginuid = uid;
  }

  get auditSession(): number {
    return UNSET;
  }

  get wchan(): string {
    const { state, callNumber } = this.task;
    const asleep = state === 'S' || state === 'D';
    return asleep && callNumber >= 0 ? sleepsIn(callNumber) : '';
  }

  get syscall(): TaskSyscall | null {
    const { state, thread, callNumber, callArgs } = this.task;
    if (thread === null || state === 'R') return null;
    return { number: callNumber, args: callArgs, sp: thread.stackPointer, pc: thread.programCounter };
  }

  get cgroup(): string {
    return '0::/\n';
  }

  get mm(): ProcMm | null {
    const { mm, follower } = this.task;
    follower?.recall();
    return mm === null ? null : this.source.mmView(mm);
  }

  get cwd(): Path | null {
    return this.exited ? null : this.task.cwd;
  }

  get root(): Path | null {
    return this.exited ? null : this.task.root;
  }

  get files(): FilesStruct | null {
    settleAlong(this.task);
    return this.exited ? null : this.task.files;
  }

  get threadCount(): number {
    const { threads, zombie } = this.task.group;
    return zombie || !threads.has(this.task.group.leader) ? threads.size + 1 : threads.size;
  }

  /** The leader is listed until its process has been waited for. */
  nextThread(tid: number): ProcTask | null {
    const { group, kernel } = this.task;
    const stamp = `${group.threads.size} ${kernel.tally.forks}`;
    const next = this.tids.next(
      tid,
      stamp,
      () => new Set([group.leader.pid, ...[...group.threads].map(t => t.pid)]),
    );
    return next < 0 ? null : this.source.task(next);
  }

  get children(): readonly number[] {
    const { group } = this.task;
    return [...group.children].filter(child => child.creator === this.task).map(child => child.tgid);
  }

  get mountNamespace(): MountNamespace {
    return (this.task.namespace ?? this.source.root.mount.namespace)!;
  }

  namespace(kind: NamespaceKind): number {
    return namespaceInode(kind, this.task, this.mountNamespace);
  }

  namespaceObject(kind: NamespaceKind): object | null {
    return namespaceObject(kind, this.task, this.mountNamespace);
  }

  get uidMap(): readonly IdMapping[] {
    return ALL_IDS;
  }

  get gidMap(): readonly IdMapping[] {
    return ALL_IDS;
  }

  private get isLeader(): boolean {
    return this.task.group.leader === this.task;
  }

  private get exited(): boolean {
    return this.task.state === 'Z' || this.task.state === 'X';
  }

  private dispositions(): { ignored: Bits; caught: Bits } {
    const [ignored, caught] = [new SigSet(), new SigSet()];
    for (let signal = 1; signal <= NSIG; signal++) {
      const { handler } = this.task.group.sighand.get(signal);
      if (handler === SIG_IGN) ignored.add(signal);
      else if (handler !== SIG_DFL) caught.add(signal);
    }
    return { ignored, caught };
  }
}
