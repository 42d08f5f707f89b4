import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { build } from 'esbuild';
import { sourceStack } from '../../../src/host/stack.ts';

test('places in a bundle become places in its sources', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'uml-stack-'));
  writeFileSync(
    join(dir, 'in.ts'),
    '// a line\ntype T = number;\n\nexport function f(x: T): void {\n  throw new Error(String(x));\n}\n',
  );
  const outfile = join(dir, 'out.cjs');
  await build({
    entryPoints: [join(dir, 'in.ts')],
    outfile,
    bundle: true,
    format: 'cjs',
    sourcemap: 'linked',
  });
  const { f } = createRequire(import.meta.url)(outfile);
  const stack = (() => {
    try {
      f(1);
    } catch (error) {
      return (error as Error).stack ?? '';
    }
    return '';
  })();
  assert.match(stack, /out\.cjs/);
  assert.match(sourceStack(stack, dir), /at f \(in\.ts:5:9\)/);
  assert.equal(sourceStack('at x (/nope/y.cjs:1:2)', '/nope'), 'at x (/nope/y.cjs:1:2)');
  assert.equal(sourceStack(stack), stack, 'another folder');
  rmSync(dir, { recursive: true });
});
