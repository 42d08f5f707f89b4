/** Files that go along with answers: which, for how long, and what a program did with them. The thread is played. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { NR } from '../../../src/arch/x86_64/unistd.ts';
import { ALONG, type FileUse, NO_BYTES } from '../../../src/engine/answers.ts';
import { type EngineThread, TRAP_CALL } from '../../../src/engine/engine.ts';
import type { File } from '../../../src/fs/file.ts';
import { locksOf } from '../../../src/fs/locks.ts';
import {
  keepFromGoingAlong,
  sendAlong,
  settleAlong,
  settleEverybody,
  settleNameless,
} from '../../../src/kernel/along.ts';
import { Entry } from '../../../src/kernel/entry.ts';
import type { Task } from '../../../src/kernel/task.ts';
import { NumberTable } from '../../../src/lib/number-table.ts';
import { bringAlong } from '../../../src/syscalls/along.ts';
import { fileCalls } from '../../../src/syscalls/files.ts';
import { entryCall } from '../../../src/syscalls/table.ts';
import { EBADF } from '../../../src/uapi/errno.ts';
import { AT_FDCWD, O_CREAT, O_DIRECTORY, O_RDONLY, O_RDWR } from '../../../src/uapi/fcntl.ts';
import { BASE, CallMachine, syscall, TestMemory } from './machine.ts';

const STAT = 0x200000;
const DATA = 0x201000;
const MOST = 0x8000;

class Program {
  readonly machine = new CallMachine();
  readonly memory = new TestMemory(1 << 20);
  readonly task: Task = this.machine.process(this.memory);
  /** What the thread has: as the kernel sent it, as the thread left it. */
  sent: { fd: number; may: number; size: number; whole: boolean } | null = null;
  use: FileUse | null = null;
  private result = 0;
  private readonly entry: Entry;

  constructor() {
    const calls: (ReturnType<typeof entryCall> | undefined)[] = [];
    for (const row of fileCalls) calls[(NR as Readonly<Record<string, number>>)[row.name]!] = entryCall(row);
    this.entry = new Entry(calls);
    this.task.thread = {
      along: {
        stat: STAT,
        place: () => DATA,
        size: MOST,
        send: (file: Program['sent'], position: number) => {
          this.sent = file;
          this.use = { position, closed: false };
          return true;
        },
        take: () => {
          const { use } = this;
          this.sent = null;
          this.use = null;
          return use;
        },
      },
      answer: (value: number) => {
        this.result = value;
      },
    } as unknown as EngineThread;
  }

  /** Through the kernel's entry, as a thread comes. */
  call(name: string, ...args: number[]): number {
    const thread = {
      ...this.task.thread!,
      owner: this.task,
      trap: TRAP_CALL,
      nr: (NR as Readonly<Record<string, number>>)[name],
      hasFrame: false,
      arg: (i: number) => args[i] ?? 0,
    } as unknown as EngineThread;
    this.task.thread = thread;
    this.entry.trap(thread);
    this.memory.flush();
    return this.result;
  }

  /** A file that does not change, as one of a read-only layer. */
  steady(size: number): void {
    const fd = this.named(() => syscall(this.task, 'openat', AT_FDCWD, BASE, O_CREAT | O_RDWR, 0o644));
    syscall(this.task, 'ftruncate', fd, size);
    Object.defineProperty(this.task.files.get(fd)!.inode, 'isSteady', { value: true, configurable: true });
    syscall(this.task, 'close', fd);
  }

  open(flags: number = O_RDONLY): number {
    return this.named(() => this.call('openat', AT_FDCWD, BASE, flags, 0));
  }

  read(fd: number, count: number): number {
    return this.call('read', fd, BASE + 0x1000, count);
  }

  file(fd: number): File | null {
    return this.task.files.get(fd);
  }

  private named(call: () => number | Promise<number>): number {
    this.memory.ram.set([...'file\0'].map(c => c.charCodeAt(0)));
    return call() as number;
  }
}

function opened(size: number): { program: Program; fd: number } {
  const program = new Program();
  program.steady(size);
  return { program, fd: program.open() };
}

