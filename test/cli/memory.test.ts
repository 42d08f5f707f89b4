import assert from 'node:assert/strict';
import { test } from 'node:test';
import { shell } from './machine.ts';

test('the limit of what is promised is the share of all memory that was set', async () => {
  const { stdout } = await shell(
    [
      'all=$(awk "/MemTotal/ { print \\$2 }" /proc/meminfo)',
      'for share in 50 100 0; do',
      'echo $share >/proc/sys/vm/overcommit_ratio',
      'limit=$(awk "/CommitLimit/ { print \\$2 }" /proc/meminfo)',
      'echo $((limit * 100 / all))',
      'done',
    ].join('\n'),
  );
  assert.equal(stdout, '50\n100\n0\n');
});
