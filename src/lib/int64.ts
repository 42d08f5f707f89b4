/** 64-bit little-endian integers as JavaScript numbers: exact up to 2^53, merely huge beyond. */
const TWO32 = 2 ** 32;

export function setInt64(view: DataView, at: number, value: number): void {
  const small = value | 0;
  view.setInt32(at, small, true);
  view.setInt32(at + 4, small === value ? small >> 31 : Math.floor(value / TWO32), true);
}

/**
 * The integer of two halves. Small ones are not multiplied: V8 would store the product as a double, and code compiled
 * for fields that have held only small integers (a file's size, for example) would be compiled again.
 */
export const fromHalves = (low: number, high: number): number =>
  high === low >> 31 ? low | 0 : high * TWO32 + (low >>> 0);

export const getInt64 = (view: DataView, at: number): number =>
  fromHalves(view.getInt32(at, true), view.getInt32(at + 4, true));

export const getUint64 = (view: DataView, at: number): number => {
  const high = view.getUint32(at + 4, true);
  return high === 0 ? view.getUint32(at, true) : high * TWO32 + view.getUint32(at, true);
};

const TWO64 = 2 ** 64;

/** The sum of two unsigned 64-bit numbers as a register holds it, modulo 2^64. */
export const wrap64 = (sum: number): number => (sum < TWO64 ? sum : sum - TWO64);

/** The numbers as they lie in memory, eight bytes each. */
export function int64Bytes(values: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(8 * values.length);
  const view = new DataView(bytes.buffer);
  values.forEach((value, i) => {
    setInt64(view, 8 * i, value);
  });
  return bytes;
}
