import Cookies from 'cookies';
import type { Context } from '../core/index.js';
import type { Application } from './application_class.js';

export type CookieOptions = Cookies.SetOption;

/** `ctx.cookies`: signed by default with `config.keys`, with `config.cookies` as defaults of `set`. */
export class ContextCookies extends Cookies {
  readonly #defaults: CookieOptions;

  constructor(ctx: Context, app: Application) {
    super(ctx.req, ctx.res, { keys: app.keygrip, secure: ctx.secure });
    this.#defaults = app.config['cookies'] as CookieOptions;
  }

  override set(name: string, value?: string | null, options?: CookieOptions): this {
    return super.set(name, value, { ...this.#defaults, ...options });
  }
}
