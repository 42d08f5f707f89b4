/** What a thread is told of its own process (answers.ts, `ThreadFacts`), in its slot; stub/facts.c reads it there. */
import { getUint64, setInt64 } from '../../lib/int64.ts';
import type { ThreadFacts } from '../answers.ts';
import { SLOT } from './layout.ts';
import type { MemoryFile } from './memory-file.ts';

export class NativeThreadFacts implements ThreadFacts {
  readonly limits: number;
  readonly actions: number;
  private readonly memory: MemoryFile;
  private readonly slot: number;

  constructor(memory: MemoryFile, slot: number) {
    this.memory = memory;
    this.slot = slot;
    this.limits = slot + SLOT.S_LIMITS;
    this.actions = slot + SLOT.S_ACTIONS;
  }

  tellSelf(tid: number): void {
    this.put(SLOT.S_SELF, tid);
  }

  tellParent(pid: number): void {
    this.put(SLOT.S_PARENT, pid);
  }

  tellActions(lo: number, hi: number): void {
    this.put(SLOT.S_OWN_ACTIONS, lo);
    this.put(SLOT.S_OWN_ACTIONS + 4, hi);
    this.put(SLOT.S_ACTIONS_TOLD, 1);
  }

  untellActions(): void {
    this.put(SLOT.S_ACTIONS_TOLD, 0);
  }

  tellMask(lo: number, hi: number): void {
    this.share(SLOT.S_MASK, lo);
    this.share(SLOT.S_MASK + 4, hi);
    this.put(SLOT.S_MASK_TOLD, 1);
  }

  tellPending(lo: number, hi: number): void {
    this.share(SLOT.S_PENDING, lo);
    this.share(SLOT.S_PENDING + 4, hi);
  }

  untellMask(): void {
    this.put(SLOT.S_MASK_TOLD, 0);
  }

  get maskLo(): number {
    return Atomics.load(this.memory.i32, (this.slot + SLOT.S_MASK) >> 2);
  }

  get maskHi(): number {
    return Atomics.load(this.memory.i32, (this.slot + SLOT.S_MASK + 4) >> 2);
  }

  tellLimits(told: boolean): void {
    this.put(SLOT.S_LIMITS_TOLD, told ? 1 : 0);
  }

  tellIds(uid: number, euid: number, gid: number, egid: number): void {
    [uid, euid, gid, egid].forEach((id, i) => {
      this.put(SLOT.S_IDS + 4 * i, id);
    });
    this.put(SLOT.S_IDS_TOLD, 1);
  }

  untellIds(): void {
    this.put(SLOT.S_IDS_TOLD, 0);
  }

  tellBreak(address: number): void {
    const { view } = this.memory;
    this.stopBreak();
    setInt64(view, this.slot + SLOT.S_BREAK, address);
    setInt64(view, this.slot + SLOT.S_BREAK_TOP, address);
  }

  letBreak(lowest: number, highest: number): void {
    const { view } = this.memory;
    setInt64(view, this.slot + SLOT.S_BREAK_LOWEST, lowest);
    setInt64(view, this.slot + SLOT.S_BREAK_HIGHEST, highest);
    this.put(SLOT.S_BREAK_MOVES, 1);
  }

  stopBreak(): void {
    this.put(SLOT.S_BREAK_MOVES, 0);
  }

  get breakNow(): number {
    return Atomics.load(this.memory.i32, (this.slot + SLOT.S_BREAK) >> 2);
  }

  get breakTop(): number {
    return this.memory.i32[(this.slot + SLOT.S_BREAK_TOP) >> 2]!;
  }

  tellMayEnd(may: boolean): void {
    this.put(SLOT.S_MAY_END, may ? 1 : 0);
  }

  forget(): void {
    this.tellSelf(0);
    this.untellActions();
    this.untellMask();
    this.tellLimits(false);
    this.untellIds();
    this.tellBreak(0);
    this.tellMayEnd(false);
  }

  get robustList(): number | null {
    return this.said(SLOT.SAID_ROBUST_LIST, SLOT.S_ROBUST_LIST);
  }

  get clearTid(): number | null {
    return this.said(SLOT.SAID_CLEAR_TID, SLOT.S_CLEAR_TID);
  }

  get ownActions(): readonly [number, number] {
    const { i32 } = this.memory;
    const at = (this.slot + SLOT.S_OWN_ACTIONS) >> 2;
    return [i32[at]!, i32[at + 1]!];
  }

  get actionsSet(): number {
    return Atomics.load(this.memory.i32, (this.slot + SLOT.S_ACTIONS_SET) >> 2);
  }

  unsay(): void {
    this.put(SLOT.S_SAID, 0);
  }

  private said(what: number, field: number): number | null {
    const { view, i32 } = this.memory;
    const said = (i32[(this.slot + SLOT.S_SAID) >> 2]! & what) !== 0;
    return said ? getUint64(view, this.slot + field) : null;
  }

  /** For what kernel and thread may look at while the other is changing it. */
  private share(field: number, value: number): void {
    Atomics.store(this.memory.i32, (this.slot + field) >> 2, value);
  }

  private put(field: number, value: number): void {
    this.memory.i32[(this.slot + field) >> 2] = value;
  }
}
