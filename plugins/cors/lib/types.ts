import type { Context } from '../../../core/index.js';

/** `config.cors`: the options of @koa/cors. */
export interface CorsConfig {
  /** Whose pages may read responses; default those of `config.security.domainWhiteList`. */
  origin?: string | ((ctx: Context) => string | Promise<string>);
  allowMethods?: string | string[];
  allowHeaders?: string | string[];
  exposeHeaders?: string | string[];
  /** Seconds that a browser remembers the answer to a preflight request. */
  maxAge?: number | string;
  /** Whether cookies may be sent along. */
  credentials?: boolean | ((ctx: Context) => boolean | Promise<boolean>);
  keepHeadersOnError?: boolean;
  secureContext?: boolean;
  privateNetworkAccess?: boolean;
}

declare module '../../../core/types.js' {
  interface KnownConfig {
    cors?: CorsConfig;
  }
}
