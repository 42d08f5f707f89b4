/** A process that ended by itself, and died before its exit_group was heard. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FILE, SLOT } from '../../../src/engine/native/layout.ts';
import { createMemoryFile } from '../../../src/engine/native/memory-file.ts';
import type { NativeEngine } from '../../../src/engine/native/native-engine.ts';
import type { NativeSpace } from '../../../src/engine/native/native-space.ts';
import { NativeThread } from '../../../src/engine/native/native-thread.ts';
import { KIND, STATE } from '../../../src/engine/native/words.ts';
import { openLibc } from '../../../src/host/libc.ts';
import { Entry } from '../../../src/kernel/entry.ts';
import { SIGKILL } from '../../../src/uapi/signal.ts';
import { FakeMachine } from '../kernel/machine.ts';

const EXIT_GROUP = 231;
const FORK = 57;

interface Said {
  readonly kind?: number;
  readonly state?: number;
  readonly nr?: number;
  readonly runs?: boolean;
}

/** A thread whose slot has these words, with 7 for the call's first argument, when its process has died. */
function died({
  kind = KIND.K_LAST,
  state = STATE.ST_REQUEST,
  nr = EXIT_GROUP,
  runs = true,
}: Said): NativeThread {
  const memory = createMemoryFile(openLibc(), 1 << 20);
  assert.ok(typeof memory === 'object', String(memory));
  const engine = { memory, foresight: false, plans: [] } as unknown as NativeEngine;
  const thread = new NativeThread(engine, {} as NativeSpace, FILE.FILE_SLOTS, 0);
  const put = (field: number, value: number): void => memory.view.setInt32(thread.slot + field, value, true);
  put(SLOT.S_STATE, state);
  put(SLOT.S_KIND, kind);
  put(SLOT.S_NR, nr);
  put(SLOT.S_ARGS, 7);
  if (runs) thread.runningIndex = 0;
  thread.ended();
  thread.runningIndex = -1;
  return thread;
}

test('what it exited with is what it said last', () => {
  assert.equal(died({}).exitCode, 7);
});

test('who said nothing, or something else, or was answered, was killed', () => {
  for (const said of [
    { kind: KIND.K_FAST },
    { kind: KIND.K_CALL },
    { state: STATE.ST_ANSWER },
    { state: STATE.ST_WAIT },
    { nr: FORK },
    { nr: -1 },
    { runs: false },
  ])
    assert.equal(died(said).exitCode, null, JSON.stringify(said));
});

test('the parent is told so', () => {
  const entry = new Entry([]);
  for (const [said, status] of [
    [{}, 7 << 8],
    [{ nr: FORK }, SIGKILL],
  ] as const) {
    const machine = new FakeMachine();
    const task = machine.process(machine.init);
    const thread = died(said);
    const usage = { minflt: 0, majflt: 0, processor: 0, rss: 0 };
    const space = { usage: () => ({ peak: 0 }) };
    Object.assign(thread, {
      owner: task,
      space,
      cpuTimes: () => ({ user: 0, system: 0 }),
      usage: () => usage,
    });
    task.thread = thread;
    entry.died(thread);
    assert.equal(task.group.exitStatus, status);
  }
});
