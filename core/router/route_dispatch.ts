import { debuglog } from 'node:util';
import { channels } from '../../tracing/channels.js';
import { isRecorded } from '../../tracing/recording.js';
import { settle } from '../request/composed.js';
import { tracedMiddleware } from '../tracing/traced_request.js';
import type { Context, Middleware, Next } from '../types.js';
import { canDispatch, type Layer, type MatchResult, routed, setMatchedRoute } from './koa_router.js';
import { describeRoute, type MatchedRoute } from './matched_route.js';
import { RouteIndex } from './route_index.js';

const log = debuglog('clutch:router');

/** How a request matches the layers of a chain. */
interface Match {
  path: string;
  /** The match of each layer's RegExp; undefined if the layer's own methods did the matching. */
  found: (readonly string[] | undefined)[];
}

/** The middleware of the layers that match a request, composed ahead of it. */
export interface Chain {
  route: Layer | undefined;
  matched: MatchedRoute | undefined;
  run(ctx: Context, next: Next, match: Match): Promise<unknown>;
}

const METHODS = new Set(process.getBuiltinModule('node:http').METHODS);

/** The match of a path without captures. */
const NO_CAPTURES: readonly string[] = [''];

/** How many chains are kept; an app has about as many as it has routes. */
const CHAIN_LIMIT = 10_000;

/** Finds the layers of a router that match a request. A change of the routes needs a new one. */
export class RouteDispatch {
  readonly stack: readonly Layer[];
  /** Whether all layers are as this class expects them. */
  readonly canDispatch: boolean;
  readonly #length: number;
  readonly #last: Layer | undefined;
  readonly #index: RouteIndex<Layer>;
  readonly #single = new Map<Layer, Chain>();
  readonly #several = new Map<string, Chain>();
  readonly #orders = new Map<Layer, number>();

  constructor(stack: readonly Layer[]) {
    this.stack = stack;
    this.canDispatch = stack.every(canDispatch);
    this.#length = stack.length;
    this.#last = stack.at(-1);
    this.#index = new RouteIndex(this.canDispatch ? stack : []);
    for (const [order, layer] of stack.entries()) this.#orders.set(layer, order);
    log('%d layers compiled; found by %s', stack.length, this.canDispatch ? 'a tree of their paths' : '@koa/router');
    if (log.enabled) for (const { methods, path } of stack) log('%s %s', methods.join(',') || 'use', path);
  }

  /** Whether the routes are still those that this was made for. */
  isFor(stack: readonly Layer[]): boolean {
    return this.stack === stack && this.#length === stack.length && this.#last === stack[stack.length - 1];
  }

  match(path: string, method: string): MatchResult & { found: Match['found'] } {
    const upper = METHODS.has(method) ? method : method.toUpperCase();
    const result: ReturnType<RouteDispatch['match']> = { path: [], pathAndMethod: [], route: false, found: [] };
    const candidates = this.#index.candidates(path);
    for (let index = 0; index < candidates.length; index += 1) {
      const { layer, isText } = candidates[index] as (typeof candidates)[number];
      const { regexp, methods } = layer;
      let found: readonly string[] | undefined;
      if (isText && path === layer.path) {
        found = NO_CAPTURES;
      } else if (regexp.global || regexp.sticky) {
        if (!layer.match(path)) continue;
      } else {
        const matched = regexp.exec(path);
        if (!matched) continue;
        found = matched;
      }
      result.path = joined(result.path, layer);
      if (methods.length > 0 && !methods.includes(upper)) continue;
      result.pathAndMethod = joined(result.pathAndMethod, layer);
      result.found = joined(result.found, found);
      if (methods.length > 0) result.route = true;
    }
    return result;
  }

  chain(layers: Layer[]): Chain {
    if (layers.length === 1) {
      const [layer] = layers as [Layer];
      let chain = this.#single.get(layer);
      if (!chain) this.#single.set(layer, (chain = prepare(layers)));
      return chain;
    }
    const key = layers.map((layer) => this.#orders.get(layer)).join();
    let chain = this.#several.get(key);
    if (!chain) {
      chain = prepare(layers);
      if (this.#several.size < CHAIN_LIMIT) this.#several.set(key, chain);
    }
    return chain;
  }
}

/** A list of one is made at its size: the first `push` to an empty one makes room for seventeen. */
function joined<T>(list: T[], item: T): T[] {
  if (list.length === 0) return [item];
  list.push(item);
  return list;
}

function prepare(layers: Layer[]): Chain {
  let run: Chain['run'] = (_ctx, next) => settle(next());
  for (const [order, layer] of [...layers.entries()].toReversed()) {
    for (const [index, fn] of [...layer.stack.entries()].toReversed()) {
      // The last handler of a route is its controller; a layer without methods holds what was mounted, such as another router.
      const isMiddleware = layer.methods.length > 0 && index < layer.stack.length - 1;
      run = link(isMiddleware ? traceable(fn) : fn, index === 0 ? { layer, order } : undefined, run);
    }
  }
  const route = layers.findLast(({ methods }) => methods.length > 0);
  return { route, matched: route && routeOfLayer(route), run };
}

const routes = new WeakMap<Layer, MatchedRoute>();

/** Chains of the same route share it. */
function routeOfLayer(layer: Layer): MatchedRoute {
  let route = routes.get(layer);
  if (!route) routes.set(layer, (route = describeRoute(layer)));
  return route;
}

/** The same middleware, traced while there is a subscriber. */
function traceable(fn: Middleware): Middleware {
  const traced = tracedMiddleware(fn);
  return (ctx, next) => (channels.middleware.hasSubscribers || isRecorded(ctx) ? traced : fn)(ctx, next);
}

/** @param begins the layer whose first middleware `fn` is: it sets `ctx.params` and the like before, as in `@koa/router` */
function link(fn: Middleware, begins: { layer: Layer; order: number } | undefined, rest: Chain['run']): Chain['run'] {
  return (ctx, next, match) => {
    let called = false;
    try {
      if (begins) enter(ctx, begins.layer, match.path, match.found[begins.order]);
      return settle(
        fn(ctx, () => {
          if (called) return Promise.reject(new Error('next() called multiple times'));
          called = true;
          return rest(ctx, next, match);
        }),
      );
    } catch (error) {
      return Promise.reject(error);
    }
  };
}

type Params = Record<string, string>;

function enter(context: Context, layer: Layer, path: string, found: readonly string[] | undefined): void {
  const ctx = routed(context);
  const captures = found && !layer.opts.ignoreCaptures ? found.slice(1) : layer.captures(path);
  ctx.captures = captures;
  ctx.params = ctx.request.params = paramsOf(layer, path, captures, ctx.params);
  ctx.routerPath = layer.path;
  ctx.routerName = layer.name || undefined;
  setMatchedRoute(ctx, layer);
}

/** The same as the layer's own `params()`, which is called only if a value needs decoding or a parameter is ignored. */
function paramsOf(layer: Layer, path: string, captures: string[], before: Params | undefined): Params {
  const { paramNames, opts } = layer;
  if (opts.ignoreWildcardParameter !== undefined || captures.some(needsDecoding)) {
    return layer.params(path, captures, before);
  }
  const params: Params = { ...before };
  for (let index = 0; index < captures.length; index += 1) {
    const name = paramNames[index]?.name;
    const value = captures[index];
    if (name !== undefined && value) params[name] = value;
  }
  return params;
}

function needsDecoding(text: string | undefined): boolean {
  return text?.includes('%') ?? false;
}
