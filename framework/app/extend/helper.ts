import type { Context } from '../../../core/index.js';

export default {
  /** The path of a named route. */
  pathFor(this: { ctx: Context }, name: string, params?: object): string {
    return this.ctx.router.url(name, params);
  },

  /** The URL of a named route, with protocol and host of the request. */
  urlFor(this: { ctx: Context }, name: string, params?: object): string {
    const { ctx } = this;
    return `${ctx.protocol}://${ctx.host}${ctx.router.url(name, params)}`;
  },
};
