import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { takeUmid } from '../../../src/host/umid.ts';

const scratch = mkdtempSync(join(tmpdir(), 'umid-'));
const realHome = process.env['HOME'];
const kept = join(scratch, 'kept');
before(() => {
  process.env['HOME'] = scratch;
  assert.equal(homedir(), scratch);
  writeFileSync(kept, 'precious');
});
after(() => {
  process.env['HOME'] = realHome;
  rmSync(scratch, { recursive: true, force: true });
});

test('a name is a folder with the process number, until it is let go of', () => {
  const dir = join(scratch, '.uml/box');
  const letGo = takeUmid('box');
  assert.ok(typeof letGo !== 'string', String(letGo));
  assert.equal(readFileSync(join(dir, 'pid'), 'utf8'), `${process.pid}\n`);
  letGo();
  assert.equal(existsSync(dir), false);
});

test('what leads elsewhere is no name', () => {
  for (const name of ['', '.', '..', '../..', 'a/b', '/tmp'])
    assert.equal(typeof takeUmid(name), 'string', name);
  assert.equal(readFileSync(kept, 'utf8'), 'precious');
});

test('files of others in the folder stay', () => {
  const letGo = takeUmid('shared');
  assert.ok(typeof letGo !== 'string', String(letGo));
  const theirs = join(scratch, '.uml/shared/notes');
  writeFileSync(theirs, 'theirs');
  letGo();
  assert.equal(readFileSync(theirs, 'utf8'), 'theirs');
  assert.equal(existsSync(join(scratch, '.uml/shared/pid')), false);
});

test('the name of a process that runs is refused, that of one that is gone taken over', () => {
  const letGo = takeUmid('taken');
  assert.ok(typeof letGo !== 'string', String(letGo));
  const file = join(scratch, '.uml/taken/pid');
  writeFileSync(file, `${process.ppid}\n`);
  assert.match(String(takeUmid('taken')), new RegExp(`in use by process ${process.ppid}`));
  writeFileSync(file, `${2 ** 22 + 1}\n`);
  const again = takeUmid('taken');
  assert.ok(typeof again !== 'string', String(again));
  again();
  assert.equal(existsSync(file), false);
});

test('a pid file that was never finished is nobody’s', () => {
  mkdirSync(join(scratch, '.uml/cut'));
  writeFileSync(join(scratch, '.uml/cut/pid'), '');
  const letGo = takeUmid('cut');
  assert.ok(typeof letGo !== 'string', String(letGo));
  letGo();
  assert.equal(existsSync(join(scratch, '.uml/cut')), false);
});
