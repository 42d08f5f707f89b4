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
    .replace(/si_([us])time=\d+/g, 'si_$1time=T');

/** The calls of these names that a shell script makes. */
function calls(names: RegExp, command: readonly string[], trace: readonly string[]): string[] {
  const directory = mkdtempSync(join(scratch, 'trace-'));
  const file = join(directory, 'trace');
  const [name, ...words] = [...trace.map(word => word.replace('FILE', file)), ...command];
  execFileSync(name!, words, { cwd: '/', env: { PATH: '/usr/bin:/bin', LC_ALL: 'C' }, stdio: 'ignore' });
  const texts = readdirSync(directory).map(one => readFileSync(join(directory, one), 'latin1'));
  const lines = texts.join('').split('\n').map(normal);
  return lines.filter(line => names.test(line)).sort();
}

/** A file for each process: in one, lines of calls that overlap are in pieces. */
const ON_HOST = ['strace', '-ff', '-o', 'FILE'];
const IN_MACHINE = [program('uml'), 'run', '--env', 'LC_ALL=C', '--strace=FILE'];

const SCRIPTS: Readonly<Record<string, [RegExp, string]>> = {
  'signals and status': [
    /^(rt_sigaction|umask|kill|exit_group|exit)\(.*[^>]$/,
    `umask 022; trap '' USR1; trap : INT; kill -0 $$; (exit 3); :`,
  ],
  'signals and ends': [
    /^(---|\+\+\+)/,
    `trap : USR1; kill -USR1 $$; kill -WINCH $$; (exit 3); sleep 9 & kill $!; wait $!; (sh -c 'kill -9 $$'); :`,
  ],
  'a stop': [/^(---|\+\+\+)/, `sh -c 'kill -STOP $$' & sleep 0.5; kill -CONT $!; wait $!; :`],
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
pid = os.fork()
if pid == 0: os.kill(os.getpid(), 9)
os.waitpid(pid, 0)
`,
  );
  const traced = await uml('--volume', `${scratch}:/mnt`, '--strace', 'python3', '-I', '/mnt/calls.py');
  const stderr = traced.stderr.replaceAll(/ +=/g, ' =');
  for (const line of [
    /pipe2\(\[3, 4\], O_CLOEXEC\) = 0/,
    /writev\(4, \[\{iov_base="a\\n", iov_len=2\}, \{iov_base="cd", iov_len=2\}\], 2\) = 4/,
    /poll\(\[\{fd=3, events=POLLIN, revents=POLLIN\}\], 1, 10\) = 1/,
    /select6?\(5, \[3\], \[4\], (NULL|\[\]), \{tv_sec=1, tv_(n|u)sec=0\}.*\) = 2/,
    /socketpair\(AF_UNIX, SOCK_STREAM\|SOCK_CLOEXEC, 0, \[5, 6\]\) = 0/,
    /getsockname\(7, \{sa_family=AF_UNIX, sun_path="\/tmp\/name"\}, \[\d+\]\) = 0/,
    /"\/dev\/null", \{st_mode=S_IFCHR\|0666, st_rdev=makedev\(0x1, 0x3\), \.\.\.\}/,
    /prlimit64\(0, RLIMIT_NOFILE, NULL, \{rlim_cur=\S+, rlim_max=\S+\}\) = 0/,
    /uname\(\{sysname="Linux", nodename="uml", release="[^"]+", \.\.\.\}\) = 0/,
    /utimensat\(AT_FDCWD, "\/tmp", \[\{tv_sec=1, tv_nsec=0\}, \{tv_sec=2, tv_nsec=0\}\], 0\) = 0/,
    /kill\(\d+, SIGKILL\) = 0/,
    /wait4\(\d+, \[\{WIFSIGNALED\(s\) && WTERMSIG\(s\) == SIGKILL\}\], 0, NULL\) = \d+/,
  ])
    assert.match(stderr, line);
});
