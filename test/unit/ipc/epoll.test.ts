import assert from 'node:assert/strict';
import test from 'node:test';
import type { Epoll } from '../../../src/ipc/epoll.ts';
import {
  EPOLL_CTL_ADD,
  EPOLL_CTL_DEL,
  EPOLL_CTL_MOD,
  EPOLLET,
  EPOLLEXCLUSIVE,
  EPOLLONESHOT,
} from '../../../src/uapi/epoll.ts';
import { O_NONBLOCK } from '../../../src/uapi/fcntl.ts';
import { POLLIN, POLLOUT, POLLPRI } from '../../../src/uapi/poll.ts';
import { dice } from '../dice.ts';
import { compare, type Op, type Script, Sim } from './sim.ts';

const pipe: Op = ['pipe2', O_NONBLOCK, 'r', 'w'];

test('level, edge and one-shot interests report as on the host', () => {
  for (const flags of [0, EPOLLET, EPOLLONESHOT, EPOLLET | EPOLLONESHOT, EPOLLEXCLUSIVE]) {
    compare([
      [
        pipe,
        ['epoll', 'e'],
        ['ctl', 'e', EPOLL_CTL_ADD, 'r', POLLIN | flags, 1],
        ['ctl', 'e', EPOLL_CTL_ADD, 'w', POLLOUT | flags, 2],
        ['poll', 'e'],
        ['wait', 'e', 10],
        ['wait', 'e', 10],
        ['write', 'w', 5, 'a'],
        ['poll', 'e'],
        ['wait', 'e', 10],
        ['wait', 'e', 10],
        ['write', 'w', 5, 'b'],
        ['wait', 'e', 1],
        ['wait', 'e', 1],
        ['ctl', 'e', EPOLL_CTL_MOD, 'r', POLLIN | (flags & EPOLLET), 7],
        ['wait', 'e', 10],
        ['read', 'r', 100],
        ['wait', 'e', 10],
        ['write', 'w', 100000, 'c'],
        ['wait', 'e', 10],
        ['read', 'r', 4096],
        ['wait', 'e', 10],
        ['close', 'r'],
        ['poll', 'e'],
        ['wait', 'e', 10],
        ['ctl', 'e', EPOLL_CTL_DEL, 'w', 0, 0],
        ['wait', 'e', 10],
        ['poll', 'e'],
      ],
    ]);
  }
});

test('what happens to one end of a pipe is no news for the other', () => {
  const [write, read]: Op[] = [
    ['write', 'w', 60000, 'a'],
    ['read', 'r', 50000],
  ];
  const all = POLLIN | POLLOUT | EPOLLET;
  const watch = (end: string): Op[] => [
    ['ctl', 'e', EPOLL_CTL_ADD, end, all, 1],
    ['wait', 'e', 4],
  ];
  compare([
    [pipe, ['epoll', 'e'], write, ['write', 'w', 60000, 'a'], ...watch('r'), read, ['wait', 'e', 4]],
    [
      pipe,
      ['epoll', 'e'],
      ...watch('w'),
      write,
      ['wait', 'e', 4],
      ['write', 'w', 60000, 'a'],
      ['wait', 'e', 4],
    ],
    [pipe, ['epoll', 'e'], ...watch('w'), ['close', 'r'], ['wait', 'e', 4]],
    [pipe, ['epoll', 'e'], ...watch('r'), ['close', 'w'], ['wait', 'e', 4]],
  ]);
});

test('epoll_ctl refuses what the host refuses', () => {
  compare([
    [
      pipe,
      ['epoll', 'e'],
      ['epoll', 'e2'],
      ['memfd', 0, 'm'],
      ['ctl', 'e', EPOLL_CTL_ADD, 'm', POLLIN, 1],
      ['ctl', 'e', EPOLL_CTL_ADD, 'e', POLLIN, 1],
      ['ctl', 'r', EPOLL_CTL_ADD, 'e', POLLIN, 1],
      ['ctl', 'e', EPOLL_CTL_MOD, 'r', POLLIN, 1],
      ['ctl', 'e', EPOLL_CTL_DEL, 'r', POLLIN, 1],
      ['ctl', 'e', 9, 'r', POLLIN, 1],
      ['ctl', 'e', EPOLL_CTL_ADD, 'r', POLLIN, 1],
      ['ctl', 'e', EPOLL_CTL_ADD, 'r', POLLIN, 1],
      ['ctl', 'e', EPOLL_CTL_MOD, 'r', POLLIN | EPOLLEXCLUSIVE, 1],
      ['ctl', 'e', EPOLL_CTL_ADD, 'w', POLLOUT | EPOLLEXCLUSIVE | EPOLLONESHOT, 1],
      ['ctl', 'e', EPOLL_CTL_ADD, 'w', POLLPRI | EPOLLEXCLUSIVE, 1],
      ['ctl', 'e', EPOLL_CTL_ADD, 'w', POLLOUT | EPOLLEXCLUSIVE, 1],
      ['ctl', 'e', EPOLL_CTL_MOD, 'w', POLLOUT, 1],
      ['ctl', 'e', EPOLL_CTL_ADD, 'e2', POLLIN | EPOLLEXCLUSIVE, 1],
      ['ctl', 'e', EPOLL_CTL_ADD, 'e2', POLLIN, 1],
      ['ctl', 'e2', EPOLL_CTL_ADD, 'e', POLLIN, 1],
    ],
  ]);
});

