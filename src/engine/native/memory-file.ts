/**
 * The memory file: one sparse memfd that the kernel maps whole and spaces map piece by piece.
 *
 * Two descriptors lead to it, one read-only: a mapping made through that one can never be made writable,
 * whatever the guest tries.
 */
import type { Libc } from '../../host/libc.ts';
import { setInt64 } from '../../lib/int64.ts';
import type { EngineMemory } from '../engine.ts';
import { FILE } from './layout.ts';
import { takeRoom } from './room.ts';
import { RESIDENT_PAGES, SCRATCH } from './scratch.ts';

const NR = {
  open: 2,
  lseek: 8,
  mmap: 9,
  pwrite64: 18,
  mincore: 27,
  sendfile: 40,
  ftruncate: 77,
  fallocate: 285,
  memfd_create: 319,
} as const;
const MFD_CLOEXEC = 1;
const O_RDONLY_CLOEXEC = 0o2000000;
const PROT_READ_WRITE = 3;
const MAP_SHARED_NORESERVE = 0x4001;
const MAP_FIXED = 0x10;
const PUNCH_HOLE_KEEP_SIZE = 3;

export interface MemoryFile extends EngineMemory {
  readonly fd: number;
  readonly readOnlyFd: number;
  /** Where byte 0 lies in this process. */
  readonly address: number;
  readonly i32: Int32Array;
  /** Makes a range zeros without touching pages that it does not have. Page-aligned. */
  wipe(offset: number, len: number): void;
  readonly buffer: ArrayBuffer;
}

const { RESIDENT, POSITION } = SCRATCH;
const PAGE = 4096;
/** More pages than these are given back instead of being filled. */
const FEW = 24;

/** Answers a sentence instead when the host has no such thing. */
export function createMemoryFile(libc: Libc, ramSize: number): MemoryFile | string {
  const name = new Uint8Array([...'uml-memory\0'].map(c => c.charCodeAt(0)));
  const fd = libc.syscall(NR.memfd_create, libc.addressOf(name), MFD_CLOEXEC);
  if (fd < 0)
    return `the host cannot make memory files (memfd_create: error ${-fd}); Linux 3.17 or later is needed`;
  const size = FILE.FILE_RAM + ramSize;
  const truncated = libc.syscall(NR.ftruncate, fd, size);
  if (truncated < 0)
    return `the host refuses a sparse memory file of ${size} bytes (error ${-truncated}): see ulimit -f`;
  const path = new Uint8Array([...`/proc/self/fd/${fd}\0`].map(c => c.charCodeAt(0)));
  const readOnlyFd = libc.syscall(NR.open, libc.addressOf(path), O_RDONLY_CLOEXEC);
  if (readOnlyFd < 0)
    return `/proc of the host is needed to open the memory file read-only (error ${-readOnlyFd})`;
  const room = takeRoom(size);
  const flags = room === null ? MAP_SHARED_NORESERVE : MAP_SHARED_NORESERVE | MAP_FIXED;
  const address = libc.syscall(NR.mmap, room?.address ?? 0, size, PROT_READ_WRITE, flags, fd, 0);
  if (address < 0)
    return `the host refuses to map ${size} bytes of address space (error ${-address}): see ulimit -v`;
  const buffer = room?.buffer ?? libc.viewOf(address, size);
  const bytes = new Uint8Array(buffer);
  const view = new DataView(buffer);
  const discard = (offset: number, len: number): void => {
    libc.syscall(NR.fallocate, fd, PUNCH_HOLE_KEEP_SIZE, offset, len);
  };
  return {
    fd,
    readOnlyFd,
    address,
    buffer,
    bytes,
    i32: new Int32Array(buffer, 0, FILE.FILE_SLOTS_END / 4),
    view,
    base: FILE.FILE_RAM,
    size: ramSize,
    discard,
    store: (offset, from, len) => libc.syscall(NR.pwrite64, fd, address + from, len, offset),
    load: (offset, file, pos, len) => {
      setInt64(view, POSITION, pos);
      const at = libc.syscall(NR.lseek, fd, offset, 0);
      return at < 0 ? at : libc.syscall(NR.sendfile, fd, file, address + POSITION, len);
    },
    touched: (offset, out) => {
      for (let done = 0; done < out.length; done += RESIDENT_PAGES) {
        const n = Math.min(RESIDENT_PAGES, out.length - done);
        if (libc.syscall(NR.mincore, address + offset + done * PAGE, n * PAGE, address + RESIDENT) < 0)
          return;
        for (let i = 0; i < n; i++) if ((bytes[RESIDENT + i]! & 1) !== 0) out[done + i] = 1;
      }
    },
    wipe: (offset, len) => {
      const pages: number[] = [];
      const told = libc.syscall(NR.mincore, address + offset, len, address + RESIDENT);
      for (let i = 0; i < len / PAGE; i++)
        if ((bytes[RESIDENT + i]! & 1) !== 0) pages.push(offset + i * PAGE);
      if (told < 0 || pages.length > FEW) discard(offset, len);
      else for (const page of pages) bytes.fill(0, page, page + PAGE);
    },
  };
}
