/** One of the kernel's own arrays behind the interface of a program's memory; addresses are offsets into it. */
import { EFAULT } from '../uapi/errno.ts';
import type { UserMemory } from './user.ts';

export class BufferMemory implements UserMemory {
  readonly ram: Uint8Array;
  readonly view: DataView;
  readonly maxWindow: number = Number.MAX_SAFE_INTEGER;

  constructor(bytes: Uint8Array) {
    this.ram = bytes;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  in(addr: number, len: number): number {
    return addr + len <= this.ram.length ? addr : -EFAULT;
  }

  gather(): number {
    return -EFAULT;
  }

  out(addr: number, len: number): number {
    return this.in(addr, len);
  }

  room(addr: number, len: number): number {
    return Math.max(0, Math.min(len, this.ram.length - addr));
  }

  shrink(_len: number): void {}

  string(): number {
    return -EFAULT;
  }
}
