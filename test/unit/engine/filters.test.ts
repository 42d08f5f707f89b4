/** The seccomp programs, run by a small interpreter of the same instructions as the host's (linux/filter.h). */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { assemble, type Instruction, jeq, label, load, ret } from '../../../src/engine/native/bpf.ts';
import {
  DISPATCH,
  FILTERS,
  FORK_FLAGS,
  TEXT_SIZE,
  THREAD_FLAGS,
} from '../../../src/engine/native/filters.ts';
import { FD, LOWEST_OWN, SIZE, VA } from '../../../src/engine/native/layout.ts';
import { isApart } from '../../../src/engine/native/own-mappings.ts';

const ALLOW = 0x7fff0000;
const TRAP = 0x00030000;
const X86_64 = 0xc000003e;
const I386 = 0x40000003;

interface Call {
  nr: number;
  args?: readonly number[];
  ip?: number;
  arch?: number;
}

type Caller = 'guest' | 'mapper' | 'reaper';

/** Which program each of them has, and where its own calls are made: behind the instruction. */
const CALLERS: Readonly<Record<Caller, { program: keyof typeof FILTERS; ip: number }>> = {
  guest: { program: 'space', ip: VA.STUB_ENTRY },
  mapper: { program: 'space', ip: VA.STUB_ENTRY - 1 },
  reaper: { program: 'reaper', ip: VA.STUB_ENTRY },
};

/** Calls from elsewhere the host gives back to a guest thread before it asks any program (PR_SET_SYSCALL_USER_DISPATCH). */
const isDispatched = (caller: Caller, ip: number): boolean =>
  caller === 'guest' && !(ip >= VA.STUB_ENTRY && ip < VA.STUB_ENTRY + DISPATCH.GUEST_TEXT_SIZE);

/** struct seccomp_data: nr, arch, instruction pointer, six arguments. */
function dataOf({ nr, args = [], ip = 0, arch = X86_64 }: Call): DataView {
  const view = new DataView(new ArrayBuffer(64));
  view.setInt32(0, nr | 0, true);
  view.setUint32(4, arch, true);
  view.setBigUint64(8, BigInt(ip), true);
  args.forEach((arg, i) => {
    view.setBigUint64(16 + 8 * i, BigInt.asUintN(64, BigInt(arg)), true);
  });
  return view;
}

function run(program: readonly Instruction[], call: Call): number {
  const data = dataOf(call);
  let a = 0;
  let x = 0;
  for (let pc = 0; pc < program.length; pc++) {
    const { code, jt, jf, k } = program[pc]!;
    if (code === 0x20) a = data.getUint32(k, true);
    else if (code === 0x07) x = a;
    else if (code === 0x0c) a = (a + x) >>> 0;
    else if (code === 0x04) a = (a + k) >>> 0;
    else if (code === 0x06) return k;
    else if (code === 0x15) pc += a === k ? jt : jf;
    else if (code === 0x35) pc += a >= k ? jt : jf;
    else if (code === 0x45) pc += (a & k) !== 0 ? jt : jf;
    else throw new Error(`instruction ${code.toString(16)} at ${pc}`);
  }
  throw new Error('ran off the end');
}

function expect(caller: Caller, verdict: number, calls: readonly Call[]): void {
  const { program, ip } = CALLERS[caller];
  for (const each of calls) {
    const call = { ip, ...each };
    const answer = isDispatched(caller, call.ip) ? TRAP : run(FILTERS[program], call);
    assert.equal(answer, verdict, `${caller}: ${JSON.stringify(call)}`);
  }
}

const everyNumber = [...Array(512).keys(), 1024, 5000, -1, 0x40000000, 0x40000000 + 202, 0x7fffffff];
const FUTEX = 202;
const GETRUSAGE = 98;
const EXIT_GROUP = 231;
const futex = (address: number, op = 1, timeout = 0, ip?: number): Call =>
  ip === undefined
    ? { nr: FUTEX, args: [address, op, 1, timeout] }
    : { nr: FUTEX, args: [address, op, 1, timeout], ip };

test('every program has an end for every path', () => {
  for (const program of Object.values(FILTERS)) {
    program.forEach(({ code, jt, jf }, pc) => {
      if (code !== 0x06) assert.ok(pc + 1 + Math.max(jt, jf) < program.length);
      else assert.ok([ALLOW, TRAP].includes(program[pc]!.k), 'what is not allowed is a trap');
    });
  }
});

