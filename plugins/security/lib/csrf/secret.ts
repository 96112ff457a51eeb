import { randomFillSync, timingSafeEqual } from 'node:crypto';

/** Characters of base64url: 24 of them hold 18 random bytes. */
export const SECRET_LENGTH = 24;
const NONCE_LENGTH = 16;
/** Random text is drawn for hundreds of secrets at a time: a draw takes longer than everything else. */
const pool = Buffer.alloc(3 * 1536);
let text = '';
let used = 0;

function takeRandom(length: number): string {
  if (used + length > text.length) {
    text = randomFillSync(pool).toString('base64url');
    used = 0;
  }
  used += length;
  return text.slice(used - length, used);
}

/** @returns 24 characters that are safe in a cookie and in a URL */
export function createSecret(): string {
  return takeRandom(SECRET_LENGTH);
}

/** @returns 16 characters */
export function createNonce(): string {
  return takeRandom(NONCE_LENGTH);
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
