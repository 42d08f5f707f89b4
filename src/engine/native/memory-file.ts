/**
 * The memory file: one sparse memfd, which the kernel maps as a whole and spaces map piece by piece.
 *
 * It is open twice, once read-only: a mapping made through that descriptor can never be made writable, whatever the
 * guest tries.
 */
import type { Libc } from '../../host/libc.ts';
import { setInt64 } from '../../lib/int64.ts';
import type { EngineMemory } from '../engine.ts';
import { FILE } from './layout.ts';
import { type Room, takeRoom } from './room.ts';
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

const { RESIDENT, POSITION } = SCRATCH;
const PAGE = 4096;
/** A range with more resident pages than this is given back to the host instead of being overwritten with zeros. */
const FEW = 24;

export interface MemoryFile extends EngineMemory {
  readonly fd: number;
  readonly readOnlyFd: number;
  /** The address of byte 0 in this process. */
  readonly address: number;
  readonly i32: Int32Array;
  /** Fills a range with zeros without allocating pages that the file does not have. Page-aligned. */
  wipe(offset: number, len: number): void;
  readonly buffer: ArrayBuffer;
}

/** The answer is a sentence for the user if the host does not provide what is needed. */
export function createMemoryFile(libc: Libc, ramSize: number): MemoryFile | string {
  const size = FILE.FILE_RAM + ramSize;
  const fd = createSparse(libc, size);
  if (typeof fd === 'string') return fd;
  const readOnlyFd = openReadOnly(libc, fd);
  if (typeof readOnlyFd === 'string') return readOnlyFd;
  const room = mapWhole(libc, fd, size);
  return typeof room === 'string' ? room : new MappedMemoryFile(libc, fd, readOnlyFd, room, ramSize);
}

function createSparse(libc: Libc, size: number): number | string {
  const name = cString('uml-memory');
  const fd = libc.syscall(NR.memfd_create, libc.addressOf(name), MFD_CLOEXEC);
  if (fd < 0)
    return `the host cannot make memory files (memfd_create: error ${-fd}); Linux 3.17 or later is needed`;
  const truncated = libc.syscall(NR.ftruncate, fd, size);
  if (truncated < 0)
    return `the host refuses a sparse memory file of ${size} bytes (error ${-truncated}): see ulimit -f`;
  return fd;
}

function openReadOnly(libc: Libc, fd: number): number | string {
  const path = cString(`/proc/self/fd/${fd}`);
  const readOnlyFd = libc.syscall(NR.open, libc.addressOf(path), O_RDONLY_CLOEXEC);
  if (readOnlyFd < 0)
    return `/proc of the host is needed to open the memory file read-only (error ${-readOnlyFd})`;
  return readOnlyFd;
}

/** Maps the file into the address space that was reserved for it, if there is any. */
function mapWhole(libc: Libc, fd: number, size: number): Room | string {
  const room = takeRoom(size);
  const flags = room === null ? MAP_SHARED_NORESERVE : MAP_SHARED_NORESERVE | MAP_FIXED;
  const address = libc.syscall(NR.mmap, room?.address ?? 0, size, PROT_READ_WRITE, flags, fd, 0);
  if (address < 0)
    return `the host refuses to map ${size} bytes of address space (error ${-address}): see ulimit -v`;
  return { address, buffer: room?.buffer ?? libc.viewOf(address, size) };
}

const cString = (text: string): Uint8Array => Uint8Array.from(`${text}\0`, c => c.charCodeAt(0));

class MappedMemoryFile implements MemoryFile {
  readonly fd: number;
  readonly readOnlyFd: number;
  readonly address: number;
  readonly buffer: ArrayBuffer;
  readonly bytes: Uint8Array;
  readonly i32: Int32Array;
  readonly view: DataView;
  readonly base: number = FILE.FILE_RAM;
  readonly size: number;
  private readonly libc: Libc;

  constructor(libc: Libc, fd: number, readOnlyFd: number, { address, buffer }: Room, ramSize: number) {
    this.libc = libc;
    this.fd = fd;
    this.readOnlyFd = readOnlyFd;
    this.address = address;
    this.buffer = buffer;
    this.bytes = new Uint8Array(buffer);
    this.i32 = new Int32Array(buffer, 0, FILE.FILE_SLOTS_END / 4);
    this.view = new DataView(buffer);
    this.size = ramSize;
  }

  discard(offset: number, len: number): void {
    this.libc.syscall(NR.fallocate, this.fd, PUNCH_HOLE_KEEP_SIZE, offset, len);
  }

  store(offset: number, from: number, len: number): number {
    return this.libc.syscall(NR.pwrite64, this.fd, this.address + from, len, offset);
  }

  load(offset: number, file: number, pos: number, len: number): number {
    setInt64(this.view, POSITION, pos);
    const at = this.libc.syscall(NR.lseek, this.fd, offset, 0);
    return at < 0 ? at : this.libc.syscall(NR.sendfile, this.fd, file, this.address + POSITION, len);
  }

  touched(offset: number, out: Uint8Array): void {
    const { bytes } = this;
    for (let done = 0; done < out.length; done += RESIDENT_PAGES) {
      const n = Math.min(RESIDENT_PAGES, out.length - done);
      if (this.askResident(offset + done * PAGE, n * PAGE) < 0) return;
      for (let i = 0; i < n; i++) if ((bytes[RESIDENT + i]! & 1) !== 0) out[done + i] = 1;
    }
  }

  wipe(offset: number, len: number): void {
    const { bytes } = this;
    const pages: number[] = [];
    const told = this.askResident(offset, len);
    for (let i = 0; i < len / PAGE; i++) if ((bytes[RESIDENT + i]! & 1) !== 0) pages.push(offset + i * PAGE);
    if (told < 0 || pages.length > FEW) this.discard(offset, len);
    else for (const page of pages) bytes.fill(0, page, page + PAGE);
  }

  /** mincore(2): sets the lowest bit of one byte at RESIDENT for each page that the file has. 0 or -errno. */
  private askResident(offset: number, len: number): number {
    return this.libc.syscall(NR.mincore, this.address + offset, len, this.address + RESIDENT);
  }
}
