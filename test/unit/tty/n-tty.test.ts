/** The line discipline against the host's: the same settings, the same input, the same echo and the same reads. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as T from '../../../src/uapi/termios.ts';
import { dice } from '../dice.ts';
import { assertSame, hex, OurPty, onHost, type Settings, type Step } from './scripts.ts';

const base = T.defaultTermios();
const CC = [...base.cc];
const set = (iflag: number, oflag: number, lflag: number, cc: Record<number, number> = {}): Step => [
  'set',
  [iflag, oflag, lflag, CC.map((c, i) => cc[i] ?? c)],
];
const type = (text: string): Step => ['type', hex(text)];
const print = (text: string): Step => ['print', hex(text)];
const read = (n = 5000): Step => ['read', n];
const inq: Step = ['inq', 0];
const poll: Step = ['poll', 0];
const { iflag: I, oflag: O, lflag: L } = base;
const RAW_READ = { [T.VMIN]: 1, [T.VTIME]: 0 };

const SCRIPTS: Record<string, Step[]> = {
  'a line is edited': [type('ab\x7fc\x17de f\x17g\n'), inq, poll, read(), read(), poll],
  'lines are read one by one, and in pieces': [
    type('one\ntwo\nthree'),
    inq,
    read(2),
    read(),
    read(),
    read(),
    type('\n'),
    read(),
  ],
  'EOF ends a line without a character': [
    type('abc\x04'),
    inq,
    read(3),
    read(),
    type('\x04'),
    inq,
    poll,
    read(),
    type('x\x04\x04'),
    read(),
    read(),
    read(),
  ],
  'tabs are erased to where they began': [
    type('a\tb\t\t\x7f\x7f\x7f\x7f\x7f\x7f'),
    print('abc'),
    type('\tx\x7f\x7f\tq\x15'),
  ],
  'control characters are shown and erased as two': [type('\x01\x02\x7f\x1b[A\x7f\x7f\x7f\n'), read()],
  'the word eraser knows words': [type('foo_1-b\xe9r  .\x17\x17\x17\n'), read()],
  'kill, reprint and literal next': [type('abc\x12def\x15\x16\x15x\x16\n\x7f\x16\x03\n'), read(), read()],
  'kill without ECHOKE': [
    set(I, O, L & ~T.ECHOKE),
    type('abc\x15x\n'),
    read(),
    set(I, O, L & ~(T.ECHOKE | T.ECHOK)),
    type('abc\x15x\n'),
    read(),
  ],
  'erase without ECHOE': [set(I, O, L & ~T.ECHOE), type('abc\x7f\x7fd\x17\n'), read()],
  'erasing is printed': [
    set(I, O, L | T.ECHOPRT),
    type('abcd\x7f\x7fe\x15\n'),
    read(),
    type('a\x7f\x12'),
    set(I | T.IUTF8, O, L | T.ECHOPRT),
    type('\xe2\x82\xac\x7fx\n'),
  ],
  'UTF-8 is erased whole': [
    set(I | T.IUTF8, O, L),
    type('a\xc3\xa9\xe2\x82\xac\x7f\x7f\xf0\x9f\x98\x80\t\x7f\x7f\x7f\n'),
    read(),
    type('\x80\x80\x7f\x17x\n'),
    read(),
  ],
  silence: [
    set(I, O, L & ~T.ECHO),
    type('a\x7fb\x15c\n'),
    read(),
    set(I, O, (L & ~T.ECHO) | T.ECHONL),
    type('x\ny\x04'),
    read(),
    read(),
  ],
  'carriage returns': [
    type('a\rb\n'),
    read(),
    read(),
    set(T.IGNCR, O, L),
    type('a\rb\n'),
    read(),
    set(T.INLCR, O, L),
    type('a\nb\r'),
    type('\x04'),
    read(),
  ],
  'raw mode echoes newlines as control characters': [
    set(0, O, T.ECHO | T.ECHOCTL, RAW_READ),
    type('a\nb\rc\x01\xff\x00\x7f'),
    read(),
    set(T.ICRNL, O, T.ECHO | T.ECHOCTL),
    type('a\nb\rc'),
    read(),
  ],
  'seven bits, lower case': [
    set(I | T.ISTRIP | T.IUCLC, O, L),
    type('\xe1BC\xd6\n'),
    read(),
    set(I | T.IUCLC, O, L),
    type('\xc0\xd7\xde\xff\n'),
    read(),
  ],
  'PARMRK doubles 0377': [
    set(I | T.PARMRK, O, L),
    type('a\xffb\n'),
    read(),
    set(T.PARMRK, O, 0, RAW_READ),
    type('\xff\xff'),
    read(),
  ],
  'output processing': [
    set(I, T.OPOST | T.ONLCR | T.XTABS, L),
    print('a\tb\n\tc\x08\x08\td\r\te\x1b[1m\tf\n'),
    set(I, T.OPOST | T.OCRNL, L),
    print('a\rb\n'),
    set(I, T.OPOST | T.ONOCR, L),
    print('\n\r\rab\r\rc\r\n'),
    set(I, T.OPOST | T.ONOCR | T.ONLRET | T.OCRNL, L),
    print('ab\n\rc\r\rd\n'),
    set(I, T.OPOST | T.OLCUC, L),
    print('abz\xe9\xff\xdf\xf7\n'),
    set(I, T.OLCUC | T.ONLCR, L),
    print('abz\n'),
    set(I | T.IUTF8, T.OPOST | T.XTABS, L),
    print('\xc3\xa9\xc3\xa9\tx'),
  ],
  'other line ends': [
    set(I, O, L, { [T.VEOL]: 0x3b, [T.VEOL2]: 0x21 }),
    type('a;b!c'),
    read(),
    read(),
    inq,
    set(I, O, L & ~T.IEXTEN, { [T.VEOL2]: 0x21 }),
    type('a!b\n'),
    read(),
    read(),
    read(),
  ],
  'signals discard input': [
    type('abc\x03def\n'),
    read(),
    type('x\x1cy'),
    inq,
    set(I, O, L | T.NOFLSH),
    type('ab\x1ac\n'),
    read(),
    read(),
  ],
  'no signals without ISIG': [set(I, O, L & ~T.ISIG), type('\x03\x1a\x1c\n'), read()],
  'output stops and goes on': [
    type('\x13'),
    print('hello'),
    ['poll', 0],
    type('\x11'),
    print('x'),
    type('ab\x13cd'),
    type('e'),
    type('\x11'),
  ],
  'any character restarts': [
    set(I | T.IXANY, O, L),
    type('\x13'),
    type('a'),
    print('b'),
    type('\x13'),
    type('\x03'),
    print('c'),
  ],
  'clearing IXON restarts': [type('\x13'), type('a'), set(I & ~T.IXON, O, L), print('b')],
  tcflow: [['flow', 0], print('a'), type('x'), ['flow', 1], print('b'), type('y'), ['flow', 2], ['flow', 3]],
  tcflush: [type('ab\ncd'), ['flush', 0], inq, type('e\n'), read(), ['flush', 1], ['flush', 2], read()],
  'VMIN and nonblocking reads': [
    set(0, O, 0, { [T.VMIN]: 3, [T.VTIME]: 0 }),
    poll,
    read(),
    type('ab'),
    poll,
    read(),
    type('abc'),
    poll,
    read(2),
    poll,
    read(),
    set(0, O, 0, { [T.VMIN]: 0, [T.VTIME]: 0 }),
    poll,
    read(),
    set(0, O, 0, { [T.VMIN]: 0, [T.VTIME]: 1 }),
    read(),
    type('z'),
    poll,
    read(),
  ],
  'a change of mode regroups what is there': [
    set(I, O, 0, RAW_READ),
    type('ab\ncd'),
    set(I, O, L),
    inq,
    read(),
    read(),
    type('ef'),
    set(I, O, 0, RAW_READ),
    inq,
    read(),
    type('gh\x04'),
    set(I, O, L),
    inq,
    read(),
    read(),
  ],
  'a line too long keeps its end': [
    set(I, O, L & ~T.ECHO),
    ...[...'12345'].map(c => type(c.repeat(1000))),
    inq,
    type('Z\n'),
    inq,
    read(),
    read(),
  ],
  'raw input waits when the buffer is full': [
    set(0, O, 0, RAW_READ),
    ...[...'12345'].map(c => type(c.repeat(1000))),
    inq,
    read(100),
    type(''),
    inq,
    read(4000),
    type(''),
    inq,
    read(),
    read(),
  ],
  'EXTPROC hands everything on': [set(I, O, L | T.EXTPROC), type('a\x7f\x03\r'), inq, read()],
  'echo follows output': [print('abc\t'), type('\t\x7f'), print('\n'), type('x\ty\x7f\x7f')],
  'packet mode': [
    ['packet', 1],
    print('hi'),
    type('a\n'),
    ['flush', 2],
    ['master', 100],
    type('\x13'),
    type('\x11'),
    set(I & ~T.IXON, O, L),
    set(I, O, L),
    set(I, O, L | T.EXTPROC),
    type('\x03'),
  ],
};

test('scripts answer as on the host', async t => {
  const host = onHost(Object.values(SCRIPTS));
  for (const [i, [name, script]] of Object.entries(SCRIPTS).entries()) {
    await t.test(name, () => assertSame(script, host[i]!));
  }
});

const IFLAGS = [
  T.ISTRIP,
  T.INLCR,
  T.IGNCR,
  T.ICRNL,
  T.IUCLC,
  T.IXANY,
  T.IXOFF,
  T.IMAXBEL,
  T.IUTF8,
  T.PARMRK,
  T.IXON,
  T.INPCK,
  T.BRKINT,
  T.IGNBRK,
];
const OFLAGS = [T.OPOST, T.OPOST, T.ONLCR, T.OCRNL, T.ONOCR, T.ONLRET, T.OLCUC, T.XTABS];
const LFLAGS = [
  T.ISIG,
  T.ICANON,
  T.ECHO,
  T.ECHOE,
  T.ECHOK,
  T.ECHONL,
  T.NOFLSH,
  T.TOSTOP,
  T.ECHOCTL,
  T.ECHOPRT,
  T.ECHOKE,
  T.IEXTEN,
  0x4000,
];
/** Without ^S and ^Q: what is echoed of a batch that stops output midway depends on the host's timing. */
const ALPHABET =
  'abcXYZ019_ .\t\t\n\n\r\x7f\x7f\x7f\x17\x15\x12\x16\x04\x03\x1c\x1a\x01\x1b\x08\x00\xff\xc3\xa9\xe2\x82\xac\xd6!;';

