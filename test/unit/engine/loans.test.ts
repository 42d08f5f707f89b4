/** A descriptor that a space was lent and does not receive: when it is taken back. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Loans } from '../../../src/engine/native/loans.ts';
import type { NativeSpace } from '../../../src/engine/native/native-space.ts';
import { SCRATCH } from '../../../src/engine/native/scratch.ts';

const NR = { ioctl: 16, recvfrom: 45, sendmsg: 46 } as const;

/** The socket and the notes of a host whose spaces do what the test says while the kernel waits. */
class Host {
  private readonly view = new DataView(new ArrayBuffer(SCRATCH.LOAN + 0x1000));
  /** What is sent and not received. */
  out = 0;
  waits = 0;
  whileWaiting: () => void = () => {};
  /** Notes that came and were not read. */
  readonly notes: (() => void)[] = [];
  readonly loans: Loans;

  constructor() {
    const libc = { syscall: (nr: number, ...args: number[]) => this.call(nr, args) };
    const notes = { fd: 5, peer: 6, wait: () => this.wait() };
    const lives = { readNotes: () => this.notes.splice(0).forEach(note => void note()) };
    const memory = { view: this.view, address: 0 };
    this.loans = new Loans(libc as never, memory as never, notes as never, lives as never);
  }

  private call(nr: number, args: readonly number[]): number {
    if (nr === NR.sendmsg) this.out++;
    else if (nr === NR.recvfrom) this.out--;
    else if (nr === NR.ioctl) this.view.setInt32(args[2]!, this.out, true);
    return 0;
  }

  /** As poll(2): at once while there are notes. */
  private wait(): void {
    this.waits++;
    if (this.notes.length === 0) this.whileWaiting();
  }

  /** A space to which an order to receive was given just after the loan. */
  borrow(): { dead: boolean; orders: { posted: number; acknowledged: number } } {
    const space = { dead: false, orders: { posted: 7, acknowledged: 7 }, flushWithNote: () => {} };
    assert.ok(this.lend(space));
    space.orders.posted = 8;
    return space;
  }

  lend(space: object): boolean {
    return this.loans.lend(space as NativeSpace, 9);
  }
}

const other = (): object => ({ dead: false, orders: { posted: 0, acknowledged: 0 } });

test('who has done its orders and not received will not: taken back as soon as its note says so', () => {
  const host = new Host();
  const { orders } = host.borrow();
  host.whileWaiting = () =>
    host.notes.push(() => {
      orders.acknowledged = 8;
    });
  assert.ok(host.lend(other()));
  assert.deepEqual([host.out, host.waits], [1, 1]);
});

test('who dies meanwhile', () => {
  const host = new Host();
  const space = host.borrow();
  host.whileWaiting = () =>
    host.notes.push(() => {
      space.dead = true;
    });
  assert.ok(host.lend(other()));
  assert.deepEqual([host.out, host.waits], [1, 1]);
});

test('who receives it meanwhile', () => {
  const host = new Host();
  host.borrow();
  host.whileWaiting = () => void host.out--;
  assert.ok(host.lend(other()));
  assert.equal(host.out, 1);
});

test('who may receive it yet: nobody else gets one', () => {
  const host = new Host();
  host.borrow();
  assert.ok(!host.lend(other()));
  assert.equal(host.out, 1);
});
