import assert from 'node:assert/strict';
import { test } from 'node:test';
import { uml } from './machine.ts';

test('who reads the clock sees what was set: who runs already, its children, later programs, and files', async () => {
  const { stdout } = await uml(
    'bash',
    '-c',
    [
      'day="%(%F)T\\n"',
      'printf "$day" -1 >/dev/null',
      'date -s "2031-05-06 07:08" >/dev/null',
      'printf "$day" -1',
      '(printf "$day" -1)',
      'date +%F',
      'touch file && stat -c %y file | cut -d " " -f 1',
      'perl -e "print +(gmtime)[5], qq(\\n)"',
    ].join('; '),
  );
  assert.deepEqual(stdout.trim().split('\n'), [...new Array(4).fill('2031-05-06'), '131']);
});

test('a clock that is steered runs at its new rate, for programs that were told the time before, too', async () => {
  const timex = 'pack("L x4 q4 l x4 q6 x112", 0x4000, (0) x 10, $tick)';
  const script = `
    use Time::HiRes qw(clock_gettime sleep CLOCK_REALTIME CLOCK_MONOTONIC);
    sub both {
      my ($before, $real, $after);
      do {
        ($before, $real, $after) = (clock_gettime(CLOCK_MONOTONIC), clock_gettime(CLOCK_REALTIME), clock_gettime(CLOCK_MONOTONIC));
      } while ($after - $before > 0.0005);
      ($real, $before);
    }
    sub rate {
      my ($real, $own) = both();
      sleep 0.3;
      my ($later, $then) = both();
      sprintf "%.2f\\n", ($later - $real) / ($then - $own);
    }
    sub steer { my $tick = shift; my $timex = ${timex}; syscall(159, $timex) }
    print rate(); steer(11000); print rate(); steer(9000); print rate(); steer(10000); print rate();
    print steer(20000), "\\n";
  `;
  const { stdout } = await uml('perl', '-e', script);
  assert.equal(stdout, '1.00\n1.10\n0.90\n1.00\n-1\n');
});
