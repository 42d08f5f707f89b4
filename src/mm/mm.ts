/**
 * An address space as the kernel sees it (mm_struct): its areas, and where things are. Keeps the areas and the
 * engine's pages in step. The rules of the system calls (flags, limits, errors) are in syscalls/.
 */
import type { ThreadFacts } from '../engine/answers.ts';
import { PROT_NONE, PROT_READ, PROT_WRITE, type Space } from '../engine/engine.ts';
import { Ranges } from '../lib/ranges.ts';
import { Roster } from '../lib/roster.ts';
import {
  forgetCache,
  hideUnstored,
  mapAppended,
  mapBacking,
  mappedRuns,
  mapTouched,
  moveFilePages,
  unmapPunched,
  unmapTruncated,
} from './file-pages.ts';
import { hideGuards, moveGuards, removeGuards } from './guards.ts';
import type { MmHost } from './mm-host.ts';
import { remapMoved } from './moved-files.ts';
import { followBreak, OwnBreak } from './own-break.ts';
import { OwnEnd } from './own-end.ts';
import type { PageCache, PageUser } from './page-cache.ts';
import type { PageWindow } from './page-window.ts';
import { lowestUse, MMAP_MIN, Places, TASK_SIZE, vdsoPlace } from './places.ts';
import { growPrivate, mapPrivate, movePages } from './private-pages.ts';
import { PAGE_SIZE, pageUp } from './ram.ts';
import type { Mapped } from './text-image.ts';
import {
  type Backing,
  VM_DONTFORK,
  VM_GROWSDOWN,
  VM_LOCKED_MASK,
  VM_SHARED,
  VM_WIPEONFORK,
  Vma,
} from './vma.ts';
import { type AreasWatcher, VmaList } from './vma-list.ts';

/**
 * Whether an area with the PROT_ bits `has` permits access `wanted`. What may be written or executed can be read, on
 * x86.
 */
export const grants = (has: number, wanted: number): boolean =>
  wanted === PROT_READ ? has !== PROT_NONE : (has & wanted) === wanted;

/** What core(5) specifies: private and shared anonymous memory, ELF headers, private huge pages. */
const DEFAULT_COREDUMP_FILTER = 0x33;

export class Mm implements PageUser, AreasWatcher {
  space: Space;
  /** Windows through which the program reads and writes files on its own. */
  readonly windows: Roster<PageWindow> = new Roster();
  private readonly areas: VmaList = new VmaList(this);
  /** The break as the program's thread was told of it, if it was. */
  private ownBreak: OwnBreak | null = null;
  /** Whether the thread may be told of the break anew. */
  breakUntold = true;
  readonly ownEnd: OwnEnd = new OwnEnd();
  /** Number of tasks that use it. */
  users = 1;
  brkStart = 0;
  private breakEnd = 0;
  /** Mappings that name no address go below this. */
  mmapBase = 0;
  startCode = 0;
  endCode = 0;
  startData = 0;
  endData = 0;
  startStack = 0;
  argStart = 0;
  argEnd = 0;
  envStart = 0;
  envEnd = 0;
  /** The auxiliary vector for /proc/PID/auxv, in words. */
  auxv: readonly number[] = [];
  /** The patched texts that are mapped here (text-image.ts). */
  readonly texts: Mapped[] = [];
  /** The program's file. */
  exe: Backing | null = null;
  /** Largest size ever of all areas, in pages, for /proc (VmPeak). */
  private peak = 0;
  private pages = 0;
  private futureFlags = 0;
  /** Which memory goes into core files: bits of /proc/PID/coredump_filter (core(5)). */
  coredumpFilter: number = DEFAULT_COREDUMP_FILTER;
  /** PR_SET_DUMPABLE(2const): whether others may look into it (1), or only the privileged (0). */
  dumpable: number;
  /** What membarrier(2) was told to prepare for. */
  barriers = 0;
  /** Guard pages (madvise(2), MADV_GUARD_INSTALL): no access, whatever their areas say. */
  guards = new Ranges();
  private readonly places = new Places();
  readonly host: MmHost;
  /** Number of private pages that may be touched. */
  private promised = 0;
  /**
   * Whether text that it maps may be patched (text-image.ts). Not where a program without an interpreter loads others:
   * emulators (valgrind) read that text as data, and know nothing of the places that patched calls jump to.
   */
  patchesText = true;
  /** The last user has gone, and everything it held has been given back. */
  gone = false;
  /** Number of programs that it belonged to earlier (execve(2)). */
  programsBefore: number;

