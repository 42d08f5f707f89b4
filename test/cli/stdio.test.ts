/** Standard input and output that are files of the host: each script says the same in a machine as on the host. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { program } from './machine.ts';

const scratch = mkdtempSync(join(tmpdir(), 'uml-stdio-'));
after(() => rmSync(scratch, { recursive: true, force: true }));

/** What a script prints and leaves in `f` and `o`; `$RUN` is what runs a command. */
function outcome(script: string, run: string): string {
  writeFileSync(join(scratch, 'f'), 'abcdefghij\nklm\n');
  writeFileSync(join(scratch, 'o'), 'what was there before\n');
  const env = { ...process.env, RUN: run };
  const printed = execFileSync('sh', ['-c', `{ ${script}; } 2>&1`], {
    cwd: scratch,
    env,
    encoding: 'latin1',
  });
  const [f, o] = ['f', 'o'].map(name => readFileSync(join(scratch, name), 'latin1'));
  return `${printed}f=${f}o=${o}`;
}

const SCRIPTS: Readonly<Record<string, string>> = {
  'their type, size and name': `$RUN sh -c 'stat -L -c "%F %s %h" /dev/stdin; readlink /proc/self/fd/0' <f`,
  'one file is one file': '$RUN cat <f >>f || echo $?',
  'the position is shared': `(head -c 3; $RUN sh -c 'head -c 2; tac'; echo end) <f >o`,
  'and shared for output': '(echo one; $RUN echo two; echo three) >o; (echo four; $RUN echo five) >>o',
  'a long read is whole': '$RUN dd bs=300000 count=1 status=none <long | cksum',
  'a long write is whole': '($RUN dd if=long bs=300000 count=1 status=none; echo end) >o; cksum <o; : >o',
  'opened anew': `$RUN sh -c 'cat /dev/stdin /dev/stdin; echo new >/dev/stdout' <f >>o`,
  'cut to a length':
    '$RUN truncate -s 5 /dev/stdout >>o; $RUN dd of=/dev/stdout bs=1 seek=3 if=f 1>>o 2>/dev/null',
  'the null device': `$RUN sh -c 'test -c /dev/stdout && stat -L -c "%F %t:%T" /dev/stdin >&2' </dev/null >/dev/null`,
  'the full device': '$RUN cat <f >/dev/full || echo $?',
  'a directory': '$RUN cat <. || echo $?',
  'a pipe': `echo x | $RUN sh -c 'test -p /dev/stdin && cat' | cat`,
  'both ends': `$RUN sh -c 'test /dev/stdout -ef /dev/stderr && echo same' 2>&1 | cat`,
};

writeFileSync(join(scratch, 'long'), Buffer.alloc(300_000, 'long '));
for (const [name, script] of Object.entries(SCRIPTS)) {
  test(name, () => assert.equal(outcome(script, `${program('uml')} run`), outcome(script, '')));
}

test('nothing else of the host is reached through a descriptor', () => {
  const inDirectory = `$RUN sh -c 'ls /dev/stdin/; cat /dev/stdin/f; echo x >/dev/stdin/new' <. || echo $?`;
  const shown = outcome(inDirectory, `${program('uml')} run`);
  assert.match(shown, /^f\nlong\no\n/);
  assert.match(shown, /cat: .*Permission denied/);
  assert.match(shown, /cannot create .*(Permission denied|Read-only)/);
  const readOnly = `$RUN sh -c 'echo x >/dev/stdin; chmod 777 /dev/stdin; truncate -s 0 /dev/stdin' <f || echo $?`;
  assert.match(outcome(readOnly, `${program('uml')} run`), /f=abcdefghij\nklm\n/);
  const setuid = '$RUN chmod 4755 /dev/stdout >>o || echo $?';
  assert.match(outcome(setuid, `${program('uml')} run`), /not permitted/);
});
