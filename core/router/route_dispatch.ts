import type { Context, Middleware, Next } from '../types.js';
import { RouteIndex } from './route_index.js';
import type { Layer } from './router.js';

/** What `router.match()` of `@koa/router` gives. */
export interface MatchResult {
  /** Layers whose path matches. */
  path: Layer[];
  /** Those of them that take the method, and middleware. */
  pathAndMethod: Layer[];
  /** Whether one of these is a route. */
  route: boolean;
}

/** A request on its way through the layers that match it. */
interface Run {
  path: string;
  /** What the RegExp of each layer has found, where it could be kept. */
  found: (RegExpExecArray | undefined)[];
}

interface Step {
  fn: Middleware;
  /** Index of the layer that begins with this step; -1 for the others of a layer. */
  begins: number;
}

/** A set of layers with all that can be prepared once. */
interface Chain {
  layers: Layer[];
  steps: Step[];
  route: Layer | undefined;
}

const METHODS = new Set(process.getBuiltinModule('node:http').METHODS);

/** Sets of layers that are kept prepared; an app has about as many as it has routes. */
const CHAIN_LIMIT = 10_000;

/** Finds and runs the layers of one router. Made anew when its routes change. */
export class RouteDispatch {
  readonly stack: readonly Layer[];
  readonly #length: number;
  readonly #last: Layer | undefined;
  readonly #index: RouteIndex<Layer>;
  readonly #single = new Map<Layer, Chain>();
  readonly #several = new Map<string, Chain>();
  readonly #orders = new Map<Layer, number>();

  constructor(stack: readonly Layer[]) {
    this.stack = stack;
    this.#length = stack.length;
    this.#last = stack.at(-1);
    this.#index = new RouteIndex(stack);
    for (const [order, layer] of stack.entries()) this.#orders.set(layer, order);
  }

  /** Whether the routes are still those that it was made for. */
  isFor(stack: readonly Layer[]): boolean {
    return this.stack === stack && this.#length === stack.length && this.#last === stack[stack.length - 1];
  }

  match(path: string, method: string): MatchResult & { found: Run['found'] } {
    const upper = METHODS.has(method) ? method : method.toUpperCase();
    const result: ReturnType<RouteDispatch['match']> = { path: [], pathAndMethod: [], route: false, found: [] };
    for (const { layer } of this.#index.candidates(path)) {
      const { regexp, methods } = layer;
      let found: RegExpExecArray | undefined;
      if (regexp.global || regexp.sticky) {
        if (!layer.match(path)) continue;
      } else {
        const matched = regexp.exec(path);
        if (!matched) continue;
        found = matched;
      }
      result.path.push(layer);
      if (methods.length > 0 && !methods.includes(upper)) continue;
      result.pathAndMethod.push(layer);
      result.found.push(found);
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

function prepare(layers: Layer[]): Chain {
  const steps = layers.flatMap((layer, begins) =>
    layer.stack.map((fn, index): Step => ({ fn, begins: index === 0 ? begins : -1 })),
  );
  return { layers, steps, route: layers.findLast(({ methods }) => methods.length > 0) };
}

/** Runs the chain; each layer sets `ctx.params` and the like before its first middleware, as in `@koa/router`. */
export function runChain(ctx: Context, next: Next, { layers, steps }: Chain, run: Run): Promise<unknown> {
  let last = -1;
  const dispatch = (index: number): Promise<unknown> => {
    if (index <= last) return Promise.reject(new Error('next() called multiple times'));
    last = index;
    const step = steps[index];
    try {
      if (!step) return settle(next());
      if (step.begins >= 0) enter(ctx, layers[step.begins] as Layer, run.path, run.found[step.begins]);
      return settle(step.fn(ctx, () => dispatch(index + 1)));
    } catch (error) {
      return Promise.reject(error);
    }
  };
  return dispatch(0);
}

function settle(result: unknown): Promise<unknown> {
  return result instanceof Promise ? result : Promise.resolve(result);
}

type Params = Record<string, string>;

interface RouteFields {
  captures?: string[];
  params?: Params;
  request: { params?: Params };
  routerPath?: string | RegExp;
  routerName?: string;
  _matchedRoute?: string | RegExp;
  _matchedRouteName?: string;
}

function enter(context: Context, layer: Layer, path: string, found: RegExpExecArray | undefined): void {
  const ctx = context as unknown as RouteFields;
  const captures = found && !layer.opts.ignoreCaptures ? found.slice(1) : layer.captures(path);
  ctx.captures = captures;
  ctx.params = ctx.request.params = paramsOf(layer, path, captures, ctx.params);
  ctx.routerPath = layer.path;
  ctx.routerName = layer.name || undefined;
  ctx._matchedRoute = layer.path;
  if (layer.name) ctx._matchedRouteName = layer.name;
}

/** As the layer's own `params`, which is asked where something is to be decoded or left out. */
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