  constructor(space: Space, host: MmHost) {
    this.programsBefore = 0;
    this.dumpable = 1;
    this.space = space;
    space.pager = this;
    this.host = host;
  }

  /** Up to date: includes what the program's thread has changed itself. */
  get vmas(): VmaList {
    if (this.ownBreak?.hasMoved === true) this.hearBreak(this.ownBreak);
    return this.areas;
  }

  get brk(): number {
    if (this.ownBreak?.hasMoved === true) this.hearBreak(this.ownBreak);
    return this.breakEnd;
  }

  /** If its thread was told of the break, that thread must be in the kernel. */
  set brk(address: number) {
    this.untellBreak();
    this.breakEnd = address;
  }

  /** Pages of all areas (VmSize). */
  get totalPages(): number {
    if (this.ownBreak?.hasMoved === true) this.hearBreak(this.ownBreak);
    return this.pages;
  }

  get peakPages(): number {
    if (this.ownBreak !== null) this.notePeak(this.ownBreak);
    return this.peak;
  }

  /** Flags of future areas: mlockall(2), MCL_FUTURE. */
  get defFlags(): number {
    return this.futureFlags;
  }

  set defFlags(flags: number) {
    this.changing();
    this.futureFlags = flags;
  }

  /** Lets the program's only thread, which is about to go on, move the break itself, up by at most `ahead` bytes. */
  tellBreak(facts: ThreadFacts, ahead: number): void {
    this.untellBreak();
    this.ownBreak = new OwnBreak(this, facts, ahead);
    this.breakUntold = false;
  }

  /** From its next call on the thread, which is in the kernel, has to ask. */
  untellBreak(): void {
    const own = this.ownBreak;
    this.ownEnd.untell();
    if (own === null) return;
    this.changing();
    this.ownBreak = null;
    own.end();
  }

  /**
   * Areas, or the rules for them, are about to change, so new bounds for the break must be found. What the thread was
   * told is still followed, as it may be running.
   */
  changing(): void {
    const own = this.ownBreak;
    this.breakUntold = true;
    this.ownEnd.untell();
    if (own === null) return;
    if (own.hasMoved) this.hearBreak(own);
    this.notePeak(own);
    own.stop();
  }

  private hearBreak(own: OwnBreak): void {
    // The changes made here must not be taken for news.
    this.ownBreak = null;
    this.notePeak(own);
    const to = own.hear();
    if (to >= 0 && followBreak(this, this.breakEnd, to)) this.breakEnd = to;
    this.ownBreak = own;
  }

  /** Takes into account how large it was in between. */
  private notePeak({ top }: OwnBreak): void {
    const more = (pageUp(top) - pageUp(this.breakEnd)) / PAGE_SIZE;
    this.peak = Math.max(this.peak, this.pages + more);
  }

  /** Whether [start, start + len) may be mapped at all. */
  isAllowed(start: number, len: number): boolean {
    if (start < MMAP_MIN || start + len > TASK_SIZE) return false;
    for (const { from, to } of this.space.reserved) if (start + len > from && start < to) return false;
    return true;
  }

  /** The highest free place for `len` bytes below `limit`; if that is `mmapBase`, then below TASK_SIZE. Or -ENOMEM. */
  findFree(len: number, limit = this.mmapBase): number {
    return this.places.find(this, len, limit);
  }

  /** Whether [start, start + len) is free. `apart`: and not too near to an area that grows downwards. */
  isFree(start: number, len: number, apart = false): boolean {
    const next = this.vmas.at(this.vmas.indexAfter(start));
    if (!this.isAllowed(start, len)) return false;
    return next === undefined || (apart ? lowestUse(next) : next.start) >= start + len;
  }

  /** Replaces what is at [start, start + len) by private or shared zero pages, or by a file's pages. */
  map(vma: Vma): number {
    const overFile = this.unmap(vma.start, vma.length, false);
    if (vma.backing === null) mapPrivate(this, vma, vma.start, vma.end, overFile);
    else {
      const failed = mapBacking(this, vma, vma.backing);
      if (failed < 0) {
        this.unmapPages(vma.start, vma.end);
        this.account(vma.length, vma);
        this.drop(vma);
        return failed;
      }
    }
    this.account(vma.length, vma);
    this.vmas.insert(vma);
    return vma.start;
  }

