/** Socket operations for scripts that run on our sockets and on the host's: see ../ipc/sim.ts and ../ipc/host.py. */
import { ROOT_CRED } from '../../../src/core/cred.ts';
import { AnonSuper } from '../../../src/fs/anon.ts';
import type { Dentry, Path } from '../../../src/fs/dentry.ts';
import type { File } from '../../../src/fs/file.ts';
import type { SocketCaller } from '../../../src/net/caller.ts';
import { Network } from '../../../src/net/family.ts';
import { Incoming, Socket, type Ucred } from '../../../src/net/socket.ts';
import { UnixDomain } from '../../../src/net/unix/domain.ts';
import { EEXIST, ENOENT } from '../../../src/uapi/errno.ts';
import { SOCK_NONBLOCK } from '../../../src/uapi/socket.ts';
import { S_IFSOCK } from '../../../src/uapi/stat.ts';
import { rle, Sim } from '../ipc/sim.ts';

const FAMILY = '\x01\0';
const TAG = 'uml';
/** The scripts on the host run in a process that is called "me" here. */
export const ME = 42;

export class NetSim extends Sim {
  cred = ROOT_CRED;
  readonly net = new Network(new AnonSuper('sockfs', 0, 8, this.time), new Map());
  readonly domain = new UnixDomain(this.net);
  readonly caller: SocketCaller;

  constructor() {
    super();
    this.net.register(this.domain);
    const sim = this;
    this.caller = {
      pid: ME,
      get cred() {
        return sim.cred;
      },
      fileLimit: 1024,
      makeSocket: name => {
        if (sim.inodes.has(name)) return -EEXIST;
        const inode = sim.anon.newInode(S_IFSOCK | 0o777, ROOT_CRED);
        sim.inodes.set(name, inode);
        return pathTo(inode);
      },
      findSocket: name => {
        const inode = sim.inodes.get(name);
        return inode === undefined ? -ENOENT : pathTo(inode);
      },
      processExists: pid => pid === ME,
    };
  }

  sock(name: string): Socket {
    const file = this.file(name);
    if (!(file instanceof Socket)) throw new Error(`${name} is no socket`);
    return file;
  }

  socket(family: number, type: number, protocol: number, as: string): number {
    const made = this.net.socket(family, type & 0xf, protocol, true, this.caller);
    return typeof made === 'number' ? made : this.add(as, made);
  }

  socketpair(type: number, a: string, b: string): number {
    const made = this.net.pair(1, type, 0, true, this.caller);
    if (typeof made === 'number') return made;
    this.add(a, made[0]);
    return this.add(b, made[1]);
  }

  bind(f: string, name: string): number {
    return this.sock(f).bind(raw(name), this.caller);
  }

  connect(f: string, name: string): number {
    return this.sock(f).connect(raw(name), this.caller);
  }

  disconnect(f: string): number {
    return this.sock(f).connect('\0'.repeat(16), this.caller);
  }

  listen(f: string, backlog: number): number {
    return this.sock(f).listen(backlog, this.caller);
  }

  accept(f: string, flags: number, as: string): number | string {
    const made = this.sock(f).accept((flags & SOCK_NONBLOCK) !== 0);
    if (typeof made === 'number') return made;
    this.add(as, made);
    const peer = made.peername();
    return typeof peer === 'number' ? peer : shown(peer);
  }

  send(f: string, n: number, ch: string, flags: number, to?: string): number {
    return this.transmit(f, n, ch, flags, to === undefined ? null : raw(to), [], null);
  }

  sendmsg(f: string, n: number, ch: string, flags: number, names: string[], cred?: number[]): number {
    const files = names.map(name => this.file(name));
    const claim = cred ? { pid: ME, uid: cred[0]!, gid: cred[1]! } : null;
    return this.transmit(f, n, ch, flags, null, files, claim);
  }

  recvfrom(f: string, n: number, flags: number): number | string {
    const into = new Incoming(this.user.ram, 64, n, flags);
    const got = this.sock(f).receive(into);
    for (const file of into.rights) file.put();
    if (got < 0) return got;
    return `${got} ${rle(this.user.ram, 64, Math.min(got, n))} from ${shown(into.from ?? '')}`;
  }

  recvmsg(f: string, n: number, space: number, flags: number, prefix: string): number | string {
    const into = new Incoming(this.user.ram, 64, n, flags);
    const got = this.sock(f).receive(into);
    if (got < 0) return got;
    let out = `${rle(this.user.ram, 64, Math.min(got, n))} flags=${into.outFlags.toString(16)}`;
    if (space > 0 && into.tellsCred && into.sender) {
      const { pid, uid, gid } = into.sender;
      const id = (n: number) => (n === -1 ? 65534 : n);
      out += ` cred=${pid === ME ? 'me' : pid},${id(uid)},${id(gid)}`;
    }
    if (space > 0 && into.rights.length > 0) {
      out += ` fds=${into.rights.length}`;
      into.rights.forEach((file, i) => {
        this.add(prefix + i, file);
      });
    }
    return out;
  }

  shutdown(f: string, how: number): number {
    return this.sock(f).shutdown(how);
  }

  getsockname(f: string): number | string {
    return shown(this.sock(f).sockname());
  }

  getpeername(f: string): number | string {
    const name = this.sock(f).peername();
    return typeof name === 'number' ? name : shown(name);
  }

  getopt(f: string, level: number, name: number): number {
    const value = this.sock(f).getOption(level, name);
    return typeof value === 'number' ? value : new DataView(value.buffer).getInt32(0, true);
  }

  setopt(f: string, level: number, name: number, value: number): number {
    const bytes = new Uint8Array(4);
    new DataView(bytes.buffer).setInt32(0, value, true);
    return this.sock(f).setOption(level, name, bytes, this.caller);
  }

  peercred(f: string): number | string {
    const value = this.sock(f).getOption(1, 17);
    if (typeof value === 'number') return value;
    const view = new DataView(value.buffer);
    const pid = view.getInt32(0, true);
    return `${pid === ME ? 'me' : pid},${view.getInt32(4, true)},${view.getInt32(8, true)}`;
  }

  private transmit(
    f: string,
    n: number,
    ch: string,
    flags: number,
    to: string | null,
    rights: File[],
    cred: Ucred | null,
  ): number {
    this.user.ram.fill(ch.charCodeAt(0), 64, 64 + n);
    const dest = to === null ? null : { address: to, paths: this.caller };
    const sender = this.caller;
    return this.sock(f).send({ buf: this.user.ram, off: 64, len: n, flags, sender, to: dest, rights, cred });
  }
}

function pathTo(inode: object): Path {
  return { dentry: { inode } as unknown as Dentry, inode } as unknown as Path;
}

/** '@x' is an abstract name, '' none, others are paths. */
const raw = (name: string): string => {
  if (name === '') return FAMILY;
  return name.startsWith('@') ? `${FAMILY}\0${TAG}${name.slice(1)}` : `${FAMILY}${name}\0`;
};

function shown(address: string): string {
  if (address.length <= 2) return 'unnamed';
  const body = address.slice(2);
  if (!body.startsWith('\0')) return body.slice(0, -1);
  const text = body.slice(1);
  return text.startsWith(TAG) ? `@${text.slice(TAG.length)}` : `@auto${text.length}`;
}
