/**
 * Core dumps (core(5)): before a signal with that action ends a process, its memory and its threads' registers are
 * written to a file.
 *
 * The other threads are stopped meanwhile; SIGKILL ends the dump. It is written in pieces, so that other tasks' calls
 * are answered in between.
 */
import {
  extendedState,
  headersSize,
  mappedFiles,
  NT_AUXV,
  NT_FILE,
  NT_PRFPREG,
  NT_PRPSINFO,
  NT_PRSTATUS,
  NT_SIGINFO,
  NT_X86_XSTATE,
  note,
  type ProcessIds,
  prpsinfo,
  prstatus,
  userRegisters,
  writeHeaders,
} from '../arch/x86_64/core-file.ts';
import { setSize } from '../fs/attr.ts';
import { pathString } from '../fs/d-path.ts';
import type { File } from '../fs/file.ts';
import { open } from '../fs/open.ts';
import { unlink } from '../fs/remove.ts';
import { int64Bytes } from '../lib/int64.ts';
import { latin1 } from '../lib/latin1.ts';
import type { Mm } from '../mm/mm.ts';
import { PAGE_SIZE, pageDown, pageUp } from '../mm/ram.ts';
import type { Vma } from '../mm/vma.ts';
import { O_CREAT, O_EXCL, O_LARGEFILE, O_NOFOLLOW, O_WRONLY } from '../uapi/fcntl.ts';
import { RLIMIT_CORE, RLIMIT_FSIZE } from '../uapi/resource.ts';
import { SIGINFO_SIZE, type SignalInfo } from '../uapi/siginfo.ts';
import { isReg } from '../uapi/stat.ts';
import { type DumpedArea, dumpedAreas, presentRuns, vdsoArea } from './core-memory.ts';
import { coreName } from './core-pattern.ts';
import { FileBacking } from './file-backing.ts';
import type { Task } from './task.ts';
import { utsOf } from './uts.ts';

/** The least limit, bytes, for which a file is written. */
const LEAST = PAGE_SIZE;
const PIECE = 1 << 20;
/** Time, ns, of writing without a pause. */
const LONGEST_TURN = 5e6;
/** A longer list of mapped files is left out, as on Linux. */
const LONGEST_NOTE = 4 << 20;
/** Time, ns, that the other threads have to stop. */
const PATIENCE = 1e9;
/** Bytes of arguments to record. */
const PSARGS = 80;

/** Writes the core file of `task`'s process, which `info` ends; returns whether there is one now. */
export async function dumpCore(task: Task, info: SignalInfo, call: number): Promise<boolean> {
  const { group, mm } = task;
  if (mm === null || group.dumping !== null || !mayDump(task)) return false;
  group.dumping = task;
  group.stopping = true;
  await othersStandStill(task);
  const file = group.exiting === null ? createFile(task, info.signo) : null;
  if (file === null) return false;
  const done = await new CoreWriter(task, mm, file).write(info, call);
  file.put();
  return done;
}

/** Whether the limits and PR_SET_DUMPABLE (prctl(2)) allow a dump. */
const mayDump = (task: Task): boolean => task.dumpable === 1 && sizeLimit(task) >= LEAST;

const sizeLimit = (task: Task): number => Math.min(task.rlimit(RLIMIT_CORE), task.rlimit(RLIMIT_FSIZE));

/** A thread that does not stop in time is dumped as it was last seen. */
async function othersStandStill(task: Task): Promise<void> {
  const { group, kernel } = task;
  const deadline = kernel.clock.monotonic() + PATIENCE;
  for (const other of group.threads) if (other !== task) other.wakeForSignal();
  const isDone = (): boolean =>
    group.exiting !== null || [...group.threads].every(one => one === task || one.signals.unpark !== null);
  while (!isDone() && kernel.clock.monotonic() < deadline) await pause(task, 1e6);
}

function pause(task: Task, ns: number): Promise<void> {
  const { timers, clock } = task.kernel;
  return new Promise(resolve => {
    timers.at(clock.monotonic() + ns, () => {
      task.kernel.promiseResolved();
      resolve();
    });
  });
}

/** A new file, so that no other process has it open; null if it cannot be made. */
function createFile(task: Task, signal: number): File | null {
  const { vfs } = task.kernel;
  const name = nameOfCore(task, signal);
  if (name === '') return null;
  unlink(vfs, task, null, name);
  const file = open(vfs, task, null, name, O_CREAT | O_EXCL | O_WRONLY | O_NOFOLLOW | O_LARGEFILE, 0o600);
  if (typeof file === 'number') return null;
  if (isReg(file.inode.mode) && file.inode.nlink === 1) return file;
  file.put();
  return null;
}

function nameOfCore(task: Task, signal: number): string {
  const { kernel, group, cred, mm } = task;
  const exe =
    mm?.exe instanceof FileBacking && mm.exe.path !== null ? pathString(mm.exe.path, task.root) : '';
  return coreName(kernel.core, {
    pid: group.tgid,
    tid: task.pid,
    uid: cred.uid,
    gid: cred.gid,
    dumpable: task.dumpable,
    signal,
    time: kernel.clock.realtime().sec,
    hostname: utsOf(task).nodename,
    comm: task.comm,
    exe,
    limit: task.rlimit(RLIMIT_CORE),
  });
}

class CoreWriter {
  private readonly task: Task;
  private readonly mm: Mm;
  private readonly file: File;
  private readonly limit: number;
  private written = 0;
  /** When other tasks last had their turn, ns. */
  private turn = 0;

  constructor(task: Task, mm: Mm, file: File) {
    this.task = task;
    this.mm = mm;
    this.file = file;
    this.limit = sizeLimit(task);
  }

