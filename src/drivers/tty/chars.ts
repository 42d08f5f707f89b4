/** Character classes as terminals see them: Latin-1; of UTF-8, only continuation bytes are recognised. */
export const isControl = (c: number): boolean => c < 0x20 || c === 0x7f;

const isUpper = (c: number): boolean => (c >= 0x41 && c <= 0x5a) || (c >= 0xc0 && c <= 0xde && c !== 0xd7);
const isLower = (c: number): boolean => (c >= 0x61 && c <= 0x7a) || (c >= 0xdf && c !== 0xf7);
const isDigit = (c: number): boolean => c >= 0x30 && c <= 0x39;

/** Whether VWERASE counts `c` as part of a word. */
export const isWordChar = (c: number): boolean => isUpper(c) || isLower(c) || isDigit(c) || c === 0x5f;

export const toLower = (c: number): number => (isUpper(c) ? c + 0x20 : c);
export const toUpper = (c: number): number => (isLower(c) ? c - 0x20 : c);

/** Any byte but the first of a multi-byte UTF-8 sequence. */
export const isContinuation = (c: number): boolean => (c & 0xc0) === 0x80;

export const BACKSPACE = 0x08;
export const TAB = 0x09;
export const NEWLINE = 0x0a;
export const RETURN = 0x0d;
export const SPACE = 0x20;
export const BACKSLASH = 0x5c;
export const SLASH = 0x2f;
export const CARET = 0x5e;
/** The byte that PARMRK marks with, and doubles in input. */
export const MARK = 0xff;
