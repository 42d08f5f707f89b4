/** Terminal settings (termios(3)) and their layouts in memory, x86-64 values (asm-generic/termbits.h). */
export const NCCS = 19;

export const VINTR = 0;
export const VQUIT = 1;
export const VERASE = 2;
export const VKILL = 3;
export const VEOF = 4;
export const VTIME = 5;
export const VMIN = 6;
export const VSWTC = 7;
export const VSTART = 8;
export const VSTOP = 9;
export const VSUSP = 10;
export const VEOL = 11;
export const VREPRINT = 12;
export const VDISCARD = 13;
export const VWERASE = 14;
export const VLNEXT = 15;
export const VEOL2 = 16;
/** A control character of this value never matches (POSIX: _POSIX_VDISABLE). */
export const DISABLED_CHAR = 0;

export const IGNBRK = 0x001;
export const BRKINT = 0x002;
export const IGNPAR = 0x004;
export const PARMRK = 0x008;
export const INPCK = 0x010;
export const ISTRIP = 0x020;
export const INLCR = 0x040;
export const IGNCR = 0x080;
export const ICRNL = 0x100;
export const IUCLC = 0x200;
export const IXON = 0x400;
export const IXANY = 0x800;
export const IXOFF = 0x1000;
export const IMAXBEL = 0x2000;
export const IUTF8 = 0x4000;

export const OPOST = 0x01;
export const OLCUC = 0x02;
export const ONLCR = 0x04;
export const OCRNL = 0x08;
export const ONOCR = 0x10;
export const ONLRET = 0x20;
export const TABDLY = 0x1800;
export const XTABS = 0x1800;

export const CBAUD = 0x100f;
export const B38400 = 0x0f;
export const B115200 = 0x1002;
export const BOTHER = 0x1000;
export const CSIZE = 0x30;
export const CS8 = 0x30;
export const CREAD = 0x80;
export const PARENB = 0x100;
export const HUPCL = 0x400;
export const CLOCAL = 0x800;
/** The input speed's code lies this many bits above the output speed's. */
export const IBSHIFT = 16;

export const ISIG = 0x01;
export const ICANON = 0x02;
export const ECHO = 0x08;
export const ECHOE = 0x10;
export const ECHOK = 0x20;
export const ECHONL = 0x40;
export const NOFLSH = 0x80;
export const TOSTOP = 0x100;
export const ECHOCTL = 0x200;
export const ECHOPRT = 0x400;
export const ECHOKE = 0x800;
export const IEXTEN = 0x8000;
export const EXTPROC = 0x10000;

export interface Termios {
  iflag: number;
  oflag: number;
  cflag: number;
  lflag: number;
  line: number;
  readonly cc: Uint8Array;
  ispeed: number;
  ospeed: number;
}

export interface WinSize {
  rows: number;
  cols: number;
  xpixel: number;
  ypixel: number;
}

/** ^C ^\ DEL ^U ^D 0 1 0 ^Q ^S ^Z 0 ^R ^O ^W ^V 0: the control characters of a fresh terminal. */
const INIT_CC = [3, 28, 127, 21, 4, 0, 1, 0, 17, 19, 26, 0, 18, 15, 23, 22, 0, 0, 0];

/** The settings of a fresh terminal: cooked, echoing, 38400 baud. */
export const defaultTermios = (): Termios => ({
  iflag: ICRNL | IXON,
  oflag: OPOST | ONLCR,
  cflag: B38400 | CS8 | CREAD,
  lflag: ISIG | ICANON | ECHO | ECHOE | ECHOK | ECHOCTL | ECHOKE | IEXTEN,
  line: 0,
  cc: Uint8Array.from(INIT_CC),
  ispeed: 38400,
  ospeed: 38400,
});

export const noTermios = (): Termios => ({
  iflag: 0,
  oflag: 0,
  cflag: 0,
  lflag: 0,
  line: 0,
  cc: new Uint8Array(NCCS),
  ispeed: 0,
  ospeed: 0,
});

export const copyTermios = (t: Termios): Termios => ({ ...t, cc: t.cc.slice() });

/** Speeds of the codes B0 to B38400, then of BOTHER + 1 on: B57600 to B4000000. */
const SPEEDS = [0, 50, 75, 110, 134, 150, 200, 300, 600, 1200, 1800, 2400, 4800, 9600, 19200, 38400];
const FAST_SPEEDS = [
  57600, 115200, 230400, 460800, 500000, 576000, 921600, 1000000, 1152000, 1500000, 2000000, 2500000, 3000000,
  3500000, 4000000,
];

const speedOf = (code: number, other: number): number => {
  if (code === BOTHER) return other;
  return ((code & BOTHER) !== 0 ? FAST_SPEEDS[(code & 0xf) - 1] : SPEEDS[code]) ?? 0;
};