  /** A file that the limit has cut short still counts as a core file. */
  async write(info: SignalInfo, call: number): Promise<boolean> {
    const { vdso } = this.task.kernel.engine;
    const areas = [...dumpedAreas(this.mm, isOfFile), ...vdsoArea(this.mm, vdso)];
    const notes = this.notes(info, call);
    const notesSize = notes.reduce((sum, one) => sum + one.length, 0);
    const first = pageUp(headersSize(areas.length) + notesSize);
    let offset = first;
    const segments = areas.map(({ vma, address, length, size }) => {
      offset += size;
      return { address, length, offset: offset - size, size, prot: vma.prot };
    });
    let at = 0;
    let goesOn = true;
    for (const bytes of [writeHeaders(segments, notesSize), ...notes]) {
      goesOn &&= this.put(bytes, at);
      at += bytes.length;
    }
    for (const [i, area] of areas.entries()) goesOn &&= await this.area(area, segments[i]!.offset);
    if (goesOn && this.written < this.limit)
      setSize(this.task.kernel.vfs, this.task, this.file.inode, null, offset);
    return this.task.group.exiting === null;
  }

  private async area(area: DumpedArea, offset: number): Promise<boolean> {
    const bytes = new Uint8Array(PIECE);
    for (const { from, to } of presentRuns(this.mm, area, PIECE)) {
      if (to > from && !this.copy(from, bytes.subarray(0, to - from), offset + (from - area.address)))
        return false;
      await this.letOthers();
      if (this.task.group.exiting !== null) return false;
    }
    return true;
  }

  /** Pages that cannot be read become a hole. */
  private copy(address: number, piece: Uint8Array, at: number): boolean {
    this.mm.populate(address, piece.length);
    const n = this.mm.space.peek(address, piece);
    return n <= 0 || this.put(piece.subarray(0, n), at);
  }

  private async letOthers(): Promise<void> {
    const { clock } = this.task.kernel;
    if (clock.monotonic() - this.turn < LONGEST_TURN) return;
    await pause(this.task, 0);
    this.turn = clock.monotonic();
  }

  /** Writes what the limit allows, cut to whole pages; returns whether that was all. */
  private put(bytes: Uint8Array, at: number): boolean {
    const room = this.limit - this.written;
    const length = bytes.length <= room ? bytes.length : pageDown(room);
    if (length <= 0) return false;
    const n = this.file.write(bytes, 0, length, at);
    this.written += Math.max(n, 0);
    return n === bytes.length;
  }

  private notes(info: SignalInfo, call: number): Uint8Array[] {
    const { task, mm } = this;
    const siginfo = new Uint8Array(SIGINFO_SIZE);
    info.write(new DataView(siginfo.buffer), 0);
    const [status, ...state] = threadNotes(task, info.signo, call);
    const others = [...task.group.threads].filter(one => one !== task);
    return [
      status!,
      note('CORE', NT_PRPSINFO, processInfo(task, mm)),
      note('CORE', NT_SIGINFO, siginfo),
      note('CORE', NT_AUXV, int64Bytes(mm.auxv)),
      ...this.files(),
      ...state,
      ...others.flatMap(one => threadNotes(one, info.signo, -1)),
    ];
  }

  private files(): Uint8Array[] {
    const files = [];
    let length = 0;
    for (const { start, end, pos, backing } of this.mm.vmas) {
      if (!(backing instanceof FileBacking) || backing.path === null) continue;
      const name = pathString(backing.path, this.task.root);
      length += name.length;
      if (length > LONGEST_NOTE) return [];
      files.push({ start, end, page: pos / PAGE_SIZE, name });
    }
    return [note('CORE', NT_FILE, mappedFiles(files, PAGE_SIZE))];
  }
}

/** Files with names: what tmpfs keeps for shared memory has none (memfd included, as on Linux). */
function isOfFile({ backing }: Vma): boolean {
  return backing instanceof FileBacking && backing.file.inode.nlink > 0;
}

const idsOf = ({ pid, group }: Task): ProcessIds => ({
  pid,
  ppid: group.ppid,
  pgid: group.pgid,
  sid: group.session.sid,
});

/** NT_PRSTATUS, then its extended state; nothing for a thread whose registers are not at hand. */
function threadNotes(task: Task, signal: number, call: number): Uint8Array[] {
  const { thread, signals, group, kernel } = task;
  if (thread === null || !thread.hasFrame) return [];
  const { view, bytes } = kernel.memory;
  const extended = extendedState(view, bytes, thread.fpstate, thread.fpstateSize);
  const { user, system } = task.cpuTimes();
  const status = prstatus({
    ...idsOf(task),
    signal,
    pending: signals.pending.set,
    blocked: signals.blocked,
    user,
    system,
    childUser: group.childUsage.user,
    childSystem: group.childUsage.system,
    registers: userRegisters(view, thread, call),
    hasExtended: extended !== null,
  });
  const notes = [note('CORE', NT_PRSTATUS, status)];
  if (extended !== null) notes.push(note('CORE', NT_PRFPREG, extended.fpregs));
  if (extended !== null && extended.xstate !== null)
    notes.push(note('LINUX', NT_X86_XSTATE, extended.xstate));
  return notes;
}

function processInfo(task: Task, mm: Mm): Uint8Array {
  const { cred, group, attributes, comm } = task;
  const args = new Uint8Array(Math.max(0, Math.min(PSARGS, mm.argEnd - mm.argStart)));
  const n = Math.max(0, mm.space.peek(mm.argStart, args));
  return prpsinfo({
    ...idsOf(group.leader),
    nice: attributes.sched.nice,
    flags: 0,
    uid: cred.uid,
    gid: cred.gid,
    comm,
    args: latin1(args, 0, n).replaceAll('\0', ' ').trimEnd(),
  });
}
