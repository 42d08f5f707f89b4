// test: needs root, whose view of the host is the oracle
import test from 'node:test';
import { SIOCINQ, SIOCOUTQ } from '../../../src/uapi/ioctls.ts';
import { POLLIN, POLLOUT } from '../../../src/uapi/poll.ts';
import {
  MSG_DONTWAIT,
  MSG_NOSIGNAL,
  MSG_OOB,
  MSG_PEEK,
  MSG_TRUNC,
  SO_ACCEPTCONN,
  SO_DOMAIN,
  SO_ERROR,
  SO_PASSCRED,
  SO_PROTOCOL,
  SO_RCVBUF,
  SO_RCVLOWAT,
  SO_REUSEADDR,
  SO_SNDBUF,
  SO_TYPE,
  SOCK_DGRAM,
  SOCK_RAW,
  SOCK_SEQPACKET,
  SOCK_STREAM,
  SOL_SOCKET,
} from '../../../src/uapi/socket.ts';
import { dice } from '../dice.ts';
import { compare as compareWith, type Op, type Script } from '../ipc/sim.ts';
import { NetSim } from './net-sim.ts';

const compare = (scripts: readonly Script[]): void => compareWith(scripts, () => new NetSim());
const TYPES = [SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET];
const NS = MSG_NOSIGNAL;

const state = (...files: string[]): Op[] =>
  files.flatMap((f): Op[] => [
    ['poll', f],
    ['ioctl', f, SIOCINQ],
    ['ioctl', f, SIOCOUTQ],
  ]);

test('socket and socketpair know the types and protocols that the host knows', () => {
  const script: Op[] = [];
  for (const type of [0, 1, 2, 3, 4, 5, 6, 10, 11, 15]) {
    for (const protocol of [0, 1, 2]) script.push(['socket', 1, type, protocol, `s${type}${protocol}`]);
  }
  script.push(['socket', 99, 1, 0, 'x'], ['socket', 45, 1, 0, 'x'], ['socketpair', SOCK_RAW, 'a', 'b']);
  script.push(['getopt', 'a', SOL_SOCKET, SO_TYPE]);
  compare([script]);
});

test('a pair sends, receives, peeks and shuts down as on the host', () => {
  for (const type of TYPES) {
    compare([
      [
        ['socketpair', type, 'a', 'b'],
        ['getsockname', 'a'],
        ['getpeername', 'a'],
        ['peercred', 'a'],
        ...state('a', 'b'),
        ['recvfrom', 'a', 10, 0],
        ['recvfrom', 'a', 0, 0],
        ['send', 'a', 10, 'x', NS],
        ['send', 'a', 5, 'y', NS],
        ['send', 'a', 0, 'z', NS],
        ...state('a', 'b'),
        ['recvfrom', 'b', 4, MSG_PEEK],
        ['recvfrom', 'b', 100, MSG_PEEK],
        ['recvfrom', 'b', 4, MSG_PEEK | MSG_TRUNC],
        ['recvfrom', 'b', 4, MSG_DONTWAIT],
        ...state('a', 'b'),
        ['recvfrom', 'b', 100, 0],
        ['recvfrom', 'b', 100, 0],
        ['recvfrom', 'b', 100, 0],
        ['send', 'a', 3, 'm', NS],
        ['recvmsg', 'b', 2, 100, 0, 'p'],
        ['write', 'a', 6, 'w'],
        ['write', 'a', 0, 'w'],
        ['read', 'b', 3],
        ['read', 'b', 0],
        ['read', 'b', 9],
        ['read', 'b', 9],
        ['send', 'a', 3, 'n', NS, '@nobody'],
        ['shutdown', 'a', 7],
        ['shutdown', 'a', 1],
        ...state('a', 'b'),
        ['send', 'a', 1, 'x', NS],
        ['send', 'b', 2, 'x', NS],
        ['recvfrom', 'a', 9, 0],
        ['shutdown', 'b', 2],
        ...state('a', 'b'),
        ['recvfrom', 'a', 9, 0],
        ['send', 'b', 2, 'x', NS],
        ['send', 'a', 2, 'x', NS],
      ],
      [
        ['socketpair', type, 'a', 'b'],
        ['send', 'b', 10, 'x', NS],
        ['send', 'a', 10, 'x', NS],
        ['close', 'a'],
        ...state('b'),
        ['getopt', 'b', SOL_SOCKET, SO_ERROR],
        ['poll', 'b'],
        ['recvfrom', 'b', 5, 0],
        ['recvfrom', 'b', 50, 0],
        ['recvfrom', 'b', 50, 0],
        ['send', 'b', 10, 'x', NS],
        ['send', 'b', 10, 'x', NS],
        ['getpeername', 'b'],
        ['poll', 'b'],
      ],
      [
        ['socketpair', type, 'a', 'b'],
        ['send', 'a', 10, 'x', NS],
        ['close', 'b'],
        ['poll', 'a'],
        ['send', 'a', 10, 'x', NS],
        ['recvfrom', 'a', 5, 0],
        ['recvfrom', 'a', 5, 0],
        ['recvfrom', 'a', 5, 0],
      ],
      [
        ['socketpair', type, 'a', 'b'],
        ['shutdown', 'b', 0],
        ...state('a', 'b'),
        ['send', 'a', 10, 'x', NS],
        ['recvfrom', 'b', 5, 0],
      ],
    ]);
  }
});

