/** Byte strings: JavaScript strings with one character a byte, as names and messages are kept. */

const PIECE = 4096;

/** A byte window as a string. */
export function latin1(buf: Uint8Array, off: number, len: number): string {
  let text = '';
  for (let at = 0; at < len; at += PIECE) text += piece(buf, off + at, Math.min(PIECE, len - at));
  return text;
}

/** Goes through an array, since passing a typed array's elements as arguments takes five times as long. */
function piece(buf: Uint8Array, off: number, len: number): string {
  const codes = new Array<number>(len);
  for (let i = 0; i < len; i++) codes[i] = buf[off + i]!;
  return String.fromCharCode.apply(null, codes);
}

/** The bytes of a string. */
export function latin1Bytes(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  return bytes;
}
