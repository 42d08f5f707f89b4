/** ioctls of /dev/random (random(4)). */
export const RNDGETENTCNT = 0x80045200;
export const RNDADDTOENTCNT = 0x40045201;
export const RNDADDENTROPY = 0x40085203;
export const RNDZAPENTCNT = 0x5204;
export const RNDCLEARPOOL = 0x5206;
export const RNDRESEEDCRNG = 0x5207;

/** The entropy of the seeded pool, in bits. */
export const ENTROPY_BITS = 256;