test('connections are made, accepted and refused as on the host', () => {
  for (const type of [SOCK_STREAM, SOCK_SEQPACKET]) {
    for (const name of ['@l', 'path']) {
      const clients = ['c1', 'c2', 'c3', 'c4'];
      compare([
        [
          ['socket', 1, type, 0, 'l'],
          ['poll', 'l'],
          ['listen', 'l', 1],
          ['connect', 'l', name],
          ['accept', 'l', 0, 'x'],
          ['bind', 'l', name],
          ['bind', 'l', `${name}2`],
          ['bind', 'l', name],
          ['socket', 1, type, 0, 'l2'],
          ['bind', 'l2', name],
          ['socket', 1, type, 0, 'c'],
          ['connect', 'c', name],
          ['getopt', 'l', SOL_SOCKET, SO_ACCEPTCONN],
          ['listen', 'l', 1],
          ['getopt', 'l', SOL_SOCKET, SO_ACCEPTCONN],
          ['poll', 'l'],
          ['accept', 'l', 0, 'x'],
          ['recvfrom', 'l', 10, 0],
          ['send', 'l', 10, 'x', NS],
          ['ioctl', 'l', SIOCINQ],
          ['ioctl', 'l', SIOCOUTQ],
          ['poll', 'c'],
          ['send', 'c', 5, 'q', NS],
          ['recvfrom', 'c', 5, 0],
          ['getpeername', 'c'],
          ['peercred', 'c'],
          ...clients.flatMap((c): Op[] => [
            ['socket', 1, type, 0, c],
            ['connect', c, name],
          ]),
          ['poll', 'l'],
          ['poll', 'c1'],
          ['connect', 'c1', name],
          ['connect', 'c1', `${name}nobody`],
          ['send', 'c1', 5, 'q', NS],
          ['getsockname', 'c1'],
          ['getpeername', 'c1'],
          ['peercred', 'c1'],
          ['accept', 'l', 0, 's1'],
          ['getsockname', 's1'],
          ['getpeername', 's1'],
          ['peercred', 's1'],
          ['recvfrom', 's1', 99, MSG_DONTWAIT],
          ['send', 's1', 4, 'r', NS],
          ['recvfrom', 'c1', 99, 0],
          ['connect', 'c3', name],
          ['connect', 'l', name],
          ['listen', 'c1', 5],
          ['close', 'l'],
          ['poll', 'c2'],
          ['recvfrom', 'c2', 9, 0],
          ['recvfrom', 'c2', 9, 0],
          ['send', 'c2', 9, 'x', NS],
          ['connect', 'c4', name],
          ['send', 's1', 4, 'r', NS],
          ['recvfrom', 'c1', 99, 0],
          ['bind', 'c4', name],
          ['socket', 1, SOCK_DGRAM, 0, 'd'],
          ['listen', 'd', 4],
          ['accept', 'd', 0, 'x'],
          ['connect', 'd', name],
        ],
        [
          ['socket', 1, type, 0, 'l'],
          ['bind', 'l', name],
          ['listen', 'l', 5],
          ['socket', 1, type, 0, 'c'],
          ['bind', 'c', `${name}client`],
          ['connect', 'c', name],
          ['accept', 'l', 0, 's'],
          ['send', 'c', 3, 'x', NS],
          ['recvfrom', 's', 9, MSG_DONTWAIT],
          ['shutdown', 'l', 0],
          ['poll', 'l'],
          ['accept', 'l', 0, 't'],
          ['socket', 1, type, 0, 'c2'],
          ['connect', 'c2', name],
          ['close', 'l'],
          ['unlink', 'path'],
          ['connect', 'c2', name],
        ],
      ]);
    }
  }
});

