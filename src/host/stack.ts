/** Stack traces of the bundle in the words of its sources: read only when something went wrong. */
import { readFileSync } from 'node:fs';
import { SourceMap } from 'node:module';
import { basename, dirname } from 'node:path';
import { packageFile } from './package.ts';

const PLACE = /(\/[^\s()]+\.cjs):(\d+):(\d+)/g;

/**
 * `stack` with places in the bundles of `dist` as places in src/, where their source maps can be read. Other files are not looked at:
 * a message may hold names that a program has made up.
 */
export function sourceStack(stack: string, dist: string = packageFile('dist')): string {
  const maps = new Map<string, SourceMap | null>();
  return stack.replace(PLACE, (place: string, file: string, line: string, column: string) => {
    if (dirname(file) !== dist) return place;
    if (!maps.has(file)) maps.set(file, readMap(`${file}.map`));
    const origin = maps.get(file)?.findOrigin(Number(line), Number(column));
    if (origin === undefined || !('fileName' in origin)) return place;
    const source = origin.fileName.replace(/^(.*\/)?src\//, 'src/');
    return `${source.startsWith('src/') ? source : basename(source)}:${origin.lineNumber}:${origin.columnNumber}`;
  });
}

function readMap(file: string): SourceMap | null {
  try {
    return new SourceMap(JSON.parse(readFileSync(file, 'utf8')));
  } catch {
    return null;
  }
}
