import { createRequire } from 'node:module';
import type { Router as RouterClass } from './router/router.js';

const require = createRequire(import.meta.url);

type Class = abstract new (...args: never[]) => object;

/**
 * Stands for a class whose file is loaded at first use: when it is extended, constructed, or asked for a member. What an app
 * imports by name would be loaded by each process otherwise.
 */
export function lateClass<C extends Class>(load: () => C): C {
  // Not a class: the `prototype` of a function may be answered differently.
  function target(): void {}
  const late: C = new Proxy(target as unknown as C, {
    get: (_, key) => Reflect.get(load(), key),
    has: (_, key) => Reflect.has(load(), key),
    getPrototypeOf: () => Object.getPrototypeOf(load()),
    construct: (_, args, newTarget) => Reflect.construct(load(), args, newTarget === late ? load() : newTarget),
  });
  return late;
}

/** The class of `app.router`. */
export const Router = lateClass(() => (require('./router/router.js') as typeof import('./router/router.js')).Router);
export type Router = RouterClass;
