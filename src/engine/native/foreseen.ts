/** Calls that a thread is about to make (answers.ts, `ForeseenCalls`), in its slot; stub/foreseen.c reads them. */
import { setInt64 } from '../../lib/int64.ts';
import type { ForeseenCall, ForeseenCalls, OpenedFile } from '../answers.ts';
import type { NativeFileAlong } from './file-along.ts';
import { FORESEEN, SLOT } from './layout.ts';
import type { MemoryFile } from './memory-file.ts';
import { isApart } from './own-mappings.ts';

/** The room that a file needs at least, besides its head. */
const FEWEST_BYTES = 1024;
const END = SLOT.S_FILE_PLACE;

const align = (at: number): number => (at + 15) & ~15;

export class NativeForeseenCalls implements ForeseenCalls {
  private count = 0;
  /** Where the next name or record goes, and the furthest end so far: offsets in the slot. */
  private next: number = SLOT.S_FORESEEN_DATA;
  private used: number = SLOT.S_FORESEEN_DATA;
  private most = 0;
  private record = 0;
  /** Where the names and records of each call begin. */
  private readonly starts: number[] = [];
  private readonly along: NativeFileAlong;
  private readonly memory: MemoryFile;
  private readonly slot: number;

  constructor(memory: MemoryFile, slot: number, along: NativeFileAlong) {
    this.memory = memory;
    this.slot = slot;
    this.along = along;
  }

  begin(): void {
    this.stop();
    this.count = 0;
    this.next = SLOT.S_FORESEEN_DATA;
    this.record = 0;
  }

  beginFile(): boolean {
    const room = END - this.next - SLOT.FILE_HEAD;
    if (this.count === FORESEEN.MOST_FORESEEN || room < FEWEST_BYTES) return false;
    this.record = this.next;
    this.along.putAt(this.record, Math.min(room, SLOT.FILE_DATA_SIZE));
    return true;
  }

  cancelFile(): void {
    this.record = 0;
    this.along.unput();
  }

  add(call: ForeseenCall, opened: OpenedFile | null): boolean {
    const { record, next: start } = this;
    this.record = 0;
    this.along.putAt();
    if (this.count === FORESEEN.MOST_FORESEEN) return false;
    if (call.act === 'call' && !isApart(call.args[0]!, call.args[1]!)) return false;
    if (opened !== null) this.take(record + SLOT.FILE_HEAD + Math.max(0, opened.size));
    const name = call.name === null ? 0 : this.putName(call.name);
    const out = call.written === null ? 0 : this.putBytes(call.written);
    if (name < 0 || out < 0) {
      this.wipeFrom(start);
      return false;
    }
    this.starts[this.count] = start;
    const at = this.slot + SLOT.S_FORESEEN_CALLS + FORESEEN.FORESEEN_CALL * this.count++;
    this.put(at, call, name);
    this.putOut(at, call, out);
    this.putOpened(at, record, opened);
    return true;
  }

  send(): void {
    this.most = Math.max(this.most, this.count);
    this.set(SLOT.S_FORESEEN_MADE, 0);
    this.set(SLOT.S_FORESEEN, this.count);
  }

  get made(): number {
    const made = Atomics.load(this.memory.i32, (this.slot + SLOT.S_FORESEEN_MADE) >> 2);
    return Math.max(0, Math.min(made, this.count));
  }

  stop(): boolean {
    const { i32 } = this.memory;
    Atomics.store(i32, (this.slot + SLOT.S_FORESEEN) >> 2, 0);
    return Atomics.load(i32, (this.slot + SLOT.S_FORESEEN_BUSY) >> 2) === 0;
  }

  end(made: number): void {
    this.stop();
    if (made >= this.count) return;
    const calls = this.slot + SLOT.S_FORESEEN_CALLS;
    const { FORESEEN_CALL } = FORESEEN;
    this.memory.bytes.fill(0, calls + FORESEEN_CALL * made, calls + FORESEEN_CALL * this.count);
    this.wipeFrom(this.starts[made]!);
    this.count = made;
  }

