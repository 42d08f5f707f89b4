/** 64-bit little-endian integers as JavaScript numbers: exact up to 2^53, merely huge beyond. */
const TWO32 = 2 ** 32;

export function setInt64(view: DataView, at: number, value: number): void {
  view.setUint32(at, value >>> 0, true);
  view.setInt32(at + 4, Math.floor(value / TWO32), true);
}

export const getInt64 = (view: DataView, at: number): number =>
  view.getInt32(at + 4, true) * TWO32 + view.getUint32(at, true);

export const getUint64 = (view: DataView, at: number): number =>
  view.getUint32(at + 4, true) * TWO32 + view.getUint32(at, true);

const TWO64 = 2 ** 64;

/** What a 64-bit register holds of a sum of two. */
export const wrap64 = (sum: number): number => (sum < TWO64 ? sum : sum - TWO64);

/** As they lie in memory. */
export function int64Bytes(values: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(8 * values.length);
  const view = new DataView(bytes.buffer);
  values.forEach((value, i) => {
    setInt64(view, 8 * i, value);
  });
  return bytes;
}
