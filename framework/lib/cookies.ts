import Cookies from 'cookies';
import type { Context } from '../../core/index.js';
import type { Application } from './application_class.js';

export type CookieOptions = Cookies.SetOption;

/** `ctx.cookies`: signed by default with `config.keys`, with `config.cookies` as defaults of `set`. */
export class ContextCookies extends Cookies {
  readonly #defaults: CookieOptions;

  constructor(ctx: Context, app: Application) {
    super(ctx.req, ctx.res, { keys: app.keygrip, secure: ctx.secure });
    this.#defaults = app.config['cookies'] as CookieOptions;
  }

  /**
   * The value of a cookie; undefined when it is not there or its signature does not fit.
   * Signed unless `signed: false` is given: the library itself checks nothing when it gets no options.
   */
  override get(name: string, options?: Cookies.GetOption): string | undefined {
    // The library reads signatures through this method, without options.
    if (!options && name.endsWith('.sig')) return super.get(name, { signed: false });
    return super.get(name, { signed: true, ...options });
  }

  override set(name: string, value?: string | null, options?: CookieOptions): this {
    return super.set(name, value, { signed: true, ...this.#defaults, ...options });
  }
}
