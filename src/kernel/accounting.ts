/** Process accounting (acct(2), acct(5)): a record of every process that has ended goes to a file. */
import { ACORE, AFORK, AXSIG, acctBytes } from '../arch/x86_64/structs/acct.ts';
import { Tty } from '../drivers/tty/tty.ts';
import type { File } from '../fs/file.ts';
import { PAGE_SIZE } from '../mm/ram.ts';
import { termSignal, WCOREFLAG } from '../uapi/wait.ts';
import type { Task } from './task.ts';
import type { ThreadGroup } from './thread-group.ts';
import { toTicks } from './usage.ts';

export class Accounting {
  private file: File | null;

  constructor() {
    this.file = null;
  }

  get isOn(): boolean {
    return this.file !== null;
  }

  /** Writes records to `file` from now on, whose reference becomes ours; null: writes none. */
  use(file: File | null): void {
    const old = this.file;
    this.file = file;
    old?.put();
  }

  /** Records a process whose last thread, `task`, has ended with `pages` of memory. */
  ended(task: Task, status: number, pages: number): void {
    const { file } = this;
    if (file === null) return;
    const { group, kernel, cred } = task;
    const lived = kernel.clock.monotonic() - group.leader.startTime;
    const bytes = acctBytes({
      flags: flagsOf(group, status),
      tty: task.tty instanceof Tty ? task.tty.driver.rdev & 0xffff : 0,
      exitcode: status,
      uid: cred.uid,
      gid: cred.gid,
      pid: group.tgid,
      ppid: group.ppid,
      btime: kernel.clock.realtime().sec - Math.floor(toTicks(lived) / 100),
      etime: toTicks(lived),
      utime: toTicks(group.usage.user),
      stime: toTicks(group.usage.system),
      mem: (pages * PAGE_SIZE) / 1024,
      minflt: group.usage.minflt,
      majflt: group.usage.majflt,
      comm: task.comm,
    });
    // Errors are ignored, such as a lack of room.
    file.write(bytes, 0, bytes.length, file.inode.size);
  }
}

function flagsOf(group: ThreadGroup, status: number): number {
  const killed = termSignal(status) !== 0 ? AXSIG : 0;
  return (group.execed ? 0 : AFORK) | killed | ((status & WCOREFLAG) !== 0 ? ACORE : 0);
}
