import type { Context, Next } from '../types.js';

/** Middlewares that were composed into one function. It never throws: the promise rejects. */
export type Composed = (ctx: Context, next?: Next) => Promise<unknown>;

/** @returns the promise that a middleware has returned, else a promise of what it has returned: `next()` returns one always */
export function settle(result: unknown): Promise<unknown> {
  return result instanceof Promise ? result : Promise.resolve(result);
}
