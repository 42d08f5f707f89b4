/**
 * devtmpfs: a tmpfs in which the kernel makes device nodes as drivers register devices.
 *
 * A machine has one: all its mounts show the same tree, and what programs make there stays, too.
 */

import { EEXIST } from '../../uapi/errno.ts';
import { makedev, S_IFBLK, S_IFCHR, S_IFDIR } from '../../uapi/stat.ts';
import type { Inode } from '../inode.ts';
import type { FileSystemType, FsEnvironment } from '../super.ts';
import { TmpfsDir } from '../tmpfs/dir.ts';
import { parseOptions } from '../tmpfs/options.ts';
import { TmpfsSuper } from '../tmpfs/super.ts';

/** A device's node below /dev. */
export interface DeviceNode {
  /** May contain directories: 'input/mice'. */
  readonly name: string;
  readonly block: boolean;
  /** Permission bits. */
  readonly mode: number;
  readonly major: number;
  readonly minor: number;
  readonly uid?: number;
  readonly gid?: number;
}

/** Names come and go without the VFS, which therefore revalidates its dentries before use. */
class DevtmpfsSuper extends TmpfsSuper {
  override get volatileNames(): boolean {
    return true;
  }

  override revalidate(dir: Inode, name: string, inode: Inode | null): boolean {
    const found = dir.lookup(name);
    return (typeof found === 'number' ? null : found) === inode;
  }

  /** The tree outlives its mounts. */
  override shutdown(): void {}
}

export class Devtmpfs {
  readonly type: FileSystemType;
  private readonly sb: DevtmpfsSuper;

  constructor(env: FsEnvironment) {
    const half = Math.floor(env.ram.totalPages / 2);
    const options = { blocks: half, inodes: half, mode: 0o755, uid: 0, gid: 0, usual: half };
    this.sb = new DevtmpfsSuper('devtmpfs', env, options);
    this.type = {
      name: 'devtmpfs',
      requiresDevice: false,
      mount: ({ data }) => {
        const parsed = parseOptions(data, options, env.ram.totalPages);
        return typeof parsed === 'number' ? parsed : this.sb;
      },
    };
  }

  /** Makes a symbolic link in the root, as device managers do; 0 or -errno. */
  link(name: string, target: string): number {
    const inode = this.sb.root.symlink(name, target, { mode: 0o777, uid: 0, gid: 0, rdev: 0 });
    return typeof inode === 'number' ? inode : 0;
  }

  /** Makes the node; 0 or -errno (-EEXIST if the name is taken). */
  add(node: DeviceNode): number {
    const parts = node.name.split('/');
    const last = parts.pop()!;
    let dir = this.sb.root;
    for (const part of parts) {
      const below = this.subdir(dir, part);
      if (typeof below === 'number') return below;
      dir = below;
    }
    if (typeof dir.lookup(last) !== 'number') return -EEXIST;
    const type = node.block ? S_IFBLK : S_IFCHR;
    const rdev = makedev(node.major, node.minor);
    const owner = { uid: node.uid ?? 0, gid: node.gid ?? 0 };
    const inode = dir.mknod(last, { mode: type | node.mode, ...owner, rdev });
    return typeof inode === 'number' ? inode : 0;
  }

  private subdir(dir: TmpfsDir, name: string): TmpfsDir | number {
    const found = dir.lookup(name);
    if (found instanceof TmpfsDir) return found;
    if (typeof found !== 'number') return -EEXIST;
    const made = dir.mkdir(name, { mode: S_IFDIR | 0o755, uid: 0, gid: 0, rdev: 0 });
    return typeof made === 'number' ? made : (made as TmpfsDir);
  }
}