test('datagrams go to names, queue and are refused as on the host', () => {
  for (const name of ['@d', 'path']) {
    const full = Array.from({ length: 13 }, (_, i): Op => ['send', 'c', 1 + i, 'f', NS, name]);
    compare([
      [
        ['socket', 1, SOCK_DGRAM, 0, 's'],
        ['socket', 1, SOCK_DGRAM, 0, 'c'],
        ['send', 'c', 1, 'a', NS, name],
        ['send', 'c', 1, 'a', NS],
        ['bind', 's', name],
        ['send', 'c', 3, 'a', NS, name],
        ['bind', 'c', ''],
        ['send', 'c', 4, 'b', NS, name],
        ...state('s', 'c'),
        ['recvfrom', 's', 2, 0],
        ['recvfrom', 's', 2, MSG_TRUNC],
        ['recvmsg', 's', 2, 0, 0, 'p'],
        ['connect', 'c', name],
        ['getpeername', 'c'],
        ['getpeername', 's'],
        ...full,
        ['poll', 'c'],
        ['poll', 's'],
        ['recvfrom', 's', 99, 0],
        ['poll', 'c'],
        ['send', 'c', 1, 'g', NS],
        ['send', 'c', 1, 'g', NS],
        ['socket', 1, SOCK_DGRAM, 0, 'e'],
        ['poll', 'e'],
        ['connect', 's', name],
        ['send', 'e', 1, 'h', NS, name],
        ['connect', 'e', name],
        ['disconnect', 's'],
        ['connect', 'e', name],
        ['close', 's'],
        ['poll', 'c'],
        ['send', 'c', 1, 'i', NS],
        ['send', 'c', 1, 'i', NS],
        ['send', 'e', 1, 'i', NS, name],
        ['socket', 1, SOCK_STREAM, 0, 't'],
        ['bind', 't', `${name}t`],
        ['send', 'c', 1, 'j', NS, `${name}t`],
        ['send', 'c', 1, 'j', MSG_OOB, `${name}t`],
        ['send', 'c', 1, 'j', NS, ''],
        ['disconnect', 'c'],
        ['getpeername', 'c'],
      ],
      [
        ['socketpair', SOCK_DGRAM, 'a', 'b'],
        ['disconnect', 'a'],
        ['getopt', 'b', SOL_SOCKET, SO_ERROR],
        ['send', 'b', 1, 'i', NS],
        ['send', 'b', 1, 'i', NS],
        ['recvfrom', 'a', 1, 0],
      ],
    ]);
  }
});

test('buffers fill up as on the host', () => {
  for (const type of TYPES) {
    for (const size of [1, 100, 1000, 3777, 4096, 20000, 70000, 106000, 220000]) {
      const sends = Array.from({ length: 300 / Math.ceil(size / 300) + 4 }, (): Op[] => [
        ['send', 'a', size, 'x', NS],
        ['poll', 'a'],
        ['ioctl', 'a', SIOCOUTQ],
      ]).flat();
      const receives = Array.from({ length: 12 }, (): Op[] => [
        ['recvfrom', 'b', size, 0],
        ['poll', 'a'],
        ['ioctl', 'a', SIOCOUTQ],
      ]).flat();
      compare([
        [['socketpair', type, 'a', 'b'], ...sends, ...receives],
        [
          ['socketpair', type, 'a', 'b'],
          ['setopt', 'a', SOL_SOCKET, SO_SNDBUF, 20000],
          ...sends,
          ...receives,
        ],
      ]);
    }
  }
});

test('options are set and answered as on the host', () => {
  const script: Op[] = [['socketpair', SOCK_STREAM, 'a', 'b']];
  for (const name of [
    SO_TYPE,
    SO_DOMAIN,
    SO_PROTOCOL,
    SO_ERROR,
    SO_REUSEADDR,
    SO_PASSCRED,
    SO_RCVLOWAT,
    999,
  ]) {
    script.push(
      ['getopt', 'a', SOL_SOCKET, name],
      ['setopt', 'a', SOL_SOCKET, name, 7],
      ['getopt', 'a', SOL_SOCKET, name],
    );
  }
  for (const name of [SO_SNDBUF, SO_RCVBUF]) {
    for (const value of [0, 1, 1000, 5000, 100000, 1 << 20, 0x7fffffff, -1]) {
      script.push(['setopt', 'a', SOL_SOCKET, name, value], ['getopt', 'a', SOL_SOCKET, name]);
    }
  }
  script.push(['getopt', 'a', 6, 1], ['setopt', 'a', 6, 1, 1]);
  compare([script]);
});

