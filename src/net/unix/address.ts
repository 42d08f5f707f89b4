/** Addresses of AF_UNIX (unix(7)): a path, an abstract name (it starts with a NUL), or none. */
import { EINVAL } from '../../uapi/errno.ts';
import { SOCKADDR_UN_SIZE } from '../../uapi/socket.ts';

const FAMILY = '\x01\0';

/** The address of an unbound socket. */
export const UNNAMED: string = FAMILY;

export const familyOf = (address: string): number =>
  address.length < 2 ? -1 : address.charCodeAt(0) | (address.charCodeAt(1) << 8);

/** 0 if the address is a name, else -EINVAL. */
export const checkAddress = (address: string): number =>
  address.length > 2 && address.length <= SOCKADDR_UN_SIZE && address.startsWith(FAMILY) ? 0 : -EINVAL;

export const isAbstract = (address: string): boolean => address.charCodeAt(2) === 0;

/** The path of a path address. */
export function pathOf(address: string): string {
  const end = address.indexOf('\0', 2);
  return end < 0 ? address.slice(2) : address.slice(2, end);
}

/** A path's address as Linux shows it: with its NUL, and nothing after that. */
export const pathAddress = (path: string): string => `${FAMILY}${path}\0`;

/** One of the 2^20 names that autobind gives (unix(7), "Autobind feature"). */
export const autoAddress = (n: number): string => `${FAMILY}\0${(n & 0xfffff).toString(16).padStart(5, '0')}`;

/** Each type of socket has its own namespace of abstract names. */
export const nameKey = (address: string, type: number): string => `${type}${address}`;
