import assert from 'node:assert/strict';
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { LIMIT, program, shell, start, uml } from './machine.ts';

const scratch = mkdtempSync(join(tmpdir(), 'uml-run-'));
after(() => {
  if (existsSync(join(scratch, 'closed'))) chmodSync(join(scratch, 'closed'), 0o755);
  rmSync(scratch, { recursive: true, force: true });
});
const isRoot = process.getuid?.() === 0;

test('the status is the command’s', async () => {
  assert.equal((await uml('/bin/true')).status, 0);
  assert.equal((await uml('false')).status, 1);
  assert.equal((await shell('exit 77')).status, 77);
  assert.equal((await shell('kill -TERM $$')).status, 128 + 15);
  assert.equal((await shell('kill -KILL $$')).status, 128 + 9);
  assert.equal((await shell('kill -SEGV $$')).status, 128 + 11);
});

test('output and errors stay apart', async () => {
  const { stdout, stderr } = await shell('echo out; echo err >&2');
  assert.deepEqual([stdout, stderr], ['out\n', 'err\n']);
});

test('input and output pass byte for byte', async () => {
  const bytes = randomBytes(1_000_000);
  const { stdout, status } = await start('uml', ['run', 'cat'], bytes);
  assert.equal(status, 0);
  assert.ok(Buffer.from(stdout, 'latin1').equals(bytes));
});

test('the end of the input is seen, and a reader that leaves early ends nothing', async () => {
  assert.equal((await start('uml', ['run', 'wc', '-c'], '')).stdout.trim(), '0');
  assert.equal((await start('uml', ['run', 'head', '-c', '5'], Buffer.alloc(500_000, 'x'))).stdout, 'xxxxx');
});

test('words of the command are its own', async () => {
  assert.equal(
    (await uml('echo', '--rw', '-t', '--', 'é x', '')).stdout,
    Buffer.from('--rw -t -- é x \n').toString('latin1'),
  );
  assert.equal((await uml('--', 'printf', '%s', '--help')).stdout, '--help');
});

test('--env and --workdir, --hostname, --user', async () => {
  const env = { ...process.env, GIVEN: 'from the host', HIDDEN: 'x' };
  const show = ['/bin/sh', '-c', 'echo $A/$GIVEN/$HIDDEN; pwd; uname -n; id -u'];
  const options = [
    '--env',
    'A=1=2',
    '--env',
    'GIVEN',
    '--workdir',
    '/usr',
    '--hostname',
    'box',
    '--user',
    '1234:55',
  ];
  const { stdout } = await start('uml', ['run', ...options, ...show], '', env);
  assert.equal(stdout, '1=2/from the host/\n/usr\nbox\n1234\n');
  assert.equal((await uml('--workdir', '/nope', 'true')).status, 126);
});

test('the root is disposable', async () => {
  const file = join(scratch, 'left');
  assert.equal((await uml('/bin/sh', '-c', `echo x >${file} && cat ${file}`)).stdout, 'x\n');
  assert.ok(!existsSync(file));
});

test('--rw writes through, --volume shows', async () => {
  const dir = join(scratch, 'volume');
  mkdirSync(dir);
  writeFileSync(join(dir, 'in'), 'shown');
  const both = await uml(
    '--volume',
    `${dir}:/mnt/v`,
    '/bin/sh',
    '-c',
    'cat /mnt/v/in; echo back >/mnt/v/out',
  );
  assert.equal(both.stdout, 'shown');
  assert.equal(readFileSync(join(dir, 'out'), 'utf8'), 'back\n');
  assert.notEqual((await uml('--volume', `${dir}:/mnt/v:ro`, 'touch', '/mnt/v/new')).status, 0);
  await uml('--rw', '/bin/sh', '-c', `echo through >${dir}/rw`);
  assert.equal(readFileSync(join(dir, 'rw'), 'utf8'), 'through\n');
});

test('--volume shows one file, and a missing one is one line', async () => {
  const file = join(scratch, 'single');
  writeFileSync(file, 'one\n');
  const volume = ['--volume', `${file}:/etc/single`];
  assert.equal((await uml(...volume, 'sh', '-c', 'cat /etc/single; echo two >>/etc/single')).stdout, 'one\n');
  assert.equal(readFileSync(file, 'utf8'), 'one\ntwo\n');
  assert.notEqual(
    (await uml('--volume', `${file}:/etc/single:ro`, 'sh', '-c', 'echo >/etc/single')).status,
    0,
  );
  const missing = await uml('--volume', '/no/such:/x', 'true');
  assert.deepEqual(
    [missing.status, missing.stderr],
    [125, 'uml: --volume /no/such: no such file or directory\n'],
  );
});

