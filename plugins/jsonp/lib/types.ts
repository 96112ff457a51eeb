import type { JsonpOptions } from './jsonp.js';

export type { JsonpOptions };

declare module '../../../core/types.js' {
  interface KnownConfig {
    jsonp?: JsonpOptions;
  }

  interface ApplicationExtension {
    jsonp(options?: JsonpOptions): Middleware;
  }

  interface ContextExtension {
    acceptJSONP: boolean;
    createJsonpBody(body: unknown): void;
  }
}
