/** --strace against strace(1): the same program, the same lines, but for addresses and process numbers. */
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { program, uml } from './machine.ts';

const scratch = mkdtempSync(join(tmpdir(), 'uml-strace-'));
after(() => rmSync(scratch, { recursive: true, force: true }));
const skip = spawnSync('strace', ['-V']).status !== 0 && 'no strace to compare with';

/** What differs between two runs of a program on one kernel, too. */
const normal = (line: string): string =>
  line
    .replace(/^\d+ +/, '')
    .replace(/ +=/, ' =')
    .replace(/0x[0-9a-f]{6,}/g, 'ADDRESS')
    .replace(/\d+ vars/, 'vars')
    .replace(/^kill\(\d+/, 'kill(N')
    .replace(/si_([pu])id=\d+/g, 'si_$1id=N')
    .replace(/^(rt_sigreturn\(.*\) =).*/, '$1')
    .replace(/(wait4.* =) [1-9]\d*$/, '$1 N')
    .replace(/si_([us])time=\d+/g, 'si_$1time=T');

/** The calls of these names that a shell script makes. */
function calls(names: RegExp, command: readonly string[], trace: readonly string[]): string[] {
  const directory = mkdtempSync(join(scratch, 'trace-'));
  const file = join(directory, 'trace');
  const [name, ...words] = [...trace.map(word => word.replace('FILE', file)), ...command];
  execFileSync(name!, words, { cwd: '/', env: { PATH: '/usr/bin:/bin', LC_ALL: 'C' }, stdio: 'ignore' });
  const texts = readdirSync(directory).map(one => readFileSync(join(directory, one), 'latin1'));
  const lines = texts.map(whole).join('').split('\n').map(normal);
  // Each once: whether two signals of a kind become one is a matter of time.
  return [...new Set(lines.filter(line => names.test(line)))].sort();
}

/** Lines of calls that overlap are in pieces. */
function whole(trace: string): string {
  const begun = new Map<string, string>();
  const lines = trace.split('\n').map(line => {
    const [, pid = '', rest = ''] = /^(\d+ +)(.*)$/.exec(line) ?? [];
    const [, piece] = /^(.*) <unfinished \.\.\.>$/.exec(rest) ?? [];
    if (piece !== undefined) begun.set(pid, piece);
    return piece === undefined ? line.replace(/<\.\.\. \w+ resumed>/, begun.get(pid) ?? '') : '';
  });
  return lines.join('\n');
}

/** A file for each process: in one, lines of calls that overlap are in pieces. */
const ON_HOST = ['strace', '-ff', '-o', 'FILE'];
const IN_MACHINE = [program('uml'), 'run', '--env', 'LC_ALL=C', '--strace=FILE'];

const SCRIPTS: Readonly<Record<string, [RegExp, string]>> = {
  'signals and status': [
    /^(rt_sigaction|umask|kill|exit_group|exit)\(.*[^>]$/,
    `umask 022; trap '' USR1; trap : INT; kill -0 $$; (exit 3); :`,
  ],
  'flags and lists': [
    /^(rt_sigaction|sched_getaffinity|getrusage|getgroups|fadvise64|rt_sigreturn|fcntl)\(/,
    `(exit 3); trap : USR1; kill -USR1 $$; cat /dev/null`,
  ],
  'signals and ends': [
    /^(---|\+\+\+)/,
    `trap : USR1; kill -USR1 $$; kill -WINCH $$; (exit 3); sleep 9 & kill $!; wait $!; (sh -c 'kill -9 $$'); :`,
  ],
  // What the shell hears of first is the stop.
  'a stop': [
    /^(---|\+\+\+)/,
    `trap 'heard=1' CHLD; sh -c 'kill -STOP $$' & while [ -z "$heard" ]; do :; done; trap - CHLD; ` +
      'kill -CONT $!; wait $!; sh -c :; :',
  ],
  files: [
    /^(openat|chdir|dup2|fcntl|access|close|prlimit64|mkdir|unlinkat|read)\(/,
    `cd /etc; read -r line <passwd; exec 5>/dev/null; exec 5>&-; test -r passwd`,
  ],
  memory: [/^(mmap|mprotect|getrandom|arch_prctl|pread64)\((?!".*8, GRND)/, ':'],
};
for (const [name, [names, script]] of Object.entries(SCRIPTS))
  test(`as strace(1): ${name}`, { skip }, () => {
    const command = ['/bin/sh', '-c', script];
    const theirs = calls(names, command, ON_HOST);
    assert.ok(theirs.length > 3);
    assert.deepEqual(calls(names, command, IN_MACHINE), theirs);
  });

test('as strace(1): calls that overlap', { skip }, () => {
  // Until the last one sleeps in its call. Whoever has ended by then was too short for a busy host.
  const sleeps =
    'until read -r call rest </proc/$!/syscall || late; read -r pid name state rest </proc/$!/stat || late; ' +
    '[ "$call$state" = 230S ]; do [ "$state" != Z ] || late; sleep 0.05; done';
  const script = (seconds: number): string =>
    `late() { kill -9 $!; exit 3; }; sleep ${seconds} & first=$!; ${sleeps}; sleep ${9 * seconds} & ${sleeps}; ` +
    'kill -9 $!; read -r pid name state rest </proc/$first/stat && [ "$state" = S ] || late; wait';
  const certain =
    /tv_sec=[19],|^<\.\.\. clock_nanosleep|wait4\(-1, {2}<|wait4 resumed>.*WEXITSTATUS.* 0, NULL/;
  const pieces = ([name, ...words]: readonly string[]): string[] => {
    const file = join(mkdtempSync(join(scratch, 'trace-')), 'trace');
    const trace = words.map(word => word.replace('FILE', file));
    let seconds = 1;
    while (spawnSync(name!, [...trace, '/bin/sh', '-c', script(seconds)]).status === 3 && seconds < 100)
      seconds *= 2;
    const inUnits = (line: string): string =>
      line.replace(/tv_sec=(\d+)/, (_, digits) => `tv_sec=${Number(digits) / seconds}`);
    const lines = readFileSync(file, 'latin1').split('\n').map(normal).map(inUnits);
    return [...new Set(lines.filter(line => certain.test(line)))].sort();
  };
  const theirs = pieces(['strace', '-f', '-o', 'FILE']);
  assert.equal(theirs.length, 6, theirs.join('\n'));
  assert.deepEqual(pieces(IN_MACHINE), theirs);
});

test('as strace(1): killed in a call whose line was cut', { skip }, () => {
  const script = join(scratch, 'killed.py');
  writeFileSync(
    script,
    `import os, signal
pid = os.fork()
if pid == 0: signal.pause()
while not open(f'/proc/{pid}/syscall').read().startswith('34 '): pass
os.kill(pid, 9); os.waitpid(pid, 0)
`,
  );
  const ofPause = ([name, ...words]: readonly string[]): string[] => {
    const file = join(mkdtempSync(join(scratch, 'trace-')), 'trace');
    execFileSync(name!, [...words.map(word => word.replace('FILE', file)), 'python3', '-I', script]);
    const lines = readFileSync(file, 'latin1').split('\n').map(normal);
    return lines.filter(line => line.includes('pause')).map(line => line.replace(' <unavailable>', ''));
  };
  const theirs = ofPause(['strace', '-f', '-o', 'FILE']);
  assert.equal(theirs.length, 2, theirs.join('\n'));
  assert.deepEqual(ofPause(IN_MACHINE), theirs);
});

test('structures of every kind', async () => {
  const script = join(scratch, 'calls.py');
  writeFileSync(
    script,
    `import os, select, socket, resource, time
r, w = os.pipe()
poll = select.poll(); poll.register(r, select.POLLIN); os.writev(w, [b'a\\n', b'cd']); poll.poll(10)
select.select([r], [w], [], 1)
a, b = socket.socketpair(); s = socket.socket(socket.AF_UNIX); s.bind('/tmp/name'); s.getsockname()
os.stat('/dev/null'); resource.getrlimit(resource.RLIMIT_NOFILE); os.uname(); os.utime('/tmp', (1, 2))
a.sendmsg([b'hi'], [(1, 1, b'\\1\\0\\0\\0')]); b.recvmsg(9, 99); a.getpeername()
os.sendfile(1, os.open('/etc/passwd', 0), 1, 3); os.get_inheritable(r); os.statvfs('/proc'); os.sched_getaffinity(0)
pid = os.fork()
if pid == 0: os.kill(os.getpid(), 9)
os.waitpid(pid, 0)
`,
  );
  const traced = await uml(
    '--cpus',
    '2',
    '--hostname',
    'uml',
    '--volume',
    `${scratch}:/mnt`,
    '--strace',
    'python3',
    '-I',
    '/mnt/calls.py',
  );
  const stderr = whole(traced.stderr).replaceAll(/ +=/g, ' =');
  for (const line of [
    /pipe2\(\[3, 4\], O_CLOEXEC\) = 0/,
    /writev\(4, \[\{iov_base="a\\n", iov_len=2\}, \{iov_base="cd", iov_len=2\}\], 2\) = 4/,
    /poll\(\[\{fd=3, events=POLLIN, revents=POLLIN\}\], 1, 10\) = 1/,
    /select6?\(5, \[3\], \[4\], (NULL|\[\]), \{tv_sec=1, tv_(n|u)sec=0\}.*\) = 2/,
    /socketpair\(AF_UNIX, SOCK_STREAM\|SOCK_CLOEXEC, 0, \[5, 6\]\) = 0/,
    /getsockname\(7, \{sa_family=AF_UNIX, sun_path="\/tmp\/name"\}, \[\d+ => \d+\]\) = 0/,
    /"\/dev\/null", \{st_mode=S_IFCHR\|0666, st_rdev=makedev\(0x1, 0x3\), \.\.\.\}/,
    /prlimit64\(0, RLIMIT_NOFILE, NULL, \{rlim_cur=\S+, rlim_max=\S+\}\) = 0/,
    /uname\(\{sysname="Linux", nodename="uml", \.\.\.\}\) = 0/,
    /utimensat\(AT_FDCWD, "\/tmp", \[\{tv_sec=1, tv_nsec=0\}, \{tv_sec=2, tv_nsec=0\}\], 0\) = 0/,
    /kill\(\d+, SIGKILL\) = \?/,
    /sendmsg\(5, \{msg_name=NULL, msg_namelen=0, msg_iov=\[\{iov_base="hi", iov_len=2\}\], msg_iovlen=1, msg_control=\[\{cmsg_len=20, cmsg_level=SOL_SOCKET, cmsg_type=SCM_RIGHTS, cmsg_data=\[1\]\}\], msg_controllen=24, msg_flags=0\}, 0\) = 2/,
    /recvmsg\(6, \{msg_name=0x\w+, msg_namelen=0, msg_iov=\[\{iov_base="hi", iov_len=9\}\], msg_iovlen=1, msg_control=\[\{cmsg_len=20, cmsg_level=SOL_SOCKET, cmsg_type=SCM_RIGHTS, cmsg_data=\[8\]\}\], msg_controllen=24, msg_flags=0\}, 0\) = 2/,
    /sendfile\(1, 9, \[1\] => \[4\], 3\) = 3/,
    /getpeername\(5, \{sa_family=AF_UNIX\}, \[\d+ => 2\]\) = 0/,
    /fcntl\(3, F_GETFD\) = 0x1 \(flags FD_CLOEXEC\)/,
    /statfs\("\/proc", \{f_type=PROC_SUPER_MAGIC, .*f_flags=ST_VALID\|ST_NOSUID\|ST_NODEV\|ST_NOEXEC\|ST_RELATIME\}\) = 0/,
    /sched_getaffinity\(0, \d+, \[0 1\]\) = 8/,
    /wait4\(\d+, \[\{WIFSIGNALED\(s\) && WTERMSIG\(s\) == SIGKILL\}\], 0, NULL\) = \d+/,
  ])
    assert.ok(line.test(stderr), `no ${line} in ${stderr.slice(stderr.indexOf('pipe2'))}`);
});
