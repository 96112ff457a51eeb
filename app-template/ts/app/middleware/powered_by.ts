import type { Middleware } from 'koa-clutch';

/** Its options are `config.poweredBy`; the list `config.middleware` puts it to work. */
export default (options: { name: string }): Middleware =>
  async (ctx, next) => {
    await next();
    ctx.set('x-powered-by', options.name);
  };