test('a small file goes along as a whole', () => {
  const { program, fd } = opened(100);
  assert.deepEqual([program.sent?.fd, program.sent?.size, program.sent?.whole], [fd, 100, true]);
  assert.deepEqual(program.use, { position: 0, closed: false });
  assert.equal(program.memory.view.getInt32(STAT + 48, true), 100);
});

test('what the thread did is made true when it asks', () => {
  const { program, fd } = opened(100);
  program.use = { position: 60, closed: false };
  assert.equal(program.read(fd, 10), 10);
  assert.deepEqual(program.use, { position: 70, closed: false });
  program.use = { position: 70, closed: true };
  assert.equal(program.read(fd, 10), -EBADF);
  assert.equal(program.file(fd), null);
  assert.equal(program.use, null);
});

test('others see it while the thread runs', () => {
  const { program, fd } = opened(100);
  program.use = { position: 60, closed: false };
  settleAlong(program.task);
  assert.equal(program.file(fd)?.pos, 60);
  assert.equal(program.read(fd, 10), 10);
  assert.deepEqual(program.use, { position: 70, closed: false });
});

test('it does not go along after a call that may have to do with it, nor once somebody shares it', () => {
  for (const end of ['dup', 'fcntl', 'fstat', 'close'] as const) {
    const { program, fd } = opened(100);
    program.call(end, fd);
    assert.equal(program.sent, null);
    assert.equal(program.read(fd, 10), end === 'close' ? -EBADF : 10);
    assert.equal(program.sent, null);
  }
  const { program, fd } = opened(100);
  program.use = { position: 5, closed: false };
  keepFromGoingAlong(program.task);
  assert.equal(program.file(fd)?.pos, 5);
  program.read(fd, 10);
  assert.equal(program.sent, null);
});

const fdOf = ({ files }: Task, file: File): number => (files.get(3) === file ? 3 : -1);

test('it goes along only if nobody else has to do with it, at each answer', () => {
  const ways: Readonly<Record<string, (program: Program, file: File) => void>> = {
    'the table is shared': ({ task }) => task.files.share(),
    'it has locks': (_, { inode }) => void locksOf(inode),
    'it may change': (_, { inode }) => void Object.defineProperty(inode, 'isSteady', { value: false }),
    'somebody listens': ({ machine }) => Object.assign(machine.vfs, { notify: {} }),
    'calls are filtered': ({ task }) => Object.assign(task.attributes, { seccomp: {} }),
    'there is another thread': ({ task, machine }) => task.group.addThread(machine.process()),
    'the descriptor is gone': ({ task }, file) => task.files.close(fdOf(task, file)),
  };
  for (const [name, way] of Object.entries(ways)) {
    const { program, fd } = opened(100);
    settleAlong(program.task);
    const file = program.file(fd)!;
    way(program, file);
    sendAlong(program.task);
    assert.equal(program.sent, null, name);
    assert.equal(program.task.openedAlong, null, name);
  }
  const { program } = opened(100);
  settleAlong(program.task);
  sendAlong(program.task);
  assert.notEqual(program.sent, null);
});

test('of a directory only attributes and position go along, its entries are asked for', () => {
  const program = new Program();
  program.steady(0);
  const { inode } = program.task.cwd;
  Object.defineProperty(inode, 'isSteady', { value: true });
  program.memory.ram.set([46, 0]);
  const fd = program.call('openat', AT_FDCWD, BASE, O_RDONLY | O_DIRECTORY, 0);
  assert.deepEqual([program.sent?.fd, program.sent?.size, program.sent?.whole], [fd, NO_BYTES, false]);
  assert.equal(program.memory.view.getUint32(STAT + 24, true), inode.mode);
  const entries = (): number => program.call('getdents64', fd, BASE + 0x1000, 4096);
  const all = entries();
  assert.ok(all > 0);
  assert.equal(entries(), 0);
  // The thread rewinds it by itself.
  program.use = { position: 0, closed: false };
  assert.equal(entries(), all);
  program.use = { position: 0, closed: true };
  assert.equal(entries(), -EBADF);
});

