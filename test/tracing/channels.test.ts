import assert from 'node:assert/strict';
import type { AddressInfo } from 'node:net';
import { type TestContext, test } from 'node:test';
import type { TraceName, TracePayloads } from 'koa-clutch';
import { observe } from '../../tracing/channels.js';
import { until } from '../support/apps.js';
import { pair } from '../support/leader_pair.js';
import { type Files, loadApp, serve } from '../support/loaded_app.js';

type Recorded = { [K in TraceName]: { what: K; edge: 'start' | 'end'; payload: TracePayloads[K] } }[TraceName];

/** Records what the channels of these names publish. */
function record(t: TestContext, names: TraceName[]): Recorded[] {
  const events: Recorded[] = [];
  for (const what of names) {
    const stop = observe(what, {
      start: (payload) => events.push({ what, edge: 'start', payload } as Recorded),
      end: (payload) => events.push({ what, edge: 'end', payload } as Recorded),
    });
    t.after(stop);
  }
  return events;
}

const lineOf = ({ what, edge, payload }: Recorded): string =>
  `${edge} ${what} ${'name' in payload ? payload.name : 'url' in payload ? payload.url : ''}`.trimEnd();

const OF_REQUESTS: TraceName[] = ['request', 'middleware', 'controller', 'service', 'view', 'httpclient'];

const APP: Files = {
  'config/config.default.js': `
    exports.keys = 'k';
    exports.middleware = ['timed'];
    exports.logger = { consoleLevel: 'NONE' };`,
  'app/middleware/timed.js': 'module.exports = () => async function timed(ctx, next) { await next(); };',
  'app/router.js': `module.exports = (app) => {
    const guard = async function guard(ctx, next) { await next(); };
    app.get('/users/:id', guard, 'user.show');
    app.get('/fails', (ctx) => ctx.service.user.fails());
    app.get('/plain', app.controller.user.plain);
    app.get('/streams', (ctx) => { ctx.body = require('node:stream').Readable.from(['a', 'b']); });
    app.get('/curl', async (ctx) => { ctx.body = (await ctx.curl(ctx.query.url)).data; });
    app.get('/fetch', async (ctx) => { ctx.body = await (await app.fetch(ctx.query.url)).text(); });
    app.get('/echo', (ctx) => { ctx.body = ctx.get('x-trace'); });
  };`,
  'app/controller/user.js': `module.exports = class UserController extends require('egg').Controller {
    async show() { await this.ctx.render('user.html', { name: await this.ctx.service.user.find(this.ctx.params.id) }); }
    plain() { this.ctx.body = this.ctx.service.user.twice(21); }
  };`,
  'app/service/user.js': `module.exports = class UserService extends require('egg').Service {
    #prefix = 'user ';
    async find(id) { return this.#prefix + id; }
    twice(number) { return number * 2; }
    async fails() { throw Object.assign(new Error('no database'), { status: 503 }); }
  };`,
  'app/view/user.html': '<p><%= it.name %></p>',
};

test('a subscriber that comes after the boot sees a request with its middleware, controller, service and view', async (t) => {
  const app = loadApp(t, APP);
  const ask = await serve(t, app);
  assert.equal((await ask('/users/7')).body, '<p>user 7</p>');
  const events = record(t, OF_REQUESTS);
  assert.equal((await ask('/users/7')).body, '<p>user 7</p>');
  await until('the request has ended', () => lineOf(events.at(-1)!).startsWith('end request'));
  const lines = events.map(lineOf);
  const own = lines.filter((line) => !/middleware (?!timed|guard)/.test(line));
  const view = events.find(({ what }) => what === 'view')!.payload as TracePayloads['view'];
  assert.deepEqual(own, [
    'start request /users/7',
    'start middleware timed',
    'start middleware guard',
    'start controller user.show',
    'start service user.find',
    'end service user.find',
    `start view ${view.name}`,
    `end view ${view.name}`,
    'end controller user.show',
    'end middleware guard',
    'end middleware timed',
    'end request /users/7',
  ]);
  assert.ok(lines.includes('start middleware bodyParser'), lines.join('\n'));
  const request = events[0]!.payload as TracePayloads['request'];
  assert.equal(request.method, 'GET');
  assert.equal(request.route, '/users/:id');
  assert.equal(request.status, 200);
  assert.ok(request.start > 0);
  // Whatever belongs to a request can be told by its context.
  for (const { payload } of events) assert.equal((payload as TracePayloads['view']).ctx, request.ctx);
});

