import assert from 'node:assert/strict';
import { test } from 'node:test';
import KoaRouter from '@koa/router';
import fc from 'fast-check';
import { Router } from '../../../core/router/router.js';

type Handler = (ctx: Fields, next: () => Promise<unknown>) => unknown;

interface Fields {
  method: string;
  path: string;
  status?: number;
  body?: unknown;
  request: { params?: unknown };
  calls: string[];
  headers: Record<string, string>;
  set(name: string, value: string): void;
  [key: string]: unknown;
}

interface AnyRouter {
  stack: { path: unknown; methods: string[] }[];
  register(path: string | RegExp, methods: string[], handlers: Handler[], options: object): unknown;
  use(...args: unknown[]): unknown;
  param(name: string, handler: unknown): unknown;
  match(path: string, method: string): { path: object[]; pathAndMethod: object[]; route: boolean };
  routes(): Handler;
  allowedMethods(): Handler;
}

const OwnRouter = Router as unknown as new (options: object, app?: object) => AnyRouter;
const BaseRouter = KoaRouter as unknown as new (options: object) => AnyRouter;

const SEGMENTS = ['a', 'b', 'users', 'posts', 'Ab', 'x.y', 'x-y', '~t', 'a_b', '10'];
const segment = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom(...SEGMENTS) },
  { weight: 4, arbitrary: fc.constantFrom(':id', ':name', ':a', ':b_c') },
  { weight: 1, arbitrary: fc.constantFrom(':id.json', 'f-:name', '*rest', ':a-:b', '%41', 'ü') },
);
const stringPath = fc
  .tuple(fc.array(segment, { maxLength: 4 }), fc.boolean())
  .map(([segments, slash]) => `/${segments.join('/')}${slash && segments.length > 0 ? '/' : ''}`)
  // The same parameter twice is an error in both.
  .filter((path) => {
    const names = path.match(/[:*]\w+/g) ?? [];
    return new Set(names.map((name) => name.slice(1))).size === names.length;
  });
const regexpPath = fc.constantFrom(/^\/a(\/.*)?$/, /\/users\/(\d+)/, /b$/i, /^\/(?<id>[a-z]+)\/x/);
const optionalGroup = fc.constantFrom('/a{/b}', '/users{/:id}', '/*all', '/a/*rest/b');
const route = fc.record({
  path: fc.oneof(
    { weight: 12, arbitrary: stringPath },
    { weight: 1, arbitrary: regexpPath },
    { weight: 1, arbitrary: optionalGroup },
  ),
  methods: fc.subarray(['get', 'post', 'put', 'delete'], { minLength: 0, maxLength: 3 }),
  name: fc.option(fc.constantFrom('one', 'two'), { nil: undefined }),
  end: fc.boolean(),
  handlers: fc.integer({ min: 1, max: 2 }),
  passes: fc.boolean(),
});
const options = fc.record({
  sensitive: fc.boolean(),
  strict: fc.boolean(),
  prefix: fc.constantFrom(undefined, '/a', '/v1', '/:tenant'),
});
const requestPath = fc.oneof(
  fc
    .tuple(
      fc.array(
        fc.constantFrom(...SEGMENTS, 'v1', 'AB', 'USERS', '1.json', 'f-x', '%41', 'a%20b', '%zz', '', 'ü', 'p-q'),
        { maxLength: 5 },
      ),
      fc.boolean(),
    )
    .map(([segments, slash]) => `/${segments.join('/')}${slash ? '/' : ''}`),
  fc.constantFrom('', '*', '/', '//', '/a', '/a/b', '/users/7'),
);
const table = fc.record({
  options,
  routes: fc.array(route, { minLength: 1, maxLength: 12 }),
  param: fc.boolean(),
  requests: fc.array(
    fc.tuple(requestPath, fc.constantFrom('GET', 'HEAD', 'POST', 'DELETE', 'OPTIONS', 'PATCH', 'post')),
    {
      minLength: 50,
      maxLength: 50,
    },
  ),
});

type Table = typeof table extends fc.Arbitrary<infer T> ? T : never;

