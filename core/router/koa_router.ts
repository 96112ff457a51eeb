import { createRequire } from 'node:module';
import type { Context, Middleware, Next } from '../types.js';

const require = createRequire(import.meta.url);

// What this package uses of `@koa/router`, private members included; no other file names those. Its own types fit Koa's
// contexts, not ours. Where a private member is missing, `canDispatch` says so, and the original handles the requests.
// test/core/router/koa_router.test.ts checks each assumption.

export type RoutePath = string | RegExp;

/** One registered route, or middleware of `use()` when it has no methods. */
export interface Layer {
  name?: string;
  path: RoutePath;
  regexp: RegExp;
  methods: string[];
  paramNames: { name: string }[];
  stack: Middleware[];
  opts: {
    end?: boolean;
    pathAsRegExp?: unknown;
    ignoreCaptures?: boolean;
    ignoreWildcardParameter?: unknown;
    [option: string]: unknown;
  };
  match(path: string): boolean;
  captures(path: string): string[];
  params(path: string, captures: string[], existing?: Record<string, string>): Record<string, string>;
  setPrefix(prefix: string): Layer;
}

export interface MatchResult {
  /** Layers whose path matches. */
  path: Layer[];
  /** Those of them that take the method, and middleware. */
  pathAndMethod: Layer[];
  /** Whether one of these is a route. */
  route: boolean;
}

export interface RouterOptions {
  prefix?: string;
  sensitive?: boolean;
  strict?: boolean;
  /** The path to match in place of that of the request. */
  routerPath?: string;
  [option: string]: unknown;
}

export interface RouteOptions {
  name?: string;
  end?: boolean;
  pathAsRegExp?: boolean;
  [option: string]: unknown;
}

export interface KoaRouter {
  opts: RouterOptions;
  stack: Layer[];
  matchHost(host: string): boolean;
  match(path: string, method: string): MatchResult;
  register(path: RoutePath | RoutePath[], methods: string[], handlers: unknown, options?: RouteOptions): unknown;
  middleware(): Middleware;
  routes(): Middleware;
  allowedMethods(options?: object): Middleware;
  use(...middleware: unknown[]): this;
  prefix(prefix: string): this;
  param(name: string, handler: (value: string, ctx: Context, next: Next) => unknown): this;
  route(name: string): Layer | false;
}
export const KoaRouter = require('@koa/router') as new (options: RouterOptions) => KoaRouter;

interface RouterInternals {
  exclusive?: unknown;
  host?: unknown;
  _events?: { _handlers?: { size?: unknown } };
}

/** @returns whether the router chooses layers by path and method alone, and has no handlers of its events */
export function choosesByPath(router: KoaRouter): boolean {
  const { exclusive, host, _events: events } = router as KoaRouter & RouterInternals;
  return !exclusive && !host && events?._handlers?.size === 0;
}

/** @returns whether the layer has the fields that our own matching reads */
export function canDispatch({ regexp, methods, paramNames, stack, opts }: Partial<Layer>): boolean {
  const lists = [methods, paramNames, stack];
  return regexp instanceof RegExp && typeof opts === 'object' && lists.every((list) => Array.isArray(list));
}

/** What `@koa/router` leaves in a context. */
interface RoutedContext {
  matched?: Layer[];
  newRouterPath?: string;
  router: unknown;
  routeMatched?: boolean;
  captures?: string[];
  params?: Record<string, string>;
  request: { params?: Record<string, string> };
  routerPath?: RoutePath;
  routerName?: string;
  _matchedRoute?: RoutePath;
  _matchedRouteName?: string;
}

/** The same context, as `@koa/router` sees it. */
export function routed(ctx: Context): RoutedContext {
  return ctx as object as RoutedContext;
}

/** Notes which route a request has taken, where `@koa/router` documents it. */
export function setMatchedRoute(ctx: RoutedContext, layer: Layer): void {
  ctx._matchedRoute = layer.path;
  if (layer.name) ctx._matchedRouteName = layer.name;
}
