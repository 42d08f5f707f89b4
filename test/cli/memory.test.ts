import assert from 'node:assert/strict';
import { test } from 'node:test';
import { shell, uml } from './machine.ts';

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

test('a process has one mapping more than vm.max_map_count, and no more', async () => {
  const script = `
    syswrite STDOUT, '';
    open my $maps, '<', '/proc/self/maps';
    open my $limit, '>', '/proc/sys/vm/max_map_count';
    syswrite $limit, '600';
    1 while syscall(9, 0, 4096, 1, 0x21, -1, 0) != -1;
    my ($count, $text) = (0);
    while (sysread $maps, $text, 4096) { $count += $text =~ tr/\\n// }
    print $count, "\\n"`;
  assert.equal((await uml('perl', '-e', script)).stdout, '601\n');
});
