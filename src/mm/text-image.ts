/**
 * Patched program text.
 *
 * A system call that arrives as a signal costs ten times one that arrives by a jump from a patched site
 * (arch/x86_64/call-site.ts). Neither the file nor code that a thread may be executing may change. So a file's text
 * has *images*, patched copies in the machine's memory, which all processes that map the text share.
 *
 * Sites of kind `after` are found when the text is first mapped. Those of kind `before` are learned from their calls:
 * programs started later map an image that has them. A running program that makes many slow calls is moved to such an
 * image by mapping it over the old one, which is safe as no thread can be inside such a site unnoticed.
 */
import {
  AFTER,
  BEFORE,
  BEFORE_SIZE,
  type CallSite,
  findAfter,
  isBefore,
  jumpedInto,
} from '../arch/x86_64/call-site.ts';
import type { CallSites } from '../engine/engine.ts';
import type { Mm } from './mm.ts';
import { copy, type PageCache } from './page-cache.ts';
import { PAGE_SIZE, type Ram } from './ram.ts';
import type { Backing, Vma } from './vma.ts';

/** Larger text is not copied: it makes its calls through libraries. */
const LARGEST = 8 * 1024 * 1024;
/** After this many slow calls from sites that could be patched, a running program is moved to a newer image. */
const PATIENCE = 24;
const MAPS_A_RENEWAL = 4;
const FRESH = -1;
const NEVER = -2;

/** A call site of a text; its key is the position in the file where `rip` is during the call. */
interface Site {
  readonly what: CallSite;
  /** The engine's number; FRESH until it is in an image, NEVER if it cannot be. */
  number: number;
  readonly nr: number;
}

/** The sites of one file's text, and its newest image. */
interface Text {
  readonly cache: PageCache;
  /** Position of the text in the file, and its length. */
  readonly pos: number;
  readonly length: number;
  readonly sites: Map<number, Site>;
  /** The engine's number for it; FRESH until it has a site, NEVER if it cannot have one. */
  number: number;
  /** Whether sites were looked for, which takes the file's pages. */
  scanned: boolean;
  /** Sites that no image has yet. */
  fresh: number;
  /** How often the text was mapped while it had such sites. */
  maps: number;
  image: Image | null;
}

interface Image {
  readonly offset: number;
  readonly length: number;
  /** Number of areas that map it; being the newest also counts. */
  users: number;
}

/** A text that a program maps, and the image it sees. */
export interface Mapped {
  readonly vma: Vma;
  readonly text: Text;
  image: Image | null;
  slowCalls: number;
}

export class TextImages {
  private readonly ram: Ram;
  private readonly callSites: CallSites | null;
  private readonly texts: Map<PageCache, Text[]> = new Map();
  private readonly look = new Uint8Array(BEFORE_SIZE);

  constructor(ram: Ram, callSites: CallSites | null) {
    this.ram = ram;
    this.callSites = callSites;
  }

  /** An executable file mapping is being made: maps the newest image, if there is one. Whether it did. */
  map(mm: Mm, vma: Vma, backing: Backing): boolean {
    if (this.callSites === null || !mm.patchesText || vma.shared || vma.length > LARGEST) return false;
    if (backing.cache.size < vma.pos + 1) return false;
    const text = this.textOf(backing.cache, vma.pos, vma.length);
    const record: Mapped = { vma, text, image: null, slowCalls: 0 };
    if (mm.texts.some(m => m.text === text)) return false;
    mm.texts.push(record);
    this.renew(text, false);
    return text.image !== null && this.mapImage(mm, record, text.image);
  }

  /** The thread made call `nr` by a signal, from just before `rip`: its site may be patchable. */
  slowCall(mm: Mm, rip: number, nr: number): void {
    const record = mm.texts.find(m => m.vma.start < rip && rip < m.vma.end);
    if (record === undefined) return;
    const { text, vma } = record;
    const pos = vma.posOf(rip);
    const known = text.sites.get(pos);
    if (known === undefined || (known.number === NEVER && known.what === AFTER)) {
      if (!this.isBeforeAt(text, pos, nr)) return;
      text.sites.set(pos, { what: BEFORE, number: FRESH, nr });
      text.fresh++;
    } else if (known.number === NEVER) return;
    if (++record.slowCalls < PATIENCE) return;
    record.slowCalls = 0;
    this.renew(text, true);
    if (text.image !== null && text.image !== record.image) this.mapImage(mm, record, text.image);
  }

  /**
   * Whether `rip` is at the former syscall instruction of a patched `before` site: the byte there now faults, though
   * the program meant to make a call.
   */
  isPatchedCall(mm: Mm, rip: number): boolean {
    const record = mm.texts.find(m => m.vma.start <= rip && rip < m.vma.end);
    return record?.text.sites.get(record.vma.posOf(rip) + SYSCALL_SIZE)?.what.kind === 'before';
  }

  /** Where a program must go to repeat the call that returns to `rip`. */
  restartAddress(mm: Mm, rip: number): number {
    const record = mm.texts.find(m => m.vma.start < rip && rip < m.vma.end);
    if (record !== undefined && record.image !== null) {
      const pos = record.vma.posOf(rip);
      const { sites } = record.text;
      // The call came by the jump, which is where the syscall was, so rip is behind the comparison.
      if (!sites.has(pos) && sites.get(pos - COMPARE_SIZE)?.what.kind === 'after')
        return rip - COMPARE_SIZE - SYSCALL_SIZE;
    }
    return rip - SYSCALL_SIZE;
  }

