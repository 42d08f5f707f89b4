import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ROOT_CRED } from '../../../src/core/cred.ts';
import { QueueLimits } from '../../../src/ipc/mqueue.ts';
import { PipeLimits } from '../../../src/ipc/pipe-limits.ts';
import type { Kernel } from '../../../src/kernel/kernel.ts';
import { fileSysctls } from '../../../src/kernel/proc/file-sysctls.ts';
import { EINVAL } from '../../../src/uapi/errno.ts';
import { FakeMachine } from './machine.ts';

const kernelOf = (m: FakeMachine): Kernel =>
  Object.assign(m.kernel, {
    fileLimits: { nrOpen: 1 << 20 },
    pipeLimits: new PipeLimits(),
    queueLimits: new QueueLimits(),
  });

function setting(kernel: Kernel, name: string) {
  const found = fileSysctls(kernel).find(({ path }) => path === `fs/${name}`)!;
  return { set: (text: string) => found.set!(text, ROOT_CRED), get: () => found.get() };
}

test('fs.pipe-max-size is a power of two of pages', () => {
  const size = setting(kernelOf(new FakeMachine()), 'pipe-max-size');
  for (const [given, kept] of [
    ['5000', '8192'],
    ['0', '4096'],
    ['131072', '131072'],
  ] as const) {
    assert.equal(size.set(given), 0);
    assert.equal(size.get(), kept);
  }
  for (const wrong of ['-1', 'x', '4294967296']) assert.equal(size.set(wrong), -EINVAL);
  assert.equal(size.get(), '131072');
});

test('fs.nr_open has bounds', () => {
  const open = setting(kernelOf(new FakeMachine()), 'nr_open');
  assert.equal(open.set('63'), -EINVAL);
  assert.equal(open.set('64'), 0);
  assert.equal(open.get(), '64');
});

test('limits of message queues have bounds', () => {
  const kernel = kernelOf(new FakeMachine());
  for (const [name, wrong, right] of [
    ['msg_max', ['0', '65537'], '65536'],
    ['msg_default', ['0', '65537'], '1'],
    ['msgsize_max', ['127', '16777217'], '128'],
    ['msgsize_default', ['127', '16777217'], '16777216'],
    ['queues_max', ['-1', '2147483648'], '0'],
  ] as const) {
    const some = setting(kernel, `mqueue/${name}`);
    for (const text of wrong) assert.equal(some.set(text), -EINVAL, `${name} ${text}`);
    assert.equal(some.set(right), 0);
    assert.equal(some.get(), right);
  }
});

test('watches and instances are counted by user', () => {
  const { inotify } = kernelOf(new FakeMachine());
  assert.equal(inotify.accountOf(1), inotify.accountOf(1));
  assert.notEqual(inotify.accountOf(1), inotify.accountOf(2));
});