/** Sets the numeric speeds from the codes in c_cflag; a zero input code means "same as output". */
export function resolveSpeeds(t: Termios): void {
  t.ospeed = speedOf(t.cflag & CBAUD, t.ospeed);
  const input = (t.cflag >>> IBSHIFT) & CBAUD;
  t.ispeed = input === 0 ? t.ospeed : speedOf(input, t.ispeed);
}

// struct termios: iflag 0, oflag 4, cflag 8, lflag 12, line 16, cc[19] 17 .. 35; struct termios2 adds ispeed 36, ospeed 40.
export const TERMIOS_SIZE = 36;
export const TERMIOS2_SIZE = 44;

export function readTermios(view: DataView, at: number, size: number, base: Termios): Termios {
  const t = copyTermios(base);
  t.iflag = view.getInt32(at, true);
  t.oflag = view.getInt32(at + 4, true);
  t.cflag = view.getInt32(at + 8, true);
  t.lflag = view.getInt32(at + 12, true);
  t.line = view.getUint8(at + 16);
  for (let i = 0; i < NCCS; i++) t.cc[i] = view.getUint8(at + 17 + i);
  if (size === TERMIOS2_SIZE) {
    t.ispeed = view.getUint32(at + 36, true);
    t.ospeed = view.getUint32(at + 40, true);
  }
  return t;
}

export function writeTermios(view: DataView, at: number, size: number, t: Termios): void {
  view.setInt32(at, t.iflag, true);
  view.setInt32(at + 4, t.oflag, true);
  view.setInt32(at + 8, t.cflag, true);
  view.setInt32(at + 12, t.lflag, true);
  view.setUint8(at + 16, t.line);
  for (let i = 0; i < NCCS; i++) view.setUint8(at + 17 + i, t.cc[i]!);
  if (size === TERMIOS2_SIZE) {
    view.setUint32(at + 36, t.ispeed, true);
    view.setUint32(at + 40, t.ospeed, true);
  }
}

// struct termio (System V): iflag 0, oflag 2, cflag 4, lflag 6 (16 bits each), line 8, cc[8] 9 .. 16.
export const TERMIO_SIZE = 18;
const NCC = 8;

/** Keeps the upper halves of the flags. */
export function readTermio(view: DataView, at: number, base: Termios): Termios {
  const t = copyTermios(base);
  const low = (old: number, offset: number): number => (old & ~0xffff) | view.getUint16(at + offset, true);
  t.iflag = low(t.iflag, 0);
  t.oflag = low(t.oflag, 2);
  t.cflag = low(t.cflag, 4);
  t.lflag = low(t.lflag, 6);
  t.line = view.getUint8(at + 8);
  for (let i = 0; i < NCC; i++) t.cc[i] = view.getUint8(at + 9 + i);
  return t;
}

export function writeTermio(view: DataView, at: number, t: Termios): void {
  view.setUint16(at, t.iflag & 0xffff, true);
  view.setUint16(at + 2, t.oflag & 0xffff, true);
  view.setUint16(at + 4, t.cflag & 0xffff, true);
  view.setUint16(at + 6, t.lflag & 0xffff, true);
  view.setUint8(at + 8, t.line);
  for (let i = 0; i < NCC; i++) view.setUint8(at + 9 + i, t.cc[i]!);
  view.setUint8(at + 17, 0);
}

/** Copies locked settings from `old` to `next`. */
export function keepLocked(next: Termios, old: Termios, locked: Termios): void {
  const keep = (a: number, b: number, mask: number): number => (a & ~mask) | (b & mask);
  next.iflag = keep(next.iflag, old.iflag, locked.iflag);
  next.oflag = keep(next.oflag, old.oflag, locked.oflag);
  next.cflag = keep(next.cflag, old.cflag, locked.cflag);
  next.lflag = keep(next.lflag, old.lflag, locked.lflag);
  if (locked.line !== 0) next.line = old.line;
  for (let i = 0; i < NCCS; i++) if (locked.cc[i] !== 0) next.cc[i] = old.cc[i]!;
}

// struct winsize: ws_row 0, ws_col 2, ws_xpixel 4, ws_ypixel 6 (16 bits each).
export const WINSIZE_SIZE = 8;

export const sameSize = (a: WinSize, b: WinSize): boolean =>
  a.rows === b.rows && a.cols === b.cols && a.xpixel === b.xpixel && a.ypixel === b.ypixel;

export const readWinSize = (view: DataView, at: number): WinSize => ({
  rows: view.getUint16(at, true),
  cols: view.getUint16(at + 2, true),
  xpixel: view.getUint16(at + 4, true),
  ypixel: view.getUint16(at + 6, true),
});

export function writeWinSize(view: DataView, at: number, size: WinSize): void {
  view.setUint16(at, size.rows, true);
  view.setUint16(at + 2, size.cols, true);
  view.setUint16(at + 4, size.xpixel, true);
  view.setUint16(at + 6, size.ypixel, true);
}
