import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { findUser } from '../../../src/init/passwd.ts';

const PASSWD = 'root:x:0:0:root:/root:/bin/bash\nann:x:1000:100::/home/ann:\nbroken\n:::::::\n';
const GROUP = 'root:x:0:\nusers:x:100:\nwheel:x:10:bob,ann\nbad:x:y:ann\n';

test('a user by name, by number, and with a group', () => {
  const ann = { name: 'ann', uid: 1000, home: '/home/ann', shell: '/bin/sh' };
  assert.deepEqual(findUser('ann', PASSWD, GROUP), { ...ann, gid: 100, groups: [100, 10] });
  assert.deepEqual(findUser('1000', PASSWD, GROUP), { ...ann, gid: 100, groups: [100, 10] });
  assert.deepEqual(findUser('ann:wheel', PASSWD, GROUP), { ...ann, gid: 10, groups: [10] });
  assert.deepEqual(findUser('ann:7', PASSWD, GROUP), { ...ann, gid: 7, groups: [7] });
});

test('a number without an account', () => {
  assert.deepEqual(findUser('77', PASSWD, GROUP), {
    name: '77',
    uid: 77,
    gid: 77,
    groups: [77],
    home: '/',
    shell: '/bin/sh',
  });
});

test('what is no user is said', () => {
  for (const spec of ['nope', '', ':', 'ann:nope', 'ann:wheel:x', '-1', '4294967295', '99999999999'])
    assert.equal(typeof findUser(spec, PASSWD, GROUP), 'string', spec);
});

test('the host’s own users are as id(1) says', () => {
  const [passwd, group] = ['/etc/passwd', '/etc/group'].map(file => readFileSync(file, 'latin1')) as [
    string,
    string,
  ];
  for (const name of passwd
    .split('\n')
    .map(line => line.split(':')[0])
    .filter(Boolean) as string[]) {
    const user = findUser(name, passwd, group);
    assert.notEqual(typeof user, 'string', name);
    if (typeof user === 'string') continue;
    const id = (flag: string): string => execFileSync('id', [flag, name], { encoding: 'utf8' }).trim();
    assert.equal(String(user.uid), id('-u'));
    assert.equal(String(user.gid), id('-g'));
    assert.deepEqual([...user.groups].sort(), id('-G').split(' ').map(Number).sort());
  }
});
