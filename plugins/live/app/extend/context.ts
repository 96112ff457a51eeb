import type { Context } from '../../../../core/index.js';
import { EventStream, type EventStreamOptions } from '../../lib/event_stream.js';
import { clientSignal } from '../../lib/signal.js';

const SIGNAL = Symbol('ctx.signal');

export default {
  /** Makes the response a stream of server-sent events. */
  sse(options?: EventStreamOptions): EventStream {
    return new EventStream(this as unknown as Context, options);
  },

  /** Aborted when the client leaves before it has the whole response: give it to `fetch`, queries and timers. */
  get signal(): AbortSignal {
    const ctx = this as unknown as Context & { [SIGNAL]?: AbortSignal };
    return (ctx[SIGNAL] ??= clientSignal(ctx));
  },
};
