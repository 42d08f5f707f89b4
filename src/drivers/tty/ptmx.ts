/** Opening pseudo-terminals: /dev/ptmx makes a pair, /dev/pts/N opens its slave (ptmx(4)). */
import { ROOT_CRED } from '../../core/cred.ts';
import type { Current } from '../../core/current.ts';
import { Dentry, Path } from '../../fs/dentry.ts';
import { type Devpts, DevptsNode, DevptsSuper } from '../../fs/devpts/devpts.ts';
import type { File } from '../../fs/file.ts';
import type { Inode } from '../../fs/inode.ts';
import type { Result } from '../../lib/result.ts';
import { EIO, ENODEV } from '../../uapi/errno.ts';
import { O_ACCMODE, O_CLOEXEC, O_NOCTTY, O_NONBLOCK } from '../../uapi/fcntl.ts';
import { openTty } from './open.ts';
import { PtyPair } from './pty.ts';
import { type PtyHome, PtyMasterFile } from './pty-file.ts';
import type { TtyEnvironment } from './tty.ts';
import type { TtyFile } from './tty-file.ts';

/** The flags of TIOCGPTPEER that apply to the new file. */
const PEER_FLAGS = O_ACCMODE | O_NOCTTY | O_NONBLOCK;

/** Installs a file at a task's lowest free descriptor; returns the descriptor, or -EMFILE. */
export type InstallFile = (current: Current, file: File, closeOnExec: boolean) => number;

export class Ptmx {
  private readonly env: TtyEnvironment;
  private readonly devpts: Devpts;
  private readonly install: InstallFile;

  constructor(env: TtyEnvironment, devpts: Devpts, install: InstallFile) {
    this.env = env;
    this.devpts = devpts;
    this.install = install;
  }

  /** Opens a ptmx node: makes a new pair and returns its master. */
  openMaster(inode: Inode, flags: number, current: Current | null): Result<File> {
    const sb = inode.sb instanceof DevptsSuper ? inode.sb : this.devpts.first;
    if (sb === null) return -ENODEV;
    const index = sb.freeIndex();
    if (index < 0) return index;
    const pair = new PtyPair(this.env, index);
    const node = sb.add(index, pair.rdev, pair, current?.cred ?? ROOT_CRED);
    return new PtyMasterFile(inode, flags, pair, this.homeOf(sb, node));
  }

  /** Opens a slave; -EIO for a node of that device number outside devpts. */
  openSlave(inode: Inode, flags: number, current: Current | null): Result<TtyFile> {
    const pair = inode instanceof DevptsNode ? (inode.pair as PtyPair | null) : null;
    if (pair === null || pair.locked || pair.slave.otherClosed) return -EIO;
    const file = openTty(pair.slave, inode, flags, current);
    if (typeof file !== 'number') pair.slaveOpened();
    return file;
  }

  private homeOf(sb: DevptsSuper, node: DevptsNode): PtyHome {
    return {
      openPeer: (_pair, master, flags, current) => this.openPeer(node, master, flags, current),
      masterReleased: pair => sb.remove(pair.index),
    };
  }

  private openPeer(node: DevptsNode, master: File, flags: number, current: Current): number {
    const file = this.openSlave(node, flags & PEER_FLAGS, current);
    if (typeof file === 'number') return file;
    file.flags &= ~O_NOCTTY;
    file.path = slavePath(node, master)?.get() ?? null;
    const fd = this.install(current, file, (flags & O_CLOEXEC) !== 0);
    if (fd < 0) file.put();
    return fd;
  }
}

/** The slave's path: beside the ptmx that was opened, or in the devpts mounted on `pts` beside it. */
function slavePath(node: DevptsNode, master: File): Path | null {
  if (master.path === null) return null;
  const { mount, dentry } = master.path;
  const pts = dentry.parent.children.get('pts')?.mounts?.get(mount);
  const home = mount.sb === node.sb ? mount : pts;
  if (home === undefined || home.sb !== node.sb) return null;
  const name = String((node.pair as PtyPair).index);
  return new Path(home, home.root.children.get(name) ?? new Dentry(home.root, name, node));
}