  /**
   * Removes all areas of [start, start + len); whether there were files' pages. `pages` false: the caller maps new
   * pages over all of theirs at once.
   */
  unmap(start: number, len: number, pages = true): boolean {
    const gone = this.vmas.remove(start, start + len);
    if (gone.length === 0) return false;
    const files = gone.some(v => v.backing !== null);
    if (pages) this.unmapPages(start, start + len, files);
    for (const vma of gone) this.drop(vma);
    this.guards.remove(start, start + len);
    this.places.freed(start + len);
    return files;
  }

  protect(start: number, len: number, prot: number): void {
    this.protectPages(start, start + len, prot);
    if ((prot & PROT_WRITE) !== 0) hideUnstored(this, start, start + len, prot);
    this.protectAreas(start, len, prot);
    hideGuards(this, start, start + len);
  }

  /** As `protect`, where the engine's pages have these rights already. */
  protectAreas(start: number, len: number, prot: number): void {
    for (const vma of this.vmas.isolate(start, start + len)) vma.prot = prot;
    this.vmas.join(start, start + len);
  }

  protectPages(start: number, end: number, prot: number): void {
    for (const { from, to } of mappedRuns(this, start, end)) this.space.protect(from, to - from, prot);
  }

  advisePages(start: number, end: number, advice: number): void {
    for (const { from, to } of mappedRuns(this, start, end)) this.space.advise(from, to - from, advice);
  }

  /** Whether others may see what the program writes. */
  get sharesMemory(): boolean {
    return this.users > 1 || this.vmas.hasSharedWriter;
  }

  /** Makes an area longer by `more` bytes, which must be free. */
  extend(vma: Vma, more: number): void {
    const end = vma.end;
    vma.end += more;
    this.account(more, vma);
    if (vma.backing === null) growPrivate(this, vma, end);
    else mapAppended(this, vma, vma.backing, vma.posOf(end));
    this.vmas.join(vma.start, vma.end);
  }

  /** Moves the single area [from, from + len) to `to` with size `newLen`. The new place has been unmapped. */
  move(from: number, len: number, newLen: number, to: number): void {
    const [vma] = this.vmas.remove(from, from + len);
    if (vma === undefined) return;
    vma.start = to;
    vma.end = to + newLen;
    vma.shift += to - from;
    this.account(newLen - len, vma);
    this.places.freed(from + len);
    if (vma.backing !== null) moveFilePages(this, vma, vma.backing, from, len);
    else {
      movePages(this, from, len, to);
      if (newLen > len) growPrivate(this, vma, to + len);
    }
    moveGuards(this, from, len, to);
    this.vmas.insert(vma);
    hideGuards(this, to, to + newLen);
  }

  /** Cuts off the end of an area; its pages are gone already. */
  cutEnd(vma: Vma, end: number): void {
    const old = vma.end;
    vma.end = end;
    this.account(end - old, vma);
    this.places.freed(old);
  }

  /** For a new program: leaves nothing but what the engine keeps. */
  clear(): void {
    this.programsBefore++;
    this.closeWindows();
    this.untellBreak();
    const left = this.leaveAll();
    this.unmapPages(MMAP_MIN, TASK_SIZE);
    this.space.whenDone(left);
    this.places.reset();
    this.guards = new Ranges();
    this.defFlags = 0;
    this.barriers = 0;
    this.exe?.put();
    this.exe = null;
  }

  /** Bytes that kernel and engine share. */
  get kernelBytes(): Uint8Array {
    return this.host.bytes;
  }

  /** The Mm of a child made by fork; the engine has copied the pages. */
  fork(space: Space): Mm {
    const child = new Mm(space, this.host);
    const { brkStart, brk, mmapBase, startCode, endCode, startData, endData, startStack } = this;
    const { argStart, argEnd, envStart, envEnd, auxv } = this;
    Object.assign(child, { brkStart, brk, mmapBase, startCode, endCode, startData, endData, startStack });
    Object.assign(child, { argStart, argEnd, envStart, envEnd, auxv });
    child.exe = this.exe?.get() ?? null;
    child.barriers = this.barriers;
    child.patchesText = this.patchesText;
    child.coredumpFilter = this.coredumpFilter;
    child.dumpable = this.dumpable;
    child.guards = this.guards.clone();
    this.vmas.forEach(vma => {
      if ((vma.flags & VM_DONTFORK) === 0) child.adopt(vma);
      else child.guards.remove(vma.start, vma.end);
    });
    this.host.images.forked(this, child);
    return child;
  }

