import { type Context, type Middleware, type Next, refuse } from '../../../core/index.js';

/** `config.jsonp`, and the argument of `app.jsonp()`. */
export interface JsonpOptions {
  /** Characters that a callback may have; default 50. */
  limit?: number;
  /** Fields of the query that name the callback; default `_callback`, then `callback`. */
  callback?: string | string[];
  /** Lets only requests with a CSRF token through, or from the white list; default false. */
  csrf?: boolean;
  /** Whose pages may ask: a host, `.host` with all below it, a RegExp on the whole referrer, or a list of these. */
  whiteList?: string | RegExp | (string | RegExp)[] | undefined;
}

const CALLBACK = Symbol('ctx.jsonpCallback');

type WithCallback = Context & { [CALLBACK]?: string };

/** @returns a middleware for routes, which wraps the body into a call of the function that the client names */
export function jsonp(options: JsonpOptions): Middleware {
  const { limit = 50, callback = [], csrf = false, whiteList } = options;
  const fields = [callback].flat();
  const isListed = whiteList === undefined ? undefined : compileWhiteList([whiteList].flat());
  return async function jsonp(ctx: Context, next: Next) {
    const name = callbackOf(ctx, fields, limit);
    (ctx as WithCallback)[CALLBACK] = name;
    if ((csrf || isListed) && !(csrf && hasToken(ctx)) && !isListed?.(ctx.get('referrer'))) {
      refuse(ctx, 403, 'jsonp request security validate failed');
    }
    await next();
    const { body } = ctx;
    if (name && body !== undefined && body !== null && !isStream(body)) createJsonpBody(ctx, body);
  };
}

/** @returns the callback of a request whose route has the middleware */
export function jsonpCallback(ctx: Context): string | undefined {
  return (ctx as WithCallback)[CALLBACK];
}

/** Answers with a script that calls the callback, if the page has such a function. */
export function createJsonpBody(ctx: Context, body: unknown): void {
  const name = jsonpCallback(ctx);
  if (!name) {
    ctx.body = body;
    return;
  }
  // The comment spoils what a browser plugin could take for its own format (Rosetta Flash).
  const json = (JSON.stringify(body) ?? 'null').replace(/[\u2028\u2029]/g, escapeSeparator);
  ctx.set('x-content-type-options', 'nosniff');
  ctx.set('content-type', 'application/javascript; charset=utf-8');
  ctx.body = `/**/ typeof ${name} === 'function' && ${name}(${json});`;
}

function escapeSeparator(character: string): string {
  return character === '\u2028' ? '\\u2028' : '\\u2029';
}

/** @returns a name that can do nothing but be called */
function callbackOf(ctx: Context, fields: string[], limit: number): string | undefined {
  for (const field of fields) {
    const given: unknown = ctx.query[field];
    if (typeof given !== 'string' || given === '') continue;
    return given.slice(0, limit).replace(/[^[\]\w$.]/g, '') || undefined;
  }
  return undefined;
}

function hasToken(ctx: Context): boolean {
  try {
    // Without the plugin `security` there is no token.
    ctx.assertCsrf?.();
    return true;
  } catch (error) {
    if ((error as { status?: number }).status === 403) return false;
    throw error;
  }
}

function compileWhiteList(list: (string | RegExp)[]): (referrer: string) => boolean {
  return (referrer) =>
    list.some((entry) => (typeof entry === 'string' ? isOfHost(referrer, entry) : referrer.search(entry) >= 0));
}

function isOfHost(referrer: string, host: string): boolean {
  if (!URL.canParse(referrer)) return false;
  const { hostname } = new URL(referrer);
  return host.startsWith('.') ? `.${hostname}`.endsWith(host.toLowerCase()) : hostname === host.toLowerCase();
}

function isStream(body: unknown): boolean {
  return typeof (body as { pipe?: unknown }).pipe === 'function' || Buffer.isBuffer(body);
}
