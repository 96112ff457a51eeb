import { ClutchError } from '../../errors.js';
import { callSynchronously } from './export_kind.js';
import { FULLPATH } from './file_loader.js';
import { toMiddleware } from './generators.js';
import { compilePathMatch, type PathMatchOptions } from './path_match.js';

type Next = () => Promise<unknown>;
export type MiddlewareFunction = ((ctx: never, next: Next) => unknown) & { _name?: string };
type MiddlewareFactory = (options: object, app: never) => MiddlewareFunction;

/** What `config.<middleware name>` may hold besides the middleware's own options. */
export interface MiddlewareOptions extends PathMatchOptions {
  /** False to leave the middleware out; default true. */
  enable?: boolean;
}

/** One middleware listed in config. */
export interface ListedMiddleware {
  name: string;
  /** Its file. */
  file: string | undefined;
  /** False when `config.<name>.enable` is false: it is not mounted. */
  enabled: boolean;
  run: MiddlewareFunction;
}

/**
 * Builds the middleware listed in config, in order.
 *
 * @param names `coreMiddleware` followed by `appMiddleware`
 * @throws {ClutchError} ERR_CLUTCH_MIDDLEWARE for a name without a file or listed twice, and for a bad factory
 */
export function buildMiddleware(
  names: string[],
  factories: Record<string, unknown>,
  config: Record<string, unknown>,
  app: unknown,
): ListedMiddleware[] {
  const seen = new Set<string>();
  const listed: ListedMiddleware[] = [];
  for (const name of names) {
    const factory = Object.hasOwn(factories, name) ? factories[name] : undefined;
    if (typeof factory !== 'function') throw notFound(name, factory, Object.keys(factories));
    if (seen.has(name)) {
      throw new ClutchError('ERR_CLUTCH_MIDDLEWARE', `Middleware ${name} redefined`, {
        where: 'config.coreMiddleware and config.middleware',
        fix: 'List each name once.',
      });
    }
    seen.add(name);
    const options = (config[name] || {}) as MiddlewareOptions;
    const file = (factory as { [FULLPATH]?: string })[FULLPATH];
    const refusal = (actual: string): ClutchError =>
      new ClutchError('ERR_CLUTCH_MIDDLEWARE', `Middleware ${name} must be a function, but actual is ${actual}`, {
        where: file ?? [],
        fix: 'The factory returns (ctx, next) => … and is not async itself; move what must be awaited to didLoad in app.js.',
      });
    const made: unknown = callSynchronously(
      factory,
      () => (factory as MiddlewareFactory)(options, app as never),
      () => refusal('a promise'),
    );
    const run: unknown = toMiddleware(made);
    if (typeof run !== 'function') throw refusal(typeof run);
    const predicate = compilePathMatch(options, name);
    listed.push({
      name,
      file,
      enabled: options.enable !== false,
      run: guard(run as MiddlewareFunction, predicate, name),
    });
  }
  return listed;
}

function guard(
  run: MiddlewareFunction,
  predicate: ReturnType<typeof compilePathMatch>,
  name: string,
): MiddlewareFunction {
  run._name = name;
  if (!predicate) return run;
  const guarded: MiddlewareFunction = (ctx, next) => (predicate(ctx) ? run(ctx, next) : next());
  guarded._name = `${name}middlewareWrapper`;
  return guarded;
}

function notFound(name: string, found: unknown, known: string[]): ClutchError {
  return new ClutchError('ERR_CLUTCH_MIDDLEWARE', `Middleware ${name} not found`, {
    where: found === undefined ? `known: ${known.join(', ') || 'none'}` : `${name} is a directory or not a function`,
    fix: `Add app/middleware/${name}, or take the name out of the list in config.`,
  });
}