test('standard input and output are opened anew, for no more than they are open for', () => {
  // Through a shell: what Node calls a pipe is a socket, which nobody can open anew.
  const piped = (script: string): string =>
    execFileSync('sh', ['-c', script, program('uml')], { encoding: 'utf8' });
  assert.equal(piped('echo again | "$0" run cat /dev/stdin | cat'), 'again\n');
  assert.equal(
    piped(`"$0" run sh -c 'echo out >/dev/stdout; echo err >/dev/stderr' 2>&1 | sort`),
    'err\nout\n',
  );
  const input = join(scratch, 'input');
  writeFileSync(input, 'kept');
  execFileSync('sh', [
    '-c',
    `"$0" run sh -c 'echo x >/dev/stdin' <${input} 2>/dev/null || true`,
    program('uml'),
  ]);
  assert.equal(readFileSync(input, 'utf8'), 'kept');
});

test('a file, a pipe and /dev/null are what they are on the host', () => {
  const input = join(scratch, 'seven');
  writeFileSync(input, '1234567');
  for (const redirection of [
    `<${input}`,
    '</dev/null',
    '<&-',
    `</dev/null >${input}.out; cat ${input}.out`,
  ]) {
    const script = `stat -L -c '%F %s' /dev/stdin /dev/stdout 2>&1`;
    const seen = (prefix: string): string =>
      execFileSync('sh', ['-c', `${prefix} sh -c "${script}" ${redirection} | cat || true`, program('uml')], {
        encoding: 'utf8',
      });
    assert.equal(seen('"$0" run'), seen(''));
  }
});

test('what is closed is closed', () => {
  const closed = (redirection: string, command: string): string =>
    execFileSync('sh', ['-c', `"$0" run ${command} ${redirection} 2>&1 || true`, program('uml')], {
      encoding: 'utf8',
    });
  assert.match(closed('<&-', 'cat'), /Bad file descriptor/);
});

test('--cpus is how many of the host’s processors guests use', async () => {
  assert.equal((await uml('--cpus', '1', 'nproc')).stdout, '1\n');
});

test('--timeout kills with 124', async () => {
  assert.equal((await uml('--timeout', '0.5', 'sleep', '1000')).status, 124);
  assert.equal((await uml('--timeout', '0.5', '/bin/sh', '-c', 'while :; do :; done')).status, 124);
});

test('--mem and --cpus are what the guest sees', async () => {
  const { stdout } = await uml(
    '--mem',
    '256M',
    '--cpus',
    '3',
    '/bin/sh',
    '-c',
    'nproc; head -n1 /proc/meminfo',
  );
  const [cpus, mem] = stdout.split('\n');
  assert.equal(cpus, '3');
  const kib = Number(mem?.replace(/\D/g, ''));
  assert.ok(kib > 128 * 1024 && kib <= 256 * 1024, mem);
});

test('--strace prints calls, to standard error or a file', async () => {
  assert.match((await uml('--strace', '/bin/true')).stderr, /execve|exit_group/);
  const file = join(scratch, 'trace');
  const { stderr } = await uml(`--strace=${file}`, '/bin/true');
  assert.equal(stderr, '');
  assert.match(readFileSync(file, 'utf8'), /exit_group/);
});

test('a wrong option is one line, with status 125', async () => {
  for (const [words, complaint] of [
    [['--env', '--', 'true'], /argument missing/],
    [['--root', '--', 'true'], /argument missing/],
    [['--hostname', 'a/b', 'true'], /host name/],
    [['--strace=/', 'true'], /^uml: --strace: \/: illegal operation on a directory$/],
    [['--volume', '/etc:/proc/x', 'true'], /cannot be mounted/],
  ] as const) {
    const { status, stderr } = await uml(...words);
    assert.deepEqual([status, stderr.split('\n').length], [125, 2], stderr);
    assert.match(stderr.trim(), complaint);
  }
});

