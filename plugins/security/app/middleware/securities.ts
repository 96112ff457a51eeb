import { type Context, type Middleware, middlewareOf } from '../../../../core/index.js';
import { securityOf } from '../../security.js';
import { reapplySecurityOptions } from '../../security_options.js';

/** Refuses what the guards of `config.security` refuse, and sets their headers. */
export default (_options: object, app: unknown): Middleware => {
  const security = securityOf(app);
  const { guards, headers, dynamicHeaders } = security;
  // Loops by index: it runs for every request.
  return middlewareOf('securities', { before });

  function before(ctx: Context): undefined {
    for (let index = 0; index < guards.length; index += 1) (guards[index] as (ctx: Context) => void)(ctx);
    const { res } = ctx;
    for (let index = 0; index < headers.length; index += 1) {
      const { name, value, applies } = headers[index] as (typeof headers)[number];
      if (applies === undefined || applies(ctx)) res.setHeader(name, value);
    }
    for (const name of dynamicHeaders) security.override(ctx, name, {});
    reapplySecurityOptions(ctx);
  }
};