function randomScript(seed: number): Step[] {
  const random = dice(seed);
  const flags = (of: readonly number[]): number =>
    of.reduce((all, flag) => (random(2) === 1 ? all | flag : all), 0);
  const text = (): string =>
    hex(Array.from({ length: random(30) + 1 }, () => ALPHABET[random(ALPHABET.length)]).join(''));
  const settings = (): Settings => {
    const usual = random(2) === 0;
    const cc = CC.map((c, i) =>
      i === T.VMIN
        ? 1
        : i === T.VTIME
          ? 0
          : i === T.VEOL && random(3) === 0
            ? 0x3b
            : i === T.VEOL2 && random(3) === 0
              ? 0x21
              : c,
    );
    return [
      usual ? I | flags(IFLAGS) : flags(IFLAGS),
      usual ? O | flags(OFLAGS) : flags(OFLAGS),
      usual ? L ^ (flags(LFLAGS) & flags(LFLAGS)) : flags(LFLAGS),
      cc,
    ];
  };
  const steps: Step[] = [['set', settings()]];
  for (let i = 0; i < 12; i++) {
    const kind = random(10);
    if (kind < 5) steps.push(['type', text()]);
    else if (kind < 7) steps.push(['print', text()]);
    else if (kind < 9) steps.push(['read', random(20) + 1]);
    else steps.push(['set', settings()]);
    if (random(3) === 0) steps.push(inq, poll);
  }
  return steps;
}

