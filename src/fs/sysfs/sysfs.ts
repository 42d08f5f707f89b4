/**
 * sysfs(5): the kernel's objects as directories, their attributes as files of one value.
 *
 * The tree grows as drivers register devices, through `dir`, `attribute` and `link`. Paths are relative to /sys.
 * A machine has one sysfs.
 */
import type { Clock } from '../../core/clock.ts';
import type { Cred } from '../../core/cred.ts';
import { S_IFDIR } from '../../uapi/stat.ts';
import { File } from '../file.ts';
import { type Entry, link, special } from '../kernfs/entry.ts';
import { KernfsDir, type KernfsInode } from '../kernfs/inode.ts';
import { KernfsSuper } from '../kernfs/super.ts';
import { TextFile } from '../kernfs/text-file.ts';
import type { FileSystemType } from '../super.ts';

const SYSFS_MAGIC = 0x62656572;
/** The size that every attribute reports: a page, the most it may show. */
const ATTRIBUTE_SIZE = 4096;

export interface Attribute {
  readonly name: string;
  /** The value with its newline. */
  readonly show: () => string;
  /** 0 or -errno; absent if read-only. */
  readonly store?: (value: string, cred: Cred) => number;
  /** Permission bits; by default 0444, or 0644 with `store`. */
  readonly mode?: number;
}

class AttributeFile extends TextFile {
  /** Unlike proc's files, these have a size to seek by. */
  override seek(offset: number, whence: number): number {
    return File.prototype.seek.call(this, offset, whence);
  }
}

class SysfsSuper extends KernfsSuper {
  override readonly root: KernfsDir;

  constructor(dev: number, clock: Clock) {
    super('sysfs', SYSFS_MAGIC, dev, clock);
    this.root = new KernfsDir(this, S_IFDIR | 0o555);
  }
}

export class Sysfs {
  readonly type: FileSystemType;
  private readonly sb: SysfsSuper;

  constructor(env: { readonly clock: Clock; newDev(): number }) {
    this.sb = new SysfsSuper(env.newDev(), env.clock);
    this.type = { name: 'sysfs', requiresDevice: false, mount: () => this.sb };
  }

  /** The directory of that path; makes it and those above it as needed. */
  dir(path: string): KernfsDir {
    let at = this.sb.root;
    for (const name of path.split('/')) {
      if (name === '') continue;
      const found = at.child(name);
      if (found instanceof KernfsDir) {
        at = found;
        continue;
      }
      if (found !== null) throw new Error(`sysfs: ${path}: ${name} is no directory`);
      const made = new KernfsDir(this.sb, S_IFDIR | 0o755);
      at.put(name, made);
      at = made;
    }
    return at;
  }

  attribute(path: string, attribute: Attribute): void {
    this.dir(path).add(attributeEntry(attribute), null);
  }

  attributes(path: string, attributes: readonly Attribute[]): void {
    for (const attribute of attributes) this.attribute(path, attribute);
  }

  /** A link named `path` to `target`, both relative to /sys; the link's text is relative to itself, as in all sysfs. */
  link(path: string, target: string): void {
    const slash = path.lastIndexOf('/');
    const depth = slash < 0 ? 0 : path.slice(0, slash).split('/').length;
    const text = `${'../'.repeat(depth)}${target}`;
    this.dir(slash < 0 ? '' : path.slice(0, slash)).add(
      link(path.slice(slash + 1), () => text),
      null,
    );
  }
}

function attributeEntry({ name, show, store, mode }: Attribute): Entry<null> {
  const perm = mode ?? (store === undefined ? 0o444 : 0o644);
  const entry = special<null>(name, perm, (inode, flags, _context, cred) => {
    return new AttributeFile(inode, flags, cred, show, store ?? null);
  });
  const make = (sb: KernfsSuper, context: null): KernfsInode => {
    const inode = entry.make(sb, context);
    inode.size = ATTRIBUTE_SIZE;
    return inode;
  };
  return { ...entry, make };
}
