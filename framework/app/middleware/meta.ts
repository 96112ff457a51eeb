import type { Context, Next } from '../../../core/index.js';

/** Sets `x-readtime`, the milliseconds that the response took. */
export default (options: { logging?: boolean }) =>
  async function meta(ctx: Context, next: Next): Promise<void> {
    if (options.logging)
      ctx.coreLogger.info('[meta] request started, host: %s, user-agent: %s', ctx.host, ctx.get('user-agent'));
    await next();
    ctx.set('x-readtime', String(Date.now() - ctx.starttime));
  };
