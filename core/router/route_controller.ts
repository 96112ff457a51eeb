import path from 'node:path';
import { ClutchError } from '../../errors.js';
import { isClass } from '../../loader/files/export_kind.js';
import { FULLPATH, toAsyncFunction } from '../../loader/index.js';
import { channels, trace } from '../../tracing/channels.js';
import { isRecorded } from '../../tracing/recording.js';
import type { Middleware, RouteController } from '../types.js';
import { userFrame } from '../user_frame.js';

/**
 * Resolves the controller of a route.
 *
 * @param app its `controller` holds the loaded controllers
 * @param options.object whether an object of actions is accepted, as by `resources`
 * @throws {ClutchError} ERR_CLUTCH_CONTROLLER naming the controllers that exist
 */
export function resolveController(
  controller: RouteController,
  app: object,
  options: { object?: boolean } = {},
): Middleware {
  const value = typeof controller === 'string' ? byName(controller, app) : controller;
  if (value === undefined || value === null) {
    throw new ClutchError('ERR_CLUTCH_CONTROLLER', 'the route has no controller', {
      where: routeFrame(),
      fix: 'A route ends with a controller; check that app.controller has this one.',
    });
  }
  if (typeof value === 'function' && !isClass(value)) {
    return bindContext(toAsyncFunction(value as Middleware), describe(controller, value as Middleware));
  }
  if (options.object) return value as object as Middleware;
  if (typeof value === 'object') return objectController;
  throw new ClutchError(
    'ERR_CLUTCH_CONTROLLER',
    `a ${isClass(value) ? 'class' : typeof value} cannot be a route's controller`,
    {
      where: routeFrame(),
      fix: 'Name a method of it.',
    },
  );
}

/** Controllers run with `this` = ctx; controllers that are plain functions may use it. */
function bindContext(controller: Middleware, { name, file }: { name: string; file: string | undefined }): Middleware {
  const bound: Middleware = (ctx, next) =>
    channels.controller.hasSubscribers || isRecorded(ctx)
      ? trace('controller', { ctx, name, file }, () => controller.call(ctx, ctx, next))
      : controller.call(ctx, ctx, next);
  Object.defineProperty(bound, 'name', { value: controller.name });
  return Object.assign(bound, controller);
}

/** @returns what the trace of a controller says of it; the loader has noted `<file>#<class>.<method>()` */
function describe(given: RouteController, found: Middleware): { name: string; file: string | undefined } {
  const [file, member = ''] = ((found as { [FULLPATH]?: string })[FULLPATH] ?? '').split('#');
  const method = member.replace(/\(\)$/, '');
  const inFile = method.includes('.') || !file ? method : `${path.parse(file).name}.${method}`;
  const name = typeof given === 'string' ? given : inFile || found.name || 'anonymous';
  return { name, file: file || undefined };
}

/** A controller object in place of one of its methods: the route responds with 404, as in Egg. */
const objectController: Middleware = () => undefined;

function byName(name: string, app: object): RouteController {
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
  known.sort((a, b) => sharedPrefix(b, name) - sharedPrefix(a, name));
  return new ClutchError('ERR_CLUTCH_CONTROLLER', `controller '${name}' does not exist`, {
    where: [routeFrame(), `known controllers: ${known.slice(0, 10).join(', ') || 'none'}`],
    fix: 'Name it as in app/controller, e.g. "home.index" for the method index of home.',
  });
}

/** @returns the length of the prefix that both names share */
function sharedPrefix(a: string, b: string): number {
  let length = 0;
  while (length < a.length && a[length] === b[length]) length += 1;
  return length;
}

/** Where the route is written. */
function routeFrame(): string {
  return userFrame() ?? 'app/router';
}
