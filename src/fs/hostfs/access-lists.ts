/** Access control lists of the host's files (acl(5)): the same users have access in the machine as on the host. */
import type { HostFiles } from '../../host/files.ts';
import { ENODATA, EOPNOTSUPP } from '../../uapi/errno.ts';
import { type AccessList, formatAccessList, parseAccessList } from '../access-list.ts';
import { ACL_ACCESS, ACL_DEFAULT } from '../acl.ts';

export interface HostLists {
  readonly acl: AccessList | null;
  readonly defaultAcl: AccessList | null;
}

/** The lists of a file, by a descriptor of any kind; null where the host's filesystem has none. */
export const hostLists = (files: HostFiles, fd: number, isDirectory: boolean): HostLists => ({
  acl: listOf(files, fd, ACL_ACCESS),
  defaultAcl: isDirectory ? listOf(files, fd, ACL_DEFAULT) : null,
});

/** Stores the lists that are given, or removes them (null): 0 or -errno. */
export function storeLists(files: HostFiles, fd: number, { acl, defaultAcl }: Partial<HostLists>): number {
  const err = store(files, fd, ACL_ACCESS, acl);
  return err < 0 ? err : store(files, fd, ACL_DEFAULT, defaultAcl);
}

function store(files: HostFiles, fd: number, name: string, list: AccessList | null | undefined): number {
  if (list === undefined) return 0;
  if (list !== null) return files.setxattr(fd, name, formatAccessList(list), 0);
  const err = files.removexattr(fd, name);
  return err === -ENODATA || err === -EOPNOTSUPP ? 0 : err;
}

function listOf(files: HostFiles, fd: number, name: string): AccessList | null {
  const value = files.getxattr(fd, name);
  const list = typeof value === 'string' ? parseAccessList(value) : null;
  return typeof list === 'number' ? null : list;
}
