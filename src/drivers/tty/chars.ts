/** Classes of characters, as terminals see them: Latin-1, with UTF-8 known only by its continuation bytes. */
export const isControl = (c: number): boolean => c < 0x20 || c === 0x7f;

const isUpper = (c: number): boolean => (c >= 0x41 && c <= 0x5a) || (c >= 0xc0 && c <= 0xde && c !== 0xd7);
const isLower = (c: number): boolean => (c >= 0x61 && c <= 0x7a) || (c >= 0xdf && c !== 0xf7);
const isDigit = (c: number): boolean => c >= 0x30 && c <= 0x39;

/** What VWERASE takes for a part of a word. */
export const isWordChar = (c: number): boolean => isUpper(c) || isLower(c) || isDigit(c) || c === 0x5f;

export const toLower = (c: number): number => (isUpper(c) ? c + 0x20 : c);
export const toUpper = (c: number): number => (isLower(c) ? c - 0x20 : c);

/** A byte of a multi-byte UTF-8 sequence that is not its first. */
export const isContinuation = (c: number): boolean => (c & 0xc0) === 0x80;

export const BACKSPACE = 0x08;
export const TAB = 0x09;
export const NEWLINE = 0x0a;
export const RETURN = 0x0d;
export const SPACE = 0x20;
export const BACKSLASH = 0x5c;
export const SLASH = 0x2f;
export const CARET = 0x5e;
/** The mark of PARMRK. */
export const MARK = 0xff;