test('a guest thread: waiting, waking, returning, yielding, asking what it used, ending its process, from the stub', () => {
  expect('guest', ALLOW, [
    { nr: 15 },
    { nr: 24 },
    { nr: GETRUSAGE, args: [0, VA.SLOT_BASE] },
    { nr: EXIT_GROUP },
    futex(VA.SLOT_BASE),
    futex(VA.SLOT_BASE, 0),
    futex(VA.SLOT_END - 4),
    futex(VA.STUB_SPACE),
    futex(VA.STUB_ANSWERS, 0),
    futex(VA.STUB_END - 4),
    { nr: 15, ip: VA.STUB_TEXT + TEXT_SIZE - 1 },
  ]);
});

const ownMap = (address: number, len: number, flags = 0x4032): Call => ({
  nr: 9,
  args: [address, len, 3, flags, -1, 0],
});

test('a guest thread: private memory of its own, apart from the engine’s', () => {
  const apart: [number, number][] = [
    [0x555555550000, 0x1000],
    [2 ** 32, 2 ** 32],
    [VA.SLOT_BASE - 2 ** 34, 2 ** 33],
    [VA.SLOT_END, 0x1000],
    [0x7ffff7fff000, 0x7000],
    [LOWEST_OWN, 0x1000],
    [LOWEST_OWN, VA.STUB_TEXT - LOWEST_OWN],
    [0x404000, 0x21000],
    [VA.STUB_TEXT - 0x1000, 0x1000],
  ];
  for (const [address, len] of apart) {
    assert.ok(isApart(address, len));
    expect('guest', ALLOW, [
      ownMap(address, len),
      { nr: 11, args: [address, len] },
      { nr: 10, args: [address, len, 7] },
      { nr: 28, args: [address, len, 4] },
      { nr: 28, args: [address, len, 8] },
    ]);
    expect('guest', TRAP, [
      ...[0x32, 0x4012, 0x4031, 0x4033, 0x14032, 2 ** 32 + 0x4032].map(f => ownMap(address, len, f)),
      ...[8, 0x1000003, 2 ** 32].map(prot => ({ nr: 10, args: [address, len, prot] })),
      ...[0, 1, 9, 10, 11, 14, 100, 101].map(advice => ({ nr: 28, args: [address, len, advice] })),
      { nr: 9, args: [address, len, 3, 0x11, FD.FD_MEMORY, 0] },
      { nr: 25, args: [address, len, len, 3, 0x10000] },
      { ...ownMap(address, len), ip: 0x555555555000 },
    ]);
  }
});

test('a guest thread: nothing that the engine keeps', () => {
  const kept: [number, number][] = [
    [VA.STUB_TEXT, 0x1000],
    [VA.STUB_SPACE, 0x1000],
    [0x10000, 2 ** 46],
    [2 ** 32 - 0x1000, 0x2000],
    [VA.SLOT_BASE, 0x1000],
    [VA.SLOT_END - 0x1000, 0x2000],
    [VA.SLOT_BASE - 0x1000, 0x2000],
    [2 ** 32, VA.SLOT_BASE],
    [0x600000000000, 2 ** 46],
    [0x555555550000, -0x1000],
    [-0x1000, 0x2000],
    [2 ** 47, 0x1000],
    [0, 0x1000],
    [LOWEST_OWN - 0x1000, 0x1000],
    [LOWEST_OWN - 0x1000, 0x2000],
    [LOWEST_OWN, VA.STUB_TEXT - LOWEST_OWN + 1],
    [LOWEST_OWN, VA.STUB_TEXT],
    [VA.STUB_TEXT - 0x1000, 0x1001],
    [VA.STUB_TEXT - 0x1000, 0x2000],
    [VA.STUB_TEXT - 0x1000, 2 ** 32],
    [VA.STUB_TEXT - 0x1000, 2 ** 32 - 0x1000],
    [0x404000, 2 ** 32 - 0x404000],
    [0x404000, 2 ** 32 + 0x1000],
    [VA.STUB_END, 0x1000],
    [2 ** 32 - 0x1000, 0x1000],
  ];
  for (const [address, len] of kept) {
    assert.ok(address < 0 || address >= 2 ** 47 || len < 0 || !isApart(address, len));
    expect('guest', TRAP, [
      ownMap(address, len),
      { nr: 11, args: [address, len] },
      { nr: 10, args: [address, len, 3] },
      { nr: 28, args: [address, len, 4] },
    ]);
  }
});

