import Cookies from 'cookies';
import type { Context } from '../../../core/index.js';
import { ClutchError } from '../../../errors.js';
import type { EggFormat } from './cookie_cipher.js';
import { MAX_COOKIE_LENGTH } from './cookie_limit.js';

/** Begins the name of the copy of a cookie that `autoChips` sets for pages of other sites. */
const CHIPS_PREFIX = '_CHIPS-';

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
  /** With `partitioned`: whether a cookie of this name that is not partitioned is removed; default false. */
  removeUnpartitioned?: boolean;
}

/** `config.cookies`: the defaults of `set`, and options of all cookies. */
export interface CookiesConfig extends CookieOptions {
  /** Whether Egg's format of encrypted cookies is `'read'` (default), also what is written (`'write'`), or refused (false). */
  eggFormat?: EggFormat;
  /** Whether each cookie with `sameSite: 'none'` over TLS has a partitioned copy; default false. */
  autoChips?: boolean;
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
    const value = this.#read(name, name, options);
    if (value !== undefined || !this.#ctx.app.config.cookies?.autoChips) return value;
    return this.#read(CHIPS_PREFIX + name, name, options);
  }

  /** @param name what `set` was called with */
  #read(sentAs: string, name: string, { encrypt, signed }: CookieGetOptions): string | undefined {
    if (encrypt) {
      const value = super.get(sentAs, { signed: false });
      return value === undefined ? undefined : this.#ctx.app.cookieCipher.decrypt(value, name);
    }
    // The library reads a signature through this method, without options.
    return super.get(sentAs, { signed: signed ?? !name.endsWith('.sig') });
  }

  /**
   * Sets a cookie, or removes it if `value` is empty.
   *
   * @throws {ClutchError} ERR_CLUTCH_COOKIE for a secure cookie on a connection without encryption, and for a name, value or option
   * that no header can hold
   */
  override set(name: string, value?: string | null, options?: CookieOptions): this {
    const { app, req, res, secure: isSecure } = this.#ctx;
    const {
      signed = true,
      encrypt = false,
      maxAge,
      eggFormat: _,
      autoChips,
      ...given
    } = {
      ...app.config.cookies,
      ...options,
    } as CookiesConfig;
    if (given.secure && !isSecure) throw insecure(name);
    const secure = given.secure ?? isSecure;
    const text = encrypt && value ? app.cookieCipher.encrypt(value, name) : (value ?? '');
    if (text.length > MAX_COOKIE_LENGTH) app.emit('cookieLimitExceed', { name, value: text, ctx: this.#ctx });
    const userAgent = req.headers['user-agent'];
    const wantsNone = typeof given.sameSite === 'string' && given.sameSite.toLowerCase() === 'none';
    const isNone = wantsNone && secure && takesSameSiteNone(userAgent);
    const mayPartition = isNone && takesPartitioned(userAgent);
    const partitioned = mayPartition && (given.partitioned || isChipsSignature(name));
    const age = Number(maxAge);
    const attributes = {
      ...given,
      ...(age > 0 ? { maxAge: age } : {}),
      sameSite: wantsNone && !isNone ? false : given.sameSite,
      secure,
      partitioned,
    };

    const cookies = [res.getHeader('set-cookie') ?? []].flat().map(String);
    const add = (sentAs: string, sent: string, more: object = {}): void => {
      const cookie = makeCookie(sentAs, sent, { ...attributes, ...more });
      push(cookies, cookie);
      if (!signed || encrypt) return;
      const signature = sent && app.keygrip.sign(cookie.toString());
      push(cookies, Object.assign(cookie, { name: `${sentAs}.sig`, value: signature }));
    };
    if (partitioned && given.removeUnpartitioned) {
      add(name, '', { partitioned: false });
      add(name, text, { overwrite: false });
    } else {
      if (mayPartition && !partitioned && autoChips && !name.endsWith('.sig')) {
        add(CHIPS_PREFIX + name, text, { partitioned: true });
      }
      add(name, text);
    }
    res.setHeader('set-cookie', cookies);
    return this;
  }
}

/** Whether this is the signature of a partitioned copy, which the library sets anew when the keys have changed. */
function isChipsSignature(name: string): boolean {
  return name.startsWith(CHIPS_PREFIX) && name.endsWith('.sig');
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
  const chromium = chromiumVersion(userAgent);
  if (chromium !== undefined) return chromium >= 80;
  return !/\(iP.+; CPU .*OS 12[_\d]*|\(Macintosh;.*Mac OS X 10_14.*Version\/.* Safari\//.test(userAgent);
}

/** Chromium before this version has other rules for partitioned cookies. Browsers that do not know the attribute ignore it. */
function takesPartitioned(userAgent = ''): boolean {
  return (chromiumVersion(userAgent) ?? Number.POSITIVE_INFINITY) >= 118;
}

function chromiumVersion(userAgent: string): number | undefined {
  const version = /Chrom(?:e|ium)\/(\d+)\./.exec(userAgent)?.[1];
  return version === undefined ? undefined : Number(version);
}
