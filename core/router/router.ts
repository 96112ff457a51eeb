import { createRequire } from 'node:module';
import { ClutchError } from '../../errors.js';
import type { ClutchCore } from '../clutch_core.js';
import type { Context, Middleware, Next, RouteController } from '../types.js';
import { RESOURCE_ACTIONS } from './resources.js';
import { type RouteArguments, type RoutePath, splitArguments } from './route_arguments.js';
import { resolveController } from './route_controller.js';
import { type MatchResult, RouteDispatch, runChain } from './route_dispatch.js';
import { fillPath } from './route_url.js';

const { METHODS } = process.getBuiltinModule('node:http');

const require = createRequire(import.meta.url);

/** One registered route, or middleware of `use()` when it has no methods. */
export interface Layer {
  name?: string;
  path: RoutePath;
  regexp: RegExp;
  methods: string[];
  paramNames: { name: string }[];
  stack: Middleware[];
  opts: { end?: boolean; pathAsRegExp?: unknown; ignoreCaptures?: boolean; [option: string]: unknown };
  match(path: string): boolean;
  captures(path: string): string[];
  params(path: string, captures: string[], existing?: Record<string, string>): Record<string, string>;
  setPrefix(prefix: string): Layer;
}

export interface RouterOptions {
  prefix?: string;
  sensitive?: boolean;
  strict?: boolean;
  [option: string]: unknown;
}

