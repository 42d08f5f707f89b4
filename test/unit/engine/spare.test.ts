/** The space that is kept ready. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { NativeThread } from '../../../src/engine/native/native-thread.ts';
import { Spare } from '../../../src/engine/native/spare.ts';

class Maker {
  readonly made: { space: { dead: boolean } }[] = [];
  left = 10;
  readonly spare: Spare = new Spare({ make: () => this.make(), room: () => this.left });

  private make(): NativeThread {
    assert.ok(this.left-- > 0, 'made without room');
    this.made.push({ space: { dead: false } });
    return this.made.at(-1) as unknown as NativeThread;
  }

  /** Which of those made it is. */
  take(): number {
    return this.made.indexOf(this.spare.take() as never);
  }
}

test('nothing is kept where nobody asks', () => {
  const { spare, made } = new Maker();
  spare.keep();
  assert.equal(made.length, 0);
});

test('one is kept for who asks next, and only one', () => {
  const maker = new Maker();
  assert.equal(maker.take(), 0);
  maker.spare.keep();
  maker.spare.keep();
  assert.equal(maker.made.length, 2);
  assert.equal(maker.take(), 1);
  assert.equal(maker.take(), 2, 'two without a pause: the second is made at once');
  maker.spare.keep();
  assert.equal(maker.made.length, 4);
});

test('one whose process died meanwhile is not given out', () => {
  const maker = new Maker();
  maker.take();
  maker.spare.keep();
  maker.made[1]!.space.dead = true;
  assert.equal(maker.take(), 2);
  maker.spare.keep();
  assert.equal(maker.take(), 3);
});

test('the last room is not taken', () => {
  const maker = new Maker();
  maker.left = 2;
  maker.take();
  maker.spare.keep();
  assert.equal(maker.made.length, 1);
  maker.left = 0;
  maker.spare.keep();
  assert.equal(maker.made.length, 1);
});
