import type { Context } from '../../../../core/index.js';
import { respondToError } from '../../lib/respond_to_error.js';

export default {
  /** Koa calls it with whatever the middleware has thrown. */
  onerror(this: Context, error: unknown): void {
    respondToError(this, error);
  },
};
