import { createRequire } from 'node:module';
import { ClutchError } from '../../errors.js';

const require = createRequire(import.meta.url);

interface PathContext {
  path: string;
}

type PathPattern = string | RegExp | ((ctx: never) => unknown) | PathPattern[];

export interface PathMatchOptions {
  /** Run only where this matches. */
  match?: PathPattern;
  /** Run everywhere but where this matches. */
  ignore?: PathPattern;
}

type Predicate = (ctx: PathContext) => boolean;

/**
 * Compiles `match` or `ignore` of a middleware into one predicate.
 *
 * @returns undefined when the middleware always runs
 * @throws {ClutchError} ERR_CLUTCH_MIDDLEWARE when both are given or a pattern has a wrong type
 */
export function compilePathMatch({ match, ignore }: PathMatchOptions, name: string): Predicate | undefined {
  if (match && ignore) {
    throw new ClutchError('ERR_CLUTCH_MIDDLEWARE', 'options.match and options.ignore cannot both be given', {
      where: `config.${name}`,
      fix: 'Keep one of them.',
    });
  }
  if (match) return compilePattern(match, `config.${name}.match`);
  if (!ignore) return undefined;
  const ignored = compilePattern(ignore, `config.${name}.ignore`);
  return (ctx) => !ignored(ctx);
}

function compilePattern(pattern: PathPattern, key: string): Predicate {
  if (typeof pattern === 'string') {
    const regexp = prefixRegExp(pattern);
    return (ctx) => regexp.test(ctx.path);
  }
  if (pattern instanceof RegExp) {
    const regexp =
      pattern.global || pattern.sticky ? new RegExp(pattern.source, pattern.flags.replace(/[gy]/g, '')) : pattern;
    return (ctx) => regexp.test(ctx.path);
  }
  if (typeof pattern === 'function') return (ctx) => Boolean(pattern(ctx as never));
  if (Array.isArray(pattern)) {
    const predicates = pattern.map((item) => compilePattern(item, key));
    return (ctx) => predicates.some((predicate) => predicate(ctx));
  }
  throw new ClutchError(
    'ERR_CLUTCH_MIDDLEWARE',
    `match/ignore pattern must be RegExp, Array or String, but got ${pattern}`,
    {
      where: key,
      fix: 'Use a path prefix, a RegExp, a function of ctx, or an array of these.',
    },
  );
}

function prefixRegExp(prefix: string): RegExp {
  if (/^[\w/.-]+$/.test(prefix)) {
    const escaped = prefix.replace(/\/$/, '').replace(/[.]/g, '\\$&');
    return new RegExp(`^${escaped}(?:/|$)`, 'i');
  }
  const pathToRegexp = require('path-to-regexp-v1') as (path: string, keys: unknown[], options: object) => RegExp;
  return pathToRegexp(prefix, [], { end: false });
}
