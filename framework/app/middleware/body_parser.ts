import { createRequire } from 'node:module';
import type { Context, Middleware, Next } from '../../../core/index.js';

interface BodyParserOptions {
  encoding?: string;
  formLimit?: string;
  jsonLimit?: string;
  strict?: boolean;
  queryString?: object;
  onerror?: (error: Error, ctx: Context) => void;
}

const require = createRequire(import.meta.url);
const JSON_TYPES = [
  'application/json',
  'application/json-patch+json',
  'application/vnd.api+json',
  'application/csp-report',
  'application/scim+json',
];

/** Parses JSON and form bodies into `ctx.request.body`; anything else gives `{}`. */
export default (options: BodyParserOptions): Middleware => {
  const { strict, encoding, formLimit, jsonLimit, queryString, onerror = failWithHint } = options;
  let parse: Middleware | undefined;
  return function bodyParser(ctx: Context, next: Next) {
    const { headers } = ctx.req;
    const request = ctx.request as { body?: unknown };
    if (request.body !== undefined) return next();
    if (headers['content-length'] === undefined && headers['transfer-encoding'] === undefined) {
      request.body = {};
      return next();
    }
    if (!parse) {
      // Loaded with the first body: an app that only answers GET never needs it.
      const { bodyParser: create } = require('@koa/bodyparser') as typeof import('@koa/bodyparser');
      parse = create({
        enableTypes: ['json', 'form'],
        extendTypes: { json: JSON_TYPES },
        parsedMethods: ['POST', 'PUT', 'PATCH', 'DELETE', 'GET', 'HEAD'],
        encoding,
        formLimit,
        jsonLimit,
        jsonStrict: strict,
        onError: onerror as never,
        ...(queryString ? { qs: queryString } : {}),
      } as never) as unknown as Middleware;
    }
    return parse(ctx, () => {
      request.body ??= {};
      return next();
    });
  };
};

function failWithHint(error: Error & { status?: number }): never {
  error.message += ', check bodyParser config';
  error.status ??= 400;
  throw error;
}
