import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  type CommandLine,
  joinWords,
  parseChannel,
  parseCommandLine,
  parseMem,
  parseSize,
} from '../../../src/init/cmdline.ts';

function parse(...words: string[]): CommandLine {
  const line = parseCommandLine(words);
  assert.notEqual(typeof line, 'string', String(line));
  return line as CommandLine;
}

const wrong = (...words: string[]): string => {
  const line = parseCommandLine(words);
  assert.equal(typeof line, 'string', words.join(' '));
  return line as string;
};

test('sizes have the suffixes of memparse', () => {
  assert.equal(parseSize('64M'), 2 ** 26);
  assert.equal(parseSize('1g'), 2 ** 30);
  assert.equal(parseSize('4096'), 4096);
  assert.equal(parseSize('4096k'), 2 ** 22);
  assert.equal(parseSize('0x4000000'), 2 ** 26);
  for (const text of ['', 'M', '12X', '-5M', '1.5G', '1M2', ' 1M']) assert.equal(parseSize(text), null, text);
});

test('memory is whole MiB within bounds', () => {
  assert.equal(parseMem('32M'), 2 ** 25);
  assert.equal(parseMem(String(2 ** 25 + 5)), 2 ** 25);
  for (const text of ['0', '1M', '99999G', 'lots']) assert.equal(typeof parseMem(text), 'string', text);
});

test('known options are the kernel’s; dashes and underscores are the same', () => {
  const line = parse(
    'mem=64M',
    'ncpus=2',
    'root=/dev/root',
    'rootfstype=hostfs',
    'rootflags=/srv',
    'rw',
    'quiet',
    'panic=-1',
    'umid=a',
  );
  assert.deepEqual(line, {
    mem: 2 ** 26,
    ncpus: 2,
    root: '/dev/root',
    rootfstype: 'hostfs',
    rootflags: '/srv',
    readonly: false,
    loglevel: 4,
    panic: -1,
    umid: 'a',
    env: [],
    args: [],
  });
  assert.equal(parse('rw', 'ro').readonly, true);
  assert.deepEqual(parse('con0=fd:3,fd:4').console, { input: 3, output: 4 });
});

test('unknown words go to init as Linux sends them', () => {
  const line = parse('single', 'FOO=bar', 'FOO=baz', 'mod.param=1', 'a.b', '--', 'mem=1', '-x');
  assert.deepEqual(line.env, ['FOO=baz']);
  assert.deepEqual(line.args, ['single', 'mem=1', '-x']);
  assert.equal(line.mem, undefined);
});

test('words before init= do not reach init', () => {
  assert.deepEqual(parse('auto', 'init=/bin/sh', 'after').args, ['after']);
});

test('quotes hold spaces together', () => {
  assert.deepEqual(parse('NAME="a b"').env, ['NAME=a b']);
  assert.equal(joinWords(['quiet', 'NAME=a b', 'x y']), 'quiet NAME="a b" "x y"');
});

test('mistakes are one line', () => {
  const mistakes = [
    ['mem=3'],
    ['mem'],
    ['ncpus=0'],
    ['init=sh'],
    ['loglevel=x'],
    ['con0=pts'],
    ['hostname='],
    ['hostname=-a'],
    [`hostname=${'a'.repeat(65)}`],
    ['umid=a/b'],
    ['umid=.'],
    ['umid=..'],
    ['umid='],
    ['ubda=x'],
    ['panic='],
  ];
  for (const words of mistakes) assert.match(wrong(...words), /^[^\n]+$/, words.join(' '));
  assert.match(wrong(...Array.from({ length: 40 }, (_, i) => `v${i}=1`)), /Too many boot env vars/);
  assert.match(wrong(...Array.from({ length: 40 }, (_, i) => `v${i}`)), /Too many boot init vars/);
});

test('names of Object.prototype are nothing special', () => {
  assert.deepEqual(parse('constructor', 'toString=1').args, ['constructor']);
});

test('a channel is fd:IN,fd:OUT, null or none', () => {
  assert.deepEqual(parseChannel('fd:5'), { input: 5, output: 5 });
  assert.equal(parseChannel('null'), 'null');
  assert.equal(parseChannel('none'), 'none');
  for (const text of ['fd:', 'fd:1,fd:2,fd:3', 'fd:a', 'tty:/dev/tty1', ''])
    assert.match((parseChannel(text) as { wrong: string }).wrong, /is not a channel/, text);
});
