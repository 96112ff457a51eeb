import { randomFillSync, timingSafeEqual } from 'node:crypto';

const SECRET_BYTES = 18;
/** Random bytes are drawn for many secrets at a time: a draw takes longer than everything else. */
const pool = Buffer.alloc(SECRET_BYTES * 256);
let used = pool.length;

function takeRandom(bytes: number): Buffer {
  if (used + bytes > pool.length) {
    randomFillSync(pool);
    used = 0;
  }
  used += bytes;
  return pool.subarray(used - bytes, used);
}

/** @returns 24 characters that are safe in a cookie and in a URL */
export function createSecret(): string {
  return takeRandom(SECRET_BYTES).toString('base64url');
}

/** @returns 16 characters */
export function createNonce(): string {
  return takeRandom(12).toString('base64url');
}

/**
 * Hides a secret behind random bytes, other ones each time: what a compressed page holds cannot be found out from its length (BREACH).
 */
export function maskSecret(secret: string): string {
  const bytes = Buffer.from(secret);
  const mask = randomFillSync(Buffer.alloc(bytes.length));
  return Buffer.concat([mask, xor(bytes, mask)]).toString('base64url');
}

/** @returns whether the token is the secret, as a script has read it from the cookie, or the masked one of a page */
export function isTokenOf(secret: string, token: unknown): boolean {
  if (typeof token !== 'string' || token === '') return false;
  const bytes = Buffer.from(secret);
  if (equals(bytes, Buffer.from(token))) return true;
  const masked = Buffer.from(token, 'base64url');
  const { length } = bytes;
  return masked.length === 2 * length && equals(bytes, xor(masked.subarray(0, length), masked.subarray(length)));
}

function equals(a: Buffer, b: Buffer): boolean {
  return a.length === b.length && timingSafeEqual(a, b);
}

function xor(a: Buffer, b: Buffer): Buffer {
  return Buffer.from(a.map((byte, index) => byte ^ (b[index] as number)));
}
