import type { IncomingMessage } from 'node:http';
import { addressOf } from './respond.js';

const { createHash, createHmac, timingSafeEqual } = process.getBuiltinModule('node:crypto');

const COOKIE = 'clutch_admin';
/** Seconds that a login lasts. */
const LIFETIME = 12 * 60 * 60;
/** Wrong tokens of one address in a minute, after which no other is looked at. */
const MOST_FAILURES = 10;
const FAILURE_LIFETIME = 60_000;
/** Addresses that are remembered. */
const MOST_ADDRESSES = 1000;

type Visitor = Pick<IncomingMessage, 'headers' | 'socket'>;

/** Who may see the page: with a token, those who send it in `Authorization`, or have a cookie for it. */
export class Credentials {
  readonly #token: string | undefined;
  /** By address; `until` in milliseconds since the epoch. */
  readonly #failures = new Map<string, { count: number; until: number }>();

  constructor(token: string | undefined) {
    this.#token = token;
  }

  isAllowed(visitor: Visitor): boolean {
    if (this.#token === undefined) return true;
    const { authorization = '', cookie = '' } = visitor.headers;
    const [, bearer] = /^Bearer +(\S+)$/i.exec(authorization) ?? [];
    if (bearer !== undefined) return this.#isToken(bearer, visitor);
    const [, session] = new RegExp(`(?:^|; *)${COOKIE}=([\\w.-]+)`).exec(cookie) ?? [];
    return session !== undefined && this.#isSession(session);
  }

  /** Whether so many wrong tokens have come from there that somebody may be guessing. */
  isBlocked({ socket }: Visitor): boolean {
    const failures = this.#failures.get(addressOf(socket));
    return failures !== undefined && failures.count >= MOST_FAILURES && Date.now() < failures.until;
  }

  /** @returns the header that sets the cookie; undefined if the token is wrong */
  login(given: string, visitor: Visitor): string | undefined {
    if (this.#token === undefined || !this.#isToken(given, visitor)) return undefined;
    // Behind a proxy with TLS.
    const isSecure = visitor.headers.origin?.startsWith('https:');
    const expires = String(Math.floor(Date.now() / 1000) + LIFETIME);
    const attributes = `Path=/; Max-Age=${LIFETIME}; HttpOnly; SameSite=Strict${isSecure ? '; Secure' : ''}`;
    return `${COOKIE}=${expires}.${this.#sign(expires)}; ${attributes}`;
  }

  #isToken(given: string, visitor: Visitor): boolean {
    if (this.isBlocked(visitor)) return false;
    if (isSame(given, this.#token as string)) return true;
    this.#countFailure(addressOf(visitor.socket));
    return false;
  }

  #countFailure(address: string): void {
    const now = Date.now();
    const before = this.#failures.get(address);
    const count = before && now < before.until ? before.count + 1 : 1;
    this.#failures.delete(address);
    this.#failures.set(address, { count, until: now + FAILURE_LIFETIME });
    const [oldest = ''] = this.#failures.keys();
    if (this.#failures.size > MOST_ADDRESSES) this.#failures.delete(oldest);
  }

  #isSession(session: string): boolean {
    const [expires = '', signature = ''] = session.split('.');
    return isSame(signature, this.#sign(expires)) && Number(expires) * 1000 > Date.now();
  }

  /** The token is the key, so that a login outlives the Master and ends with the token. */
  #sign(expires: string): string {
    return createHmac('sha256', this.#token as string)
      .update(`clutch admin page until ${expires}`)
      .digest('base64url');
  }
}

/** In constant time, whatever the lengths. */
function isSame(a: string, b: string): boolean {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(a), digest(b));
}
