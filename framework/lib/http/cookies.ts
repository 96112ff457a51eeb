import Cookies from 'cookies';
import type { Context } from '../../../core/index.js';
import { ClutchError } from '../../../errors.js';
import { MAX_COOKIE_LENGTH } from './cookie_limit.js';

/** Options of `ctx.cookies.set`; `config.cookies` holds their defaults. */
export interface CookieOptions extends Omit<Cookies.SetOption, 'maxAge' | 'path' | 'secureProxy'> {
  /** Milliseconds; 0 and anything that is not a number make a cookie of the browser's session. */
  maxAge?: number | string | null;
  /** Default `/`; null leaves it to the browser. */
  path?: string | null;
  /** Default true; an encrypted cookie is not signed. */
  signed?: boolean;
  /** Default false. */
  encrypt?: boolean;
}

export interface CookieGetOptions {
  /** Default true. */
  signed?: boolean;
  /** Default false. */
  encrypt?: boolean;
}

/** `ctx.cookies`. Cookies are signed with `config.keys` by default; `config.cookies` holds the defaults of `set`. */
export class ContextCookies extends Cookies {
  readonly #ctx: Context;

  constructor(ctx: Context) {
    super(ctx.req, ctx.res, { keys: ctx.app.keygrip });
    this.#ctx = ctx;
  }

  /** @returns the value; undefined if there is none, its signature is wrong or it cannot be decrypted */
  override get(name: string, options: CookieGetOptions = {}): string | undefined {
    if (options.encrypt) {
      const value = super.get(name, { signed: false });
      return value === undefined ? undefined : this.#ctx.app.cookieCipher.decrypt(value);
    }
    // The library reads a signature through this method, without options.
    return super.get(name, { signed: options.signed ?? !name.endsWith('.sig') });
  }

  /**
   * Sets a cookie, or removes it if `value` is empty.
   *
   * @throws {ClutchError} ERR_CLUTCH_COOKIE for a secure cookie on a connection without encryption, and for a name, value or option
   * that no header can hold
   */
  override set(name: string, value?: string | null, options?: CookieOptions): this {
    const { app, req, res, secure: isSecure } = this.#ctx;
    const { signed = true, encrypt = false, maxAge, ...given } = { ...app.config.cookies, ...options };
    if (given.secure && !isSecure) throw insecure(name);
    const secure = given.secure ?? isSecure;
    const text = encrypt && value ? app.cookieCipher.encrypt(value) : (value ?? '');
    if (text.length > MAX_COOKIE_LENGTH) app.emit('cookieLimitExceed', { name, value: text, ctx: this.#ctx });
    const isNone = typeof given.sameSite === 'string' && given.sameSite.toLowerCase() === 'none';
    const sameSite = isNone && !(secure && takesSameSiteNone(req.headers['user-agent'])) ? false : given.sameSite;
    const age = Number(maxAge);
    const cookie = makeCookie(name, text, { ...given, sameSite, secure, ...(age > 0 ? { maxAge: age } : {}) });

    const cookies = [res.getHeader('set-cookie') ?? []].flat().map(String);
    push(cookies, cookie);
    if (signed && !encrypt) {
      const signature = text && app.keygrip.sign(cookie.toString());
      push(cookies, Object.assign(cookie, { name: `${name}.sig`, value: signature }));
    }
    res.setHeader('set-cookie', cookies);
    return this;
  }
}

type Cookie = InstanceType<typeof Cookies.Cookie>;

function makeCookie(name: string, value: string, attributes: object): Cookie {
  try {
    return new Cookies.Cookie(name, value, attributes);
  } catch (cause) {
    throw new ClutchError('ERR_CLUTCH_COOKIE', `cookie ${JSON.stringify(name)}: ${(cause as Error).message}`, {
      fix: 'Encode what is not ASCII, as with encodeURIComponent(), and leave out semicolons and control characters.',
      cause,
    });
  }
}

function insecure(name: string): ClutchError {
  return new ClutchError('ERR_CLUTCH_COOKIE', 'Cannot send secure cookie over unencrypted connection', {
    where: `cookie ${name} has secure: true, and ctx.secure is false`,
    fix: 'Behind a proxy that ends TLS set config.proxy = true and have it send the header of config.protocolHeaders.',
  });
}

function push(cookies: string[], cookie: Cookie): void {
  if (cookie.overwrite) {
    const own = `${cookie.name}=`;
    for (let index = cookies.length - 1; index >= 0; index -= 1) {
      if (cookies[index]?.startsWith(own)) cookies.splice(index, 1);
    }
  }
  const { maxAge } = cookie;
  const header = cookie.toHeader();
  // The library writes `expires` only; `max-age` does not depend on the clock of the client.
  cookies.push(maxAge ? header.replace('; expires=', `; max-age=${Math.round(maxAge / 1000)}; expires=`) : header);
}

/** Old browsers treat `SameSite=None` as `Strict`: https://www.chromium.org/updates/same-site/incompatible-clients */
function takesSameSiteNone(userAgent = ''): boolean {
  const chromium = /Chrom(?:e|ium)\/(\d+)\./.exec(userAgent)?.[1];
  if (chromium) return Number(chromium) >= 80;
  return !/\(iP.+; CPU .*OS 12[_\d]*|\(Macintosh;.*Mac OS X 10_14.*Version\/.* Safari\//.test(userAgent);
}
