/**
 * Files whose bytes are made when they are read (Linux: seq_file).
 *
 * A read at position 0 makes the text anew. Later reads continue in the same text, so that a program that reads
 * it in parts sees one state. A long text is an iterable of pieces, made as far as it is read: reading on costs
 * nothing extra, seeking back starts over. An iterable must tolerate changes of its subject between two pieces.
 * Strings are latin1: one character a byte.
 */
import type { Cred } from '../../core/cred.ts';
import { latin1, latin1Bytes } from '../../lib/latin1.ts';
import { EINVAL, EIO } from '../../uapi/errno.ts';
import { SEEK_END } from '../../uapi/fcntl.ts';
import { File } from '../file.ts';
import type { Inode } from '../inode.ts';

/** A text, whole or in pieces; or -errno. */
export type Text = string | Iterable<string> | number;

/** Takes the text of a write; 0 or -errno. */
export type Store = (text: string, cred: Cred) => number;

/** Pieces are gathered until there are this many bytes. */
const GATHER = 4096;
/** The longest text of one write, in bytes. */
const LONGEST_WRITE = 4096;

export class TextFile extends File {
  private readonly show: () => Text;
  private readonly store: Store | null;
  private readonly cred: Cred;
  private pieces: Iterator<string> | null = null;
  /** The bytes at hand, and the position of the first of them. */
  private bytes: Uint8Array = new Uint8Array(0);
  private start = 0;

  constructor(inode: Inode, flags: number, cred: Cred, show: () => Text, store: Store | null) {
    super(inode, flags);
    this.show = show;
    this.store = store;
    this.cred = cred;
  }

  override read(buf: Uint8Array, off: number, len: number, pos: number): number {
    if (pos === 0 || pos < this.start || this.pieces === null) {
      const begun = this.begin();
      if (begun < 0) return begun;
    }
    let done = 0;
    while (done < len) {
      const at = pos + done - this.start;
      if (at >= this.bytes.length) {
        if (!this.advance()) break;
        continue;
      }
      const part = this.bytes.subarray(at, at + len - done);
      buf.set(part, off + done);
      done += part.length;
    }
    return done;
  }

  override write(buf: Uint8Array, off: number, len: number, _pos: number): number {
    if (this.store === null) return -EIO;
    if (len > LONGEST_WRITE) return -EINVAL;
    const stored = this.store(latin1(buf, off, len), this.cred);
    return stored < 0 ? stored : len;
  }

  /** SEEK_END fails, as for seq_file: the length is unknown until the text is made. */
  override seek(offset: number, whence: number): number {
    return whence === SEEK_END ? -EINVAL : super.seek(offset, whence);
  }

  override release(): void {
    this.pieces = null;
    this.bytes = new Uint8Array(0);
  }

  private begin(): number {
    const text = this.show();
    if (typeof text === 'number') return text;
    this.pieces = (typeof text === 'string' ? [text] : text)[Symbol.iterator]();
    this.bytes = new Uint8Array(0);
    this.start = 0;
    return 0;
  }

  /** Replaces the bytes at hand with the next ones; false at the end. */
  private advance(): boolean {
    let text = '';
    while (text.length < GATHER) {
      const next = this.pieces!.next();
      if (next.done === true) break;
      text += next.value;
    }
    if (text === '') return false;
    this.start += this.bytes.length;
    this.bytes = latin1Bytes(text);
    return true;
  }
}