function build(router: AnyRouter, { routes, param }: Table): AnyRouter {
  for (const [index, { path, methods, name, end, handlers, passes }] of routes.entries()) {
    const list = Array.from(
      { length: handlers },
      (_, position): Handler =>
        (ctx, next) => {
          ctx.calls.push(
            `${index}.${position} ${JSON.stringify([ctx['params'], ctx['captures'], String(ctx['routerPath']), ctx['routerName'], ctx.request.params])}`,
          );
          return passes || position < handlers - 1 ? next() : undefined;
        },
    );
    router.register(path, methods, list, {
      name,
      end: methods.length > 0 || end,
      ...(path instanceof RegExp ? { pathAsRegExp: true } : {}),
    });
    // What Egg has and @koa/router has not: captures of a RegExp are parameters.
    if (path instanceof RegExp && !(router instanceof Router)) {
      const groups = new RegExp(`${path.source}|`).exec('')?.slice(1) ?? [];
      Object.assign(router.stack.at(-1) as object, { paramNames: groups.map((_, name) => ({ name: String(name) })) });
    }
  }
  if (param)
    router.param('id', (id: string, ctx: Fields, next: () => unknown) => {
      ctx.calls.push(`param ${id}`);
      return next();
    });
  return router;
}

async function run(router: AnyRouter, [path, method]: [string, string]): Promise<Fields> {
  const ctx: Fields = {
    path,
    method,
    request: {},
    calls: [],
    headers: {},
    set(name, value) {
      ctx.headers[name] = value;
    },
  };
  try {
    await router.allowedMethods()(ctx, async () => router.routes()(ctx, async () => ctx.calls.push('end')));
  } catch (error) {
    ctx.calls.push(String(error));
  }
  return ctx;
}

const numbers = (router: AnyRouter, layers: object[]): number[] =>
  layers.map((layer) => router.stack.indexOf(layer as never));

test('100,000 requests to random route tables run the same layers, with the same parameters and allowed methods, as in @koa/router', {
  timeout: 120_000,
}, async () => {
  await fc.assert(
    fc.asyncProperty(table, async (given) => {
      const { prefix, ...rest } = given.options;
      const settings = prefix === undefined ? rest : { ...rest, prefix };
      let base: AnyRouter;
      try {
        base = build(new BaseRouter({ ...settings }), given);
      } catch (error) {
        // A prefix and a path with the same parameter: refused by both.
        assert.throws(() => build(new OwnRouter({ ...settings }, {}), given), { message: (error as Error).message });
        return;
      }
      const own = build(new OwnRouter({ ...settings }, {}), given);
      for (const request of given.requests) {
        const expected = base.match(request[0], request[1]);
        const got = own.match(request[0], request[1]);
        const context = JSON.stringify(request);
        assert.deepEqual(numbers(own, got.path), numbers(base, expected.path), context);
        assert.deepEqual(numbers(own, got.pathAndMethod), numbers(base, expected.pathAndMethod), context);
        assert.equal(got.route, expected.route, context);
        const [one, two] = [await run(own, request), await run(base, request)];
        for (const key of [
          'calls',
          'headers',
          'status',
          'params',
          'captures',
          'routerPath',
          'routerName',
          '_matchedRoute',
          '_matchedRouteName',
          'routeMatched',
        ]) {
          assert.deepEqual(one[key], two[key], `${key} of ${context}`);
        }
      }
    }),
    { numRuns: 2000, seed: 20_261_121, endOnFailure: false },
  );
});

test('routes that are added, prefixed or changed after the first request are found', async () => {
  const router = new OwnRouter({ sensitive: true }, {});
  const answer =
    (text: string): Handler =>
    (ctx) =>
      ctx.calls.push(text);
  router.register('/a', ['get'], [answer('a')], {});
  assert.deepEqual((await run(router, ['/a', 'GET'])).calls, ['a']);
  router.register('/b', ['get'], [answer('b')], {});
  assert.deepEqual((await run(router, ['/b', 'GET'])).calls, ['b']);
  (router as unknown as { prefix(prefix: string): void }).prefix('/v1');
  assert.deepEqual((await run(router, ['/b', 'GET'])).calls, ['end']);
  assert.deepEqual((await run(router, ['/v1/b', 'GET'])).calls, ['b']);
  router.stack.splice(0, 1);
  assert.deepEqual((await run(router, ['/v1/a', 'GET'])).calls, ['end']);
});

test('next() twice in a route is an error', async () => {
  const router = new OwnRouter({}, {});
  router.register(
    '/',
    ['get'],
    [
      async (_ctx, next) => {
        await next();
        await next();
      },
      (ctx) => ctx.calls.push('once'),
    ],
    {},
  );
  assert.deepEqual((await run(router, ['/', 'GET'])).calls, ['once', 'Error: next() called multiple times']);
});
