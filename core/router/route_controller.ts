import { ClutchError } from '../../errors.js';
import { isClass } from '../../loader/files/module_loader.js';
import type { ClutchCore } from '../clutch_core.js';
import type { Middleware, RouteController } from '../types.js';

/**
 * Resolves what a route names as its controller.
 *
 * @param options.object accept an object of actions, as `resources` does
 * @throws {ClutchError} ERR_CLUTCH_CONTROLLER naming what is there instead
 */
export function resolveController(
  controller: RouteController,
  app: ClutchCore,
  options: { object?: boolean } = {},
): Middleware {
  const value = typeof controller === 'string' ? byName(controller, app) : controller;
  if (value === undefined || value === null) {
    throw new ClutchError('ERR_CLUTCH_CONTROLLER', 'controller not exists', {
      where: firstUserFrame(),
      fix: 'A route ends with a controller; check that app.controller has this one.',
    });
  }
  if (typeof value === 'function' && !isClass(value)) return bindContext(value as Middleware);
  if (options.object) return value as unknown as Middleware;
  if (typeof value === 'object') return asMiddleware();
  throw new ClutchError('ERR_CLUTCH_CONTROLLER', `a ${isClass(value) ? 'class' : typeof value} cannot answer a route`, {
    where: firstUserFrame(),
    fix: 'Name a method of it.',
  });
}

/** Controllers run with `this` = ctx, so that the function style may use it. */
function bindContext(controller: Middleware): Middleware {
  const bound: Middleware = (ctx, next) => controller.call(ctx, ctx, next);
  Object.defineProperty(bound, 'name', { value: controller.name });
  return Object.assign(bound, controller);
}

/** A controller object in place of one of its methods: the route answers 404, as in Egg. */
function asMiddleware(): Middleware {
  return function objectController() {};
}

function byName(name: string, app: ClutchCore): RouteController {
  let value: unknown = (app as { controller?: unknown }).controller;
  const walked: string[] = [];
  for (const key of name.split('.')) {
    const level = value as Record<string, unknown> | undefined;
    if (!level || !Object.hasOwn(level, key)) throw unknownController(name, walked, level);
    walked.push(key);
    value = level[key];
  }
  return value as RouteController;
}

function unknownController(name: string, walked: string[], level: Record<string, unknown> | undefined): ClutchError {
  const known = Object.keys(level ?? {}).map((key) => [...walked, key].join('.'));
  known.sort((a, b) => sharedStart(b, name) - sharedStart(a, name));
  return new ClutchError('ERR_CLUTCH_CONTROLLER', `controller '${name}' not exists`, {
    where: [firstUserFrame(), `there is: ${known.slice(0, 10).join(', ') || 'nothing'}`],
    fix: 'Name it as in app/controller, e.g. "home.index" for the method index of home.',
  });
}

/** How near two names are: the number of letters that they begin with alike. */
function sharedStart(a: string, b: string): number {
  let length = 0;
  while (length < a.length && a[length] === b[length]) length += 1;
  return length;
}

/** @returns the first line of the stack outside this package, where the route is written */
function firstUserFrame(): string {
  const here = new URL('../..', import.meta.url).pathname;
  const frames = new Error().stack?.split('\n').slice(1) ?? [];
  const frame = frames.find(
    (line) => !line.includes(here) && !line.includes('node_modules') && !line.includes('node:'),
  );
  return frame ? frame.trim() : 'app/router';
}
