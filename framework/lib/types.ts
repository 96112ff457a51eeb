import type { ServerResponse } from 'node:http';
import type Koa from 'koa';
import type { Context, IHelper } from '../../core/index.js';
import type { FrameworkConfig } from './config.js';
import { FrameworkController } from './controller.js';
import type { ContextCookies } from './http/cookies.js';
import type { ContextHttpClient } from './httpclient/context_http_client.js';
import type { Logger, RequestLogger } from './logger/logger.js';

declare module '../../core/types.js' {
  interface FrameworkTypes {
    cookies: ContextCookies;
    request: Request;
    response: Response;
  }

  interface KnownConfig extends FrameworkConfig {}

  interface ContextExtension {
    logger: RequestLogger | Logger;
    coreLogger: RequestLogger | Logger;
    getLogger(name: string): RequestLogger | Logger | null;
    helper: Helper;
    httpclient: ContextHttpClient;
    httpClient: ContextHttpClient;
    /** Sends an HTTP request; it is aborted when the client of this request leaves. */
    curl: ContextHttpClient['curl'];
    /** The standard `fetch` on the connections of `app.httpclient`; it is aborted as `curl` is. */
    fetch: ContextHttpClient['fetch'];
    locals: Record<string, unknown>;
    acceptJSON: boolean;
    realStatus: number;
    queries: Record<string, string[]>;
    /** Runs after the response has gone its way; errors are emitted on the app. */
    runInBackground(scope: (ctx: Context) => unknown): void;
    /** @internal */
    _runInBackground(scope: (ctx: Context) => unknown): Promise<void>;
    res: ServerResponse;
  }
}

/** `ctx.helper`, and the class to extend in `app/extend/helper`, as in Egg 4. */
export interface Helper extends FrameworkController, IHelper {
  pathFor(name: string, params?: Record<string, unknown>): string;
  urlFor(name: string, params?: Record<string, unknown>): string;
}

/** `ctx.request`. */
export interface Request extends Omit<Koa.Request, 'app' | 'ctx' | 'query' | 'ip' | 'socket'> {
  ctx: Context;
  socket: Koa.Request['socket'] | undefined;
  query: Record<string, string>;
  queries: Record<string, string[]>;
  ip: string;
  acceptJSON: boolean;
  /** Set by the body parser. */
  body?: unknown;
  rawBody?: string | Buffer;
}

/** `ctx.response`. */
export interface Response extends Omit<Koa.Response, 'app' | 'ctx'> {
  ctx: Context;
  /** The status that happened, where another one is sent, as with a redirect to an error page. */
  realStatus: number;
}

// Classes to extend in extend files, as in Egg 4: their members are copied, not inherited.

export class Helper extends FrameworkController {}
export class Request {}
export class Response {}
