/** Stack traces of the bundle in the words of its sources: read only when something went wrong. */
import { readFileSync } from 'node:fs';
import { SourceMap } from 'node:module';
import { basename } from 'node:path';

const PLACE = /(\/[^\s()]+\.cjs):(\d+):(\d+)/g;

/** `stack` with places in dist/*.cjs as places in src/, where their source maps can be read. */
export function sourceStack(stack: string): string {
  const maps = new Map<string, SourceMap | null>();
  return stack.replace(PLACE, (place: string, file: string, line: string, column: string) => {
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
