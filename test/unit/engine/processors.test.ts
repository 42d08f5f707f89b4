/** A guest thread that keeps asking from the kernel's processor is sent to another one, and to nobody else's. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FILE, GLOBAL } from '../../../src/engine/native/layout.ts';
import type { MemoryFile } from '../../../src/engine/native/memory-file.ts';
import { Processors } from '../../../src/engine/native/processors.ts';
import type { Libc } from '../../../src/host/libc.ts';

const SETAFFINITY = 203;
const GETAFFINITY = 204;

/** Two processors, the kernel's among them; what was asked of the host: thread and mask. */
function host(mask = 3) {
  const bytes = new Uint8Array(FILE.FILE_SCRATCH + 0x1000);
  const memory = { bytes, view: new DataView(bytes.buffer), address: 0 } as unknown as MemoryFile;
  const asked: [number, number][] = [];
  const syscall = (nr: number, tid: number, _size: number, at: number): number => {
    if (nr === GETAFFINITY) bytes[at] = mask;
    if (nr === SETAFFINITY) asked.push([tid, bytes[at]!]);
    return 0;
  };
  const processors = new Processors({ syscall } as unknown as Libc, memory);
  processors.chooseForGuests(2);
  processors.keepKernel();
  asked.length = 0;
  return { processors, asked, others: mask & ~(1 << processors.kernel), memory };
}

const self = process.pid;

test('who asks often enough, without others in between', () => {
  const { processors } = host();
  const [one, other] = [{}, {}];
  const asks = (who: object, times: number): boolean[] =>
    Array.from({ length: times }, () => processors.isCrowded(who));
  assert.ok(!asks(one, 63).includes(true));
  assert.ok(!asks(other, 1).includes(true));
  assert.ok(!asks(one, 63).includes(true), 'counted from the beginning');
  assert.deepEqual(asks(one, 1), [true]);
});

test('away, and free to go anywhere a little later', () => {
  const { processors, asked, others, memory } = host();
  processors.sendAway(self, self, 1000);
  assert.deepEqual(asked, [[self, others]]);
  const one = {};
  for (let i = 0; i < 200; i++) assert.equal(processors.isCrowded(one), false, 'one at a time');
  processors.settle(2000);
  assert.equal(asked.length, 1);
  processors.settle(2_000_000);
  assert.deepEqual(asked[1], [self, memory.bytes[GLOBAL.G_AFFINITY]]);
  processors.settle(9_000_000);
  assert.equal(asked.length, 2);
});

test('only a thread of the guest’s process, and only where there is another processor', () => {
  const { processors, asked } = host();
  processors.sendAway(self, 1, 1000);
  processors.sendAway(0, self, 1000);
  processors.sendAway(self, -1, 1000);
  assert.deepEqual(asked, []);
  const alone = host(1);
  alone.processors.sendAway(self, self, 1000);
  assert.deepEqual(alone.asked, []);
});
