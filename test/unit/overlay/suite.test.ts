/** The suite of all writable filesystems, on overlays: a tmpfs over a directory of the host, and one over another. */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { mountHostDirectory } from '../../../src/fs/hostfs/type.ts';
import { OverlaySuperBlock } from '../../../src/fs/overlay/super.ts';
import { overlayOn } from '../../../src/fs/overlay/type.ts';
import type { FileSystemType } from '../../../src/fs/super.ts';
import { tmpfsType } from '../../../src/fs/tmpfs/super.ts';
import { rootedMachine } from '../fs/rooted.ts';
import { runFilesystemSuite } from '../fs/suite.ts';
import { files, forbidden, must } from '../hostfs/env.ts';

const READ_ONLY = { readOnly: true, cacheAlways: true };

const onTmpfs = (lower: string): FileSystemType => ({
  name: 'overlay',
  requiresDevice: false,
  mount(_request, env) {
    const upper = must(tmpfsType().mount({ source: '', data: '', readOnly: false }, env));
    return overlayOn(env, upper.root, [must(mountHostDirectory(files, env, lower, READ_ONLY)).root]);
  },
});

const onHost = (base: string): FileSystemType => ({
  name: 'overlay',
  requiresDevice: false,
  mount(_request, env) {
    const upperFs = must(mountHostDirectory(files, env, base, { readOnly: false, cacheAlways: true }));
    const upper = { root: must(upperFs.root.lookup('upper')), work: must(upperFs.root.lookup('work')) };
    const lowers = [must(mountHostDirectory(files, env, join(base, 'lower'), READ_ONLY)).root];
    return new OverlaySuperBlock(env.clock, env.newDev(), { upper, lowers, userXattr: true });
  },
});

for (const [name, make] of [
  ['overlay of a tmpfs', (base: string) => onTmpfs(join(base, 'lower'))],
  ['overlay of a host directory', onHost],
] as const) {
  runFilesystemSuite(
    name,
    () => {
      const base = mkdtempSync(join(tmpdir(), 'uml-overlay-'));
      for (const dir of ['lower', 'upper', 'work']) mkdirSync(join(base, dir));
      const { sys, ns } = rootedMachine(make(base));
      return {
        sys,
        done() {
          ns.root.sb.shutdown();
          rmSync(base, { recursive: true });
        },
      };
    },
    name === 'overlay of a tmpfs' ? ['whiteout'] : ['whiteout', ...forbidden],
  );
}
