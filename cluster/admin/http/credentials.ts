import type { IncomingHttpHeaders } from 'node:http';

const { createHash, createHmac, timingSafeEqual } = process.getBuiltinModule('node:crypto');

const COOKIE = 'clutch_admin';
/** Seconds that a login lasts. */
const LIFETIME = 12 * 60 * 60;
/** Wrong tokens in a minute after which no other is looked at. */
const MOST_FAILURES = 10;

/** Who may see the page: with a token, those who send it in `Authorization`, or have a cookie for it. */
export class Credentials {
  readonly #token: string | undefined;
  #failures = 0;
  #failuresUntil = 0;

  constructor(token: string | undefined) {
    this.#token = token;
  }

  isAllowed({ authorization = '', cookie = '' }: IncomingHttpHeaders): boolean {
    if (this.#token === undefined) return true;
    const [, bearer] = /^Bearer +(\S+)$/i.exec(authorization) ?? [];
    if (bearer !== undefined) return this.#isToken(bearer);
    const [, session] = new RegExp(`(?:^|; *)${COOKIE}=([\\w.-]+)`).exec(cookie) ?? [];
    return session !== undefined && this.#isSession(session);
  }

  /** Whether so many wrong tokens have come that somebody may be guessing. */
  get isBlocked(): boolean {
    return this.#failures >= MOST_FAILURES && Date.now() < this.#failuresUntil;
  }

  /** @returns the header that sets the cookie; undefined if the token is wrong */
  login(given: string): string | undefined {
    if (this.#token === undefined || !this.#isToken(given)) return undefined;
    const expires = String(Math.floor(Date.now() / 1000) + LIFETIME);
    const attributes = `Path=/; Max-Age=${LIFETIME}; HttpOnly; SameSite=Strict`;
    return `${COOKIE}=${expires}.${this.#sign(expires)}; ${attributes}`;
  }

  #isToken(given: string): boolean {
    if (this.isBlocked) return false;
    if (isSame(given, this.#token as string)) return true;
    const now = Date.now();
    if (now > this.#failuresUntil) this.#failures = 0;
    this.#failures += 1;
    this.#failuresUntil = now + 60_000;
    return false;
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
