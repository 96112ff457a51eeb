import type { Context } from '../../../core/index.js';

/**
 * Has error responses of Koa's own `ctx.onerror` carry the security headers, but for those that the error brings itself. It removes
 * all headers and ends the response in one go, so that only its end is left to set them at. Plugin `onerror` sets them itself.
 */
export function setHeadersOnErrors(context: Pick<Context, 'onerror'>): void {
  const { onerror } = context;
  context.onerror = function (this: Context & { setSecurityHeaders(): void }, error: Error): void {
    const { res } = this;
    const { end } = res;
    res.end = (...args: unknown[]) => {
      res.end = end;
      if (!res.headersSent) {
        const own = Object.entries(res.getHeaders());
        this.setSecurityHeaders();
        for (const [name, value] of own) if (value !== undefined) res.setHeader(name, value);
      }
      return Reflect.apply(end, res, args);
    };
    try {
      onerror.call(this, error);
    } finally {
      res.end = end;
    }
  };
}
