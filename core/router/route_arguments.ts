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
  if (isPath(second) && args.length >= 3) {
    return { name: first as string, path: second as RoutePath, handlers: args.slice(2) as RouteController[] };
  }
  return { path: first as RoutePath, handlers: args.slice(1) as RouteController[] };
}

/** @returns true for a string, a RegExp or an array of these */
export function isPath(value: unknown): value is RoutePath | RoutePath[] {
  if (Array.isArray(value)) return typeof value[0] !== 'function';
  return typeof value === 'string' || value instanceof RegExp;
}
