/** The user database, from the texts of passwd(5) and group(5); and users given as `name|uid[:group|gid]`. */

export interface Account {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
  readonly groups: readonly number[];
  readonly home: string;
  readonly shell: string;
}

const MAX_ID = 2 ** 32 - 2;

/** The fields of those lines of such a file that have at least `count` of them. */
const records = (text: string, count: number): string[][] =>
  text
    .split('\n')
    .map(line => line.split(':'))
    .filter(fields => fields.length >= count);

/** A decimal user or group number, or null. */
function parseId(text: string | undefined): number | null {
  if (text === undefined || !/^[0-9]{1,10}$/.test(text)) return null;
  const id = Number(text);
  return id <= MAX_ID ? id : null;
}

/** The user that `spec` names, or what is wrong with it. A number without an account is a user without a home. */
export function findUser(spec: string, passwd: string, group: string): Account | string {
  const [who = '', groupSpec, ...rest] = spec.split(':');
  if (who === '' || rest.length > 0) return `"${spec}" is not a user; say name, uid, or either with :group`;
  const users = records(passwd, 7);
  const id = parseId(who);
  const fields =
    users.find(user => user[0] === who) ?? users.find(user => id !== null && parseId(user[2]) === id);
  const uid = parseId(fields?.[2]) ?? id;
  if (uid === null) return `no user "${who}" in the root's /etc/passwd`;
  const gid = groupSpec === undefined ? (parseId(fields?.[3]) ?? uid) : findGroup(groupSpec, group);
  if (gid === null) return `no group "${groupSpec}" in the root's /etc/group`;
  const name = fields?.[0] ?? String(uid);
  return {
    name,
    uid,
    gid,
    groups: groupSpec === undefined ? groupsOf(name, gid, group) : [gid],
    home: fields?.[5] || '/',
    shell: fields?.[6] || '/bin/sh',
  };
}

function findGroup(spec: string, group: string): number | null {
  const fields = records(group, 4).find(entry => entry[0] === spec);
  return parseId(fields?.[2]) ?? parseId(spec);
}

/** The groups that initgroups(3) gives: the user's own and those that list the name. */
function groupsOf(name: string, gid: number, group: string): number[] {
  const listed = records(group, 4)
    .filter(entry => entry[3]?.split(',').includes(name))
    .map(entry => parseId(entry[2]))
    .filter(id => id !== null);
  return [...new Set([gid, ...listed])];
}