  /** A copy of a parent's area. */
  private adopt(vma: Vma): void {
    const copy = vma.slice(vma.start, vma.end);
    copy.flags = vma.flags & ~VM_LOCKED_MASK;
    if (copy.backing !== null) {
      copy.hold();
      copy.backing.cache.users.add(this);
    }
    this.account(copy.end - copy.start, copy);
    this.areas.append(copy);
    if ((vma.flags & VM_WIPEONFORK) !== 0) removeGuards(this, copy, copy.start, copy.end);
  }

  /**
   * One more mapping like `vma`, of its file from `pos` on, or of fresh pages if it has none. Its address, or -errno.
   */
  duplicate(vma: Vma, start: number, len: number, pos: number): number {
    const copy = new Vma(start, start + len, vma.prot, vma.flags);
    copy.backing = vma.backing?.get() ?? null;
    copy.pos = pos;
    copy.name = vma.name;
    copy.policy = vma.policy;
    return this.map(copy);
  }

  /**
   * Maps the pages of files that [address, address + len) needs and that are not mapped yet: how many, or -errno. With
   * `stores` it tells the areas' files of a store, and counts each area that had to.
   */
  populate(address: number, len: number, stores = false): number {
    return mapTouched(this, address, len, stores);
  }

  /** Whether the program may access all of [address, address + len) as `prot` says. */
  allows(address: number, len: number, prot: number): boolean {
    if (len === 0) return true;
    for (let at = address; at < address + len; ) {
      const vma = this.vmas.find(at);
      if (vma === null) return prot === PROT_READ && this.isVdso(at, address + len);
      if (!grants(vma.prot, prot) || vma.fileEndsBefore(address + len)) return false;
      at = vma.end;
    }
    return !this.guards.touches(address, address + len);
  }

  private isVdso(from: number, to: number): boolean {
    const vdso = vdsoPlace(this);
    return vdso !== null && from >= vdso.from && to <= vdso.to;
  }

  /** For when its program has other descriptors, or none. */
  closeWindows(): void {
    for (const window of this.windows) window.close();
  }

  /** The last user is gone. */
  destroy(): void {
    this.closeWindows();
    this.ownBreak = null;
    this.space.destroy();
    const left = this.leaveAll();
    this.exe?.put();
    this.exe = null;
    this.space.whenDone(() => {
      left();
      this.gone = true;
    });
  }

  /** Lets go of all areas and their files. Returns what to do when their pages are gone, too. */
  private leaveAll(): () => void {
    const caches = new Set<PageCache>();
    for (const vma of this.vmas.clear()) {
      if (vma.backing === null) continue;
      caches.add(vma.backing.cache);
      this.detach(vma, vma.backing);
    }
    this.count(-this.pages, -this.promised);
    const leaveTexts = this.host.images.unmappedAll(this);
    return () => {
      leaveTexts();
      for (const cache of caches) forgetCache(this, cache);
    };
  }

  truncated(): void {
    unmapTruncated(this);
  }

  punched(cache: PageCache, first: number, last: number): void {
    unmapPunched(this, cache, first, last);
  }

  moved(cache: PageCache): void {
    remapMoved(this, cache);
  }

  /** Removes the pages of [start, end), except what the engine keeps. */
  private unmapPages(start: number, end: number, files = true): void {
    let at = start;
    for (const { from, to } of this.space.reserved) {
      if (to <= at || from >= end) continue;
      if (from > at) this.space.unmap(at, from - at, files);
      at = to;
    }
    if (end > at) this.space.unmap(at, end - at, files);
  }

  /** Counts `bytes` more (or fewer) of an area like this. */
  account(bytes: number, vma: Vma): void {
    const pages = bytes / PAGE_SIZE;
    this.count(pages, vma.backing === null && (vma.flags & VM_GROWSDOWN) === 0 ? pages : 0);
  }

  private count(pages: number, promised: number): void {
    this.pages += pages;
    if (promised !== 0) {
      this.promised += promised;
      this.host.promise(promised);
    }
    if (this.pages > this.peak) this.peak = this.pages;
  }

  /** Orders the area's pages away and lets its file go. */
  private drop(vma: Vma): void {
    this.account(-vma.length, vma);
    const { backing } = vma;
    if (backing === null) return;
    this.host.images.unmapped(this, vma);
    this.detach(vma, backing);
    this.space.whenDone(() => forgetCache(this, backing.cache));
  }

  private detach(vma: Vma, backing: Backing): void {
    vma.countWriter(-1);
    if ((vma.flags & VM_SHARED) !== 0) backing.sync(vma.pos, vma.length);
    backing.detached?.();
    // At once: when the end of the call, or of the process, becomes known, others may rely on the file's being closed.
    vma.backing = null;
    backing.put();
  }
}
