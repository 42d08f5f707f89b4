import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { type Ended, LIMIT, program, start } from './machine.ts';

const scratch = mkdtempSync(join(tmpdir(), 'uml-linux-'));
after(() => rmSync(scratch, { recursive: true, force: true }));
const linux = (words: string[], input = ''): Promise<Ended> => start('linux', words, input);
const HOST = ['root=/dev/root', 'rootfstype=hostfs', 'rootflags=/'];

test('the default machine is a shell of root’s that reads its commands', async () => {
  const { stdout, status } = await linux(['quiet'], 'echo $((6 * 7)) $(id -u) from $USER\nexit 3\n');
  assert.match(stdout, /42 0 from root/);
  assert.equal(status, 3);
});

test('words after -- are the shell’s', async () => {
  const { stdout, status } = await linux(['quiet', '--', '-c', 'echo given; exit 5']);
  assert.match(stdout, /given/);
  assert.equal(status, 5);
});

test('the end of the input ends what reads it, after a line without newline, too', async () => {
  for (const input of ['', 'some\n', 'some\nmore']) {
    const { stdout, status } = await linux(['quiet', '--', '-c', 'cat >/dev/null; echo all read'], input);
    assert.match(stdout, /all read/);
    assert.equal(status, 0);
  }
});

test('the kernel log has Linux’s form, and dmesg shows it', async () => {
  const { stdout } = await linux([
    '--',
    '-c',
    'cat /proc/cmdline; dd if=/dev/kmsg bs=8192 count=1 2>/dev/null',
  ]);
  assert.match(stdout, /^\[ +\d+\.\d{6}\] Linux version /m);
  assert.match(stdout, /^\d+,\d+,\d+,-;Linux version /m);
  const quiet = await linux(['quiet', '--', '-c', 'dmesg | cat']);
  assert.match(quiet.stdout, /^\[ +\d+\.\d{6}\] Linux version /m);
});

test('unknown words reach init', async () => {
  const { stdout } = await linux(['quiet', 'FOO=bar', '--', '-c', 'echo "<$FOO>"']);
  assert.match(stdout, /<bar>/);
});

test('init= is process 1, and its death a panic', async () => {
  const { stdout, status } = await linux([...HOST, 'init=/bin/sh', '--', '-c', 'echo I am $$; exit 0']);
  assert.match(stdout, /I am 1/);
  assert.match(stdout, /Kernel panic - not syncing: Attempted to kill init! exitcode=0x00000000/);
  assert.notEqual(status, 0);
});

test('a missing root panics with Linux’s words', async () => {
  for (const words of [['root=/dev/nope'], ['root=/dev/root', 'rootfstype=hostfs', 'rootflags=/nope']]) {
    const { stdout, stderr, status } = await linux(words);
    assert.match(stdout, /Kernel panic - not syncing: VFS: Unable to mount root fs/, words.join(' '));
    assert.match(stderr, /^linux: [^\n]+\n$/);
    assert.notEqual(status, 0);
  }
});

test('a missing init panics with Linux’s words', async () => {
  const dir = join(scratch, 'empty');
  mkdirSync(dir);
  const none = await linux(['root=/dev/root', 'rootfstype=hostfs', `rootflags=${dir}`]);
  assert.match(none.stdout, /Kernel panic - not syncing: No working init found/);
  assert.notEqual(none.status, 0);
  const named = await linux([...HOST, 'init=/no/such/init']);
  assert.match(
    named.stdout,
    /Kernel panic - not syncing: Requested init \/no\/such\/init failed \(error -2\)/,
  );
});

test('wrong options are one line', async () => {
  for (const words of [
    ['mem=1'],
    ['mem=x'],
    ['ncpus=many'],
    ['con0=tty'],
    ['con0=fd:0,fd:777'],
    ['con0=fd:9'],
    ['hostname=a/b'],
    ['init=sh'],
    ['ubda=image'],
    ['loglevel=99'],
  ]) {
    const { stdout, stderr, status } = await linux(words);
    assert.match(stderr, /^linux: [^\n]+\n$/, words.join(' '));
    assert.deepEqual([stdout, status], ['', 1]);
  }
});

