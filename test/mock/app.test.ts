import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, type TestContext, test } from 'node:test';
import mock, { app as bootApp, type MockedApplication, restore } from 'koa-clutch/mock';
import { writeApp } from '../support/loaded_app.js';

const FILES = {
  'config/config.default.js': `exports.keys = 'k'; exports.customLogger = { jobs: { file: 'jobs.log' } };`,
  'app/router.js': `module.exports = (app) => {
    const { home } = app.controller;
    app.get('home', '/', home.index);
    app.post('/', home.save);
    app.get('/out', home.out);
    app.get('/later', home.later);
  };`,
  'app/controller/home.js': `module.exports = (app) => class extends app.Controller {
    async index() {
      const { ctx } = this;
      ctx.logger.info('home is asked');
      app.getLogger('jobs').info('one job');
      const cookie = ctx.cookies.get('c');
      ctx.body = { name: await ctx.service.user.name(), user: ctx.session?.user, token: ctx.get('x-token'), cookie,
        plain: ctx.service.admin.role.plain() };
    }
    async save() { this.ctx.body = this.ctx.request.body; }
    async out() {
      const { data, status, headers } = await this.ctx.curl(this.ctx.query.url, { dataType: 'json' });
      this.ctx.body = { data, upstream: status, kind: headers['x-kind'] };
    }
    async later() {
      app.done = false;
      this.ctx.runInBackground(async () => { await new Promise(setImmediate); app.done = true; });
      this.ctx.body = 'later';
    }
  };`,
  'app/service/user.js': `module.exports = (app) => class extends app.Service { async name() { return 'ada'; } };`,
  'app/service/admin/role.js': `module.exports = (app) => class extends app.Service { plain() { return 'user'; } };`,
};

afterEach(restore);

async function boot(t: TestContext, files: Record<string, string> = FILES): Promise<MockedApplication> {
  const app = bootApp({ baseDir: writeApp(t, files) });
  t.after(() => app.close());
  await app.ready();
  return app;
}

const home = async (app: MockedApplication): Promise<Record<string, unknown>> =>
  JSON.parse((await app.inject('/')).body) as Record<string, unknown>;

test('an app is booted once for a directory, and again after it was closed', async (t) => {
  const baseDir = writeApp(t, FILES);
  const app = await bootApp({ baseDir });
  assert.equal(bootApp({ baseDir }), app);
  assert.equal(app.config.env, 'unittest');
  await app.close();
  const next = await bootApp({ baseDir });
  assert.notEqual(next, app);
  await next.close();
});

test('an app that is used before it is ready, or after a failed boot, says so', async (t) => {
  const app = bootApp({ baseDir: writeApp(t, FILES) });
  assert.throws(() => app.config, /app\.config is read before the app is ready[\s\S]*Await app\.ready\(\)/);
  await app.close();
  const broken = bootApp({
    baseDir: writeApp(t, { 'app.js': `module.exports = () => { throw new Error('no database'); };` }),
  });
  await assert.rejects(broken.ready(), /no database/);
  assert.throws(() => broken.config, /app\.config cannot be read: the boot of the app has failed/);
  await broken.close();
});

test('an injected request that is refused after its body was read has its response at once', async (t) => {
  const app = await boot(t);
  const refused = app.inject({ method: 'POST', url: '/', payload: { name: 'ada' } });
  const late = new Promise((_, reject) => setTimeout(reject, 4000, new Error('still no response')).unref());
  const { statusCode } = (await Promise.race([refused, late])) as Awaited<typeof refused>;
  assert.equal(statusCode, 403);
});

