// test: needs root, whose view of the host is the oracle
/** Random work on tmpfs, done at the same time on a tmpfs of the host: the same results, the same errors. */
import assert from 'node:assert/strict';
import * as host from 'node:fs';
import { after, test } from 'node:test';
import type { File } from '../../../src/fs/file.ts';
import { O_DIRECTORY, O_TMPFILE } from '../../../src/uapi/fcntl.ts';
import { dice } from '../dice.ts';
import { type Sys, tmpfsMachine, user } from './machine.ts';

const SHM = '/dev/shm';
const onTmpfs = host.existsSync(SHM) && host.statfsSync(SHM).type === 0x01021994;
const top = onTmpfs ? host.mkdtempSync(`${SHM}/vfs-`) : '';
if (onTmpfs) host.chmodSync(top, 0o755);
after(() => onTmpfs && host.rmSync(top, { recursive: true, force: true }));

type Outcome = number | string;

/** What the host answers: a result, or the negative error number. */
function onHost(act: () => unknown): Outcome {
  try {
    const result = act();
    return result === undefined ? 0 : typeof result === 'number' ? result : String(result);
  } catch (error) {
    const { errno } = error as NodeJS.ErrnoException;
    if (errno === undefined) throw error;
    return errno;
  }
}

interface Stat {
  readonly mode: number;
  readonly nlink: number;
  readonly size: number;
  readonly uid: number;
  readonly gid: number;
  readonly blocks: number;
}

const show = (s: Stat | number): Outcome =>
  typeof s === 'number' ? s : `${s.mode.toString(8)} ${s.nlink} ${s.size} ${s.uid}:${s.gid} ${s.blocks}`;

const PARTS = ['a', 'b', 'c', 'd', 'e', 'a', 'b', '.', '..'];
const FLAGS = [
  0,
  1,
  2,
  0o100,
  0o101,
  0o102,
  0o302,
  0o1001,
  0o1102,
  0o400002,
  0o400102,
  0o200000,
  0o2001,
  O_TMPFILE | 2,
];
/** Where the work is done: so deep that '..' does not lead out of what both have. */
const DEEP = 'p/p/p/p/p/p/p/p/p/p/p/w';
const MODES = [0o777, 0o755, 0o700, 0o000, 0o1777, 0o2775, 0o4755, 0o6711, 0o640, 0o444];
/** Without what the host's fs.protected_* settings change: sticky directories that everybody may write to. */
const TAME_MODES = MODES.map(mode => (mode === 0o1777 ? 0o1775 : mode));
const isProtected = ['hardlinks', 'symlinks', 'fifos', 'regular'].some(
  what => host.readFileSync(`/proc/sys/fs/protected_${what}`, 'latin1').trim() !== '0',
);
const USERS = [0, 0, 1000, 1001];

function removeAll(sys: Sys, path: string): void {
  if (sys.unlink(path) === 0) return;
  const names = sys.names(path);
  assert.ok(typeof names !== 'number');
  for (const name of names) removeAll(sys, `${path}/${name}`);
  assert.equal(sys.rmdir(path), 0);
}

