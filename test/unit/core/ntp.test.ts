import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Adjustment, MAX_FREQ, Ntp } from '../../../src/core/ntp.ts';
import * as x from '../../../src/uapi/timex.ts';

const NOTHING: Adjustment = {
  modes: 0,
  offset: 0,
  freq: 0,
  maxerror: 0,
  esterror: 0,
  status: 0,
  constant: 0,
  tick: 10_000,
};
const SECOND = 1e9;

const adjusted = (...wishes: Partial<Adjustment>[]): Ntp => {
  const ntp = new Ntp(0);
  for (const wish of wishes) ntp.adjust({ ...NOTHING, ...wish }, 0);
  return ntp;
};

/** What the wall clock gains in so many seconds, ns. */
function gain(ntp: Ntp, seconds: number): number {
  let sum = 0;
  for (let i = 0; i < seconds; i++) {
    ntp.nextSecond();
    sum += ntp.rate;
  }
  return sum;
}

test('a clock that nobody has steered is known to be unsynchronised, and gains nothing', () => {
  const ntp = new Ntp(0);
  assert.deepEqual([ntp.state, ntp.status, ntp.constant, ntp.tick], [x.TIME_ERROR, x.STA_UNSYNC, 2, 10_000]);
  assert.equal(gain(ntp, 3), 0);
});

// As a kernel answers them (the host's clock is nobody's to try it on; user-mode-linux's is).
test('values are cut to what the kernel takes', () => {
  assert.equal(adjusted({ modes: x.ADJ_FREQUENCY, freq: 900 << 16 }).freq, MAX_FREQ);
  assert.equal(adjusted({ modes: x.ADJ_FREQUENCY, freq: -(600 << 16) }).freq, -MAX_FREQ);
  assert.equal(adjusted({ modes: x.ADJ_MAXERROR, maxerror: 2 ** 40 }).maxerror, 16_000_000);
  assert.equal(adjusted({ modes: x.ADJ_ESTERROR, esterror: -5 }).esterror, 0);
  assert.equal(adjusted({ modes: x.ADJ_TIMECONST, constant: 3 }).constant, 7);
  assert.equal(adjusted({ modes: x.ADJ_TIMECONST | x.ADJ_NANO, constant: 3 }).constant, 3);
  assert.equal(adjusted({ modes: x.ADJ_TIMECONST, constant: 100 }).constant, 10);
  assert.equal(adjusted({ modes: x.ADJ_TAI, constant: 37 }, { modes: x.ADJ_TAI, constant: 100_001 }).tai, 37);
});

test('bits that only the kernel sets stay as they are', () => {
  assert.equal(adjusted({ modes: x.ADJ_STATUS, status: 0xffff }).status, 0xff);
  const ntp = adjusted({ modes: x.ADJ_NANO }, { modes: x.ADJ_STATUS, status: x.STA_PLL });
  assert.equal(ntp.status, x.STA_NANO | x.STA_PLL);
  assert.equal(ntp.state, x.TIME_OK);
});

test('frequency and tick are the rate', () => {
  assert.equal(adjusted({ modes: x.ADJ_FREQUENCY, freq: 100 << 16 }).rate, 100_000);
  assert.equal(adjusted({ modes: x.ADJ_TICK, tick: 11_000 }).rate, 100_000_000);
});

test('an offset counts only under STA_PLL, and is worked off geometrically, all of it in the end', () => {
  const ignored = adjusted({ modes: x.ADJ_STATUS }, { modes: x.ADJ_OFFSET, offset: 10_000 });
  assert.equal(ignored.offset, 0);
  const pll = { modes: x.ADJ_STATUS, status: x.STA_PLL | x.STA_FREQHOLD };
  const ntp = adjusted(pll, { modes: x.ADJ_OFFSET | x.ADJ_NANO, offset: 64_000_000 });
  assert.equal(ntp.offset, 64_000_000);
  ntp.nextSecond();
  assert.deepEqual([ntp.rate, ntp.offset], [4_000_000, 60_000_000]);
  assert.equal(adjusted(pll, { modes: x.ADJ_OFFSET, offset: -900_000 }).offset, -500_000);
  assert.ok(Math.abs(gain(ntp, 1000) - 60_000_000) < 20);
});

test('adjtime works off half a millisecond a second', () => {
  const ntp = new Ntp(0);
  ntp.left = -1_200;
  ntp.nextSecond();
  assert.deepEqual([ntp.rate, ntp.left], [-500_000, -700]);
  assert.equal(gain(ntp, 5), -700_000);
  assert.ok(ntp.isSteady);
});

test('the error grows until the clock counts as unsynchronised, one second at a time or all at once', () => {
  const known = { modes: x.ADJ_STATUS | x.ADJ_MAXERROR, status: x.STA_PLL, maxerror: 15_998_000 };
  const slow = adjusted(known);
  for (let i = 0; i < 4; i++) slow.nextSecond();
  const fast = adjusted(known);
  fast.skip(4);
  assert.deepEqual([slow.maxerror, slow.state], [16_000_000, x.TIME_OK]);
  assert.deepEqual([fast.maxerror, fast.state, fast.changes], [slow.maxerror, slow.state, slow.changes]);
  slow.nextSecond();
  fast.skip(1);
  assert.deepEqual([slow.state, fast.state], [x.TIME_ERROR, x.TIME_ERROR]);
  assert.equal(fast.changes, 6 * SECOND);
});

test('what is known of a clock that is set is void', () => {
  const ntp = adjusted({
    modes: x.ADJ_STATUS | x.ADJ_ESTERROR | x.ADJ_FREQUENCY,
    esterror: 7,
    freq: 5 << 16,
  });
  ntp.left = 100;
  ntp.clear();
  assert.deepEqual([ntp.left, ntp.esterror, ntp.state, ntp.freq], [0, 16_000_000, x.TIME_ERROR, 5 << 16]);
});
