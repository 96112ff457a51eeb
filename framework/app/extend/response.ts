import { defineExtend } from '../../lib/define_extend.js';
import type { Response } from '../../lib/types.js';

const REAL_STATUS = Symbol('response.realStatus');

export default defineExtend<Response & { [REAL_STATUS]?: number }>({
  /** The status that happened, where another one is sent, as with a redirect to an error page. */
  get realStatus(): number {
    return this[REAL_STATUS] ?? this.status;
  },

  set realStatus(status: number) {
    this[REAL_STATUS] = status;
  },
});
