// Apps and plugins that are written for Egg 4. `node scripts/egg_packages.mjs` installs the plugins.
import assert from 'node:assert/strict';
import { existsSync, readdirSync, symlinkSync } from 'node:fs';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import * as clutch from 'koa-clutch';
import { start } from 'koa-clutch';
import { ROOT } from '../support/apps.js';
import { type Files, serve, writeApp } from '../support/loaded_app.js';
import { REDIS, startRedis } from '../support/redis.js';

/** What egg 4.0.10 exports at run time, and of 4.1 what its own `lib/define` adds. */
const EXPORTS = [
  ...['Agent', 'AgentWorkerLoader', 'AppWorkerLoader', 'Application', 'BaseContextClass', 'Boot', 'Context'],
  ...['ContextHttpClient', 'Controller', 'CookieLimitExceedError', 'EggApplicationCore', 'Helper', 'HttpClient'],
  ...['Master', 'Request', 'Response', 'Router', 'Service', 'Singleton', 'Subscription', 'start', 'startCluster'],
  ...['startEgg', 'defineConfig', 'defineConfigFactory', 'definePluginFactory'],
];
// Not there: ClusterAgentWorkerError, ClusterWorkerExceptionError and MessageUnhandledRejectionError, which nothing here throws.

test('every name that an app imports from Egg 4 is exported', () => {
  assert.deepEqual(
    EXPORTS.filter((name) => !(name in clutch)),
    [],
  );
});

test('egg/urllib is urllib', async () => {
  const { request: send } = await import('koa-clutch/urllib');
  assert.equal(typeof send, 'function');
});

test('HttpClient and Router can be extended and constructed', async (t) => {
  class Counted extends clutch.HttpClient {
    count = 0;
    override request: clutch.HttpClient['request'] = (...args) => {
      this.count += 1;
      return super.request(...args);
    };
  }
  const app = await start({ baseDir: writeApp(t), env: 'unittest' });
  t.after(() => app.close());
  app.HttpClient = Counted;
  assert.ok(app.httpclient instanceof Counted);
  assert.ok(app.httpclient instanceof clutch.HttpClient);
  assert.ok(app.router instanceof clutch.Router);
  assert.ok(new clutch.Router({}, app) instanceof clutch.Router);
});

/** An app of ES modules as the documentation of Egg 4 writes them. */
const ESM_APP: Files = {
  'package.json': '{ "name": "demo", "type": "module" }',
  'config/config.default.js': `
    import { defineConfigFactory } from 'egg';
    export default defineConfigFactory((appInfo) => ({ keys: appInfo.name + '_keys', middleware: ['time'] }));`,
  'config/plugin.js': `import counter from '../plugin/counter/index.js';\nexport default { ...counter() };`,
  'plugin/counter/package.json': '{ "name": "egg-counter", "type": "module", "eggPlugin": { "name": "counter" } }',
  'plugin/counter/index.js': `
    import { definePluginFactory } from 'egg';
    export default definePluginFactory({ name: 'counter', enable: true, path: import.meta.dirname });`,
  'plugin/counter/app.js': `
    export default class {
      #app;
      #steps = [];
      constructor(app) { this.#app = app; }
      configWillLoad() { this.#steps.push('configWillLoad'); }
      async didLoad() {
        const { loader } = this.#app;
        await loader.loadToApp(loader.getLoadUnits().map((unit) => unit.path + '/app/counter'), 'counters', { call: true });
        this.#steps.push('didLoad');
        this.#app.steps = this.#steps;
      }
    }`,
  'app/counter/visits.js': 'export default () => ({ total: 0 });',
  'app/middleware/time.js': `export default () => async (ctx, next) => { await next(); ctx.set('x-time', '1'); };`,
  'app/extend/context.js': `
    import { Context } from 'egg';
    export default class MyContext extends Context { get visits() { return ++this.app.counters.visits.total; } }`,
  'app/extend/helper.js': `
    import { Helper } from 'egg';
    export default class MyHelper extends Helper { upper(text) { return text.toUpperCase(); } }`,
  'app/service/user.js': `
    import { Service } from 'egg';
    export default class UserService extends Service {
      #names = new Map([['1', 'ada']]);
      async find(id) { return this.#names.get(id); }
    }`,
  'app/controller/home.js': `
    import { Controller } from 'egg';
    export default class HomeController extends Controller {
      #greeting = 'hello ';
      async index() {
        const { ctx } = this;
        const name = ctx.helper.upper(await ctx.service.user.find('1'));
        ctx.body = { text: this.#greeting + name, visits: ctx.visits, steps: ctx.app.steps };
      }
    }`,
  'app/router.js': `export default (app) => { app.router.get('/', app.controller.home.index); };`,
};

