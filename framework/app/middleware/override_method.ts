import type { Context, Next } from '../../../core/index.js';

const { METHODS } = process.getBuiltinModule('node:http');

/** Lets a POST stand for another method: `_method` of the body, else the header `x-http-method-override`. */
export default ({ allowedMethods = ['POST'] }: { allowedMethods?: string[] }) =>
  function overrideMethod(ctx: Context, next: Next): unknown {
    if (!allowedMethods.includes(ctx.method)) return next();
    const { body } = ctx.request as { body?: Record<string, unknown> };
    const wanted = body?.['_method'] ?? ctx.get('x-http-method-override');
    if (wanted === '' || wanted === undefined) return next();
    const method = String(wanted).toUpperCase();
    if (!METHODS.includes(method)) ctx.throw(400, `invalid overridden method: "${method}"`);
    ctx.method = method;
    return next();
  };
