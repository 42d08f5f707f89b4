/** Overlays over temporary directories, and trees compared whole. */
import { createHash } from 'node:crypto';
import * as fs from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import type { Inode } from '../../../src/fs/inode.ts';
import { OverlaySuperBlock } from '../../../src/fs/overlay/super.ts';
import { overlayOn } from '../../../src/fs/overlay/type.ts';
import type { FsEnvironment } from '../../../src/fs/super.ts';
import { tmpfsType } from '../../../src/fs/tmpfs/super.ts';
import { isDir, isLnk, isReg } from '../../../src/uapi/stat.ts';
import { contentOf, mounted, must, namesIn, tempDir, testEnv } from '../hostfs/env.ts';

export interface Setup {
  readonly sb: OverlaySuperBlock;
  readonly env: FsEnvironment;
  /** Host directories; `upper` is '' if it is a tmpfs. */
  readonly lower: string;
  readonly upper: string;
}

/** A read-only host directory below a tmpfs, as the default root is. */
export function overTmpfs(lower: string): Setup {
  const env = testEnv();
  const tmpfs = must(tmpfsType().mount({ source: '', data: '', readOnly: false }, env));
  const host = mounted(lower, { readOnly: true, cacheAlways: true }, env);
  return { sb: must(overlayOn(env, tmpfs.root, [host.root])), env, lower, upper: '' };
}

/** A host directory below another one. */
export function overHost(t: TestContext, lowers: readonly string[], base = tempDir(t)): Setup {
  const env = testEnv();
  fs.rmSync(join(base, 'work'), { recursive: true, force: true });
  for (const name of ['upper', 'work']) fs.mkdirSync(join(base, name), { recursive: true });
  const upperFs = mounted(base, { cacheAlways: true }, env);
  const root = must(upperFs.root.lookup('upper'));
  const work = must(upperFs.root.lookup('work'));
  const roots = lowers.map(dir => mounted(dir, { readOnly: true, cacheAlways: true }, env).root);
  const sb = new OverlaySuperBlock(env.clock, env.newDev(), {
    upper: { root, work },
    lowers: roots,
    userXattr: true,
  });
  return { sb, env, lower: lowers[0]!, upper: join(base, 'upper') };
}

/** What is in a tree: a line for each file, with all that must be alike; hard links by their first name. */
export function describe(root: Inode, links = true): string[] {
  const lines: string[] = [];
  const first = new Map<number, string>();
  const visit = (dir: Inode, path: string): void => {
    for (const name of namesIn(dir, 1000).slice(2).sort()) {
      const inode = must(dir.lookup(name));
      inode.refs++;
      must(inode.refresh() === 0);
      const where = `${path}/${name}`;
      const same = links && !isDir(inode.mode) ? first.get(inode.ino) : undefined;
      first.set(inode.ino, first.get(inode.ino) ?? where);
      const count = links && isReg(inode.mode) ? inode.nlink : 0;
      lines.push(`${where} ${inode.mode.toString(8)} ${count} ${same ?? ''} ${whatIsIn(inode)}`);
      if (isDir(inode.mode)) visit(inode, where);
      inode.sb.iput(inode);
    }
  };
  visit(root, '');
  return lines;
}

function whatIsIn(inode: Inode): string {
  if (isReg(inode.mode)) return `${inode.size} ${digest(contentOf(inode))} ${inode.listxattr().sort()}`;
  return isLnk(inode.mode) ? (inode as unknown as { readlink(): string }).readlink() : '';
}

const digest = (text: string): string => createHash('sha1').update(text, 'latin1').digest('hex').slice(0, 8);
