/** A machine whose memory is full: who filled it is told or killed, and everybody else goes on. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compile, run } from './machine.ts';

const MEM = ['--mem', '256M', '--'];

test('a full disk: programs still start, and nobody is killed', async () => {
  const { stdout, stderr } = await run([
    ...MEM,
    'sh',
    '-c',
    'cd /tmp; head -c 300M /dev/zero >full; echo $?; awk "/MemAvailable/{print (\\$2 < 60000)}" /proc/meminfo; ls -d /tmp; rm full; head -c 100M /dev/zero >other; echo $?; dmesg | grep "Killed process [0-9]"',
  ]);
  assert.equal(stdout, '1\n1\n/tmp\n0\n', stderr);
  assert.match(stderr, /No space left on device/);
});

test('cached pages of the host’s files make room', async () => {
  const mapped = compile('fill');
  const { stdout, stderr } = await run([
    ...MEM,
    'sh',
    '-c',
    `cd /tmp; head -c 200M /dev/zero >full; echo $?; rm full; ${mapped} read "$0"; head -c 200M /dev/zero >full; echo $?`,
    process.execPath,
  ]);
  assert.equal(stdout, '0\n0\n', stderr);
});

test('shared memory that is more than there is kills who touches it, once', async () => {
  const { stdout, stderr } = await run([
    ...MEM,
    'sh',
    '-c',
    `sleep 1000 & ${compile('fill')} share 200 200; echo $?; kill -0 $! && echo alive; dmesg | grep -c "Killed process [0-9]"`,
  ]);
  assert.equal(stdout, '137\nalive\n1\n', stderr);
});

test('what processes share since a fork counts once', async () => {
  const { stdout, stderr } = await run([
    ...MEM,
    'sh',
    '-c',
    `${compile('fill')} fork 100 4; echo $?; ${compile('fill')} fork-and-write 100 4; echo $?`,
  ]);
  assert.match(stdout, /^0\n(1|137)\n$/, stderr);
});

for (const rights of ['read', 'write'])
  test(`tables of memory that is only looked at count: it may be ${rights === 'read' ? 'read' : 'written'}`, async () => {
    const { stdout, stderr } = await run([
      ...MEM,
      'sh',
      '-c',
      `${compile('tables')} ${rights} 2048; echo $?`,
    ]);
    assert.match(stdout, /^137$/m, stderr);
    const made = [...stdout.matchAll(/^(\d+) MiB$/gm)].map(m => Number(m[1]));
    assert.ok(Math.max(0, ...made) < 1024, `${made.at(-1)} MiB`);
  });

test('a handler whose stack takes no frame does not hold the kernel', async () => {
  const { stdout } = await run(['sh', '-c', `${compile('fill')} no-place; echo $?`]);
  assert.equal(stdout, '139\n');
});

test('with all threads taken programs start or are refused, and the machine goes on', async () => {
  const { stdout, stderr } = await run([
    'sh',
    '-c',
    `${compile('exhaust')}; echo $?; dmesg | grep "^\\[ *[0-9.]*\\] \\(BUG\\|Oops\\)"; echo alive`,
  ]);
  assert.equal(stdout, 'fork: EAGAIN\nthreads 1, started or refused 100\n0\nalive\n', stderr);
});

for (const what of ['pipes', 'messages', 'events'])
  test(`what the kernel keeps for programs counts: ${what}`, async () => {
    const { stdout, stderr } = await run([
      ...MEM,
      'sh',
      '-c',
      `sleep 1000 & ${compile('keeps')} ${what}; echo $?; kill -0 $! && echo alive; dmesg | grep -q "Killed process [0-9]" && echo told`,
    ]);
    assert.equal(stdout, '137\nalive\ntold\n', stderr);
  });

test('semaphores that nobody has room for are not made', async () => {
  const { stdout, stderr } = await run([
    ...MEM,
    'sh',
    '-c',
    `${compile('keeps')} semaphores; ls -d /tmp; dmesg | grep -c "Killed process [0-9]"`,
  ]);
  assert.equal(stdout, 'Cannot allocate memory\n/tmp\n0\n', stderr);
});
