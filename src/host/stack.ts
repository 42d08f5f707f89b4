/** Translates stack traces of the bundle to its sources; source maps are read only after an error. */
import { readFileSync } from 'node:fs';
import { SourceMap } from 'node:module';
import { basename, dirname } from 'node:path';
import { packageFile } from './package.ts';

const PLACE = /(\/[^\s()]+\.cjs):(\d+):(\d+)/g;

/**
 * `stack` with positions in the bundles of `dist` translated to src/, where their source maps can be read. No other
 * file is read: a message may contain names that a program has chosen.
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