test('a guest thread: nothing else, with whatever arguments', () => {
  const others = everyNumber.filter(nr => ![15, 24, GETRUSAGE, EXIT_GROUP, FUTEX].includes(nr));
  const places = [0, VA.SLOT_BASE, VA.STUB_SPACE, 3, -1];
  for (const nr of others) {
    expect(
      'guest',
      TRAP,
      places.map(place => ({ nr, args: [place, 1, 0, 0, 5, 0] })),
    );
    // As addresses these would be its own memory's.
    if ([10, 11].includes(nr)) continue;
    expect('guest', TRAP, [
      { nr, args: [FORK_FLAGS, 0, 0, 0, 0, 0] },
      { nr, args: [THREAD_FLAGS, 0, 0, 0, 0, 0] },
    ]);
  }
});

test('a guest thread: other futexes are calls of its own', () => {
  expect('guest', TRAP, [
    futex(VA.SLOT_BASE - 4),
    futex(VA.SLOT_BASE - 2 ** 32),
    futex(VA.SLOT_END),
    futex(VA.STUB_SPACE - 4),
    futex(VA.STUB_GLOBAL, 0),
    futex(VA.STUB_GLOBAL + 4, 0),
    futex(VA.STUB_END),
    futex(2 ** 32 + VA.STUB_SPACE),
    futex(0x555555550000),
    futex(0),
    futex(VA.SLOT_BASE, 1, 0x1000),
    futex(VA.SLOT_BASE, 0, 2 ** 32),
    ...[2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 128, 129, 256].map(op => futex(VA.SLOT_BASE, op)),
  ]);
});

test('a guest thread: from elsewhere, or in another way, all is its own', () => {
  const ips = [
    0,
    0x555555555000,
    VA.STUB_TEXT - 1,
    VA.STUB_TEXT,
    VA.STUB_TEXT + 2,
    VA.STUB_ENTRY - 1,
    VA.STUB_TEXT + TEXT_SIZE,
    VA.STUB_THUNKS,
    2 ** 32 + VA.STUB_TEXT,
  ];
  for (const ip of ips) {
    expect('guest', TRAP, [
      { nr: 15, ip },
      { nr: 24, ip },
      { nr: GETRUSAGE, ip },
      { nr: EXIT_GROUP, ip },
      futex(VA.SLOT_BASE, 1, 0, ip),
    ]);
  }
  for (const nr of everyNumber) expect('guest', TRAP, [{ nr, arch: I386, args: [VA.SLOT_BASE, 1, 0, 0] }]);
});

const FIXED_ANON = 0x4000 | 0x32;
const mmap = (address: number, flags: number, fd: number): Call => ({
  nr: 9,
  args: [address, 4096, 3, flags, fd, 0],
});

test('a mapping thread: fixed mappings of the memory file or of nothing', () => {
  expect('mapper', ALLOW, [
    mmap(0x10000, FIXED_ANON, -1),
    mmap(0x555555550000, 0x4011, FD.FD_MEMORY),
    mmap(0x555555550000, 0x4012, FD.FD_MEMORY_RO),
    mmap(0x555555550000, 0x4012, FD.FD_LENT),
    mmap(VA.STUB_TEXT - 4096, FIXED_ANON, -1),
    mmap(VA.STUB_TEXT + TEXT_SIZE, FIXED_ANON, -1),
    mmap(2 ** 32 + VA.STUB_TEXT, FIXED_ANON, -1),
  ]);
  expect('mapper', TRAP, [
    mmap(0x10000, 0x22, -1),
    mmap(0x10000, 0x4011, FD.FD_LENT),
    mmap(0x10000, 0x4013, FD.FD_LENT),
    mmap(0x10000, 0x12, FD.FD_LENT + 1),
    mmap(0x10000, 0x12, FD.FD_NOTES),
    mmap(0x10000, 0x11, FD.FD_EPOLL),
    mmap(0x10000, 0x8000 | FIXED_ANON, -1),
    mmap(0x10000, 0x40000 | FIXED_ANON, -1),
    mmap(0x10000, 0x100000 | FIXED_ANON, -1),
    mmap(VA.STUB_TEXT, FIXED_ANON, -1),
    mmap(VA.STUB_TEXT + TEXT_SIZE - 4096, 0x11, FD.FD_MEMORY),
    mmap(VA.STUB_TEXT, 0x12, FD.FD_LENT),
  ]);
});

/** Ranges that begin below the text and reach into it, or over it. */
const intoText: readonly [number, number][] = [
  [VA.STUB_TEXT - 4096, 4097],
  [VA.STUB_TEXT - 4096, 8192],
  [VA.STUB_TEXT - 4096, 2 ** 32],
  [VA.STUB_TEXT - 4096, 2 ** 32 - 4096],
  [VA.STUB_TEXT - 4096, 2 ** 32 + 1],
  [0x10000, VA.STUB_TEXT],
  [0, VA.STUB_TEXT + 1],
  [0, 2 ** 47],
];

