/** What uname(2) says. Names are at most 64 bytes. */
export const UTS_LEN = 65;

export class Uts {
  readonly sysname = 'Linux';
  nodename: string;
  readonly release: string;
  readonly version: string;
  readonly machine: string;
  domainname = '(none)';

  constructor(nodename: string, release: string, version: string, machine: string) {
    this.nodename = nodename;
    this.release = release;
    this.version = version;
    this.machine = machine;
  }
}
