import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { readGuestFile, resolveInRoot } from '../../../src/cli/guest-files.ts';

const root = mkdtempSync(join(tmpdir(), 'uml-root-'));
after(() => rmSync(root, { recursive: true }));
mkdirSync(join(root, 'static/etc'), { recursive: true });
writeFileSync(join(root, 'static/etc/passwd'), 'inside');
symlinkSync('/static/etc', join(root, 'etc'));
symlinkSync('../../../../../../../../static', join(root, 'up'));
symlinkSync('loop', join(root, 'loop'));
symlinkSync('/etc/shadow', join(root, 'out'));

test('links are followed inside the root', () => {
  assert.equal(readGuestFile(root, '/etc/passwd'), 'inside');
  assert.equal(readGuestFile(root, '/up/etc/passwd'), 'inside');
  assert.equal(resolveInRoot(root, '/../etc/./passwd'), join(root, 'static/etc/passwd'));
});

test('what leads nowhere is empty', () => {
  for (const path of ['/loop', '/out', '/nope', '/etc/nope/x'])
    assert.equal(readGuestFile(root, path), '', path);
});
