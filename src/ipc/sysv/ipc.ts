/** All System V IPC of a machine (sysvipc(7)). */
import type { Ram } from '../../mm/ram.ts';
import { MessageQueues } from './msg.ts';
import { Semaphores } from './sem.ts';
import { Segments, type ShmCaller } from './shm.ts';

export class SysvIpc {
  readonly msg: MessageQueues = new MessageQueues();
  readonly sem: Semaphores;
  readonly shm: Segments;

  constructor(ram: Ram, caller: () => ShmCaller) {
    this.sem = new Semaphores(ram);
    this.shm = new Segments(ram, caller);
  }
}
