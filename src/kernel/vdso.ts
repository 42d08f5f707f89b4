/**
 * The host's vDSO tells programs the host's time without asking the kernel. Once the machine's clock has been set, the
 * running programs' copies ask the kernel, and programs that begin later get no vDSO.
 */
import { EHDR_SIZE } from '../arch/x86_64/elf.ts';
import { asksKernel, findFunction, TIME_FUNCTIONS, vdsoSize } from '../arch/x86_64/vdso.ts';
import type { Mm } from '../mm/mm.ts';
import { PAGE_SIZE } from '../mm/ram.ts';
import type { Task } from './task.ts';

const LONGEST = 16 * PAGE_SIZE;

export class Vdso {
  private readonly base: () => number;
  private retired = false;

  constructor(base: () => number) {
    this.base = base;
  }

  /** The address where programs find it; 0 if they must do without. */
  get address(): number {
    return this.retired ? 0 : this.base();
  }

  /** Called when it tells the wrong time from now on. */
  retire(tasks: Iterable<Task>): void {
    const { address } = this;
    this.retired = true;
    if (address === 0) return;
    const spaces = new Set<Mm>();
    for (const { mm } of tasks) if (mm !== null) spaces.add(mm);
    for (const mm of spaces) askKernel(mm, address);
  }
}

/** Children inherit their parents' copies, which need no further change. */
function askKernel({ space }: Mm, address: number): void {
  const header = new Uint8Array(EHDR_SIZE);
  if (space.peek(address, header) < EHDR_SIZE) return;
  const bytes = new Uint8Array(Math.min(LONGEST, vdsoSize(new DataView(header.buffer))));
  if (space.peek(address, bytes) < bytes.length) return;
  const image = new DataView(bytes.buffer);
  for (const [name, nr] of TIME_FUNCTIONS) {
    const at = findFunction(image, name);
    if (at >= 0) space.poke(address + at, asksKernel(nr));
  }
}
