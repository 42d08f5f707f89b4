import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import type { EngineThread } from '../../../src/engine/engine.ts';
import { openLibc } from '../../../src/host/libc.ts';
import { CPUCLOCK_SCHED, HostProcFiles } from '../../../src/host/proc-files.ts';
import { exitTask, reap } from '../../../src/kernel/exit.ts';
import { LoadAverages } from '../../../src/kernel/proc/load.ts';
import {
  type KernelProc,
  type ProcFacts,
  KernelProc as Source,
} from '../../../src/kernel/proc/proc-source.ts';
import { SortedNumbers } from '../../../src/kernel/proc/sorted.ts';
import type { Task } from '../../../src/kernel/task.ts';
import { RLIMIT_CPU } from '../../../src/uapi/resource.ts';
import { SIGKILL, SIGXCPU } from '../../../src/uapi/signal.ts';
import { FakeMachine } from './machine.ts';

const SECOND = 1e9;

const sourceOf = (machine: FakeMachine): KernelProc => new Source(machine.kernel, {} as ProcFacts);

function listed(source: KernelProc): number[] {
  const pids: number[] = [];
  for (let task = source.nextProcess(0); task !== null; task = source.nextProcess(task.pid + 1))
    pids.push(task.pid);
  return pids;
}

/** Gives a task a thread of the engine that has used so much. */
function using(task: Task, times: { user: number; system: number }): void {
  const usage = { minflt: 3, majflt: 1, processor: 0, rss: 4096 };
  const space = { usage: () => ({ peak: 1 << 20 }) };
  const thread = { cpuTimes: () => times, usage: () => usage, interrupt: () => {}, space };
  task.thread = thread as unknown as EngineThread;
}

test('processes are listed in order, as they come and go', () => {
  const machine = new FakeMachine();
  const source = sourceOf(machine);
  const children = [1, 2, 3].map(() => machine.process(machine.init));
  const thread = machine.thread(children[1]!);
  const pids = (): number[] => [machine.init, ...children].map(task => task.pid);
  assert.deepEqual(listed(source), pids());
  assert.equal(source.task(thread.pid)?.tgid, children[1]!.pid);
  const gone = children.splice(0, 1)[0]!;
  exitTask(gone, 0);
  assert.ok(listed(source).includes(gone.pid), 'a zombie is still there');
  const view = source.task(gone.pid)!;
  assert.deepEqual([view.state, view.mm, view.files, view.cwd, view.reaped], ['Z', null, null, null, false]);
  reap(gone.group);
  assert.equal(view.reaped, true);
  assert.deepEqual(listed(source), pids());
});

test('a task and its threads are one object each time', () => {
  const machine = new FakeMachine();
  const source = sourceOf(machine);
  const other = machine.thread(machine.init);
  const leader = source.task(machine.init.pid)!;
  assert.equal(source.task(machine.init.pid), leader);
  assert.equal(leader.threadCount, 2);
  assert.equal(leader.nextThread(0), leader);
  assert.equal(leader.nextThread(leader.pid + 1), source.task(other.pid));
  assert.equal(leader.nextThread(other.pid + 1), null);
  exitTask(other, 0);
  assert.equal(leader.nextThread(leader.pid + 1), null);
  assert.equal(leader.threadCount, 1);
});

test('the next number is the least, whatever the order', () => {
  const sorted = new SortedNumbers();
  let set = new Set([50, 3, 20]);
  let asked = 0;
  const all = (): Iterable<number> => {
    asked++;
    return set;
  };
  assert.deepEqual(
    [0, 3, 4, 20, 21, 51].map(from => sorted.next(from, 'a', all)),
    [3, 3, 20, 20, 50, -1],
  );
  assert.equal(asked, 1);
  set = new Set([7]);
  assert.equal(sorted.next(0, 'b', all), 7);
});

test('load averages come near what runs, the shorter the sooner', () => {
  const machine = new FakeMachine();
  let running = 2;
  const loads = new LoadAverages(machine.kernel.clock, machine.timers, () => running);
  assert.deepEqual(loads.values, [0, 0, 0]);
  machine.advance(60 * SECOND);
  const [one, five, fifteen] = loads.values;
  assert.ok(Math.abs(one - 2 * (1 - Math.exp(-1))) < 1e-9, String(one));
  assert.ok(one > five && five > fifteen && fifteen > 0);
  running = 0;
  machine.advance(3600 * SECOND);
  assert.ok(loads.values[0] < 0.001);
});

test('what a thread has used stays with its task, its process and the machine', () => {
  const machine = new FakeMachine();
  const task = machine.process(machine.init);
  machine.advance(SECOND);
  using(task, { user: 3 * SECOND, system: SECOND });
  assert.deepEqual(task.cpuTimes(), { user: 3 * SECOND, system: SECOND });
  task.settleUsage();
  using(task, { user: SECOND, system: 0 });
  assert.deepEqual(task.cpuTimes(), { user: 4 * SECOND, system: SECOND });
  exitTask(task, 0);
  const { user, system, minflt, majflt, maxrss } = task.group.usage;
  assert.deepEqual(
    { user, system, minflt, majflt, maxrss },
    { user: 4e9, system: 1e9, minflt: 6, majflt: 2, maxrss: 1024 },
  );
  assert.equal(machine.kernel.tally.ended.user, 4e9);
});

test('RLIMIT_CPU warns each second and kills in the end', () => {
  const machine = new FakeMachine();
  const task = machine.process(machine.init);
  const times = { user: 0, system: 0 };
  using(task, times);
  const { group } = task;
  group.rlimits[RLIMIT_CPU] = { soft: 1, hard: 3 };
  group.timers.cpuLimit.watch(group);
  const pendingAfter = (seconds: number): number[] => {
    times.user = seconds * SECOND;
    machine.advance(4 * SECOND);
    const sent = [SIGXCPU, SIGKILL].filter(
      signal => group.pending.has(signal) || task.signals.pending.has(signal),
    );
    group.pending.clear();
    return sent;
  };
  assert.deepEqual(pendingAfter(0.9), []);
  assert.deepEqual(pendingAfter(1.1), [SIGXCPU]);
  assert.deepEqual(pendingAfter(1.9), []);
  assert.deepEqual(pendingAfter(2.1), [SIGXCPU]);
  assert.deepEqual(pendingAfter(3.1), [SIGKILL]);
});

test("the host's files and processor clocks of a process", () => {
  const files = new HostProcFiles(openLibc());
  const stat = files.text(`/proc/${process.pid}/stat`)!;
  assert.equal(stat.split(' ')[0], String(process.pid));
  assert.equal(files.text('/proc/self/comm'), readFileSync('/proc/self/comm', 'latin1'));
  assert.equal(files.text('/proc/nothing'), null);
  const before = files.clock(process.pid, CPUCLOCK_SCHED);
  for (let i = 0; i < 1e6; i++) Math.sqrt(i);
  const used = files.clock(process.pid, CPUCLOCK_SCHED) - before;
  assert.ok(before > 0 && used > 0 && used < 60 * SECOND);
  assert.equal(files.clock(4194303, CPUCLOCK_SCHED), 0);
});
