import { createRequire } from 'node:module';
import { ClutchError } from '../../errors.js';
import { toMiddleware } from '../../loader/index.js';
import type { Context, Middleware, Next, RouteController } from '../types.js';
import {
  choosesByPath,
  KoaRouter,
  type Layer,
  type MatchResult,
  type RouteOptions,
  type RoutePath,
  type RouterOptions,
  routed,
  setMatchedRoute,
} from './koa_router.js';
import { type RouteArguments, splitArguments } from './route_arguments.js';
import { resolveController } from './route_controller.js';
import { RouteDispatch } from './route_dispatch.js';

const { METHODS } = process.getBuiltinModule('node:http');

const require = createRequire(import.meta.url);

declare module '../types.js' {
  interface ContextExtension {
    router: Router;
  }
}

/** Every HTTP method in lower case, as routes name them. */
const ROUTE_METHODS: string[] = METHODS.map((method) => method.toLowerCase());

/** Matches patterns of path-to-regexp 1, which Egg's routes use and @koa/router no longer supports. */
const LEGACY_PATTERN = /[()?+]|\*(?![\w"])/;

/** The routes of `router.resources`: each belongs to the action of a controller. */
const RESOURCE_ACTIONS = [
  { action: 'index', methods: ['get'], suffix: '', member: false, prefix: '' },
  { action: 'new', methods: ['get'], suffix: '/new', member: true, prefix: 'new_' },
  { action: 'create', methods: ['post'], suffix: '', member: false, prefix: '' },
  { action: 'show', methods: ['get'], suffix: '/:id', member: true, prefix: '' },
  { action: 'edit', methods: ['get'], suffix: '/:id/edit', member: true, prefix: 'edit_' },
  { action: 'update', methods: ['patch', 'put'], suffix: '/:id', member: true, prefix: '' },
  { action: 'destroy', methods: ['delete'], suffix: '/:id', member: true, prefix: 'destroy_' },
] as const;

/** `@koa/router` with controllers by name, `resources`, `redirect` by route name and Egg's path patterns. */
export class Router extends KoaRouter {
  readonly #app: object;
  #dispatch: RouteDispatch | undefined;

  /** @param app its `controller` is where controllers are found by name */
  constructor(options: RouterOptions, app: object) {
    super(options);
    this.#app = app;
  }

  /**
   * Registers a path, or each of several, for some methods; the last handler is the controller.
   *
   * @throws {ClutchError} ERR_CLUTCH_CONTROLLER if the controller does not exist
   */
  override register(
    path: RoutePath | RoutePath[],
    methods: string[],
    handlers: unknown,
    options: RouteOptions = {},
  ): this {
    const all = [handlers].flat() as RouteController[];
    // `use()` registers layers without methods, which hold only middleware.
    const controller = methods.length > 0 ? [resolveController(all.pop() as RouteController, this.#app)] : [];
    const list = [...all.map(toMiddleware), ...controller];
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
    if (path instanceof RegExp) {
      // Its captures are the parameters 0, 1, …
      return Object.assign(register(path, { pathAsRegExp: true }), { paramNames: captureNames(path) });
    }
    if (options.pathAsRegExp || !LEGACY_PATTERN.test(path)) return register(path, {});
    const { sensitive, strict } = this.opts;
    const compile = (pattern: string): { regexp: RegExp; keys: { name: string | number }[] } => {
      const keys: { name: string | number }[] = [];
      const pathToRegexp = require('path-to-regexp-v1') as (p: string, k: unknown[], o: object) => RegExp;
      return { regexp: pathToRegexp(pattern, keys, { sensitive, strict, end: options.end !== false }), keys };
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

  /** The index of the layers, made anew by the first request after a change of the routes. */
  #compiled(): RouteDispatch {
    if (!this.#dispatch?.isFor(this.stack)) this.#dispatch = new RouteDispatch(this.stack);
    return this.#dispatch;
  }

  override match(path: string, method: string): MatchResult {
    const compiled = this.#compiled();
    if (!compiled.canDispatch) return super.match(path, method);
    const { found: _, ...result } = compiled.match(path, method);
    return result;
  }

  /** Does what the middleware of `@koa/router` does; layers are indexed and chains are built ahead of the request. */
  override middleware(): Middleware {
    const original = super.middleware();
    const dispatch: Middleware = (context, next) => {
      const compiled = this.#compiled();
      if (!compiled.canDispatch || !choosesByPath(this)) return original(context, next);
      const ctx = routed(context);
      const path = this.opts.routerPath || ctx.newRouterPath || context.path || (ctx.routerPath as string) || '';
      const { path: matched, pathAndMethod, route, found } = compiled.match(path, context.method);
      if (ctx.matched) ctx.matched.push(...matched);
      else ctx.matched = matched;
      ctx.router = this;
      ctx.routeMatched = route;
      if (!route) return next();
      const chain = compiled.chain(pathAndMethod);
      if (chain.route) setMatchedRoute(ctx, chain.route);
      return chain.run(context, next, { path, found });
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
   * Registers the seven REST routes of a controller, except those whose action it does not have.
   *
   * @example router.resources('posts', '/api/posts', app.controller.posts)
   */
  resources(...args: RouteArguments): this {
    const { name = '', path, handlers } = splitArguments(args);
    const controller = handlers.at(-1) as RouteController;
    const middleware = handlers.slice(0, -1);
    const actions =
      typeof controller === 'string' ? resolveController(controller, this.#app, { object: true }) : controller;
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

  /** Redirects a path or named route to another, for every method; the default status is 301. */
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
   * @returns the path of a named route, `''` for an unknown name; parameters that the path does not have become the query
   * @throws {ClutchError} ERR_CLUTCH_OPTION if the route's path is a RegExp
   */
  url(name: string, params?: unknown): string {
    const layer = this.stack.find((candidate) => candidate.name === name);
    if (!layer) return '';
    if (typeof layer.path !== 'string') {
      throw new ClutchError('ERR_CLUTCH_OPTION', `route "${name}" has no URL: its path is the RegExp ${layer.path}`, {
        fix: 'Give the route a string path.',
      });
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

// Replaces the verbs of @koa/router by ones that take names and controllers as Egg does.
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

/** @returns the numbers of the groups that a RegExp captures, as names of parameters */
function captureNames({ source, flags }: RegExp): { name: string }[] {
  const groups = new RegExp(`${source}|`, flags).exec('')?.slice(1) ?? [];
  return groups.map((_, index) => ({ name: String(index) }));
}

/** @returns the path with its parameters filled in; those that the pattern does not have become the query */
function fillPath(pattern: string, params: unknown): string {
  if (typeof params !== 'object' || params === null) return pattern;
  const query: string[] = [];
  let path = pattern;
  for (const [key, value] of Object.entries(params)) {
    const placeholder = new RegExp(`:${key.replace(/[^\w]/g, '\\$&')}(?!\\w)`, 'g');
    if (placeholder.test(path)) {
      path = path.replace(placeholder, encodeURIComponent(String(Array.isArray(value) ? value[0] : value)));
      continue;
    }
    for (const item of [value].flat()) query.push(`${encodeURIComponent(key)}=${encodeURIComponent(String(item))}`);
  }
  if (query.length === 0) return path;
  return `${path}${path.includes('?') ? '&' : '?'}${query.join('&')}`;
}