  /** What was foreseen for one program must not reach the next. */
  wipe(): void {
    const { bytes } = this.memory;
    const calls = this.slot + SLOT.S_FORESEEN_CALLS;
    this.begin();
    this.set(SLOT.S_FORESEEN_BUSY, 0);
    bytes.fill(0, calls, calls + FORESEEN.FORESEEN_CALL * this.most);
    bytes.fill(0, this.slot + SLOT.S_FORESEEN_DATA, this.slot + this.used);
    this.most = 0;
    this.used = SLOT.S_FORESEEN_DATA;
  }

  private wipeFrom(start: number): void {
    this.memory.bytes.fill(0, this.slot + start, this.slot + this.next);
    this.next = start;
  }

  private put(at: number, call: ForeseenCall, name: number): void {
    const { view } = this.memory;
    const { nr, args, compared, result, act, afterClose } = call;
    const any = compared | (compared >>> 8);
    for (let i = 0; i < args.length; i++)
      if (((any >>> i) & 1) !== 0) setInt64(view, at + FORESEEN.FC_ARGS + 8 * i, args[i]!);
    view.setUint32(at + FORESEEN.FC_NR, nr, true);
    view.setUint32(at + FORESEEN.FC_COMPARED, compared, true);
    setInt64(view, at + FORESEEN.FC_RESULT, result);
    view.setUint32(at + FORESEEN.FC_NAME, name, true);
    view.setUint32(at + FORESEEN.FC_ACT, ACTS[act], true);
    view.setUint32(at + FORESEEN.FC_AFTER_CLOSE, afterClose ? 1 : 0, true);
  }

  private putOut(at: number, { written, out }: ForeseenCall, place: number): void {
    const { view } = this.memory;
    view.setUint32(at + FORESEEN.FC_OUT, written === null ? 0 : out + 1, true);
    view.setUint32(at + FORESEEN.FC_OUT_DATA, place, true);
    view.setUint32(at + FORESEEN.FC_OUT_LEN, written?.length ?? 0, true);
  }

  private putOpened(at: number, record: number, opened: OpenedFile | null): void {
    if (opened === null) return;
    const { view } = this.memory;
    view.setUint32(at + FORESEEN.FC_RECORD, record, true);
    view.setUint32(at + FORESEEN.FC_SIZE, opened.size, true);
    view.setUint32(at + FORESEEN.FC_WHOLE, opened.whole ? 1 : 0, true);
    view.setUint32(at + FORESEEN.FC_FLAGS, opened.flags, true);
  }

  /** Puts the name and returns its offset in the slot; -1: no room. Its length goes into the call being added. */
  private putName(name: string): number {
    const place = this.next;
    const { bytes, view } = this.memory;
    if (place + name.length + 1 > END) return -1;
    const at = this.slot + place;
    for (let i = 0; i < name.length; i++) bytes[at + i] = name.charCodeAt(i);
    bytes[at + name.length] = 0;
    const call = this.slot + SLOT.S_FORESEEN_CALLS + FORESEEN.FORESEEN_CALL * this.count;
    view.setUint32(call + FORESEEN.FC_NAME_LEN, name.length + 1, true);
    this.take(place + name.length + 1);
    return place;
  }

  private putBytes(written: Uint8Array): number {
    const place = this.next;
    if (place + written.length > END) return -1;
    this.memory.bytes.set(written, this.slot + place);
    this.take(place + written.length);
    return place;
  }

  private take(upTo: number): void {
    this.next = align(upTo);
    this.used = Math.max(this.used, this.next);
  }

  private set(field: number, value: number): void {
    this.memory.i32[(this.slot + field) >> 2] = value;
  }
}

const ACTS = {
  nothing: FORESEEN.ACT_NONE,
  call: FORESEEN.ACT_OWN,
  open: FORESEEN.ACT_OPEN,
} as const;
