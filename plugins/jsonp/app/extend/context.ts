import type { Context } from '../../../../core/index.js';
import { createJsonpBody, jsonpCallback } from '../../lib/jsonp.js';

export default {
  /** Whether the route answers with JSONP, and the client has named a callback. */
  get acceptJSONP(): boolean {
    return Boolean(jsonpCallback(this as unknown as Context));
  },

  createJsonpBody(body: unknown): void {
    createJsonpBody(this as unknown as Context, body);
  },
};