  forked(parent: Mm, child: Mm): void {
    for (const { vma, text, image } of parent.texts) {
      const same = child.vmas.find(vma.start);
      if (same === null) continue;
      if (image !== null) image.users++;
      child.texts.push({ vma: same, text, image, slowCalls: 0 });
    }
    this.callSites?.copyTexts(parent.space, child.space);
  }

  unmapped(mm: Mm, vma: Vma): void {
    const { texts } = mm;
    let index = texts.length - 1;
    while (index >= 0 && texts[index]!.vma !== vma) index--;
    if (index < 0) return;
    const [record] = mm.texts.splice(index, 1);
    const { image } = record!;
    if (image !== null) mm.space.whenDone(() => this.leave(image));
  }

  /** All texts of the space are unmapped. Returns what to do when their pages are gone. */
  unmappedAll(mm: Mm): () => void {
    const gone = mm.texts.splice(0);
    return () => {
      for (const { image } of gone) if (image !== null) this.leave(image);
    };
  }

  /** The file has changed or goes away: what was known of its text no longer holds. */
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
      const sites = new Map<number, Site>();
      text = { cache, pos, length, sites, number: FRESH, scanned: false, fresh: 0, maps: 0, image: null };
      texts.push(text);
    }
    if (!text.scanned) this.scan(text);
    return text;
  }

  /**
   * Makes a new image for new sites: at once if `now` or if there is none, otherwise at every MAPS_A_RENEWALth mapping.
   */
  private renew(text: Text, now: boolean): void {
    if (text.fresh === 0 || (!now && text.image !== null && ++text.maps % MAPS_A_RENEWAL !== 0)) return;
    const { cache, pos, length } = text;
    if (cache.ensure(pos, Math.min(length, cache.size - pos)) < 0 || !this.ram.charge(length / PAGE_SIZE))
      return;
    const offset = this.ram.alloc(length);
    if (offset < 0) {
      this.ram.charge(-length / PAGE_SIZE);
      return;
    }
    text.fresh = 0;
    const size = Math.min(length, Math.ceil((cache.size - pos) / PAGE_SIZE) * PAGE_SIZE);
    const from = cache.offsetOf(pos);
    const { bytes } = this.ram;
    if (this.ram.store(offset, from, size) !== size) copy(bytes, from, bytes, offset, size);
    this.numberSites(text, bytes.subarray(from, from + size));
    for (const [at, { what, number }] of text.sites) {
      if (number >= 0) this.callSites!.patch(offset + (at + what.start - pos), number);
    }
    if (text.image !== null) this.leave(text.image);
    text.image = { offset, length, users: 1 };
  }

  /** Gives new sites their numbers, except those with a comparison that a jump could lead into. */
  private numberSites(text: Text, code: Uint8Array): void {
    const fresh = [...text.sites].filter(([, site]) => site.number === FRESH);
    const after = fresh.filter(([, { what }]) => what === AFTER).map(([at]) => at - text.pos);
    const jumped = jumpedInto(code, after, AFTER.next);
    for (const [at, site] of fresh) {
      const rip = at - text.pos;
      site.number = jumped.has(rip) ? NEVER : this.newSite(text, rip + site.what.next, site);
    }
  }

  private newSite(text: Text, offset: number, { what, nr }: Site): number {
    const sites = this.callSites!;
    if (text.number === FRESH) text.number = sites.newText();
    return text.number < 0 ? NEVER : sites.newSite(text.number, offset, what.kind === 'before' ? nr : null);
  }

  private mapImage(mm: Mm, record: Mapped, image: Image): boolean {
    const { vma, text } = record;
    const { cache } = text;
    const end = Math.min(vma.posOf(vma.end), Math.ceil(cache.size / PAGE_SIZE) * PAGE_SIZE);
    mm.space.mapMemory(vma.start, end - vma.pos, vma.prot, image.offset + (vma.pos - text.pos), false, false);
    vma.mapped!.set(vma.pos / PAGE_SIZE, end / PAGE_SIZE);
    if (text.number >= 0) this.callSites!.setText(mm.space, text.number, vma.start - (vma.pos - text.pos));
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

  private isBeforeAt(text: Text, pos: number, nr: number): boolean {
    const from = pos - BEFORE_SIZE;
    if (from < text.pos || pos > Math.min(text.pos + text.length, text.cache.size)) return false;
    return text.cache.read(from, this.look, 0, BEFORE_SIZE) === BEFORE_SIZE && isBefore(this.look, nr);
  }

  /** Finds the sites that their bytes alone reveal. */
  private scan(text: Text): void {
    const { cache, pos } = text;
    const size = Math.min(text.length, cache.size - pos);
    if (cache.ensure(pos, size) < 0) return;
    text.scanned = true;
    const { bytes } = this.ram;
    const code = Buffer.from(bytes.buffer as ArrayBuffer, bytes.byteOffset + cache.offsetOf(pos), size);
    for (const at of findAfter(code)) {
      if (text.sites.has(pos + at)) continue;
      text.sites.set(pos + at, { what: AFTER, number: FRESH, nr: -1 });
      text.fresh++;
    }
  }
}

const SYSCALL_SIZE = 2;
const COMPARE_SIZE = 6;