test('a mapping thread: the text stays', () => {
  for (const nr of [10, 11, 25, 28]) {
    expect('mapper', ALLOW, [
      { nr, args: [0x10000, 4096] },
      { nr, args: [0, VA.STUB_TEXT] },
      { nr, args: [VA.STUB_TEXT - 4096, 4096] },
      { nr, args: [VA.STUB_TEXT + TEXT_SIZE, 4096] },
      { nr, args: [2 ** 32 + VA.STUB_TEXT, 2 ** 40] },
    ]);
    expect('mapper', TRAP, [
      { nr, args: [VA.STUB_TEXT, 4096] },
      { nr, args: [VA.STUB_TEXT + TEXT_SIZE - 1, 1] },
      ...intoText.map(args => ({ nr, args })),
    ]);
  }
  expect(
    'mapper',
    TRAP,
    intoText.map(([at, len]) => ({ nr: 9, args: [at, len, 3, FIXED_ANON, -1, 0] })),
  );
});

test('a mapping thread: what it moves does not take the text’s place', () => {
  const mremap = (to: number, newLen: number, flags = 3, len = 4096): Call => ({
    nr: 25,
    args: [0x10000, len, newLen, flags, to],
  });
  expect('mapper', ALLOW, [
    mremap(0x555555550000, 2 ** 33),
    mremap(VA.STUB_TEXT - 4096, 4096),
    mremap(VA.STUB_TEXT + TEXT_SIZE, 4096),
    mremap(VA.STUB_TEXT, 2 ** 33, 0),
  ]);
  expect('mapper', TRAP, [
    mremap(VA.STUB_TEXT, 4096),
    mremap(VA.STUB_TEXT + TEXT_SIZE - 4096, 4096),
    ...intoText.map(([at, len]) => mremap(at, len)),
    mremap(0x555555550000, 4096, 3, VA.STUB_TEXT),
    ...[1, 2, 4, 5, 7, 8].map(flags => mremap(0x555555550000, 4096, flags)),
  ]);
});

test('a mapping thread: two forms of clone, notes from its page, its own death', () => {
  const clone = (flags: number): Call => ({ nr: 56, args: [flags, 0, 0, 0, 0] });
  expect('mapper', ALLOW, [clone(FORK_FLAGS), clone(THREAD_FLAGS)]);
  expect('mapper', TRAP, [
    clone(17),
    clone(0),
    clone(THREAD_FLAGS | 0x400),
    clone(FORK_FLAGS | 0x80),
    clone(0x10000000),
  ]);
  const write = (fd: number, address: number): Call => ({ nr: 1, args: [fd, address, 8] });
  expect('mapper', ALLOW, [
    write(FD.FD_NOTES, VA.STUB_SPACE),
    write(FD.FD_NOTES, VA.STUB_SPACE + SIZE.SPACE_SIZE - 1),
  ]);
  expect('mapper', TRAP, [
    write(FD.FD_MEMORY, VA.STUB_SPACE),
    write(FD.FD_NOTES, VA.STUB_SPACE - 1),
    write(FD.FD_NOTES, VA.STUB_SPACE + SIZE.SPACE_SIZE),
    write(FD.FD_NOTES, VA.SLOT_BASE),
    write(FD.FD_NOTES, VA.STUB_ANSWERS),
  ]);
  const prctl = (option: number, value: number): Call => ({ nr: 157, args: [option, value] });
  expect('mapper', ALLOW, [prctl(1, 9)]);
  expect('mapper', TRAP, [prctl(1, 0), prctl(4, 1), prctl(22, 9)]);
});

test('a thread that loses the mapping thread’s text does so for good, and cannot keep any of it', () => {
  const { GUEST_TEXT_SIZE } = DISPATCH;
  const dispatch = (...args: number[]): Call => ({ nr: 157, args: [59, ...args] });
  expect('mapper', ALLOW, [dispatch(1, VA.STUB_ENTRY, GUEST_TEXT_SIZE, 0)]);
  expect('mapper', TRAP, [
    dispatch(0, 0, 0, 0),
    dispatch(0, VA.STUB_ENTRY, GUEST_TEXT_SIZE, 0),
    dispatch(2, VA.STUB_ENTRY, GUEST_TEXT_SIZE, 0),
    dispatch(1, VA.STUB_TEXT, TEXT_SIZE, 0),
    dispatch(1, VA.STUB_ENTRY + 2 ** 32, GUEST_TEXT_SIZE, 0),
    dispatch(1, VA.STUB_ENTRY, GUEST_TEXT_SIZE + 1, 0),
    dispatch(1, VA.STUB_ENTRY, GUEST_TEXT_SIZE + 2 ** 32, 0),
    dispatch(1, VA.STUB_ENTRY, 2 ** 47, 0),
    dispatch(1, 0, 0, 0),
    dispatch(1, VA.STUB_ENTRY, GUEST_TEXT_SIZE, VA.STUB_ANSWERS),
    dispatch(1, VA.STUB_ENTRY, GUEST_TEXT_SIZE, 2 ** 32),
  ]);
  expect('guest', TRAP, [dispatch(0, 0, 0, 0), dispatch(1, VA.STUB_ENTRY, GUEST_TEXT_SIZE, 0)]);
});

