/**
 * mount(2) of hostfs: which directory, and how.
 *
 * The data is a directory and options, as User Mode Linux takes them: `/home/me,ro`. The directory defaults to the
 * mount's source if that is an absolute path, otherwise to all that the machine was given. Options: `ro`, `rw`,
 * `cache=auto` (the host's side may change at any time) and `cache=always` (only the machine changes it).
 */
import type { HostFiles } from '../../host/files.ts';
import type { Result } from '../../lib/result.ts';
import { EINVAL } from '../../uapi/errno.ts';
import type { FileSystemType, FsEnvironment, MountRequest, SuperBlock } from '../super.ts';
import { type HostfsOptions, HostSuperBlock } from './super.ts';

/** Which part of the host may be mounted. */
export interface HostfsJail {
  /** A directory of the host; directories that guests name are relative to it. */
  readonly directory: string;
  readonly readOnly: boolean;
}

interface Parsed {
  directory: string;
  readOnly: boolean;
  cacheAlways: boolean;
}

export function hostfsType(files: HostFiles, jail: HostfsJail): FileSystemType {
  return {
    name: 'hostfs',
    requiresDevice: false,
    mount(request: MountRequest, env: FsEnvironment): Result<SuperBlock> {
      const options = parseOptions(request);
      if (typeof options === 'number') return options;
      const top = files.openRoot(jail.directory);
      if (top < 0) return top;
      const fd = files.openBeneath(top, options.directory);
      files.close(top);
      if (fd < 0) return fd;
      const readOnly = options.readOnly || jail.readOnly;
      const rights = { ...options, readOnly, staysReadOnly: jail.readOnly };
      return new HostSuperBlock(files, env, env.newDev(), fd, options.directory, rights);
    },
  };
}

/** Mounts a directory of the host, by its path there, for the machine itself. */
export function mountHostDirectory(
  files: HostFiles,
  env: FsEnvironment,
  directory: string,
  options: HostfsOptions,
): Result<HostSuperBlock> {
  const fd = files.openRoot(directory);
  return fd < 0 ? fd : new HostSuperBlock(files, env, env.newDev(), fd, directory, options);
}

function parseOptions(request: MountRequest): Parsed | number {
  const source = request.source.startsWith('/') ? request.source : '/';
  const parsed: Parsed = { directory: source, readOnly: request.readOnly, cacheAlways: false };
  for (const word of request.data.split(',')) {
    if (word.startsWith('/')) parsed.directory = word;
    else if (word === 'ro') parsed.readOnly = true;
    else if (word === 'cache=always') parsed.cacheAlways = true;
    else if (word !== '' && word !== 'rw' && word !== 'cache=auto') return -EINVAL;
  }
  return parsed;
}