test('inject and httpRequest give the same response, with a socket and without', async (t) => {
  const app = await boot(t);
  const injected = await app.inject({ method: 'GET', url: '/', headers: { 'x-token': 't' } });
  const response = await app
    .httpRequest()
    .get('home')
    .set('x-token', 't')
    .expect(200)
    .expectHeader('content-type')
    .unexpectHeader('x-no');
  assert.deepEqual(response.body, JSON.parse(injected.body));
  assert.equal(response.body.token, 't');
  await assert.rejects(async () => app.httpRequest().get('nowhere'), /no route of the name nowhere/);
  await assert.rejects(async () => app.httpRequest().get('/').expectHeader('x-no'), /expected header x-no/);
});

test('mockService replaces methods by a value, a function or an error, and keeps them async or not', async (t) => {
  const app = await boot(t);
  app.mockService('user', 'name', 'bob').mockService('admin.role', 'plain', () => 'root');
  const mocked = await home(app);
  assert.deepEqual([mocked['name'], mocked['plain']], ['bob', 'root']);
  app.mockService('admin.role', 'plain', 'guest');
  const { service } = app.mockContext() as unknown as { service: { admin: { role: { plain(): string } } } };
  assert.equal(service.admin.role.plain(), 'guest');
  app.mockServiceError('user', 'name', 'gone');
  assert.equal((await app.inject('/')).statusCode, 500);
  await restore();
  assert.equal((await home(app))['name'], 'ada');
  assert.throws(() => app.mockService('nobody', 'name', 1), /no service nobody[\s\S]*user/);
  assert.throws(() => app.mockService('user', 'nothing', 1), /service user has no method nothing/);
});

test('session, cookies and headers are those of the test, and requests pass without a token', async (t) => {
  const app = await boot(t);
  const refused = await app.httpRequest().post('/').send({ a: 1 });
  assert.equal(refused.status, 403);
  app.mockCsrf();
  app.mockSession({ user: 'ada' });
  app.mockCookies({ c: 'cookie' });
  app.mockHeaders({ 'X-Token': 'token' });
  await app.httpRequest().post('/').send({ a: 1 }).expect(200, { a: 1 });
  for (const { body } of [await app.httpRequest().get('/'), { body: await home(app) }]) {
    assert.deepEqual([body.user, body.cookie, body.token], ['ada', 'cookie', 'token']);
  }
  await restore();
  await app.httpRequest().post('/').send({ a: 1 }).expect(403);
  const { user, cookie, token } = await home(app);
  assert.deepEqual([user, cookie, token], [undefined, undefined, '']);
});

test('a mocked context has the given properties, and is the current one until restore', async (t) => {
  const app = await boot(t);
  const ctx = app.mockContext({ userId: 7, headers: { 'X-A': 'a' }, method: 'POST', url: '/b?c=1' });
  assert.equal(app.currentContext, ctx);
  assert.deepEqual(
    [(ctx as unknown as { userId: number }).userId, ctx.get('x-a'), ctx.method, ctx.path],
    [7, 'a', 'POST', '/b'],
  );
  await restore();
  assert.equal(app.currentContext, undefined);
  const inside = app.mockContextScope((scoped) => app.currentContext === scoped && scoped.path, { url: '/in' });
  assert.equal(inside, '/in');
  assert.equal(app.currentContext, undefined);
});

test('log lines are expected, and those that must not come are found', async (t) => {
  const app = await boot(t);
  app.mockLog().mockLog('jobs');
  await app.inject('/');
  app
    .expectLog('home is asked')
    .expectLog(/^one job$/m, 'jobs')
    .notExpectLog('one job');
  assert.throws(() => app.expectLog('never'), /logger should have logged never, but has:\nhome is asked/);
  assert.throws(() => app.notExpectLog(/one/, 'jobs'), /jobs should not have logged/);
  await restore();
  app.expectLog('home is asked');
  assert.throws(() => app.mockLog('nothing'), /no logger nothing/);
});

