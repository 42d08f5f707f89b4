/** The suite of all writable filesystems, on a temporary directory of the host. */
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { hostfsType } from '../../../src/fs/hostfs/type.ts';
import { rootedMachine } from '../fs/rooted.ts';
import { runFilesystemSuite } from '../fs/suite.ts';
import { files, forbidden } from './env.ts';

for (const cache of ['auto', 'always']) {
  runFilesystemSuite(
    `hostfs, cache=${cache}`,
    () => {
      const directory = mkdtempSync(join(tmpdir(), 'uml-hostfs-'));
      chmodSync(directory, 0o755);
      const type = hostfsType(files, { directory, readOnly: false });
      const { sys, ns } = rootedMachine(type, `cache=${cache}`);
      return {
        sys,
        done() {
          ns.root.sb.shutdown();
          rmSync(directory, { recursive: true });
        },
      };
    },
    forbidden,
  );
}
