/**
 * Patched program text.
 *
 * A call site that came to the kernel by a signal can be replaced by a jump (engine.ts: CallSites), about twenty
 * times faster. The file must not change, nor code that a thread may be executing: so a file's text has *images*,
 * copies in the machine's memory that hold the sites known when the image was made. Programs that are started
 * later map the newest image; one that is running and makes many calls the slow way is moved to it at once,
 * by a mapping over the old one. All processes that map an image share its pages.
 */
import type { CallSites } from '../engine/engine.ts';
import type { Mm } from './mm.ts';
import { copy, type PageCache } from './page-cache.ts';
import { PAGE_SIZE, type Ram } from './ram.ts';
import type { Backing, Vma } from './vma.ts';

/** Larger text is not copied: it makes its calls through libraries. */
const LARGEST = 8 * 1024 * 1024;
/** So many slow calls from sites that could be patched move a running program to a newer image. */
const PATIENCE = 24;

/** The sites of one file's text, and its newest image. */
interface Text {
  readonly cache: PageCache;
  /** Position of the text in the file, and its length. */
  readonly pos: number;
  readonly length: number;
  /** Site numbers by their position in the file (where the `mov` begins). */
  readonly sites: Map<number, number>;
  /** Sites that no image has yet. */
  fresh: number;
  image: Image | null;
}

interface Image {
  readonly offset: number;
  readonly length: number;
  /** Areas that map it; the newest image also counts as a user. */
  users: number;
}

/** What a program has mapped of images. */
interface Mapped {
  readonly vma: Vma;
  readonly text: Text;
  image: Image | null;
  slowCalls: number;
}

export class TextImages {
  private readonly ram: Ram;
  private readonly callSites: CallSites | null;
  private readonly texts: Map<PageCache, Text[]> = new Map();
  private readonly mapped: Map<Mm, Mapped[]> = new Map();

  constructor(ram: Ram, callSites: CallSites | null) {
    this.ram = ram;
    this.callSites = callSites;
  }

  /** An executable file mapping is being made: maps the newest image if there is one. Answers whether it did. */
  map(mm: Mm, vma: Vma, backing: Backing): boolean {
    if (this.callSites === null || vma.shared || vma.length > LARGEST) return false;
    if (backing.cache.size < vma.pos + 1) return false;
    const text = this.textOf(backing.cache, vma.pos, vma.length);
    const record: Mapped = { vma, text, image: null, slowCalls: 0 };
    const list = this.mapped.get(mm);
    if (list === undefined) this.mapped.set(mm, [record]);
    else if (list.some(m => m.text === text)) return false;
    else list.push(record);
    this.renew(text);
    return text.image !== null && this.mapImage(mm, record, text.image);
  }

  /** The thread made call `nr` by signal from before `rip`: perhaps its site can be patched. */
  slowCall(mm: Mm, rip: number, nr: number): void {
    const record = this.mapped.get(mm)?.find(m => m.vma.start < rip && rip <= m.vma.end);
    if (record === undefined || this.callSites === null) return;
    const { text, vma } = record;
    const pos = vma.posOf(rip) - SITE_SIZE;
    if (pos < text.pos || !text.sites.has(pos)) {
      if (pos < text.pos || !this.isSite(text, pos, nr)) return;
      const site = this.callSites.newSite(nr);
      if (site < 0) return;
      text.sites.set(pos, site);
      text.fresh++;
    }
    if (++record.slowCalls < PATIENCE) return;
    record.slowCalls = 0;
    this.renew(text, true);
    if (text.image !== null && text.image !== record.image) this.mapImage(mm, record, text.image);
  }

  /** Whether `rip` is where the syscall instruction of a patched site was: the byte there now faults. */
  isPatchedCall(mm: Mm, rip: number): boolean {
    const record = this.mapped.get(mm)?.find(m => m.vma.start <= rip && rip < m.vma.end);
    return record !== undefined && record.text.sites.has(record.vma.posOf(rip) - SYSCALL_AT);
  }

  forked(parent: Mm, child: Mm): void {
    const list = this.mapped.get(parent);
    if (list === undefined) return;
    const copies: Mapped[] = [];
    for (const { vma, text, image } of list) {
      const same = child.vmas.find(vma.start);
      if (same === null) continue;
      if (image !== null) image.users++;
      copies.push({ vma: same, text, image, slowCalls: 0 });
    }
    this.mapped.set(child, copies);
    this.callSites?.copyReturns(parent.space, child.space);
  }

