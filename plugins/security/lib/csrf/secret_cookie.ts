import { createRequire } from 'node:module';
import type Cookies from 'cookies';
import { addHeaderLine, type Context } from '../../../../core/index.js';
import type { CsrfOptions } from '../options.js';
import { CookieLines } from './cookie_lines.js';
import { createSecret } from './secret.js';

const require = createRequire(import.meta.url);

type Attributes = Record<string, unknown>;

/** Attributes whose header is the same for all requests. */
const CONSTANT = new Set([
  'path',
  'domain',
  'sameSite',
  'secure',
  'httpOnly',
  'overwrite',
  'signed',
  'encrypt',
  'eggFormat',
]);

/** The cookie of the CSRF secret: scripts of the page can read it, and it is the same for all of the app's pages. */
export class SecretCookie {
  readonly #names: string[];
  readonly #attributes: Attributes;
  readonly #domain: CsrfOptions['cookieDomain'];
  readonly #isPlain: boolean;
  /** Finds the cookie where it is neither signed nor encrypted, without `ctx.cookies`. */
  readonly #pattern: RegExp | undefined;
  /** For connections without and with TLS, where the attributes are the same for all requests. */
  readonly #lines: [CookieLines, CookieLines] | undefined;

  constructor({ cookieName = 'csrfToken', cookieDomain, cookieOptions = {} }: CsrfOptions, defaults: Attributes) {
    this.#names = [cookieName].flat();
    this.#domain = cookieDomain;
    this.#attributes = { ...defaults, httpOnly: false, overwrite: true, ...cookieOptions };
    const { signed = true, encrypt = false } = this.#attributes;
    this.#isPlain = !signed && !encrypt;
    const [name = ''] = this.#names;
    if (!this.#isPlain || this.#names.length > 1 || this.#attributes['autoChips']) return;
    this.#pattern = new RegExp(`(?:^|;) *${name.replace(/[-[\]{}()*+?.,\\^$|#\s]/g, '\\$&')}=([^;]*)`);
    const { sameSite, secure } = this.#attributes;
    const isConstant = Object.keys(this.#attributes).every((key) => CONSTANT.has(key));
    if (!isConstant || typeof cookieDomain === 'function' || String(sameSite).toLowerCase() === 'none' || secure)
      return;
    const { Cookie } = require('cookies') as typeof Cookies;
    const linesOf = (overTls: boolean): CookieLines => {
      const header = new Cookie(name, 'x', { ...this.#attributes, domain: cookieDomain, secure: overTls }).toHeader();
      return new CookieLines(`set-cookie: ${name}=`, header.slice(`${name}=x`.length));
    };
    this.#lines = [linesOf(false), linesOf(true)];
  }

  get(ctx: Context): string | undefined {
    const header = ctx.req.headers.cookie;
    if (header === undefined) return undefined;
    if (this.#pattern) return this.#pattern.exec(header)?.[1] || undefined;
    for (const name of this.#names) {
      const secret = ctx.cookies.get(name, { signed: !this.#isPlain, ...this.#attributes });
      if (secret) return secret;
    }
    return undefined;
  }

  /** @returns the new secret that the client gets */
  setNew(ctx: Context): string {
    if (this.#lines !== undefined) {
      const lines = this.#lines[ctx.secure ? 1 : 0];
      lines.advance();
      // The secret is base64 text, and `Cookie` has checked what stands around it.
      if (addHeaderLine(ctx.res, 'set-cookie', lines.line)) return lines.secret;
    }
    const secret = createSecret();
    const domain = typeof this.#domain === 'function' ? this.#domain(ctx) : this.#domain;
    for (const name of this.#names) ctx.cookies.set(name, secret, { ...this.#attributes, domain });
    return secret;
  }
}
