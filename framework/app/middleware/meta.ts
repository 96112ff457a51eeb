import type { Context, Next } from '../../../core/index.js';

/** Sets `x-readtime`, the milliseconds that the response took. */
export default ({ logging }: { logging?: boolean }) =>
  // Not async: it waits for one thing only, and runs for every request.
  function meta(ctx: Context, next: Next): Promise<void> {
    if (logging) {
      ctx.coreLogger.info('[meta] request started, host: %s, user-agent: %s', ctx.host, ctx.get('user-agent'));
    }
    return next().then(() => {
      if (!ctx.res.headersSent) ctx.res.setHeader('x-readtime', String(Date.now() - ctx.starttime));
    });
  };
