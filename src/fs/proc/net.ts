/**
 * /proc/PID/net (proc_pid_net(5)): a header for each table, and the lines that the network gives. A machine
 * without a network shows only the headers; it always has AF_UNIX sockets.
 */
import { dir, type Entry, text } from '../kernfs/entry.ts';
import type { TaskContext, TaskEntry } from './context.ts';
import { hex } from './format.ts';
import type { ProcSource, UnixSocket } from './source.ts';

const TCP =
  '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode' +
  `${' '.repeat(53)}\n`;
const UDP =
  '   sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops' +
  `${' '.repeat(12)}\n`;
const TCP6 =
  '  sl  local_address                         remote_address                        st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n';
const UDP6 =
  '  sl  local_address                         remote_address                        st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops\n';
const RAW =
  '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops\n';
const DEV =
  'Inter-|   Receive                                                |  Transmit\n' +
  ' face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed\n';
const ROUTE = `${'Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT'.padEnd(127)}\n`;

/** The tables by name, each with its header. */
const TABLES: readonly (readonly [string, string])[] = [
  ['arp', 'IP address       HW type     Flags       HW address            Mask     Device\n'],
  ['dev', DEV],
  ['dev_mcast', ''],
  ['if_inet6', ''],
  ['igmp', 'Idx\tDevice    : Count Querier\tGroup    Users Timer\tReporter\n'],
  ['ipv6_route', ''],
  ['netlink', 'sk               Eth Pid        Groups   Rmem     Wmem     Dump  Locks    Drops    Inode\n'],
  ['netstat', ''],
  ['packet', 'sk               RefCnt Type Proto  Iface R Rmem   User   Inode\n'],
  ['ptype', 'Type Device      Function\n'],
  ['raw', RAW],
  ['raw6', UDP6],
  ['route', ROUTE],
  ['snmp', ''],
  ['snmp6', ''],
  ['tcp', TCP],
  ['tcp6', TCP6],
  ['udp', UDP],
  ['udp6', UDP6],
];

const table = ([name, header]: readonly [string, string]): Entry<ProcSource> =>
  text(name, 0o444, ({ net }) => header + (net?.lines(name) ?? ''));

/** The flag of a listening socket (__SO_ACCEPTCON). */
const LISTENING = 0x10000;

/** NULs are shown as '@': the first byte of an abstract name, and any others in it. */
const unixName = (path: string): string => (path === '' ? '' : ` ${path.replace(/\0/g, '@')}`);

function unixRow(socket: UnixSocket): string {
  const { refs, listening, type, state, ino, path } = socket;
  const fields = [hex(refs, 8), hex(0, 8), hex(listening ? LISTENING : 0, 8), hex(type, 4), hex(state, 2)];
  return `${hex(0, 16)}: ${fields.join(' ').toUpperCase()} ${String(ino).padStart(5)}${unixName(path)}\n`;
}

function* showUnix({ unixSockets }: ProcSource): Generator<string> {
  yield 'Num       RefCount Protocol Flags    Type St Inode Path\n';
  for (const socket of unixSockets) yield unixRow(socket);
}

function showSockstat({ net, unixSockets }: ProcSource): string {
  return `sockets: used ${[...unixSockets].length}\n${net?.lines('sockstat') ?? ''}`;
}

export const NET_ENTRIES: readonly Entry<ProcSource>[] = [
  ...TABLES.map(table),
  text('sockstat', 0o444, showSockstat),
  text('unix', 0o444, showUnix),
];

/** All tasks share one network. */
export const NET_DIR: TaskEntry = {
  ...dir('net', 0o555, NET_ENTRIES),
  make: (sb, { source }: TaskContext) => dir('net', 0o555, NET_ENTRIES).make(sb, source),
};
