import { FileLoader } from '../../loader/index.js';
import { pathOfRoute } from '../request/koa_internals.js';
import type { Context } from '../types.js';

/** The route that a request has taken. There is one object for each route, so that it can be the key of a Map. */
export interface MatchedRoute {
  /** As it was declared: `/users/:id`. */
  readonly path: string;
  /** Where its controller is, if that was loaded from a file. */
  readonly file: string | undefined;
}

const ROUTE = Symbol('matched route');

interface Routed {
  [ROUTE]?: MatchedRoute;
}

/** Routes of other routers, by their paths. */
const foreign = new Map<string | RegExp, MatchedRoute>();
/** How many of them are remembered: a router of the app's own may make paths up. */
const FOREIGN_LIMIT = 1000;

export function describeRoute({ path, stack }: { path: string | RegExp; stack: readonly unknown[] }): MatchedRoute {
  const { [FileLoader.FULLPATH]: controller } = (stack.at(-1) ?? {}) as Record<symbol, string | undefined>;
  return { path: String(path), file: controller?.replace(/#[^#/]*$/, '') };
}

export function setRoute(ctx: Context, route: MatchedRoute): void {
  (ctx as Routed)[ROUTE] = route;
}

/** @returns undefined if no route was found, or the router has not come so far */
export function routeOf(ctx: Context): MatchedRoute | undefined {
  const route = (ctx as Routed)[ROUTE];
  if (route !== undefined) return route;
  const path = pathOfRoute(ctx);
  return path === undefined ? undefined : foreignRoute(path);
}

function foreignRoute(path: string | RegExp): MatchedRoute | undefined {
  let route = foreign.get(path);
  if (route === undefined && foreign.size < FOREIGN_LIMIT) {
    route = { path: String(path), file: undefined };
    foreign.set(path, route);
  }
  return route;
}