test('a reboot is the end of a machine for one command', async () => {
  const reboot = 'import ctypes; ctypes.CDLL(None).reboot(0x1234567)';
  assert.equal((await uml('python3', '-c', reboot)).status, 0);
});

test('what cannot be executed is one line, with the shell’s statuses', async () => {
  writeFileSync(join(scratch, 'text'), 'not a program');
  chmodSync(join(scratch, 'text'), 0o755);
  writeFileSync(join(scratch, 'plain'), '#!/bin/sh\n');
  for (const [name, data, machine] of [
    ['arm', '\x01', '\x02\0\xb7\0'],
    ['s390', '\x02', '\0\x02\0\x16'],
  ] as const) {
    const elf = Buffer.alloc(128);
    elf.write(`\x7fELF\x02${data}\x01`, 'latin1');
    elf.write(machine, 16, 'latin1');
    writeFileSync(join(scratch, name), elf, { mode: 0o755 });
  }
  for (const [command, status, says = /./] of [
    ['no-such-command', 127],
    ['/no/such', 127],
    ['text', 126],
    ['plain', 126],
    ['arm', 126, / for AArch64;/],
    ['s390', 126, / for S\/390;/],
    ['/etc', 126],
  ] as const) {
    const name = existsSync(join(scratch, command)) ? join(scratch, command) : command;
    const ended = await uml(name);
    assert.equal(ended.status, status, `${command}: ${ended.stderr}`);
    assert.match(ended.stderr, /^uml: [^\n]+\n$/, command);
    assert.match(ended.stderr, says);
  }
});

test('a host that allows too little is one line', () => {
  for (const [limits, said] of [
    ['ulimit -v 4000000', /ulimit -v/],
    ['ulimit -d 50000', /ulimit -v and -d/],
    ['ulimit -n 30', /ulimit -n/],
    ['ulimit -f 100', /ulimit -f/],
  ] as const) {
    const script = `${limits}; exec "$0" run true`;
    const { stderr, status } = spawnSync('sh', ['-c', script, program('uml')], { encoding: 'utf8' });
    assert.match(stderr, /^uml: [^\n]+\n$/, limits);
    assert.match(stderr, said);
    assert.equal(status, 125);
  }
});

test('a closed pipe is an error to who ignores its signal', () => {
  const script = `trap '' PIPE; $RUN yes 2>/dev/null | head -1; echo \${PIPESTATUS[0]}`;
  for (const run of ['', `${program('uml')} run`])
    assert.equal(
      execFileSync('bash', ['-c', script], { env: { ...process.env, RUN: run } }).toString(),
      'y\n1\n',
    );
});

test('without a pattern, a core file is named after its process, or not written', async () => {
  const script = `ulimit -c unlimited; cd /proc/sys/kernel; echo >core_pattern
    echo $1 >core_uses_pid; cd $(mktemp -d); sh -c 'echo $$ >pid; echo old >.$$; kill -ABRT $$'
    pid=$(cat pid); head -c 4 .$pid; ls -A | sed "s/$pid/PID/"`;
  const dump = async (usesPid: string): Promise<string> =>
    (await uml('/bin/sh', '-c', script, 'sh', usesPid)).stdout;
  assert.equal(await dump('1'), '\x7fELF.PID\npid\n');
  assert.equal(await dump('0'), 'old\n.PID\npid\n');
});

test('words are bytes', () => {
  const script = `"$0" run printf '%s|' "$(printf '\\377\\376')" é -- x`;
  const bytes = execFileSync('sh', ['-c', script, program('uml')]).toString('latin1');
  assert.equal(bytes, '\xff\xfe|\xc3\xa9|--|x|');
});

test('so are the working directory, variables and options', () => {
  const script = `
    odd=$(printf '\\344\\377'); mkdir "$1/$odd" && cd "$1/$odd" || exit
    ODD=$odd "$0" run --env ODD --env "WITH=a$odd" sh -c 'printf "%s|" "\${PWD##*/}" "$ODD" "$WITH"'
    "$0" run --workdir "$1/$odd" sh -c 'printf "%s|" "\${PWD##*/}"'`;
  const bytes = execFileSync('sh', ['-c', script, program('uml'), scratch]).toString('latin1');
  assert.equal(bytes, '\xe4\xff|\xe4\xff|a\xe4\xff|\xe4\xff|');
});