/** What of `@koa/router` is used as it is; its own types fit Koa's contexts, not ours. */
interface BaseRouter {
  opts: RouterOptions;
  stack: Layer[];
  exclusive?: unknown;
  host?: unknown;
  _events: { _handlers: Map<unknown, unknown> };
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
const BaseRouter = require('@koa/router') as new (options: RouterOptions) => BaseRouter;

/** What a router leaves in a context for others. */
interface RoutingFields {
  matched?: Layer[];
  newRouterPath?: string;
  routerPath?: string;
  router: unknown;
  routeMatched?: boolean;
  _matchedRoute?: RoutePath;
  _matchedRouteName?: string;
}

interface RouteOptions {
  name?: string;
  [option: string]: unknown;
}

/** Every HTTP method in lower case, as routes name them. */
const ROUTE_METHODS: string[] = METHODS.map((method) => method.toLowerCase());

/** Patterns of the path-to-regexp 1 dialect, which Egg's routes use and @koa/router no longer reads. */
const LEGACY_PATTERN = /[()?+]|\*(?![\w"])/;

/** `@koa/router` with controllers by name, `resources`, `redirect` by route name and Egg's path patterns. */
export class Router extends BaseRouter {
  readonly #app: ClutchCore;
  #dispatch: RouteDispatch | undefined;

  constructor(options: RouterOptions, app: ClutchCore) {
    super(options);
    this.#app = app;
  }

  /**
   * Registers one path or several for some methods; the last handler is the controller.
   *
   * @throws {ClutchError} ERR_CLUTCH_CONTROLLER when the controller is not there
   */
  override register(
    path: RoutePath | RoutePath[],
    methods: string[],
    handlers: unknown,
    options: RouteOptions = {},
  ): this {
    const list = [handlers].flat() as RouteController[];
    // `use()` registers layers without methods; those hold middleware only.
    if (methods.length > 0) list.push(resolveController(list.pop() as RouteController, this.#app));
    if (Array.isArray(path)) {
      for (const single of path) this.#registerOne(single, methods, list as Middleware[], options);
    } else {
      this.#registerOne(path, methods, list as Middleware[], options);
    }
    return this;
  }

  #registerOne(path: RoutePath, methods: string[], handlers: Middleware[], options: RouteOptions): Layer {
    const register = (at: RoutePath, extra: object): Layer =>
      super.register(at, methods, handlers, { ...options, ...extra }) as Layer;
    if (typeof path !== 'string' || options['pathAsRegExp'] || !LEGACY_PATTERN.test(path)) {
      return register(path, path instanceof RegExp ? { pathAsRegExp: true } : {});
    }
    const { sensitive, strict } = this.opts;
    const compile = (pattern: string): { regexp: RegExp; keys: { name: string | number }[] } => {
      const keys: { name: string | number }[] = [];
      const pathToRegexp = require('path-to-regexp-v1') as (p: string, k: unknown[], o: object) => RegExp;
      return { regexp: pathToRegexp(pattern, keys, { sensitive, strict, end: options['end'] !== false }), keys };
    };
    const prefix = this.opts.prefix ?? '';
    const layer = register(/^/, { pathAsRegExp: true });
    const configure = (pattern: string): void => {
      const { regexp, keys } = compile(pattern);
      Object.assign(layer, { path: pattern, regexp, paramNames: keys.map(({ name }) => ({ name: String(name) })) });
    };
    configure(prefix + path);
    layer.setPrefix = (to: string) => {
      configure(to + (layer.path as string));
      return layer;
    };
    return layer;
  }

  /** Layers are found through an index, which is made when the first request comes after a change of the routes. */
  #compiled(): RouteDispatch {
    if (!this.#dispatch?.isFor(this.stack)) this.#dispatch = new RouteDispatch(this.stack);
    return this.#dispatch;
  }

  override match(path: string, method: string): MatchResult {
    const { found: _, ...result } = this.#compiled().match(path, method);
    return result;
  }

  /** The middleware of `@koa/router`, with layers found and chains made ahead of the request. */
  override middleware(): Middleware {
    const base = super.middleware();
    const dispatch: Middleware = (ctx, next) => {
      // Rare ways to choose are left to the original, which asks `match` above.
      if (this.exclusive || this.host || this._events._handlers.size > 0) return base(ctx, next);
      const routing = ctx as unknown as RoutingFields;
      const path =
        (this.opts['routerPath'] as string | undefined) ||
        routing.newRouterPath ||
        ctx.path ||
        routing.routerPath ||
        '';
      const compiled = this.#compiled();
      const { path: matched, pathAndMethod, route, found } = compiled.match(path, ctx.method);
      if (routing.matched) routing.matched.push(...matched);
      else routing.matched = matched;
      routing.router = this;
      routing.routeMatched = route;
      if (!route) return next();
      const chain = compiled.chain(pathAndMethod);
      if (chain.route) {
        routing._matchedRoute = chain.route.path;
        if (chain.route.name) routing._matchedRouteName = chain.route.name;
      }
      return runChain(ctx, next, chain, { path, found });
    };
    return Object.assign(dispatch, { router: this });
  }

  override routes(): Middleware {
    return this.middleware();
  }

  override prefix(prefix: string): this {
    this.#dispatch = undefined;
    return super.prefix(prefix);
  }

  override param(name: string, handler: (value: string, ctx: Context, next: Next) => unknown): this {
    this.#dispatch = undefined;
    return super.param(name, handler);
  }

  /** Registers a route for every method. */
  all(...args: RouteArguments): this {
    return this.verb(ROUTE_METHODS, args);
  }

  /** Registers a route for the given methods. */
  verb(methods: string[], args: RouteArguments): this {
    const { name, path, handlers } = splitArguments(args);
    return this.register(path, methods, handlers, { ...this.opts, name });
  }

  /**
   * Registers the seven REST routes of a controller; those whose action it does not have are left out.
   *
   * @example router.resources('posts', '/api/posts', app.controller.posts)
   */
  resources(...args: RouteArguments): this {
    const { name = '', path, handlers } = splitArguments(args);
    const controller = handlers.at(-1) as RouteController;
    const middleware = handlers.slice(0, -1);
    const actions = typeof controller === 'string' ? lookupController(controller, this.#app) : controller;
    const prefix = String(path).replace(/\/$/, '');
    const { singularize, pluralize } = require('inflection') as typeof import('inflection');
    for (const { action, methods, suffix, member, prefix: namePrefix } of RESOURCE_ACTIONS) {
      const handler = (actions as Record<string, Middleware | undefined>)[action];
      if (!handler) continue;
      const routeName = name && namePrefix + (member ? singularize(name) : pluralize(name));
      const options = { ...this.opts, name: routeName || undefined };
      this.register(prefix + suffix, [...methods], [...middleware, handler], options);
    }
    return this;
  }

  /** Redirects one path, or named route, to another, whatever the method; default status 301. */
  redirect(source: string, destination: string, status = 301): this {
    const from = source.startsWith('/') ? source : this.url(source);
    const to = /^\/|:\/\//.test(destination) ? destination : this.url(destination);
    const redirect: Middleware = (ctx) => {
      ctx.redirect(to);
      ctx.status = status;
    };
    return this.all(from, redirect);
  }

  /**
   * @returns the path of a named route; `''` for an unknown name; parameters that are not in the path become the query
   * @throws {ClutchError} ERR_CLUTCH_OPTION for a route whose path is a RegExp
   */
  url(name: string, params?: unknown): string {
    const layer = this.stack.find((candidate) => candidate.name === name);
    if (!layer) return '';
    if (typeof layer.path !== 'string') {
      throw new ClutchError(
        'ERR_CLUTCH_OPTION',
        `Can't get the url for regExp ${String(layer.path)} for by name '${name}'`,
        {
          fix: 'Give the route a string path.',
        },
      );
    }
    return fillPath(layer.path, params);
  }

  pathFor(name: string, params?: unknown): string {
    return this.url(name, params);
  }
}

type Verb = (...args: RouteArguments) => Router;

export interface Router {
  get: Verb;
  head: Verb;
  post: Verb;
  put: Verb;
  patch: Verb;
  delete: Verb;
  del: Verb;
  options: Verb;
}

/** Verbs are defined on the prototype, where @koa/router has its own, with names and controllers as Egg takes them. */
for (const method of ROUTE_METHODS) {
  Object.defineProperty(Router.prototype, method, {
    configurable: true,
    writable: true,
    value(this: Router, ...args: RouteArguments) {
      return this.verb([method], args);
    },
  });
}
Object.defineProperty(Router.prototype, 'del', {
  configurable: true,
  writable: true,
  value: Reflect.get(Router.prototype, 'delete'),
});

function lookupController(name: string, app: ClutchCore): RouteController {
  return resolveController(name, app, { object: true });
}
