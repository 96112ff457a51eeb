import { type Context, middlewareOf, refuse } from '../../../core/index.js';

const METHODS = new Set(process.getBuiltinModule('node:http').METHODS);

/** Lets a POST stand for another method: `_method` of the body, else the header `x-http-method-override`. */
export default ({ allowedMethods = ['POST'] }: { allowedMethods?: string[] }) =>
  middlewareOf('overrideMethod', {
    before(ctx: Context) {
      if (!allowedMethods.includes(ctx.method)) return undefined;
      const { body } = ctx.request as { body?: { _method?: unknown } | null };
      const wanted = body?._method ?? ctx.get('x-http-method-override');
      if (wanted === '') return undefined;
      const method = typeof wanted === 'string' ? wanted.toUpperCase() : '';
      // The client's text is no part of the message, which is logged and sent back.
      if (!METHODS.has(method)) refuse(ctx, 400, 'invalid overridden method');
      ctx.method = method;
      return undefined;
    },
  });