const CLOSE = 3;
const RECVMSG = 47;

test('a mapping thread: it receives from the kernel alone, and closes what it was lent', () => {
  expect('mapper', ALLOW, [
    { nr: RECVMSG, args: [FD.FD_NOTES, VA.STUB_ANSWERS, 0] },
    { nr: CLOSE, args: [FD.FD_LENT] },
  ]);
  for (const fd of [FD.FD_MEMORY, FD.FD_MEMORY_RO, FD.FD_EPOLL, FD.FD_LENT + 1])
    expect('mapper', TRAP, [
      { nr: RECVMSG, args: [fd, VA.STUB_ANSWERS, 0] },
      { nr: CLOSE, args: [fd] },
    ]);
  expect('mapper', TRAP, [{ nr: CLOSE, args: [FD.FD_NOTES] }]);
});

const BARRIER = 324;

test('a mapping thread: barriers without flags', () => {
  expect('mapper', ALLOW, [{ nr: BARRIER, args: [8, 0, 0] }]);
  expect('mapper', TRAP, [{ nr: BARRIER, args: [128, 1, 0] }]);
  expect('guest', TRAP, [{ nr: BARRIER, args: [8, 0, 0] }]);
});

test('a mapping thread: no files, processes or networks', () => {
  const known = [1, CLOSE, 9, 10, 11, 25, 28, RECVMSG, 56, 110, 131, 157, 186, FUTEX, 203, 231, BARRIER, 436];
  for (const nr of everyNumber.filter(nr => !known.includes(nr))) expect('mapper', TRAP, [{ nr }]);
  for (const nr of known) expect('mapper', TRAP, [{ nr, arch: I386 }]);
});

test('a mapping thread: nothing that is its own from elsewhere', () => {
  const places = [0x555555555000, VA.STUB_TEXT - 1, VA.STUB_TEXT, VA.STUB_ENTRY, VA.STUB_TEXT + TEXT_SIZE];
  for (const ip of [...places, 2 ** 32 + VA.STUB_TEXT])
    expect('mapper', TRAP, [
      { ...mmap(0x555555550000, 0x4011, FD.FD_MEMORY), ip },
      { nr: 56, args: [FORK_FLAGS, 0, 0, 0, 0], ip },
      { nr: 157, args: [1, 9], ip },
      { nr: 436, args: [0, -1, 0], ip },
    ]);
});

test('a guest thread: nothing from the mapping thread’s text', () => {
  for (const nr of everyNumber)
    for (const ip of [VA.STUB_TEXT, VA.STUB_TEXT + 2, VA.STUB_ENTRY - 2, VA.STUB_ENTRY - 1])
      expect('guest', TRAP, [{ nr, args: [VA.SLOT_BASE, 1, 0, 0], ip }]);
});

test('the reaper: waits, notes, wakes', () => {
  const known = [0, 1, 7, 61, FUTEX, 219, 231, 247];
  for (const nr of known) expect('reaper', ALLOW, [{ nr }]);
  for (const nr of everyNumber.filter(nr => !known.includes(nr))) expect('reaper', TRAP, [{ nr }]);
  for (const nr of known) expect('reaper', TRAP, [{ nr, arch: I386 }]);
});

test('the assembler counts jumps and refuses bad ones', () => {
  const program = assemble([load(0), jeq(5, 'there'), ret(1), label('there'), ret(2)]);
  assert.deepEqual(program[1], { code: 0x15, jt: 1, jf: 0, k: 5 });
  assert.throws(() => assemble([label('back'), load(0), jeq(1, 'back')]));
  assert.throws(() => assemble([jeq(1, 'nowhere')]));
  assert.throws(() =>
    assemble([jeq(1, 'far'), ...Array.from({ length: 256 }, () => load(0)), label('far'), ret(0)]),
  );
});