test('descriptors and credentials travel as on the host', () => {
  for (const type of TYPES) {
    compare([
      [
        ['socketpair', type, 'a', 'b'],
        ['pipe2', 0o4000, 'r', 'w'],
        ['sendmsg', 'a', 3, 'x', NS, ['r', 'w']],
        ['sendmsg', 'a', 3, 'y', NS, []],
        ['sendmsg', 'a', 3, 'z', NS, ['w']],
        ['close', 'w'],
        ['poll', 'r'],
        ['recvmsg', 'b', 100, 200, MSG_PEEK, 'p'],
        ['write', 'p1', 4, 'q'],
        ['read', 'r', 10],
        ['close', 'p0'],
        ['close', 'p1'],
        ['recvmsg', 'b', 100, 200, 0, 'm'],
        ['recvmsg', 'b', 100, 200, 0, 'n'],
        ['recvmsg', 'b', 100, 200, 0, 'o'],
      ],
      [
        ['socketpair', type, 'a', 'b'],
        ['sendmsg', 'a', 3, 'x', NS, []],
        ['setopt', 'b', SOL_SOCKET, SO_PASSCRED, 1],
        ['sendmsg', 'a', 3, 'y', NS, []],
        ['sendmsg', 'a', 3, 'z', NS, [], [0, 0]],
        ['sendmsg', 'a', 3, 'u', NS, [], [5, 6]],
        ['sendmsg', 'a', 3, 'v', NS, []],
        ['recvmsg', 'b', 100, 200, 0, 'm'],
        ['recvmsg', 'b', 100, 200, 0, 'm'],
        ['recvmsg', 'b', 100, 200, 0, 'm'],
        ['recvmsg', 'b', 100, 200, 0, 'm'],
        ['recvmsg', 'b', 100, 200, 0, 'm'],
      ],
    ]);
  }
});

test('epoll reports sockets as on the host', () => {
  for (const type of TYPES) {
    for (const edge of [0, 1 << 31]) {
      compare([
        [
          ['socketpair', type, 'a', 'b'],
          ['epoll', 'e'],
          ['ctl', 'e', 1, 'a', POLLIN | POLLOUT | 0x2000 | edge, 1],
          ['wait', 'e', 4],
          ['wait', 'e', 4],
          ['send', 'b', 5, 'x', NS],
          ['wait', 'e', 4],
          ['recvfrom', 'a', 50, 0],
          ['wait', 'e', 4],
          ['shutdown', 'b', 1],
          ['wait', 'e', 4],
          ['close', 'b'],
          ['wait', 'e', 4],
          ['wait', 'e', 4],
        ],
      ]);
    }
  }
});

test('random conversations go as on the host', () => {
  const scripts: Script[] = [];
  for (let seed = 1; seed <= 60; seed++) {
    const roll = dice(seed);
    const script: Op[] = [['socketpair', TYPES[seed % 3]!, 'a', 'b']];
    const size = () => [0, 1, 10, 500, 3776, 5000, 40000, 150000][roll(8)]!;
    for (let i = 0; i < 60; i++) {
      const [f, g] = roll(2) === 0 ? ['a', 'b'] : ['b', 'a'];
      const letter = String.fromCharCode(97 + (i % 26));
      const step: Op[] = [
        ['send', f!, size(), letter, NS],
        ['send', f!, size(), letter, NS],
        ['send', f!, size(), letter, NS],
        ['recvfrom', g!, size(), 0],
        ['recvfrom', g!, size(), 0],
        ['recvfrom', g!, size(), MSG_PEEK],
        ['write', f!, size(), letter],
        ['read', g!, size()],
      ];
      if (i > 50 && roll(10) === 0) step.push(['shutdown', f!, roll(3)]);
      script.push(step[roll(step.length)]!, ...state('a', 'b'));
    }
    scripts.push(script);
  }
  compare(scripts);
});
