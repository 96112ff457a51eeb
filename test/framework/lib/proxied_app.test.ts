import assert from 'node:assert/strict';
import { once } from 'node:events';
import http from 'node:http';
import { test } from 'node:test';
import type { Application } from 'koa-clutch';
import { request } from '../../support/http.js';
import { loadApp } from '../../support/loaded_app.js';

// Test kits, Egg's among them, give a Proxy of the app to the tests.
const PROXIES: [string, (app: Application) => Application][] = [
  ['whose members come from the app', (app) => new Proxy(app, { get: (target, key) => Reflect.get(target, key) })],
  ['that does nothing', (app) => new Proxy(app, {})],
];

for (const [which, wrap] of PROXIES) {
  test(`an app works through a Proxy ${which}`, async (t) => {
    const app = wrap(
      loadApp(t, {
        'config/config.default.js': `exports.keys = 'k'; exports.counter = { client: { from: 1 } };`,
        'app/router.js': `module.exports = (app) => { app.get('home', '/', (ctx) => {
          ctx.body = { own: ctx.app === app, known: app.currentContext === ctx };
        }); };`,
      }),
    );
    await app.ready();
    const server = http.createServer(app.callback()).listen(0, '127.0.0.1');
    t.after(() => server.close());
    await once(server, 'listening');
    const { port } = server.address() as { port: number };
    const { body } = await request(`http://127.0.0.1:${port}/`);
    assert.deepEqual(JSON.parse(body), { own: true, known: true });

    assert.equal(app.url('home'), '/');
    app.runInAnonymousContextScope((ctx) => assert.equal(app.currentContext, ctx));
    assert.ok(app.createHttpClient());
    assert.ok(app.httpclient);
    app.addSingleton('counter', (config: { from: number }) => ({ count: config.from }));
    assert.equal((app as unknown as { counter: { count: number } }).counter.count, 1);
    const failed = new Promise((resolve) => app.once('error', resolve));
    const error = new Error('broken');
    app.emit('error', error, app.createAnonymousContext());
    assert.equal(await failed, error);
    app.locals = { a: 1 };
    assert.equal(app.locals['a'], 1);
    assert.ok(app.keygrip && app.cookieCipher && app.Helper && app.logger && app.serverOptions);
    app.dumpConfig();
    await app.close();
  });
}