test('mockHttpclient responds for others, by url, method and number of requests', async (t) => {
  const app = await boot(t);
  const ask = async (url: string): Promise<unknown> =>
    JSON.parse((await app.inject({ url: '/out', query: { url } })).body) as unknown;
  const upstream = createServer((_req, res) => res.end('{"real":true}')).listen(0, '127.0.0.1');
  await once(upstream, 'listening');
  t.after(() => upstream.close());
  const real = `http://127.0.0.1:${(upstream.address() as AddressInfo).port}/`;

  app.mockHttpclient('http://one.invalid/a', { a: 1 });
  app.mockHttpclient(/\.invalid\/b/, 'GET', {
    status: 201,
    data: '{"b":2}',
    headers: { 'x-kind': 'mocked' },
    repeats: 1,
  });
  app.mockHttpclient('http://one.invalid/c', (url: string) => ({ data: { url } }));
  assert.deepEqual(await ask('http://one.invalid/a?any=1'), { data: { a: 1 }, upstream: 200 });
  assert.deepEqual(await ask('http://two.invalid/b'), { data: { b: 2 }, upstream: 201, kind: 'mocked' });
  assert.equal((await app.inject('/out?url=http://two.invalid/b')).statusCode, 500);
  assert.deepEqual(await ask('http://one.invalid/c?d=1'), { data: { url: 'http://one.invalid/c?d=1' }, upstream: 200 });
  assert.deepEqual(await ask(real), { data: { real: true }, upstream: 200 });

  app.agent.mockAgent().get('http://three.invalid').intercept({ path: '/' }).reply(200, { by: 'agent' });
  assert.deepEqual(await ask('http://three.invalid/'), { data: { by: 'agent' }, upstream: 200 });
  assert.deepEqual(await ask(real), { data: { real: true }, upstream: 200 });
  await restore();
  assert.equal((await app.inject('/out?url=http://one.invalid/a')).statusCode, 500);
  assert.deepEqual(await ask(real), { data: { real: true }, upstream: 200 });
});

test('background tasks are waited for', async (t) => {
  const app = await boot(t);
  await app.inject('/later');
  await app.backgroundTasksFinished();
  assert.equal((app as unknown as { done: boolean }).done, true);
});

test('properties of any object are replaced and restored, the last one first', async () => {
  const object = { a: 1, b: () => 'b' } as Record<string, unknown>;
  mock(object, 'a', 2)(object, 'a', 3);
  mock(object, 'added', { get: () => 'computed' });
  assert.deepEqual(
    [object['a'], object['added'], mock.isMocked(object, 'a'), mock.isMocked(object, 'b')],
    [3, 'computed', true, false],
  );
  mock.env('prod');
  assert.equal(process.env['EGG_SERVER_ENV'], 'prod');
  await restore();
  assert.deepEqual(Object.keys(object), ['a', 'b']);
  assert.equal(object['a'], 1);
  assert.notEqual(process.env['EGG_SERVER_ENV'], 'prod');
  assert.throws(() => mock(7 as never, 'a', 1), TypeError);
});

test('the directory of a plugin is an app with that plugin', async (t) => {
  const baseDir = writeApp(t, { 'config/config.default.js': `exports.keys = 'k';` });
  const plugin = writeApp(t, {
    'package.json': '{ "name": "egg-my", "eggPlugin": { "name": "my" } }',
    'app/extend/application.js': `module.exports = { my: 'own' };`,
  });
  const app = await bootApp({ baseDir, plugin });
  t.after(() => app.close());
  assert.equal((app as unknown as { my: string }).my, 'own');
  assert.throws(() => bootApp({ baseDir: writeApp(t), plugin: baseDir }), /needs eggPlugin\.name/);
});

test('an app whose config is async boots', async (t) => {
  const app = await boot(t, {
    'config/config.default.js': `module.exports = async () => {
      await new Promise(setImmediate);
      return { keys: 'k', remote: { name: 'ada' } };
    };`,
    'app/router.js': `module.exports = (app) => app.get('/', (ctx) => { ctx.body = app.config.remote; });`,
  });
  await app.httpRequest().get('/').expect(200).expect({ name: 'ada' });
});
