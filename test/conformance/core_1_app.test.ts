import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { type Files, loadApp } from '../support/loaded_app.js';

/** What an application does not declare, such as members of plugins. */
const get = (object: object, name: string | symbol): never => Reflect.get(object, name) as never;

const APP: Files = {
  'config/config.default.js': "exports.keys = 'k'; exports.middleware = ['gzip'];",
  'app/middleware/gzip.js': 'module.exports = () => (ctx, next) => next();',
  'app/controller/home.js': 'exports.index = async (ctx) => { ctx.body = 1; };',
  'app/service/user.js': 'module.exports = class {};',
  'app/router.js': "module.exports = (app) => app.get('home', '/home/:id', 'home.index');",
};

type App = ReturnType<typeof loadApp>;
const members: [id: string, title: string, check: (app: App) => unknown][] = [
  ['1.4.name', 'is that of package.json', (app) => assert.equal(app.name, 'demo')],
  ['1.4.plugins', 'are the enabled ones', (app) => assert.equal(app.plugins, app.loader.plugins)],
  ['1.4.config', 'is that of the loader', (app) => assert.equal(app.config, app.loader.config)],
  ['1.4.options', 'are those given', (app) => assert.equal(app.options.env, 'unittest')],
  [
    '1.4.timing',
    'has the steps of the boot',
    (app) => assert.ok(app.timing.toJSON().some(({ name }) => name === 'Load Config')),
  ],
  [
    '1.4.BaseContextClass',
    'has the service and controller classes',
    (app) => {
      for (const name of ['BaseContextClass', 'Controller', 'Service', 'Subscription', 'BaseHookClass']) {
        assert.equal(typeof get(app, name), 'function', name);
      }
    },
  ],
  [
    '1.4.serviceClasses',
    'holds classes of services',
    (app) => assert.equal(typeof get(get(app, 'serviceClasses'), 'user'), 'function'),
  ],
  [
    '1.4.controller',
    'holds controllers',
    (app) => assert.equal(typeof get(get(app.controller, 'home'), 'index'), 'function'),
  ],
  ['1.4.middlewares', 'holds factories', (app) => assert.equal(typeof get(app.middlewares, 'gzip'), 'function')],
  [
    '1.4.middleware',
    'is an array with the factories by name, which are not enumerable',
    (app) => {
      assert.ok(Array.isArray(app.middleware));
      assert.equal(get(app.middleware, 'gzip'), get(app.middlewares, 'gzip'));
      assert.equal(Object.keys(app.middleware).includes('gzip'), false);
    },
  ],
  [
    '1.4.use',
    'returns the app, and refuses what is no function',
    (app) => {
      assert.equal(
        app.use((_, next) => next()),
        app,
      );
      assert.throws(() => app.use('x' as never), TypeError);
    },
  ],
  [
    '1.4.router',
    'is case-sensitive and made once',
    (app) => {
      assert.equal(app.router.opts.sensitive, true);
      assert.equal(app.router, app.router);
    },
  ],
  [
    '1.4.verbs',
    'register routes and return the app',
    (app) => {
      for (const verb of ['head', 'get', 'put', 'patch', 'post', 'delete', 'del', 'all'] as const) {
        assert.equal(
          app[verb](`/${verb}`, async () => undefined),
          app,
        );
      }
    },
  ],
  ['1.4.url', 'is that of the router', (app) => assert.equal(app.url('home', { id: 1 }), '/home/1')],
  [
    '1.4.deprecate',
    'warns with the file that calls it',
    async (app) => {
      const warned = once(process, 'warning');
      app.deprecate('old is old');
      assert.match(((await warned)[0] as Error).message, /old is old \(.*core_1_app\.test/);
    },
  ],
  [
    '1.4.lifecycle',
    'registers tasks',
    (app) => {
      for (const name of ['beforeStart', 'ready', 'readyCallback', 'beforeClose', 'close']) {
        assert.equal(typeof get(app, name), 'function');
      }
    },
  ],
  [
    '1.4.toAsyncFunction',
    'turns generator functions into async ones',
    async (app) => {
      const self = {};
      const fn = app.toAsyncFunction(function* (this: object) {
        return [this, (yield Promise.resolve(1)) as number];
      }) as unknown as () => Promise<unknown[]>;
      assert.deepEqual(await fn.call(self), [self, 1]);
      assert.equal(app.toAsyncFunction('x'), 'x');
    },
  ],
  [
    '1.4.toPromise',
    'resolves arrays and objects',
    async (app) => {
      assert.deepEqual(await app.toPromise([Promise.resolve(1)]), [1]);
      assert.deepEqual(await app.toPromise({ a: Promise.resolve(1) }), { a: 1 });
    },
  ],
  [
    '1.4.ctxStorage',
    'is one for the process',
    (app) => assert.equal(app.ctxStorage, get(globalThis, Symbol.for('gals#asyncLocalStorage'))),
  ],
  ['1.4.currentContext', 'is undefined outside of a request', (app) => assert.equal(app.currentContext, undefined)],
  [
    '1.4.console',
    'is a logger for the console',
    (app) => assert.equal(typeof get(get(app, 'console'), 'info'), 'function'),
  ],
  [
    '1.5.classes',
    'can be overridden',
    (app) => {
      for (const name of ['ContextCookies', 'ContextLogger', 'ContextHttpClient', 'HttpClient']) {
        assert.equal(typeof get(app, name), 'function', name);
      }
    },
  ],
  ['1.5.messenger', 'sends to the other side', (app) => assert.equal(typeof app.messenger.sendToAgent, 'function')],
  ['1.5.cluster', 'shares clients', (app) => assert.equal(typeof app.cluster, 'function')],
  [
    '1.5.loggers',
    'are found by name, or null',
    (app) => {
      assert.equal(app.getLogger('logger'), app.logger);
      assert.equal(app.getLogger('coreLogger'), app.coreLogger);
      assert.equal(app.getLogger('none'), null);
    },
  ],
  ['1.5.httpclient', 'is one object by two names', (app) => assert.equal(app.httpclient, app.httpClient)],
  [
    '1.5.inspect',
    'shows env, name and baseDir, and placeholders',
    (app) => {
      const shown = app.inspect();
      assert.deepEqual([shown['env'], shown['name'], shown['baseDir']], ['unittest', 'demo', app.baseDir]);
      for (const name of ['config', 'controller', 'httpclient', 'loggers', 'middlewares', 'router', 'serviceClasses']) {
        assert.equal(shown[name], `<egg ${name}>`);
      }
    },
  ],
  [
    '1.5.env',
    'and proxy are those of config, and cannot be set',
    (app) => {
      Object.assign(app, { env: 'other', proxy: 'other' });
      assert.deepEqual([get(app, 'env'), get(app, 'proxy')], [app.config.env, app.config.proxy]);
    },
  ],
  [
    '1.5.createAnonymousContext',
    'has a made-up request',
    (app) => {
      const ctx = app.createAnonymousContext({ headers: { a: 'b' }, url: '/x?y=1' } as never);
      assert.deepEqual([ctx.method, ctx.path, ctx.query, ctx.ip], ['GET', '/x', { y: '1' }, '127.0.0.1']);
      assert.deepEqual([ctx.get('a'), ctx.get('host'), ctx.get('x-forwarded-for')], ['b', '127.0.0.1', '127.0.0.1']);
    },
  ],
  [
    '1.5.runInAnonymousContextScope',
    'has it as currentContext',
    (app) => {
      assert.equal(
        app.runInAnonymousContextScope((ctx) => app.currentContext === ctx),
        true,
      );
    },
  ],
  [
    '1.5.createContext',
    'has its start time',
    (app) => {
      assert.ok(Date.now() - (get(app.createAnonymousContext(), 'starttime') as number) < 60_000);
    },
  ],
  [
    '1.5.dumpConfigToObject',
    'gives what dumpConfig writes',
    (app) => {
      assert.equal(typeof app.dumpConfig, 'function');
      const { config } = (get(app, 'dumpConfigToObject') as () => { config: { config: { keys: string } } }).call(app);
      assert.match(config.config.keys, /^<String len: 1>$/);
    },
  ],
];

for (const [id, title, check] of members) {
  test(`core ${id} ${title}`, async (t) => {
    await check(loadApp(t, APP));
  });
}