test('instances nest as deep as on the host, and not in a circle', () => {
  const upwards: Op[] = [pipe];
  const downwards: Op[] = [];
  for (let i = 0; i < 8; i++) {
    upwards.push(['epoll', `e${i}`], ['ctl', `e${i}`, EPOLL_CTL_ADD, i ? `e${i - 1}` : 'r', POLLIN, i]);
    downwards.push(['epoll', `e${i}`]);
    if (i > 0) downwards.push(['ctl', `e${i - 1}`, EPOLL_CTL_ADD, `e${i}`, POLLIN, i]);
  }
  const circle: Op[] = [
    ...['a', 'b', 'c'].map((name): Op => ['epoll', name]),
    ['ctl', 'a', EPOLL_CTL_ADD, 'b', POLLIN, 1],
    ['ctl', 'b', EPOLL_CTL_ADD, 'c', POLLIN, 1],
    ['ctl', 'c', EPOLL_CTL_ADD, 'a', POLLIN, 1],
  ];
  compare([upwards, downwards, circle]);
});

test('an instance watched by another reports through it', () => {
  for (const flags of [0, EPOLLET]) {
    compare([
      [
        pipe,
        ['epoll', 'in'],
        ['epoll', 'out'],
        ['ctl', 'out', EPOLL_CTL_ADD, 'in', POLLIN | flags, 1],
        ['ctl', 'in', EPOLL_CTL_ADD, 'r', POLLIN, 2],
        ['wait', 'out', 5],
        ['write', 'w', 1, 'a'],
        ['poll', 'out'],
        ['wait', 'out', 5],
        ['wait', 'out', 5],
        ['wait', 'in', 5],
        ['read', 'r', 5],
        ['poll', 'in'],
        ['wait', 'out', 5],
        ['write', 'w', 1, 'a'],
        ['wait', 'out', 5],
      ],
    ]);
  }
});

test('the last close of a file takes its interests away, a close of a duplicate does not', () => {
  compare([
    [
      pipe,
      ['epoll', 'e'],
      ['ctl', 'e', EPOLL_CTL_ADD, 'w', POLLOUT, 1],
      ['dup', 'w', 'w2'],
      ['ctl', 'e', EPOLL_CTL_ADD, 'w2', POLLOUT, 2],
      ['wait', 'e', 5],
      ['close', 'w'],
      ['wait', 'e', 5],
      ['close', 'w2'],
      ['wait', 'e', 5],
    ],
  ]);
});

test('eventfd counts as on the host', () => {
  const BIG = 0xffffffff;
  const both: Op[] = [
    ['poll', 'e'],
    ['get64', 'e', 4],
    ['get64', 'e', 8],
    ['put64', 'e', 1, 0, 4],
    ['put64', 'e', 1, 0, 16],
    ['put64', 'e', BIG, BIG, 8],
    ['put64', 'e', BIG - 1, BIG, 8],
    ['poll', 'e'],
    ['put64', 'e', 1, 0, 8],
    ['put64', 'e', 0, 0, 8],
    ['get64', 'e', 16],
    ['put64', 'e', 1, 0, 8],
    ['poll', 'e'],
    ['get64', 'e', 8],
    ['put64', 'e', BIG, 0, 8],
    ['put64', 'e', BIG, 0, 8],
    ['put64', 'e', 3, 7, 8],
    ['get64', 'e', 8],
    ['get64', 'e', 8],
  ];
  compare([
    [['eventfd', 5, O_NONBLOCK, 'e'], ...both],
    [['eventfd', 5, O_NONBLOCK | 1, 'e'], ...both],
    [['eventfd', 0, O_NONBLOCK, 'e'], ...both],
  ]);
});

test('random work on an instance reports as on the host', () => {
  const scripts: Script[] = [];
  for (let seed = 1; seed <= 30; seed++) {
    const roll = dice(seed);
    const names = ['r', 'w', 'v', 'ev'];
    const script: Op[] = [
      pipe,
      ['eventfd', 0, O_NONBLOCK, 'ev'],
      ['eventfd', 1, O_NONBLOCK, 'v'],
      ['epoll', 'e'],
    ];
    const events = () =>
      [POLLIN, POLLOUT, POLLIN | POLLOUT, 0][roll(4)]! | [0, 0, EPOLLET, EPOLLONESHOT][roll(4)]!;
    for (let i = 0; i < 80; i++) {
      const f = names[roll(4)]!;
      const step: Op[] = [
        ['ctl', 'e', EPOLL_CTL_ADD, f, events(), i],
        ['ctl', 'e', EPOLL_CTL_MOD, f, events(), i],
        ['ctl', 'e', EPOLL_CTL_DEL, f, 0, 0],
        ['put64', 'ev', 1, 0, 8],
        ['get64', 'ev', 8],
        ['get64', 'v', 8],
        ['write', 'w', 30000, 'a'],
        ['read', 'r', 50000],
        ['wait', 'e', 1 + roll(4)],
        ['wait', 'e', 4],
      ];
      script.push(step[roll(10)]!, ['poll', 'e']);
    }
    scripts.push(script);
  }
  compare(scripts);
});

test('waiting costs what is ready: files without news are not asked', () => {
  const sim = new Sim();
  sim.epoll('e');
  const epoll = sim.file('e') as Epoll;
  let asked = 0;
  for (let i = 0; i < 1000; i++) {
    sim.eventfd(0, 0, `f${i}`);
    const file = sim.file(`f${i}`);
    epoll.control(EPOLL_CTL_ADD, file, i, POLLIN, i, 0);
    const { poll } = file;
    file.poll = () => {
      asked++;
      return poll.call(file);
    };
  }
  sim.put64('f7', 1, 0, 8);
  const seen: number[] = [];
  epoll.collect(10, (_events, lo) => void seen.push(lo));
  assert.deepEqual(seen, [7]);
  assert.equal(asked, 1);
});