function run(seed: number, steps: number, several: boolean): void {
  const random = dice(seed);
  const { sys, ctx, ns, ram } = tmpfsMachine('mode=0777');
  const free = ns.root.sb.statfs().ffree;
  const root = `${top}/${several}-${seed}`;
  const umask = process.umask(0o022);
  host.mkdirSync(root);
  host.chmodSync(root, 0o777);
  ctx.cred = user(process.getuid!(), process.getgid!());
  const files: [File, number][] = [];
  const inside = (name: string): string => `${root}/${DEEP}/${name}`;
  const within = (name: string): string => `${DEEP}/${name}`;
  const pick = <T>(list: readonly T[]): T => list[random(list.length)]!;
  const name = (): string => {
    const parts = [pick(PARTS.slice(0, 5)), ...Array.from({ length: random(4) }, () => pick(PARTS))];
    return parts.slice(0, 1 + random(parts.length)).join('/') + (random(12) === 0 ? '/' : '');
  };
  const data = (): Uint8Array =>
    new Uint8Array(random(3) === 0 ? random(20000) : random(100)).fill(65 + random(26));

  const mode = (): number => pick(several || isProtected ? TAME_MODES : MODES);
  const both = (what: string, mine: () => Outcome, theirs: () => unknown, asRoot = false): void => {
    const uid = several && !asRoot ? pick(USERS) : 0;
    const got = uid === 0 ? mine() : sys.as(user(uid, 1000), mine);
    if (uid !== 0) {
      process.setegid!(1000);
      process.seteuid!(uid);
    }
    const expected = onHost(theirs);
    if (uid !== 0) {
      process.seteuid!(0);
      process.setegid!(0);
    }
    assert.equal(got, expected, `seed ${seed}: ${what} as ${uid}`);
  };

  const openBoth = (path: string, flags: number, bits: number): void => {
    let mine: File | number = -1;
    let theirs = -1;
    both(
      `open ${path} ${flags.toString(8)}`,
      () => {
        mine = sys.open(within(path), flags, bits);
        return typeof mine === 'number' ? mine : 0;
      },
      () => {
        theirs = host.openSync(inside(path), flags, bits);
        return 0;
      },
    );
    if (typeof mine !== 'number') files.push([mine as File, theirs]);
  };

  const withFile = (act: (file: File, fd: number, index: number) => void): void => {
    if (files.length === 0) return;
    const index = random(files.length);
    act(files[index]![0], files[index]![1], index);
  };

  const operations: (() => void)[] = [
    () => openBoth(name(), pick(FLAGS), mode()),
    () => openBoth(name(), 0o102, 0o666),
    () => {
      const path = name();
      const bits = mode();
      both(
        `mkdir ${path}`,
        () => sys.mkdir(within(path), bits),
        () => host.mkdirSync(inside(path), bits),
      );
    },
    () => {
      const path = name();
      both(
        `rmdir ${path}`,
        () => sys.rmdir(within(path)),
        () => host.rmdirSync(inside(path)),
      );
    },
    () => {
      const path = name();
      both(
        `unlink ${path}`,
        () => sys.unlink(within(path)),
        () => host.unlinkSync(inside(path)),
      );
    },
    () => {
      const [from, to] = [name(), name()];
      const mine = (): number => sys.rename(within(from), within(to));
      both(`rename ${from} ${to}`, mine, () => host.renameSync(inside(from), inside(to)));
    },
    () => {
      const [from, to] = [name(), name()];
      const mine = (): number => sys.link(within(from), within(to));
      both(`link ${from} ${to}`, mine, () => host.linkSync(inside(from), inside(to)), true);
    },
    () => {
      const [target, to] = [name(), name()];
      const mine = (): number => sys.symlink(target, within(to));
      both(`symlink ${target} ${to}`, mine, () => host.symlinkSync(target, inside(to)));
    },
    () => {
      const path = name();
      both(
        `readlink ${path}`,
        () => sys.readlink(within(path)),
        () => host.readlinkSync(inside(path)),
      );
    },
    () => {
      const path = name();
      both(
        `stat ${path}`,
        () => show(sys.stat(within(path))),
        () => show(host.statSync(inside(path))),
      );
    },
    () => {
      const path = name();
      both(
        `lstat ${path}`,
        () => show(sys.lstat(within(path))),
        () => show(host.lstatSync(inside(path))),
      );
    },
    () => {
      const path = name();
      const list = (names: string[] | number): Outcome =>
        typeof names === 'number' ? names : names.sort().join(' ');
      both(
        `readdir ${path}`,
        () => list(sys.names(within(path))),
        () => list(host.readdirSync(inside(path))),
      );
    },
    () => {
      const path = name();
      const bits = mode();
      both(
        `chmod ${path}`,
        () => sys.chmod(within(path), bits),
        () => host.chmodSync(inside(path), bits),
      );
    },
    () => {
      const path = name();
      const [uid, gid] = [pick([0, 1000, 1001]), pick([0, 1000, 1001])];
      const mine = (): number => sys.chown(within(path), uid, gid, 0x100);
      both(`lchown ${path} ${uid}:${gid}`, mine, () => host.lchownSync(inside(path), uid, gid));
    },
    () => {
      const path = name();
      const mask = random(8);
      if (!several)
        both(
          `access ${path}`,
          () => sys.access(within(path), mask),
          () => host.accessSync(inside(path), mask),
        );
    },
    () => {
      const path = name();
      const size = random(30000);
      both(
        `truncate ${path}`,
        () => sys.truncate(within(path), size),
        () => {
          // node:fs opens the file instead of calling truncate(2), which answers differently for directories.
          const stat = host.statSync(inside(path));
          if (stat.isDirectory() || !stat.isFile())
            throw Object.assign(new Error(), { errno: stat.isDirectory() ? -21 : -22 });
          host.truncateSync(inside(path), size);
        },
      );
    },
    () =>
      withFile((file, fd) => {
        const bytes = data();
        const pos = random(3) === 0 ? random(100000) : random(5000);
        if ((file.flags & O_DIRECTORY) !== 0) return;
        both(
          `pwrite ${bytes.length} at ${pos}`,
          () => sys.write(file, bytes, pos),
          () => host.writeSync(fd, bytes, 0, bytes.length, pos),
        );
      }),
    () =>
      withFile((file, fd) => {
        const [len, pos] = [random(30000), random(60000)];
        const hex = (bytes: Uint8Array | number): Outcome =>
          typeof bytes === 'number' ? bytes : Buffer.from(bytes).toString('hex');
        if (file.inode.type !== 0o100000) return;
        both(
          `pread ${len} at ${pos}`,
          () => hex(sys.read(file, len, pos)),
          () => {
            const buf = new Uint8Array(len);
            return hex(buf.subarray(0, host.readSync(fd, buf, 0, len, pos)));
          },
        );
      }),
    () =>
      withFile((file, fd) =>
        both(
          'fstat',
          () => file.inode.refresh() || show(file.inode),
          () => show(host.fstatSync(fd)),
        ),
      ),
    () =>
      withFile((file, fd, index) => {
        file.put();
        host.closeSync(fd);
        files.splice(index, 1);
      }),
  ];

  for (let end = DEEP.indexOf('/'); end >= 0; end = DEEP.indexOf('/', end + 1)) {
    sys.mkdir(DEEP.slice(0, end));
    host.mkdirSync(`${root}/${DEEP.slice(0, end)}`);
  }
  sys.mkdir(DEEP);
  sys.chmod(DEEP, 0o777);
  host.mkdirSync(`${root}/${DEEP}`);
  host.chmodSync(`${root}/${DEEP}`, 0o777);
  for (let step = 0; step < steps; step++) pick(operations)();
  for (const [file, fd] of files) {
    file.put();
    host.closeSync(fd);
  }
  process.umask(umask);
  sys.ctx.cred = user(0);
  for (const name of sys.names('.') as string[]) removeAll(sys, name);
  assert.deepEqual([ns.root.sb.statfs().ffree, ram.usedPages], [free, 0], `seed ${seed}: something is left`);
}

test('tmpfs does as the host does, whatever is asked of it', { skip: !onTmpfs }, () => {
  for (let seed = 1; seed <= 8; seed++) run(seed, 1500, false);
});

test('... and whoever asks', { skip: !onTmpfs || process.getuid!() !== 0 }, () => {
  process.setgroups!([]);
  for (let seed = 1; seed <= 8; seed++) run(seed, 1500, true);
});