test('random scripts answer as on the host', () => {
  const first = Number(process.env['TTY_SEED'] ?? 1);
  const seeds = Array.from({ length: Number(process.env['TTY_RUNS'] ?? 60) }, (_, i) => first + i);
  const scripts = seeds.map(randomScript);
  const host = onHost(scripts);
  for (const [i, script] of scripts.entries()) assertSame(script, host[i]!, `seed ${seeds[i]}`);
});

/** Microseconds of a processor that this thread has had: others may take theirs at the same time. */
function used(): number {
  const { user, system } = process.threadCpuUsage();
  return user + system;
}

test('an echo that cannot be sent costs no more than one that need not be', () => {
  const typed = (lflag: number): number => {
    const pty = new OurPty();
    pty.run([['set', [I, O, lflag, CC]]]);
    const text = new Uint8Array(1 << 16).fill(0x61);
    // Nobody reads what is echoed: there is soon no room for more.
    pty.pair.type(text, 0, text.length);
    const began = used();
    for (let i = 0; i < 8; i++) pty.pair.type(text, 0, text.length);
    return used() - began;
  };
  typed(L);
  const quiet = Math.min(...[1, 2, 3].map(() => typed(L & ~T.ECHO)));
  const loud = Math.min(...[1, 2, 3].map(() => typed(L)));
  assert.ok(loud < 25 * quiet, `${loud} us, without echo ${quiet} us`);
});
