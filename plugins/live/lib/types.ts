export type { EventStream, ServerEvent } from './event_stream.js';
export type { WebSocketHandler } from './web_sockets.js';

import type { EventStream, EventStreamOptions } from './event_stream.js';
import type { WebSocketHandler } from './web_sockets.js';

declare module '../../../core/types.js' {
  interface ApplicationExtension {
    /** Registers a route for web sockets; middleware may stand before the handler. */
    ws(path: string, ...handlers: [...Middleware[], WebSocketHandler]): this;
  }

  interface ContextExtension {
    /** Makes the response a stream of server-sent events. */
    sse(options?: EventStreamOptions): EventStream;
    /** Aborted when the client leaves before it has the whole response. */
    readonly signal: AbortSignal;
  }
}
