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