test('why a machine cannot start, and what to do', async () => {
  const dir = join(scratch, 'empty');
  mkdirSync(dir, { recursive: true });
  for (const [words, said] of [
    [['root=/dev/sda'], /no device for its root; say rootfstype=hostfs rootflags=DIR/],
    [['rootfstype=hostfs', 'rootflags=/no/such'], /\/no\/such: no such file or directory/],
    [['rootfstype=hostfs', `rootflags=${dir}`], /no program in this root .*init=PATH names another/],
    [['init=/etc'], /init=\/etc: is a directory/],
    [['init=/no/such'], /init=\/no\/such: no such file or directory/],
  ] as const) {
    const { stderr, status } = await linux(['quiet', ...words]);
    assert.match(stderr, /^linux: the machine panicked: [^\n]+\n$/, words.join(' '));
    assert.match(stderr, said);
    assert.equal(status, 1);
  }
});

test('a console that nobody is at, and none', async () => {
  const tty = ['--', '-c', 'tty >/dev/null; test $? = 0 && exit 3; exit 4'];
  assert.deepEqual(await linux(['con0=null', ...tty]), { stdout: '', stderr: '', status: 3 });
  assert.deepEqual(await linux(['con0=none', ...tty]), { stdout: '', stderr: '', status: 4 });
});

test('a console whose reader is gone is hung up', () => {
  const script = '"$0" quiet -- -c yes | head -1; echo $PIPESTATUS';
  const { stdout } = spawnSync('bash', ['-c', script, program('linux')], {
    encoding: 'utf8',
    timeout: LIMIT,
  });
  assert.equal(stdout, 'y\r\n129\n');
});

test('a signal ends it in order', async () => {
  const env = { ...process.env, HOME: scratch };
  const words = ['umid=gone', 'quiet', 'init=/bin/sh', '--', '-c', 'echo runs; exec sleep 1000'];
  const child = spawn(program('linux'), words, { env });
  await once(child.stdout, 'data');
  child.kill('SIGTERM');
  assert.deepEqual(await once(child, 'exit'), [143, null]);
  assert.ok(!existsSync(join(scratch, '.uml/gone')));
});

test('--help, --version and --showconfig print and end', async () => {
  assert.match((await linux(['--help'])).stdout, /rootfstype=hostfs/);
  assert.match((await linux(['--version'])).stdout, /^\d+\.\d+\.\d+\n$/);
  assert.match((await linux(['quiet', '--showconfig'])).stdout, /^CONFIG_HOSTFS=y$/m);
});

test('reboot(2) ends the machine', async () => {
  const off = 'import ctypes; ctypes.CDLL(None).syscall(169, 0xfee1dead, 672274793, 0x4321fedc, 0)';
  const { status, stdout } = await linux(['init=/usr/bin/python3', '--', '-c', off]);
  assert.deepEqual([status, /reboot: Power down/.test(stdout)], [0, true]);
});

test('umid= is a name that one machine has', async () => {
  const env = { ...process.env, HOME: scratch };
  const file = join(scratch, '.uml/box/pid');
  const show = ['umid=box', 'quiet', '--', '-c', 'read line'];
  let go: (line: string) => void = () => {};
  const first = start('linux', show, new Promise<string>(resolve => (go = resolve)), env);
  while (!existsSync(file) || readFileSync(file, 'latin1') === '')
    await new Promise(resolve => setTimeout(resolve, 50));
  const second = await start('linux', show, '', env);
  assert.deepEqual(
    [second.status, /^linux: umid=box is in use by process \d+/.test(second.stderr)],
    [1, true],
  );
  go('go\n');
  assert.equal((await first).status, 0);
  assert.ok(!existsSync(file));
});
