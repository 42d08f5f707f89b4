/** Access control lists of the host's files (acl(5)): who may read a file on the host, and nobody else, may do so in the machine. */
import type { HostFiles } from '../../host/files.ts';
import { type AccessList, parseAccessList } from '../access-list.ts';

const ACCESS = 'system.posix_acl_access';
const DEFAULT = 'system.posix_acl_default';

export interface HostLists {
  readonly acl: AccessList | null;
  readonly defaultAcl: AccessList | null;
}

/** By a descriptor of any kind. A filesystem of the host without such lists has none. */
export const hostLists = (files: HostFiles, fd: number, isDirectory: boolean): HostLists => ({
  acl: listOf(files, fd, ACCESS),
  defaultAcl: isDirectory ? listOf(files, fd, DEFAULT) : null,
});

function listOf(files: HostFiles, fd: number, name: string): AccessList | null {
  const value = files.getxattr(fd, name);
  const list = typeof value === 'string' ? parseAccessList(value) : null;
  return typeof list === 'number' ? null : list;
}