test('an ES module app with classes to extend, private members and awaited loader calls runs', async (t) => {
  const app = await clutch.startEgg({ baseDir: writeApp(t, ESM_APP), env: 'unittest' });
  t.after(() => app.close());
  const ask = await serve(t, app);
  const { body, headers } = await ask('/');
  assert.deepEqual(JSON.parse(body), { text: 'hello ADA', visits: 1, steps: ['configWillLoad', 'didLoad'] });
  assert.equal(headers['x-time'], '1');
});

test('new Master(options).ready() starts a cluster', async (t) => {
  const master = new clutch.Master({ baseDir: writeApp(t, ESM_APP), workers: 1, port: 0, env: 'unittest' });
  t.after(() => master.close());
  await master.ready();
});

const INSTALLED = path.join(ROOT, 'test/fixtures/egg-4-plugins/node_modules');
const skip = existsSync(path.join(INSTALLED, '@eggjs/session'))
  ? false
  : 'node scripts/egg_packages.mjs has not been run';

async function startWith(t: TestContext, packages: string[], files: Files) {
  const keys = packages.map((name) => [name, { enable: true, package: `@eggjs/${name}` }]);
  const baseDir = writeApp(t, {
    'config/plugin.js': `module.exports = ${JSON.stringify(Object.fromEntries(keys))};`,
    ...files,
  });
  for (const name of readdirSync(INSTALLED)) {
    if (name === '@eggjs') symlinkSync(path.join(INSTALLED, name), path.join(baseDir, 'node_modules', name), 'dir');
  }
  const app = await start({ baseDir, env: 'unittest' });
  t.after(() => app.close());
  return { app, ask: await serve(t, app) };
}

const cookies = (headers: { 'set-cookie'?: string[] }): string =>
  (headers['set-cookie'] ?? []).map((cookie) => cookie.split(';')[0]).join('; ');

test('@eggjs/session, security, static and view work together', { skip }, async (t) => {
  const { app, ask } = await startWith(t, ['session', 'security', 'static', 'view'], {
    'config/config.default.js': `exports.keys = 'k'; exports.view = { defaultViewEngine: 'up' };`,
    'app.js': `module.exports = (app) => app.view.use('up', class {
      async render(file, locals) { return require('fs').readFileSync(file, 'utf8').replace('{name}', locals.name); }
      async renderString() { return ''; }
    });`,
    'app/view/home.html': '<p>{name}</p>',
    'app/public/a.txt': 'static',
    'app/router.js': `module.exports = (app) => {
      app.get('/', (ctx) => { ctx.session.count = (ctx.session.count || 0) + 1; ctx.body = { count: ctx.session.count, csrf: ctx.csrf }; });
      app.post('/', (ctx) => { ctx.body = 'done'; });
      app.get('/view', (ctx) => ctx.render('home.html', { name: 'ada' }));
    };`,
  });
  assert.match(String(app.plugins['session']?.path), /@eggjs\/session/);
  const first = await ask('/');
  assert.equal(first.headers['x-frame-options'], 'SAMEORIGIN');
  const { count, csrf } = JSON.parse(first.body);
  assert.equal(count, 1);
  const headers = { cookie: cookies(first.headers) };
  assert.equal(JSON.parse((await ask('/', { headers })).body).count, 2);
  assert.equal((await ask('/', { method: 'POST', headers })).status, 403);
  const sent = await ask('/', { method: 'POST', headers: { ...headers, 'x-csrf-token': csrf } });
  assert.equal(sent.body, 'done');
  assert.equal((await ask('/view')).body, '<p>ada</p>');
  assert.equal((await ask('/public/a.txt')).body, 'static');
});

test('@eggjs/redis reads and writes', {
  skip: skip || (REDIS ? false : 'there is no redis-server'),
}, async (t) => {
  const port = await startRedis(t);
  const { ask } = await startWith(t, ['redis'], {
    'config/config.default.js': `exports.keys = 'k'; exports.redis = { client: { host: '127.0.0.1', port: ${port}, password: '', db: 0 } };`,
    'app/router.js': `module.exports = (app) => {
      app.get('/', async (ctx) => { await app.redis.set('k', 'v'); ctx.body = await app.redis.get('k'); });
    };`,
  });
  assert.equal((await ask('/')).body, 'v');
});
