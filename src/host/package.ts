/** Files of this package (the stub, package.json), found both from the sources and from the bundle in dist/. */
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

function packageRoot(): string {
  let dir = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(dir, 'package.json')) && dir !== '/') dir = dirname(dir);
  return dir;
}

/** The path of a file of this package; `path` is relative to its root ("dist/stub"). */
export const packageFile = (path: string): string => join(packageRoot(), path);
