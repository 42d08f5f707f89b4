/** Terminals with a devpts, a process table and somebody's memory: enough of a machine to test them in. */
import type { UserMemory } from '../../../src/core/user.ts';
import { Terminals } from '../../../src/drivers/tty/terminals.ts';
import type { OpenDevice } from '../../../src/fs/devices.ts';
import { DeviceTable } from '../../../src/fs/devices.ts';
import { Devpts, type DevptsSuper } from '../../../src/fs/devpts/devpts.ts';
import type { File } from '../../../src/fs/file.ts';
import type { Inode } from '../../../src/fs/inode.ts';
import { O_RDWR } from '../../../src/uapi/fcntl.ts';
import { makedev, S_IFCHR } from '../../../src/uapi/stat.ts';
import { type FakeProcess, FakeTable } from './processes.ts';
import { FakeTime } from './scripts.ts';

const RAM = 65536;

export class TtyMachine {
  readonly time = new FakeTime();
  readonly table = new FakeTable(this.time);
  readonly devpts = new Devpts();
  readonly pts: DevptsSuper;
  readonly terminals: Terminals;
  readonly devices = new DeviceTable();
  readonly installed: File[] = [];
  /** User memory: addresses are offsets. */
  readonly user: UserMemory;

  constructor(options = '') {
    const env = { clock: this.time, timers: this.time, groups: this.table, hungUp: new WeakMap() };
    this.terminals = new Terminals(env, this.devpts, (_current, file) => this.installed.push(file) - 1);
    this.terminals.register({
      registerCharDevice: (name: string, major: number, first: number, count: number, open: OpenDevice) =>
        this.devices.register(name, major, first, count, open),
    });
    let dev = 1;
    const fsEnv = { clock: this.time, ram: {} as never, newDev: () => dev++ };
    this.pts = this.devpts.mount(
      { source: '', data: options, readOnly: false },
      fsEnv as never,
    ) as DevptsSuper;
    const ram = new Uint8Array(RAM);
    const window = (addr: number, len: number): number => (addr >= 0 && addr + len <= RAM ? addr : -14);
    this.user = {
      ram,
      view: new DataView(ram.buffer),
      maxWindow: 4096,
      gather: () => -14,
      in: window,
      out: window,
      room: (_addr, len) => len,
      shrink: () => {},
      string: () => '',
    };
  }

  openDevice(major: number, minor: number, who: FakeProcess | null, flags = O_RDWR): File | number {
    const inode = { mode: S_IFCHR | 0o666, rdev: makedev(major, minor), sb: {} } as Inode;
    return this.devices.open(inode, flags, who);
  }

  /** Opens a node of devpts by name. */
  openPts(name: string, who: FakeProcess, flags = O_RDWR): File | number {
    const inode = this.pts.root.lookup(name);
    return typeof inode === 'number' ? inode : this.devices.open(inode, flags, who);
  }

  ioctl(file: File, who: FakeProcess, cmd: number, value = 0, addr = 64): number {
    this.user.view.setInt32(addr, value, true);
    return file.ioctl(cmd, addr, this.user, who);
  }

  /** An ioctl that answers an integer: the integer, or -errno. */
  ask(file: File, who: FakeProcess, cmd: number): number {
    const result = this.ioctl(file, who, cmd, -1);
    return result < 0 ? result : this.user.view.getInt32(64, true);
  }
}

export function opened(file: File | number): File {
  if (typeof file === 'number') throw new Error(`open answered ${file}`);
  return file;
}

export function readText(file: File, len = 4096): string | number {
  const buf = Buffer.alloc(len);
  const n = file.read(buf, 0, len, 0);
  return n < 0 ? n : buf.toString('latin1', 0, n);
}

export function writeText(file: File, text: string): number {
  const bytes = Buffer.from(text, 'latin1');
  return file.write(bytes, 0, bytes.length, 0);
}
