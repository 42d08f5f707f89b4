/** Byte strings: JavaScript strings with one character a byte, as names and messages are kept. */

const PIECE = 4096;

/** A window as a string. */
export function latin1(buf: Uint8Array, off: number, len: number): string {
  let text = '';
  for (let at = off; at < off + len; at += PIECE) {
    text += String.fromCharCode(...buf.subarray(at, Math.min(at + PIECE, off + len)));
  }
  return text;
}

/** The bytes of a string. */
export function latin1Bytes(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  return bytes;
}
