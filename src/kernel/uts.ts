/**
 * What uname(2) reports: a namespace of two settable names (uts_namespaces(7)), and what is the same everywhere. Names
 * are at most 64 bytes.
 */
import type { Task } from './task.ts';

export const UTS_LEN = 65;

export class Uts {
  readonly sysname = 'Linux';
  nodename: string;
  readonly release: string;
  readonly version: string;
  readonly machine: string;
  domainname = '(none)';
  /** 0 for the first namespace. */
  readonly id: number;

  constructor(nodename: string, release: string, version: string, machine: string, id = 0) {
    this.id = id;
    this.nodename = nodename;
    this.release = release;
    this.version = version;
    this.machine = machine;
  }

  /** A namespace with the same names, for now. */
  clone(id: number): Uts {
    const copy = new Uts(this.nodename, this.release, this.version, this.machine, id);
    copy.domainname = this.domainname;
    return copy;
  }
}

/** The namespace that a task is in. */
export const utsOf = (task: Task): Uts => task.attributes.uts ?? task.kernel.uts;

/** CLONE_NEWUTS: gives `task` its own names, which are `from`'s at first. */
export function unshareUts(task: Task, from: Task): void {
  task.attributes.uts = utsOf(from).clone(task.kernel.vfs.nextNamespaceId());
}