test('of a file that may be written the position goes along, and it may be closed', () => {
  const program = new Program();
  program.steady(100);
  const fd = program.open(O_RDWR);
  assert.deepEqual([program.sent?.may, program.sent?.size], [ALONG.SEEKS | ALONG.CLOSES, NO_BYTES]);
  program.use = { position: 30, closed: false };
  assert.equal(program.call('write', fd, BASE, 10), 10);
  assert.deepEqual(program.use, { position: 40, closed: false });
  program.use = { position: 40, closed: true };
  assert.equal(program.call('write', fd, BASE, 10), -EBADF);
  assert.ok(program.file(fd) === null);
});

test('it may not be closed where somebody would hear of it, nor while the program does as it did the last times', () => {
  const ways: Readonly<Record<string, (program: Program, file: File) => void>> = {
    'it has locks': (_, { inode }) => void locksOf(inode),
    'somebody listens': ({ machine }) => Object.assign(machine.vfs, { notify: {} }),
    'the table is shared': ({ task }) => task.files.share(),
    'it is shared': (_, file) => void file.get(),
    'the host could tell': (_, file) => void Object.defineProperty(file, 'closesQuietly', { value: false }),
    'it has no name': (_, { inode }) => void Object.defineProperty(inode, 'nlink', { value: 0 }),
    'its habit': ({ task }) => Object.assign(task, { follower: {} }),
  };
  for (const [name, way] of Object.entries(ways)) {
    const program = new Program();
    program.steady(100);
    const file = program.file(program.open(O_RDWR))!;
    settleAlong(program.task);
    way(program, file);
    sendAlong(program.task);
    assert.ok(program.sent === null && program.task.openedAlong === null, name);
  }
});

test('what everybody has closed by himself is closed, for who has to know', () => {
  const program = new Program();
  program.steady(100);
  const fd = program.open(O_RDWR);
  const { inode } = program.file(fd)!;
  assert.equal(inode.writers, 1);
  program.use = { position: 0, closed: true };
  settleEverybody({ tasks: new NumberTable<Task>() });
  assert.equal(inode.writers, 1);
  const tasks = new NumberTable<Task>();
  tasks.set(program.task.pid, program.task);
  settleEverybody({ tasks });
  assert.equal(inode.writers, 0);
});

test('what loses its last name is asked for from then on', () => {
  const program = new Program();
  program.steady(100);
  const fd = program.open(O_RDWR);
  const { inode } = program.file(fd)!;
  const tasks = new NumberTable<Task>();
  tasks.set(program.task.pid, program.task);
  settleNameless({ tasks }, program.task.cwd.inode);
  assert.ok(program.sent !== null);
  program.use = { position: 0, closed: true };
  settleNameless({ tasks }, inode);
  assert.ok(program.file(fd) === null && program.task.openedAlong === null);
});

test('random bytes are sent once', () => {
  const program = new Program();
  program.steady(100);
  const fd = program.open(O_RDWR);
  settleAlong(program.task);
  const file = program.file(fd)!;
  Object.defineProperties(file, { seeksFreely: { value: false }, readsAhead: { value: 32 } });
  program.task.openedAlong = null;
  bringAlong(program.task, file, fd);
  sendAlong(program.task);
  assert.deepEqual([program.sent?.may, program.sent?.size], [ALONG.READS | ALONG.CLOSES, 32]);
  program.use = { position: 8, closed: false };
  program.read(fd, 10);
  assert.ok(program.sent === null);
  assert.equal(file.pos, 10);
});

test('a larger one goes along if it was read as a whole the last time', () => {
  const { program, fd } = opened(10_000);
  const again = (): number | undefined => {
    assert.equal(program.open(), fd);
    return program.sent?.size;
  };
  const close = (position: number): void => {
    program.use = { position, closed: true };
  };
  assert.equal(program.sent?.size, 0);
  assert.equal(program.read(fd, 6000), 6000);
  assert.equal(program.read(fd, 6000), 4000);
  assert.deepEqual(program.use, { position: 10_000, closed: false });
  close(10_000);
  assert.equal(again(), 10_000);
  close(10_000);
  assert.equal(again(), 10_000);
  close(0);
  assert.equal(again(), 0);
});

test('nor does it if it is larger than there is room', () => {
  const { program, fd } = opened(MOST + 1);
  for (let i = 0; i < 2; i++) {
    assert.equal(program.sent?.size, 0);
    assert.equal(program.read(fd, 1 << 16), MOST + 1);
    program.use = { position: MOST + 1, closed: true };
    program.open();
  }
});
