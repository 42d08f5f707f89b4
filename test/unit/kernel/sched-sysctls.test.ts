import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ROOT_CRED } from '../../../src/core/cred.ts';
import { schedSysctls } from '../../../src/kernel/proc/sched-sysctls.ts';
import { RealtimeRules } from '../../../src/kernel/sched.ts';
import { EINVAL } from '../../../src/uapi/errno.ts';

test('realtime threads get no more than a whole period', () => {
  const rows = schedSysctls(new RealtimeRules());
  const named = (name: string) => rows.find(({ path }) => path === `kernel/${name}`)!;
  const [period, runtime, slice] = ['sched_rt_period_us', 'sched_rt_runtime_us', 'sched_rr_timeslice_ms'].map(
    named,
  );
  for (const [row, text, result] of [
    [runtime, '1000001', -EINVAL],
    [period, '2000000', 0],
    [runtime, '1000001', 0],
    [period, '1000000', -EINVAL],
    [runtime, '-1', 0],
    [period, '1', 0],
    [slice, '30', 0],
  ] as const)
    assert.equal(row!.set!(text, ROOT_CRED), result, text);
  assert.equal(slice!.get(), '30');
  assert.equal(slice!.set!('0', ROOT_CRED), 0);
  assert.equal(slice!.get(), '100');
});
