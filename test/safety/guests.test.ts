/** Hostile programs in a machine: what they try fails, and the machine goes on. ARCHITECTURE.md has the threat model. */
import assert from 'node:assert/strict';
import { existsSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { CHANNEL, SIZE, SLOT, VA } from '../../src/engine/native/layout.ts';
import { callTable } from './call-table.ts';
import {
  alive,
  childrenOf,
  compile,
  field,
  list,
  Machine,
  newest,
  read,
  run,
  sleep,
  write,
} from './machine.ts';

/** Where random work begins: it is the same each time, unless somebody asks for another. */
const seed = Number(process.env['SEED'] ?? 1);

/** Kernel messages of a bug of ours. */
const noOops = 'dmesg | grep "^\\[ *[0-9.]*\\] \\(BUG\\|Oops\\)"; true';

test('the stub’s system call instructions make calls of the guest’s', async () => {
  const program = compile('attack');
  const outer = new Machine(['sh', '-c', 'read k r; exec "$0" $k $r', program]);
  while (outer.spaces.length < 2) await new Promise(resolve => setTimeout(resolve, 20));
  const { kernel, reaper } = outer;
  outer.child.stdin!.write(`${kernel} ${reaper}\n`);
  await outer.says('READY');
  assert.match(outer.stdout, /made: 0\n/, 'the file was made in the machine');
  const [, compared = '0', different] = /compared (\d+), different (\d+)/.exec(outer.stdout) ?? [];
  assert.equal(different, '0', outer.stdout);
  assert.ok(Number(compared) > 500, `only ${compared} calls were seen`);
  assert.ok(!existsSync('/tmp/uml-attack-made-this'), 'the file is not on the host');
  assert.ok(alive(kernel) && alive(reaper));
  for (const pid of await outer.still()) {
    assert.deepEqual(childrenOf(pid), []);
    const maps = read(`/proc/${pid}/maps`);
    assert.match(maps, /^7e400000-\w+ r-xp/m);
    assert.doesNotMatch(maps, /^7e4\w* .w/m);
    for (const name of ['7e500000', '7e600000', '7e700000'])
      assert.match(maps, new RegExp(`^${name}-\\w+ r--s`, 'm'));
    assert.match(maps, /^7e610000-\w+ r-xs/m);
  }
  outer.child.stdin!.write('x');
  assert.equal(await outer.end(), 0);
});

for (const pause of [0, 99_000])
  test(`memory that a program gives itself past the kernel, with ${pause} us of sleep`, async () => {
    const { stdout } = await run([
      'sh',
      '-c',
      `${compile('attack')} own ${pause}; echo $?; dmesg | grep 'Memory that nobody'`,
    ]);
    assert.match(stdout, /^137\n[\s\S]*Memory that nobody gave: process \d+ \(attack\)/m, stdout.slice(-200));
    const touched = [...stdout.matchAll(/^(\d+) MiB$/gm)].map(m => Number(m[1]));
    assert.ok(Math.max(0, ...touched) < 8192, `touched ${touched.at(-1)} MiB`);
  });

test('threads that spoil what the engine keeps for them harm nobody else', async () => {
  const { stdout, stderr } = await run(['sh', '-c', `${compile('scribble')} 10 ${seed}; ${noOops}`]);
  const said = `seed ${seed}: ${stdout}${stderr}`;
  assert.match(stdout, /lost 0\nwatcher: well, 0 wrong\n$/, said);
  assert.doesNotMatch(said, /Oops|panic/);
});

test('what is foreseen of a program is not for others, nor for less rights, and no lie about it harms the machine', async () => {
  const names = ['FORESEEN', 'FORESEEN_MADE', 'FORESEEN_BUSY', 'FORESEEN_CALLS'] as const;
  const fields = ['FILE', 'FILE_USE', 'FILE_SIZE', 'FILE_RECORD', 'BREAK'] as const;
  const lines = [...names, ...fields].map(name => `#define S_${name} ${SLOT[`S_${name}`]}\n`);
  const program = compile('foreseen', {
    'slot.h': `${lines.join('')}#define SLOT_STRIDE ${SIZE.SLOT_STRIDE}\n`,
  });
  const secret = write('foreseen-secret', 'TOPSECtopsec\n', 0o600);
  const { stdout, stderr } = await run(['sh', '-c', `${program} all ${secret} ${seed}; ${noOops}`]);
  const said = `seed ${seed}: ${stdout}${stderr}`;
  assert.match(stdout, /^others: 0\nbefore: [1-9]\d*, dropped: 0, refused\n0 wrong\n$/, said);
});

test('what a program was told of its break is its own to spoil', async () => {
  const names = ['BREAK', 'BREAK_MOVES', 'BREAK_LOWEST', 'BREAK_HIGHEST', 'BREAK_TOP'] as const;
  const lines = names.map(name => `#define S_${name} ${SLOT[`S_${name}`]}\n`);
  const program = compile('break', { 'break-slot.h': lines.join('') });
  const { stdout, stderr } = await run(['sh', '-c', `${program} 4 ${seed}; ${noOops}`]);
  assert.equal(stdout, 'rounds: some 1, bad 0\n', `seed ${seed}: ${stdout.slice(-2000)}${stderr}`);
});

test('the engine’s ranges stay as they are', async () => {
  const { stdout, status } = await run([compile('ranges')]);
  assert.deepEqual([stdout, status], ['0 bad\n', 0]);
});

test('nothing of others is seen: files behind a mapping, slots, freed memory, setuid', async () => {
  const { stdout } = await run([compile('leaks')]);
  assert.equal(
    stdout,
    'shared grown: 0 pages seen, 0 wrong\nprivate grown: 0 pages seen, 0 wrong\nmoved: 0 pages left behind, 0 wrong\n' +
      'freed: 0 pages seen, 0 dirty\nslots: 0 secrets\nsetuid: status 0\ndropped: status 0\n' +
      ['none', 'groups', 'new rights', 'capabilities', "root's rights"]
        .map(what => `waived ${what}: status 0\nwaived ${what}, thread: status 0\n`)
        .join(''),
  );
});

test('what of the host was given to be read is not written, whoever mounts it how', async () => {
  const file = write('given', 'as it was', 0o644);
  const dir = dirname(file);
  const tries = [
    'mount -o remount,rw /given && echo remounted',
    'mount -o remount,rw,bind /given; mkdir /there; mount --bind /given /there; mount -o remount,rw,bind /there',
    `mkdir /other; mount -t hostfs -o ${dir} none /other; mount -o remount,rw /other && echo other remounted`,
    'for name in /given /there /other; do cat $name/given; echo; done',
    'for name in /given /there /other; do echo changed >$name/given; chmod 777 $name/given; touch $name/made; done',
  ];
  const { stdout } = await run(['--volume', `${dir}:/given:ro`, '--', 'sh', '-c', tries.join('\n')]);
  assert.equal(stdout, 'as it was\n'.repeat(3));
  assert.equal(read(file), 'as it was');
  assert.equal(statSync(file).mode & 0o777, 0o644);
  assert.ok(!existsSync(join(dir, 'made')));
});

test('users are kept apart', async () => {
  const { stdout, status } = await run([compile('separation')]);
  assert.deepEqual([stdout, status], ['0 bad\n', 0]);
});

test('files of /proc stay with the program that they were opened of', async () => {
  const { stdout } = await run([compile('held')]);
  const ofMemory =
    'mem empty, 0 written environ empty auxv empty pagemap empty maps empty smaps empty smaps_rollup';
  assert.deepEqual(stdout.trim().split('\n'), [
    `same rights: ${ofMemory} empty syscall seen io seen personality seen`,
    `more rights: ${ofMemory} empty syscall EPERM io EACCES personality EPERM`,
  ]);
});

test('a program that the host kills is dead; one that masks the host’s signals can be killed', async () => {
  const { stdout } = await run([compile('broken')]);
  assert.equal(stdout, '10 of 10 died\none that masks all: f\n');
});

test('a space that is kept ready, and dies: who needs it next does not miss it', async () => {
  // Programs that awk starts are children of vfork.
  const machine = new Machine(['sh', '-c', `while read x; do awk 'BEGIN { system("echo '$x'") }'; done`]);
  // The first space, the shell's, and the one that is kept; others may be on their way out.
  const idle = async (): Promise<number[]> => {
    for (;;) {
      const now = await machine.still();
      if (now.length === 3) return now;
    }
  };
  const say = async (word: string): Promise<void> => {
    machine.child.stdin!.write(`${word}\n`);
    await machine.says(`${word}\n`);
  };
  await say('first');
  const kept = newest(await idle());
  process.kill(kept, 'SIGKILL');
  while (alive(kept)) await sleep(10);
  await say('second');
  assert.ok(!(await idle()).includes(kept));
  assert.equal(await machine.end(), 0);
});

test('files that are lent: who writes where they are received gets none of others, and keeps none', async () => {
  const fill = (letter: string): string => write(letter, letter.repeat(20 << 20), 0o644);
  const headers = { 'answers.h': `#define ANSWERS ((volatile unsigned long *)${VA.STUB_ANSWERS})\n` };
  const machine = new Machine([compile('lent', headers), fill('a'), fill('b')]);
  await machine.says('over\n');
  for (const pid of await machine.still()) assert.deepEqual(list(`/proc/${pid}/fd`), ['3', '4', '5']);
  assert.equal(await machine.end(), 0);
  const [, mapped = '0'] = /liar: 0 of others, (\d+) mapped/.exec(machine.stdout) ?? [];
  assert.ok(Number(mapped) > 0, machine.stdout);
  assert.match(machine.stdout, /^honest: 0 wrong$/m);
});

test('windows on files: what a descriptor is open for, as long as it is, and for its own program', async () => {
  const { WINDOW_BASE } = VA;
  const { WINDOW_STRIDE, MAX_WINDOWS } = SIZE;
  const { S_WINDOW_USE, WINDOW_WRITTEN, WINDOW_MAY_WRITE, WINDOW_OPEN } = SLOT;
  const fields = { S_WINDOW_USE, WINDOW_WRITTEN, WINDOW_MAY_WRITE, WINDOW_OPEN };
  const constants = Object.entries({ WINDOW_BASE, WINDOW_STRIDE, MAX_WINDOWS, ...fields });
  const headers = { 'windows.h': constants.map(([name, value]) => `#define ${name} ${value}UL\n`).join('') };
  const { stdout } = await run([compile('window', headers)]);
  assert.deepEqual(stdout.trim().split('\n'), [
    'at first: 0 seen, 0 writable',
    'one: 1 seen, 1 writable',
    'two: 2 seen, 1 writable',
    'only written: 2 seen, 1 writable',
    'child: 0 seen, 0 writable',
    'unmapped: 2 seen, 1 writable',
    'closed: 1 seen, 0 writable',
    'cut: 0 seen, 0 writable',
    'forged: lent 1, changed 0',
    'four: 1 seen, 1 writable',
    'executed: 0 seen, 0 writable',
  ]);
});

test('what is sealed stays as it is, whoever sees it through a window', async () => {
  const constants = Object.entries({ WINDOW_BASE: VA.WINDOW_BASE, ...SIZE });
  const headers = { 'windows.h': constants.map(([name, value]) => `#define ${name} ${value}UL\n`).join('') };
  const { stdout } = await run([compile('sealed', headers)]);
  assert.equal(stdout, 'windows: some 1, changed 0\n');
});

test('a pipe that goes along: who can only read puts nothing there, and nonsense harms nobody', async () => {
  const names = ['S_PIPE', 'S_PIPE_USE', 'S_PIPE_READ', 'S_PIPE_WRITE', 'PIPE_SIZE', 'PIPE_TAIL'] as const;
  const bits = ['PIPE_WHOLE', 'PIPE_GONE', 'PIPE_OPEN'] as const;
  const lines = [...names, ...bits].map(name => `#define ${name} ${SLOT[name]}u\n`);
  const program = compile('pipe', { 'pipe-slot.h': lines.join('') });
  const { stdout, stderr } = await run(['sh', '-c', `${program} ${seed}; ${noOops}`]);
  const said = `seed ${seed}: ${stdout}${stderr}`;
  assert.match(
    stdout,
    /^reader: went along 1, no more than there was, 0 forged\nnonsense: done\nleft: 0\n$/,
    said,
  );
});

/** What the stub and the kernel share of pipes between two processes, for programs that look there. */
function channelHeaders(): Readonly<Record<string, string>> {
  const { CHANNEL_BASE } = VA;
  const { CHANNEL_STRIDE } = SIZE;
  const { S_CHANNELS, S_CHANNEL_WRITE, S_CHANNEL_READ } = SLOT;
  const fields = { S_CHANNELS, S_CHANNEL_WRITE, S_CHANNEL_READ };
  const words = Object.entries({ ...CHANNEL, ...fields }).map(([name, value]) => `${name} ${value}u`);
  const places = Object.entries({ CHANNEL_BASE, CHANNEL_STRIDE }).map(
    ([name, value]) => `${name} ${value}UL`,
  );
  return { 'channels.h': [...words, ...places].map(line => `#define ${line}\n`).join('') };
}

test('a pipe between two processes: only they see its pages, each writes its own', async () => {
  const program = compile('channel-rights', channelHeaders());
  const { stdout, stderr } = await run(['sh', '-c', `${program} all; ${noOops}`]);
  assert.deepEqual(
    stdout.trim().split('\n'),
    [
      'one: open 1, rw rw r- r- r- rw',
      'other: open 1, rw rw r- r- r- rw',
      'afterwards: open 1, ended 0',
      'forked: open 1, 0 and 0 seen',
      'forked, executed: open 1, 0 and 0 seen',
      'vforked, executed: open 1, 0 and 0 seen',
      'executed by its thread: open 1, 0 seen',
      'executed by another thread: open 1, 0 seen',
      'new program: open 1, ended 0',
      'thread gone: open 1, over 1, 0 seen',
    ],
    stdout + stderr,
  );
});

test('a pipe between two processes: no lie harms anybody else, and nothing is left of it', async () => {
  const program = compile('channel-lies', channelHeaders());
  const { stdout, stderr } = await run(['sh', '-c', `${program} ${seed}; ${noOops}`]);
  const said = `seed ${seed}: ${stdout}${stderr}`;
  assert.deepEqual(
    stdout.trim().split('\n'),
    [
      'lying writers: 6 of 6 well, open 1',
      'lying readers: 6 of 6 well, open 1',
      'slots of writers: 6 of 6 well, open 1',
      'slots of readers: 6 of 6 well, open 1',
      'hiding writers: 6 of 6 well, open 1',
      'after liars: 6 of 6 well',
      'successor: open 1 and 1, 0 and 0 secrets',
      'after a lie: open 1, 0 bytes that were never written',
    ],
    said,
  );
});

test('random system calls: no oops, nobody hangs', async () => {
  const { stdout, stderr } = await run(['sh', '-c', `${compile('fuzz')} 10 ${seed}; ${noOops}`]);
  const said = `seed ${seed}: ${stdout}${stderr}`;
  assert.match(stdout, /rounds \d+, lost 0, calls \d{4,}\n$/, said);
  assert.doesNotMatch(said, /Oops|panic/);
});

test('long calls: meanwhile others are answered', async () => {
  const { stdout } = await run([compile('long')]);
  const each = ['random parts', 'random whole', 'memory', 'residency', 'line'];
  assert.equal(stdout, each.map(name => `${name}: answered 20, killed in time 1\n`).join(''));
});

test('what a program reserves is summed up at once', async () => {
  const { stdout } = await run([compile('areas')]);
  assert.equal(stdout, 'read 1, in time 1\n');
});

/** What a machine has in use, by its own word and by the host's. */
const inUse =
  'echo tasks $(ls /proc | grep -c "^[0-9]") files $(cut -f1 /proc/sys/fs/file-nr) mounts $(grep -c . /proc/self/mountinfo) locks $(grep -c . /proc/locks) ipc $(cat /proc/sysvipc/* | grep -c "^ *[0-9]")';

test('random system calls that get somewhere: no oops, nobody hangs, nothing stays in use', async () => {
  const seed = Number(process.env['STORM_SEED'] ?? 1);
  const program = compile('storm', { 'calls.h': callTable() });
  const script = `${inUse}; echo begin; read x; ${program} ${seed} 4 1000; ${inUse}; ${noOops}; echo end; read x`;
  const machine = new Machine(['--mem', '256M', '--', 'sh', '-c', script]);
  await machine.says('begin\n');
  const { kernel } = machine;
  const descriptors = (): number => list(`/proc/${kernel}/fd`).length;
  const before = descriptors();
  machine.child.stdin!.write('x\n');
  await machine.says('end\n');
  const said = `seed ${seed}: ${machine.stdout}${machine.stderr}`;
  const [was = '', , ...lines] = machine.stdout.split('\n');
  // Root's calls find any descriptor of the machine's in the end: there may be something before it.
  const done = lines.findIndex(line => /lost 0, calls \d{3,}$/.test(line));
  assert.ok(done >= 0, said);
  const [is = '', ...rest] = lines.slice(done + 1);
  assert.equal(is, was, said);
  assert.deepEqual(rest, ['end', ''], said);
  // The first space, the shell's, and one that is kept. Places of the host's files that were looked up stay open for a while.
  for (let tries = 0; machine.spaces.length > 3 && tries < 3000; tries++) await sleep(20);
  assert.ok(machine.spaces.length <= 3, `${machine.spaces.length} host processes`);
  assert.ok(descriptors() <= before + 40, `${descriptors()} descriptors, ${before} before`);
  await machine.end();
});

test('threads of guests have nothing of the host’s', async () => {
  const machine = new Machine(['sh', '-c', 'sleep 1000 & echo READY; read x; true']);
  await machine.says('READY');
  const spaces = await machine.still();
  assert.ok(spaces.length >= 3);
  let guests = 0;
  for (const pid of spaces) {
    assert.equal(read(`/proc/${pid}/environ`), '');
    assert.doesNotMatch(read(`/proc/${pid}/maps`), /\.so|node/);
    for (const tid of list(`/proc/${pid}/task`).map(Number)) {
      const status = read(`/proc/${pid}/task/${tid}/status`);
      assert.equal(field(status, 'NoNewPrivs'), '1');
      assert.equal(field(status, 'Seccomp'), '2');
      // What guests have lost besides, attack.c tries: the host's /proc does not tell of it.
      assert.equal(field(status, 'Seccomp_filters'), '1');
      const fds = list(`/proc/${pid}/task/${tid}/fd`);
      assert.deepEqual(
        fds,
        tid === pid ? ['3', '4', '5'] : [],
        'no descriptors but the mapping thread’s three',
      );
      if (tid !== pid) guests++;
    }
  }
  assert.ok(guests >= 2);
  await machine.end();
});
