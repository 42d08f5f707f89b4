/** A bounded queue of the bytes that wait between the two ends of a terminal line. */
const FIRST_SIZE = 4096;

export class ByteQueue {
  readonly limit: number;
  private bytes: Uint8Array | null = null;
  private head = 0;
  length = 0;

  constructor(limit: number) {
    this.limit = limit;
  }

  get room(): number {
    return this.limit - this.length;
  }

  /** Appends as much as there is room for; returns the number of bytes taken. */
  push(buf: Uint8Array, off: number, len: number): number {
    const taken = Math.min(len, this.room);
    if (taken <= 0) return 0;
    const ring = this.ringFor(this.length + taken);
    const at = (this.head + this.length) % ring.length;
    const first = Math.min(taken, ring.length - at);
    ring.set(buf.subarray(off, off + first), at);
    ring.set(buf.subarray(off + first, off + taken), 0);
    this.length += taken;
    return taken;
  }

  /** Moves up to `len` bytes from the front into `buf`; returns their number. */
  shift(buf: Uint8Array, off: number, len: number): number {
    const given = Math.min(len, this.length);
    const ring = this.bytes;
    if (ring === null || given <= 0) return 0;
    const first = Math.min(given, ring.length - this.head);
    buf.set(ring.subarray(this.head, this.head + first), off);
    buf.set(ring.subarray(0, given - first), off + first);
    this.drop(given);
    return given;
  }

  /** The contiguous bytes at the front, in place; `drop` those that were used. */
  front(): Uint8Array {
    const ring = this.bytes;
    if (ring === null) return new Uint8Array(0);
    return ring.subarray(this.head, Math.min(this.head + this.length, ring.length));
  }

  drop(count: number): void {
    this.length -= count;
    this.head = this.length === 0 || this.bytes === null ? 0 : (this.head + count) % this.bytes.length;
  }

  /** Drops all but the first `keep` bytes. */
  truncate(keep: number): void {
    if (this.length > keep) this.length = keep;
  }

  private ringFor(length: number): Uint8Array {
    if (this.bytes !== null && length <= this.bytes.length) return this.bytes;
    let size = this.bytes?.length ?? FIRST_SIZE;
    while (size < length) size *= 2;
    const ring = new Uint8Array(size);
    const had = this.length;
    this.shift(ring, 0, had);
    this.head = 0;
    this.length = had;
    this.bytes = ring;
    return ring;
  }
}
