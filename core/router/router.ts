import { createRequire } from 'node:module';
import { ClutchError } from '../../errors.js';
import { toMiddleware } from '../../loader/index.js';
import type { Context, Middleware, Next, RouteController } from '../types.js';
import { userFrame } from '../user_frame.js';
import { fillPath } from './fill_path.js';
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
import { setRoute } from './matched_route.js';
import { isPath, type RouteArguments, splitArguments } from './route_arguments.js';
import { resolveController } from './route_controller.js';
import { RouteDispatch } from './route_dispatch.js';
import type { RouteVerb } from './route_types.js';

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

/** Routers are mounted in others as copies, which have the layers but none of the private members. */
let forgetCompiled: (router: Router) => void;

/** `@koa/router` with controllers by name, `resources`, `redirect` by route name and Egg's path patterns. */
export class Router extends KoaRouter {
  /** Its `controller` is where controllers are found by name. */
  readonly app: object;
  #dispatch: RouteDispatch | undefined;

  static {
    forgetCompiled = (router) => {
      if (#dispatch in router) router.#dispatch = undefined;
    };
  }

  constructor(options: RouterOptions, app: object) {
    super(options);
    this.app = app;
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
    const controller = methods.length > 0 ? [resolveController(all.pop() as RouteController, this.app)] : [];
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
    const configure = (layer: Layer, pattern: string): Layer => {
      const keys: { name: string | number }[] = [];
      const pathToRegexp = require('path-to-regexp-v1') as (p: string, k: unknown[], o: object) => RegExp;
      const regexp = pathToRegexp(pattern, keys, { sensitive, strict, end: options.end !== false });
      return Object.assign(layer, {
        path: pattern,
        regexp,
        paramNames: keys.map(({ name }) => ({ name: String(name) })),
      });
    };
    const layer = configure(register(/^/, { pathAsRegExp: true }), (this.opts.prefix ?? '') + path);
    // A nested router is mounted by copies of its layers.
    layer.setPrefix = function setPrefix(this: Layer, prefix) {
      return configure(this, prefix + (this.path as string));
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
      if (chain.matched) setRoute(context, chain.matched);
      return chain.run(context, next, { path, found });
    };
    return Object.assign(dispatch, { router: this });
  }

  override routes(): Middleware {
    return this.middleware();
  }

  override prefix(prefix: string): this {
    forgetCompiled(this);
    return super.prefix(prefix);
  }

  override param(name: string, handler: (value: string, ctx: Context, next: Next) => unknown): this {
    forgetCompiled(this);
    return super.param(name, handler);
  }

  /** Registers a route for every method. */
  all(...args: RouteArguments): this {
    return this.verb(ROUTE_METHODS, args);
  }

  /**
   * Registers a route for the given methods.
   *
   * @throws {ClutchError} ERR_CLUTCH_OPTION without a path, ERR_CLUTCH_CONTROLLER if the controller does not exist
   */
  verb(methods: string[], args: RouteArguments): this {
    const { name, path, handlers } = splitArguments(args);
    if (!isPath(path)) {
      const verb = methods.length === 1 ? `a ${methods[0]}` : 'an all';
      throw new ClutchError('ERR_CLUTCH_OPTION', `You have to provide a path when adding ${verb} handler`, {
        where: userFrame() ?? 'app/router',
        fix: "A path is a string, a RegExp or an array of these: router.get('/users/:id', controller).",
      });
    }
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
    const isGiven = controller && typeof controller !== 'string';
    const actions = isGiven ? controller : resolveController(controller, this.app, { object: true });
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
   * @returns the path of a named route, `''` for an unknown name; parameters that the path does not have become the query,
   *   optional ones that are not given are left out
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

type Verb = RouteVerb<Router>;

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
