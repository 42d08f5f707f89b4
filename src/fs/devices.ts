/** Which driver opens which device number: character and block devices, by major number and minor range. */
import type { Current } from '../core/current.ts';
import type { Result } from '../lib/result.ts';
import { ENXIO } from '../uapi/errno.ts';
import { major, minor } from '../uapi/stat.ts';
import type { File } from './file.ts';
import type { Inode } from './inode.ts';

/** Opens a device through one of its nodes; `inode.rdev` says which device. */
export type OpenDevice = (inode: Inode, flags: number, current: Current | null) => Result<File>;

interface Range {
  readonly name: string;
  readonly first: number;
  readonly stop: number;
  readonly open: OpenDevice;
}

export class DeviceTable {
  private readonly majors: Map<number, Range[]> = new Map();

  /** Registers the driver of minors [first, first + count) of a major number; later registrations take precedence. */
  register(name: string, major: number, first: number, count: number, open: OpenDevice): void {
    const ranges = this.majors.get(major) ?? [];
    this.majors.set(major, [{ name, first, stop: first + count, open }, ...ranges]);
  }

  open(inode: Inode, flags: number, current: Current | null): Result<File> {
    const number = minor(inode.rdev);
    const range = this.majors
      .get(major(inode.rdev))
      ?.find(({ first, stop }) => number >= first && number < stop);
    return range === undefined ? -ENXIO : range.open(inode, flags, current);
  }

  /** Distinct pairs of major and name, by major, for /proc/devices. */
  list(): { major: number; name: string }[] {
    const all = [...this.majors].flatMap(([number, ranges]) =>
      ranges.map(({ name }) => ({ major: number, name })),
    );
    const seen = new Set<string>();
    const isNew = (key: string): boolean => !seen.has(key) && seen.add(key).has(key);
    return all.sort((a, b) => a.major - b.major).filter(row => isNew(`${row.major} ${row.name}`));
  }
}
