import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Singleton } from 'koa-clutch';
import { type Files, loadAgent, loadApp } from '../../support/loaded_app.js';

/** An app whose plugin `redis` makes clients that remember how they were made and closed. */
function files(config: string, create = '(config, app, name) => new Client(config, app, name)'): Files {
  return {
    'config/plugin.js': "exports.redis = { enable: true, path: __dirname + '/../lib/redis' };",
    'config/config.default.js': `exports.redis = ${config};`,
    'lib/redis/package.json': '{ "name": "redis", "eggPlugin": { "name": "redis" } }',
    'lib/redis/client.js': `
      exports.closed = [];
      exports.Client = class Client {
        constructor(config, app, name) { Object.assign(this, { config, app, name }); }
        async quit() { exports.closed.push(this.name); }
      };`,
    'lib/redis/setup.js': `
      const { Client } = require('./client');
      module.exports = (app) => app.addSingleton('redis', ${create});`,
    'lib/redis/app.js': "module.exports = require('./setup');",
    'lib/redis/agent.js': "module.exports = require('./setup');",
  };
}

interface Client {
  config: Record<string, unknown>;
  name: string;
  createInstance(config: object, name?: string): Client;
  createInstanceAsync(config: object, name?: string): Promise<Client>;
}
const redisOf = <T = Client>(app: unknown): T => (app as { redis: T }).redis;

test('client: app[name] is the client, its config over default, and makes more of them', (t) => {
  const app = loadApp(t, files("{ default: { port: 1, db: 0 }, client: { port: 2 }, name: 'main' }"));
  const redis = redisOf(app);
  assert.deepEqual(redis.config, { port: 2, db: 0 });
  assert.equal(redis.name, 'main');
  const more = redis.createInstance({ db: 3 }, 'more');
  assert.deepEqual([more.config, more.name], [{ port: 1, db: 3 }, 'more']);
});

test('clients: app[name] finds each by its id', (t) => {
  const app = loadApp(t, files('{ default: { port: 1 }, clients: { a: { db: 1 }, b: { db: 2 } } }'));
  const redis = redisOf<Singleton<Client>>(app);
  assert.ok(redis instanceof Singleton);
  assert.deepEqual(redis.get('a')?.config, { port: 1, db: 1 });
  assert.deepEqual(redis.getSingletonInstance('b')?.config, { port: 1, db: 2 });
  assert.equal(redis.get('c'), undefined);
});

test('without client or clients, and without any config, app[name] makes clients', (t) => {
  const app = loadApp(t, files('{ default: { port: 1 } }'));
  assert.deepEqual(redisOf(app).createInstance({}).config, { port: 1 });
  const bare = { ...files('{}'), 'config/config.default.js': '' };
  assert.deepEqual(redisOf(loadApp(t, bare)).createInstance({ port: 3 }).config, { port: 3 });
});

const ASYNC =
  'async (config, app, name) => { await new Promise((r) => setTimeout(r, 20)); return new Client(config, app, name); }';

test('an asynchronous create: the app is ready when the clients are', async (t) => {
  const one = loadApp(t, files('{ client: { port: 1 } }', ASYNC));
  assert.equal(redisOf<unknown>(one), undefined);
  await one.ready();
  assert.deepEqual(redisOf(one).config, { port: 1 });
  assert.throws(() => redisOf(one).createInstance({}), /only support create asynchronously\n.*\n.*createInstanceAsync/);
  assert.deepEqual((await redisOf(one).createInstanceAsync({ port: 5 })).config, { port: 5 });
  const several = loadApp(t, files('{ clients: { a: { db: 1 } } }', ASYNC));
  await several.ready();
  assert.deepEqual(redisOf<Singleton<Client>>(several).get('a')?.config, { db: 1 });
});

test('an asynchronous create that fails stops the boot', async (t) => {
  const app = loadApp(t, files('{ client: {} }', "async () => { throw new Error('no redis there'); }"));
  app.on('error', () => undefined);
  await assert.rejects(app.ready(), /no redis there/);
});

test('errors name the singleton and the config key', (t) => {
  assert.throws(
    () => loadApp(t, files('{ client: {}, clients: {} }')),
    /redis has both client and clients\n.*config\.redis/,
  );
  const twice = {
    ...files('{ client: {} }'),
    'app.js': "module.exports = (app) => app.addSingleton('redis', () => 1);",
  };
  assert.throws(() => loadApp(t, twice), /redis is already exists in app/);
});

test('a frozen client gets its methods on the prototype; a primitive goes without', (t) => {
  const app = loadApp(t, files('{ client: { port: 1 } }', '(config) => Object.freeze(new Client(config))'));
  assert.deepEqual(redisOf(app).createInstance({ port: 2 }).config, { port: 2 });
  assert.equal(redisOf<unknown>(loadApp(t, files('{ client: {} }', '() => 7'))), 7);
});

test('clients of Agent and app close with it, after the beforeClose hooks', async (t) => {
  const hook = `
    module.exports = class {
      constructor(app) { this.app = app; }
      async didLoad() { this.app.addSingleton('late', (config, app, name) => new (require('./lib/redis/client').Client)(config, app, name)); }
      async beforeClose() { require('./lib/redis/client').closed.push('hook'); }
    };`;
  const own = {
    ...files('{ clients: { a: {} } }'),
    'config/config.default.js': "exports.redis = { clients: { a: {} } }; exports.late = { client: {}, name: 'late' };",
    'app.js': hook,
    'agent.js': hook,
  };
  for (const load of [loadApp, loadAgent]) {
    const app = load(t, own);
    await app.ready();
    const closed = app.loader.requireFile(`${app.baseDir}/lib/redis/client.js`) as { closed: string[] };
    await app.close();
    assert.deepEqual(closed.closed, ['hook', 'a', 'late']);
  }
});

test('a client that cannot close does not keep the app from closing', async (t) => {
  const app = loadApp(t, files('{ client: {} }', "() => ({ close() { throw new Error('Connection is closed.'); } })"));
  await app.ready();
  await app.close();
});
