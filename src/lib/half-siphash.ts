/**
 * HalfSipHash-1-3 (Aumasson and Bernstein): a keyed 64-bit hash of 32-bit words. Without the key one can neither tell
 * what was hashed nor find words with a given hash. Words are passed one at a time. After the hash, it can produce
 * further words that cannot be predicted without the key.
 */
const rotate = (x: number, by: number): number => (x << by) | (x >>> (32 - by));

/** Constants of the 64-bit variant, which the 32-bit one lacks. */
const LONG = 0xee;
const SECOND_HALF = 0xdd;

export class HalfSipHash {
  /** The hash, after `finish`. */
  low = 0;
  high = 0;
  private v0 = 0;
  private v1 = 0;
  private v2 = 0;
  private v3 = 0;

  begin(keyLow: number, keyHigh: number): void {
    this.v0 = keyLow;
    this.v1 = keyHigh ^ LONG;
    this.v2 = keyLow ^ 0x6c796765;
    this.v3 = keyHigh ^ 0x74656462;
  }

  word(word: number): void {
    this.v3 ^= word;
    this.round();
    this.v0 ^= word;
  }

  finish(): void {
    this.v2 ^= LONG;
    for (let i = 0; i < 3; i++) this.round();
    this.low = this.v1 ^ this.v3;
    this.v1 ^= SECOND_HALF;
    for (let i = 0; i < 3; i++) this.round();
    this.high = this.v1 ^ this.v3;
  }

  /** After `finish`: produces another word. */
  more(): number {
    for (let i = 0; i < 3; i++) this.round();
    return this.v1 ^ this.v3;
  }

  private round(): void {
    let { v0, v1, v2, v3 } = this;
    v0 = (v0 + v1) | 0;
    v1 = rotate(v1, 5) ^ v0;
    v0 = rotate(v0, 16);
    v2 = (v2 + v3) | 0;
    v3 = rotate(v3, 8) ^ v2;
    v0 = (v0 + v3) | 0;
    v3 = rotate(v3, 7) ^ v0;
    v2 = (v2 + v1) | 0;
    v1 = rotate(v1, 13) ^ v2;
    v2 = rotate(v2, 16);
    this.v0 = v0;
    this.v1 = v1;
    this.v2 = v2;
    this.v3 = v3;
  }
}
