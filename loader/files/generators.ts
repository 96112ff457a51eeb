import { createRequire } from 'node:module';
import { isGeneratorFunction } from './export_kind.js';

const require = createRequire(import.meta.url);

type Callable = (this: unknown, ...args: unknown[]) => unknown;
type Next = () => Promise<unknown>;

/** Loaded when the first generator function is met: apps that are written today have none. */
const co = (): ((value: unknown) => Promise<unknown>) => require('co') as (value: unknown) => Promise<unknown>;

/**
 * @returns for a generator function, as Egg 3 apps may have them, an async one with the same `this`, arguments and own
 * properties; anything else as it is
 */
export function toAsyncFunction<T>(value: T): T {
  if (!isGeneratorFunction(value)) return value;
  const generator = value as Callable;
  const run: Callable = function run(...args) {
    return co()(generator.call(this, ...args));
  };
  return named(run, generator) as T;
}

/** @returns for a middleware in the style of Koa 1 (`function* (next) { yield next; }`), one of today; anything else as it is */
export function toMiddleware<T>(value: T): T {
  if (!isGeneratorFunction(value)) return value;
  const generator = value as Callable;
  const run = (ctx: unknown, next: Next): unknown => co()(generator.call(ctx, asGenerator(next)));
  return named(run, generator) as T;
}

function* asGenerator(next: Next): Generator<unknown, unknown, unknown> {
  return yield next();
}

function named(run: object, original: Callable): unknown {
  Object.defineProperty(run, 'name', { value: original.name });
  return Object.assign(run, original);
}

/** Resolves promises, generators, and objects and arrays of them, as `yield` does. */
export function toPromise(value: unknown): unknown {
  return typeof value === 'object' && value !== null
    ? co()(function* resolve(): Generator<unknown, unknown, unknown> {
        return yield value;
      })
    : value;
}