test('a service method that is synchronous stays so, and its class keeps its name and private members', async (t) => {
  const app = loadApp(t, APP);
  const ask = await serve(t, app);
  const events = record(t, ['service']);
  assert.equal((await ask('/plain')).body, '42');
  assert.deepEqual(events.map(lineOf), ['start service user.twice', 'end service user.twice']);
  assert.equal((events[0]!.payload as TracePayloads['service']).result, 42);
  const { user } = app.createAnonymousContext().service as { user: object };
  const { serviceClasses } = app as unknown as { serviceClasses: { user: new () => object } };
  assert.equal(user.constructor.name, 'UserService');
  assert.ok(user instanceof serviceClasses.user);
});

test('an error is published where it passes, and the request ends with its status', async (t) => {
  const ask = await serve(t, loadApp(t, APP));
  const events = record(t, ['request', 'controller', 'service']);
  assert.equal((await ask('/fails')).status, 503);
  await until('the request has ended', () => lineOf(events.at(-1)!).startsWith('end request'));
  for (const { payload } of events) assert.equal((payload.error as Error).message, 'no database');
  assert.equal((events[0]!.payload as TracePayloads['request']).status, 503);
});

test('a request ends when its response has been sent', async (t) => {
  const ask = await serve(t, loadApp(t, APP));
  let finished: boolean | undefined;
  t.after(observe('request', { end: ({ ctx }) => (finished = ctx.res.writableFinished) }));
  assert.equal((await ask('/streams')).body, 'ab');
  await until('the request has ended', () => finished !== undefined);
  assert.equal(finished, true);
});

test('a subscriber adds headers to what the http client sends', async (t) => {
  const app = loadApp(t, APP);
  const ask = await serve(t, app);
  t.after(observe('httpclient', { start: ({ headers }) => (headers['x-trace'] = 'sent along') }));
  const events = record(t, ['httpclient']);
  const server = app.listen(0);
  t.after(() => server.close());
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/echo`;
  for (const by of ['curl', 'fetch']) {
    events.length = 0;
    assert.equal((await ask(`/${by}?url=${url}`)).body, 'sent along', by);
    const { status, method, ctx } = events[0]!.payload as TracePayloads['httpclient'];
    assert.deepEqual([method, status, ctx?.path], ['GET', 200, `/${by}`]);
  }
});

test('boot and hooks are published', async (t) => {
  const events = record(t, ['boot', 'hook']);
  const app = loadApp(t, {
    'app.js':
      'module.exports = class { configDidLoad() {} async didLoad() {} async willReady() {} async beforeClose() {} };',
  });
  await app.ready();
  await until('didReady has run', () => events.some((event) => event.what === 'boot' && event.edge === 'end'));
  await app.close();
  const own = events.filter(({ payload }) => 'file' in payload && payload.file === `${app.baseDir}/app.js`);
  const hooks = own.map(({ edge, payload }) => `${edge} ${(payload as TracePayloads['hook']).hook}`);
  assert.deepEqual(
    hooks,
    ['configDidLoad', 'didLoad', 'willReady', 'beforeClose'].flatMap((hook) => [`start ${hook}`, `end ${hook}`]),
  );
  assert.deepEqual(events.filter(({ what }) => what === 'boot').map(lineOf), ['start boot demo', 'end boot demo']);
});

test('what a subscriber adds to an invocation, a one-way call, a publication and a pushed value comes out at the other end', async (t) => {
  class Registry {
    readonly #listeners = new Map<string, (value: unknown) => void>();
    subscribe({ key }: { key: string }, listener: (value: unknown) => void): void {
      this.#listeners.set(key, listener);
    }
    publish({ key, value }: { key: string; value: unknown }): void {
      this.#listeners.get(key)?.(value);
    }
    async get(key: string): Promise<string> {
      return `value of ${key}`;
    }
    note(): void {}
  }
  const { leader, follower } = pair(t);
  leader().builder(Registry).delegate('note', 'invokeOneway').create();
  const client = follower().builder(Registry).delegate('note', 'invokeOneway').create();
  t.after(
    observe('message', { start: (payload) => payload.direction === 'out' && (payload.carrier['id'] ??= payload.name) }),
  );
  const events = record(t, ['message']);
  const arrived = (kind: string) =>
    until(`${kind} arrives`, () =>
      events.some(({ what, payload }) => what === 'message' && payload.direction === 'in' && payload.kind === kind),
    );
  const values: unknown[] = [];
  client.subscribe({ key: 'a' }, (value) => values.push(value));
  assert.equal(await client.get('b'), 'value of b');
  client.note();
  client.publish({ key: 'a', value: 1 });
  for (const kind of ['invoke', 'oneway', 'publish', 'push']) await arrived(kind);
  assert.deepEqual(values, [1]);
  const received = events.filter(
    ({ what, edge, payload }) => what === 'message' && edge === 'start' && payload.direction === 'in',
  );
  for (const { payload } of received) {
    const { carrier, name } = payload as TracePayloads['message'];
    assert.deepEqual(carrier, { id: name });
  }
});
