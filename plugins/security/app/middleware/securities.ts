import { type Context, type Middleware, middlewareOf, setHeaderBlock } from '../../../../core/index.js';
import { securityOf } from '../../security.js';
import { reapplySecurityOptions } from '../../security_options.js';

/** Refuses what the guards of `config.security` refuse, and sets their headers. */
export default (_options: object, app: unknown): Middleware => {
  const security = securityOf(app);
  const { guards, headerBlock, pathHeaders, dynamicHeaders } = security;
  // Loops by index: it runs for every request.
  return middlewareOf('securities', { before });

  function before(ctx: Context): undefined {
    for (let index = 0; index < guards.length; index += 1) (guards[index] as (ctx: Context) => void)(ctx);
    const { res } = ctx;
    setHeaderBlock(res, headerBlock);
    for (let index = 0; index < pathHeaders.length; index += 1) {
      const { name, value, applies } = pathHeaders[index] as (typeof pathHeaders)[number];
      if (applies(ctx)) res.setHeader(name, value);
    }
    for (let index = 0; index < dynamicHeaders.length; index += 1) {
      security.override(ctx, dynamicHeaders[index] as (typeof dynamicHeaders)[number], {});
    }
    reapplySecurityOptions(ctx);
  }
};
