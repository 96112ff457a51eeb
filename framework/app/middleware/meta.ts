import { type Context, middlewareOf } from '../../../core/index.js';
import { useTime } from '../../lib/logger/line_format.js';

/** Sets `x-readtime`, the milliseconds that the response took. */
export default ({ logging }: { logging?: boolean }) =>
  middlewareOf('meta', {
    before(ctx: Context) {
      if (!logging) return undefined;
      ctx.coreLogger.info('[meta] request started, host: %s, user-agent: %s', ctx.host, ctx.get('user-agent'));
      return undefined;
    },
    after(ctx: Context) {
      if (!ctx.res.headersSent) ctx.res.setHeader('x-readtime', String(useTime(ctx)));
      return undefined;
    },
  });