test('what is set for other Nodes is not for the kernel’s, but can be passed on', () => {
  const { stdout, stderr } = spawnSync(
    program('uml'),
    ['run', '--env', 'NODE_OPTIONS', 'sh', '-c', 'echo $NODE_OPTIONS $UML_NODE_OPTIONS'],
    { env: { ...process.env, NODE_OPTIONS: '--no-such-option' }, encoding: 'utf8' },
  );
  assert.deepEqual([stdout, stderr], ['--no-such-option\n', '']);
});

test('a working directory that is gone is one line', () => {
  const script = 'cd "$1" && rmdir "$1" && "$0" run true';
  const { stderr, status } = spawnSync(
    'bash',
    ['-c', script, program('uml'), mkdtempSync(join(scratch, 'gone'))],
    {
      encoding: 'utf8',
    },
  );
  assert.deepEqual(
    [status, stderr.split('\n').at(-2)],
    [125, 'uml: the working directory is gone; --workdir names another'],
  );
});

test('there are as many processors as are asked for', async () => {
  const count = `nproc; grep -c '^processor' /proc/cpuinfo; ls -d /sys/devices/system/cpu/cpu[0-9]* | wc -l`;
  assert.equal((await uml('--cpus', '5', 'sh', '-c', count)).stdout, '5\n5\n5\n');
});

test('wrong options are one line, status 125', async () => {
  const wrong = [
    ['--mem', '3'],
    ['--mem', 'x'],
    ['--cpus', '0'],
    ['--root', '/nope'],
    ['--root', ''],
    ['--root', '/etc/passwd'],
    ['--user', 'nope'],
    ['--bad'],
  ];
  wrong.push(
    ['--volume', 'a'],
    ['--env', '=x'],
    ['--timeout', 'x'],
    ['--workdir', 'rel'],
    ['--strace=/nope/x'],
    ['--hostname', ''],
  );
  for (const words of wrong) {
    const ended = await uml(...words, 'true');
    assert.equal(ended.status, 125, words.join(' '));
    assert.match(ended.stderr, /^uml: [^\n]+\n$/, words.join(' '));
    assert.equal(ended.stdout, '');
  }
});

test('--help is for people', async () => {
  const { stdout, status } = await uml('--help');
  assert.equal(status, 0);
  for (const option of [
    '--root',
    '--rw',
    '--volume',
    '--mem',
    '--cpus',
    '--env',
    '--workdir',
    '--user',
    '--hostname',
    '--strace',
    '--timeout',
    '--tty',
  ])
    assert.ok(stdout.includes(option), option);
});

test('an unreadable root is refused', { skip: isRoot && 'root reads everything' }, async () => {
  const dir = join(scratch, 'closed');
  mkdirSync(dir, { mode: 0 });
  const { status, stderr } = await uml('--root', dir, 'true');
  assert.deepEqual([status, /permission denied/.test(stderr)], [125, true]);
});

test('no process and no file is left behind, after a kill -9 too', async () => {
  const mark = `${process.pid}${Date.now()}`.slice(-9);
  const own = mkdtempSync(join(scratch, 'tmp-'));
  const list = (): string[] => [
    ...readdirSync(own),
    ...readdirSync('/dev/shm').filter(name => /^(uml|linux|stub)/.test(name)),
  ];
  const before = list();
  const marked = (): [number, string][] => commands().filter(([, command]) => command.includes(mark));
  const child = spawn(program('uml'), ['run', 'sh', '-c', `sleep ${mark} & echo runs; sleep ${mark}`], {
    env: { ...process.env, TMPDIR: own },
  });
  await once(child.stdout, 'data');
  const pids = marked();
  assert.ok(pids.length > 0);
  for (const [pid] of pids) process.kill(pid, 'SIGKILL');
  await once(child, 'exit');
  for (let i = 0; i < LIMIT / 10 && marked().length > 0; i++)
    await new Promise(resolve => setTimeout(resolve, 10));
  assert.deepEqual(marked(), []);
  assert.deepEqual(list(), before);
});

/** Process ids and command lines of the host. */
function commands(): [number, string][] {
  return readdirSync('/proc')
    .filter(name => /^\d+$/.test(name))
    .flatMap(name => {
      try {
        return [[Number(name), readFileSync(`/proc/${name}/cmdline`, 'latin1')] as [number, string]];
      } catch {
        return [];
      }
    });
}
