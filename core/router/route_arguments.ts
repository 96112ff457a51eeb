import type { Middleware, RouteController } from '../types.js';
import type { RoutePath } from './koa_router.js';

/** A route's arguments after the verb, as users may write them. */
export type RouteArguments =
  | [path: RoutePath | RoutePath[], ...handlers: [...Middleware[], RouteController]]
  | [name: string, path: RoutePath | RoutePath[], ...handlers: [...Middleware[], RouteController]];

/** @returns the arguments by name; if there are only two, a string in second place is the name of a controller */
export function splitArguments(args: RouteArguments): {
  name?: string;
  path: RoutePath | RoutePath[];
  handlers: RouteController[];
} {
  const [first, second] = args as unknown[];
  const isPath =
    typeof second === 'string' ||
    second instanceof RegExp ||
    (Array.isArray(second) && typeof second[0] !== 'function');
  if (isPath && args.length >= 3) {
    return { name: first as string, path: second as RoutePath, handlers: args.slice(2) as RouteController[] };
  }
  return { path: first as RoutePath, handlers: args.slice(1) as RouteController[] };
}