  unmapped(mm: Mm, vma: Vma): void {
    const list = this.mapped.get(mm);
    const index = list?.findIndex(m => m.vma === vma) ?? -1;
    if (list === undefined || index < 0) return;
    const [record] = list.splice(index, 1);
    if (list.length === 0) this.mapped.delete(mm);
    const { image } = record!;
    if (image !== null) mm.space.whenDone(() => this.leave(image));
  }

  /** The address space is gone. */
  destroyed(mm: Mm): void {
    for (const { image } of this.mapped.get(mm) ?? []) if (image !== null) this.leave(image);
    this.mapped.delete(mm);
  }

  /** The file has changed or goes away: what was known of its text is void. */
  forget(cache: PageCache): void {
    for (const text of this.texts.get(cache) ?? []) if (text.image !== null) this.leave(text.image);
    this.texts.delete(cache);
  }

  private textOf(cache: PageCache, pos: number, length: number): Text {
    let texts = this.texts.get(cache);
    if (texts === undefined) {
      texts = [];
      this.texts.set(cache, texts);
    }
    let text = texts.find(t => t.pos === pos && t.length === length);
    if (text === undefined) {
      text = { cache, pos, length, sites: new Map(), fresh: 0, image: null };
      texts.push(text);
    }
    return text;
  }

  /** Makes a new image if enough sites are new, or `now` if any is. */
  private renew(text: Text, now = false): void {
    if (text.fresh === 0 || (!now && text.image !== null && text.fresh * 4 < text.sites.size)) return;
    const { cache, pos, length } = text;
    if (cache.ensure(pos, Math.min(length, cache.size - pos)) < 0 || !this.ram.charge(length / PAGE_SIZE)) return;
    const offset = this.ram.alloc(length);
    if (offset < 0) return;
    const size = Math.min(length, Math.ceil((cache.size - pos) / PAGE_SIZE) * PAGE_SIZE);
    copy(this.ram.bytes, cache.offsetOf(pos), this.ram.bytes, offset, size);
    for (const [at, site] of text.sites) this.callSites!.patch(offset + (at - pos), site);
    if (text.image !== null) this.leave(text.image);
    text.image = { offset, length, users: 1 };
    text.fresh = 0;
  }

  private mapImage(mm: Mm, record: Mapped, image: Image): boolean {
    const { vma, text } = record;
    const { cache } = text;
    const end = Math.min(vma.posOf(vma.end), Math.ceil(cache.size / PAGE_SIZE) * PAGE_SIZE);
    mm.space.mapMemory(vma.start, end - vma.pos, vma.prot, image.offset + (vma.pos - text.pos), false, false);
    vma.mapped!.set(vma.pos / PAGE_SIZE, end / PAGE_SIZE);
    for (const [at, site] of text.sites) {
      this.callSites!.setReturn(mm.space, site, vma.start + (at - vma.pos) + SITE_SIZE);
    }
    image.users++;
    const old = record.image;
    record.image = image;
    if (old !== null) mm.space.whenDone(() => this.leave(old));
    return true;
  }

  private leave(image: Image): void {
    if (--image.users > 0) return;
    this.ram.charge(-image.length / PAGE_SIZE);
    this.ram.free(image.offset, image.length);
  }

  /** Whether the file has `mov $nr,%eax; syscall` at `pos`, all of it in this text. */
  private isSite(text: Text, pos: number, nr: number): boolean {
    if (pos + SITE_SIZE > text.pos + text.length || pos + SITE_SIZE > text.cache.size) return false;
    const bytes = new Uint8Array(SITE_SIZE);
    if (text.cache.read(pos, bytes, 0, SITE_SIZE) !== SITE_SIZE) return false;
    const number = bytes[1]! | (bytes[2]! << 8) | (bytes[3]! << 16) | (bytes[4]! << 24);
    return bytes[0] === 0xb8 && number === nr && bytes[5] === 0x0f && bytes[6] === 0x05;
  }
}

/** `mov $nr,%eax` (5 bytes) and `syscall` (2). */
const SITE_SIZE = 7;
const SYSCALL_AT = 5;
