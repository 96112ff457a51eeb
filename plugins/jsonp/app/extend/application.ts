import type { Middleware } from '../../../../core/index.js';
import { type JsonpOptions, jsonp } from '../../lib/jsonp.js';

export default {
  /** @returns a middleware for routes that answer with JSONP; the options are those of `config.jsonp` where they are not given */
  jsonp(options: JsonpOptions = {}): Middleware {
    const { config } = this as unknown as { config: { jsonp?: JsonpOptions } };
    return jsonp({ ...config.jsonp, ...options });
  },
};
