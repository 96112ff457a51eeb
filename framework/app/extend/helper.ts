import { defineExtend } from '../../lib/define_extend.js';
import type { Helper } from '../../lib/types.js';

export default defineExtend<Helper>({
  /** The path of a named route. */
  pathFor(name: string, params?: object): string {
    return this.ctx.router.url(name, params);
  },

  /** The URL of a named route, with protocol and host of the request. */
  urlFor(name: string, params?: object): string {
    const { ctx } = this;
    return `${ctx.protocol}://${ctx.host}${ctx.router.url(name, params)}`;
  },
});
