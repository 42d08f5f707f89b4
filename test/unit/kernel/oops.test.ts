/** A bug in a handler costs its task, with words in the log, and no other. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type EngineThread, TRAP_CALL } from '../../../src/engine/engine.ts';
import { Entry, type EntryCall } from '../../../src/kernel/entry.ts';
import type { Task } from '../../../src/kernel/task.ts';
import { FakeMachine } from './machine.ts';

function call(name: string, run: EntryCall['run']): EntryCall {
  return { name, widths: [], needsFrame: false, leavesOpened: false, foregone: null, foreseeable: null, run };
}

/** A thread of the engine that comes with call `nr`. */
function calling(task: Task, nr: number, answers: number[]): EngineThread {
  const thread = {
    owner: task,
    trap: TRAP_CALL,
    nr,
    hasFrame: false,
    runs: false,
    waits: () => {},
    interrupt: () => {},
    answer: (value: number) => answers.push(value),
    cpuTimes: () => ({ user: 0, system: 0 }),
    usage: () => ({ minflt: 0, majflt: 0, processor: 0, rss: 0 }),
    space: { usage: () => ({ peak: 0 }) },
  } as unknown as EngineThread;
  task.thread = thread;
  return thread;
}

const entry = new Entry([
  call('good', () => 42),
  call('throws', () => {
    throw new Error('a bug of ours');
  }),
  call('rejects', () => Promise.reject(new TypeError('a later bug'))),
]);

for (const nr of [1, 2]) {
  test(`a handler that ${nr === 1 ? 'throws' : 'rejects'} ends its task, and the others go on`, async () => {
    const machine = new FakeMachine();
    const logged: string[] = [];
    machine.kernel.printk.log = (_level: number, text: string) => {
      logged.push(text);
    };
    const [bad, good] = [machine.process(machine.init), machine.process(machine.init)];
    const answers: number[] = [];
    entry.trap(calling(bad, nr, answers));
    await Promise.resolve();
    await Promise.resolve();
    assert.equal(bad.state, 'Z');
    assert.deepEqual(answers, []);
    assert.ok(logged.some(line => line.startsWith(`BUG: unhandled exception in system call ${nr}`)));
    assert.ok(logged.some(line => /bug/.test(line)));
    assert.ok(logged.some(line => /^Oops: task .*\[\d+\] killed$/.test(line)));
    Object.assign(good, { user: { flush: () => {} } });
    entry.trap(calling(good, 0, answers));
    assert.deepEqual(answers, [42]);
    assert.notEqual(good.state, 'Z');
  });
}
