import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import http from 'node:http';
import type net from 'node:net';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { start } from 'koa-clutch';
import { until } from '../support/apps.js';
import { type Files, loadApp, writeApp, written } from '../support/loaded_app.js';
import { logged } from '../support/served_app.js';

const QUIET = 'exports.logger = { consoleLevel: "NONE" };';

/** A ready app that has written its run/ directory. */
async function dumped(t: TestContext, config: string, files: Files = {}) {
  const app = loadApp(t, { 'config/config.default.js': `${QUIET} ${config}`, ...files });
  await app.ready();
  await written(app);
  const read = (name: string): Record<string, never> =>
    JSON.parse(readFileSync(path.join(app.baseDir, 'run', name), 'utf8')) as Record<string, never>;
  return { app, read };
}

/** @returns what a dump of config holds for `config.mine` */
const mineOf = (dump: Record<string, unknown>): unknown => (dump['config'] as { mine?: unknown }).mine;

test('core 5.8.files are config, where it comes from, routes and the timeline', async (t) => {
  const { app, read } = await dumped(t, 'exports.mine = 1;', {
    'app/router.js': "module.exports = (app) => app.get('post', '/posts/:id', async function show() {});",
  });
  const { config, plugins, appInfo } = read('application_config.json') as Record<string, Record<string, unknown>>;
  assert.equal(config?.['mine'], 1);
  assert.ok(plugins?.['session']);
  assert.equal(appInfo?.['name'], 'demo');
  assert.equal(read('application_config_meta.json')['mine'], path.join(app.baseDir, 'config/config.default.js'));
  const [route] = read('router.json') as never as [{ paramNames: [{ name: string }]; regexp: string; stack: string[] }];
  const { paramNames, regexp, stack, ...rest } = route;
  assert.deepEqual(rest, { name: 'post', methods: ['HEAD', 'GET'], path: '/posts/:id' });
  assert.deepEqual([paramNames[0].name, typeof regexp, stack], ['id', 'string', ['show']]);
  assert.ok((read(`application_timing_${process.pid}.json`) as never as object[]).length > 5);
});

test('core 5.8.late changes of config until ready are in the files', async (t) => {
  const { read } = await dumped(t, 'exports.mine = 1;', {
    'app.js': 'module.exports = (app) => app.beforeStart(async () => { app.config.mine = 2; });',
  });
  assert.equal(mineOf(read('application_config.json')), 2);
});

const values: [row: string, value: string, shown: unknown][] = [
  ['secret', '({ password: "abc" })', { password: '<String len: 3>' }],
  ['secretNumber', '({ password: 1 })', { password: '<Number>' }],
  ['secretObject', '({ password: { a: "abc" } })', { password: { a: '<String len: 3>' } }],
  ['buffer', 'Buffer.from("ab")', '<Buffer len: 2>'],
  ['function', 'function mine() {}', '<Function mine>'],
  ['asyncFunction', 'async function mine() {}', '<AsyncFunction mine>'],
  ['class', 'class Mine {}', '<Class Mine>'],
  ['date', 'new Date()', '<Date>'],
  ['set', 'new Set()', '<Set>'],
  ['regexp', '/a/i', '/a/i'],
  ['symbol', 'Symbol("a")', 'Symbol(a)'],
  ['array', '[1, "a", null]', [1, 'a', null]],
  ['null', 'null', null],
];
for (const [row, value, shown] of values) {
  test(`core 5.8.${row} is shown as ${JSON.stringify(shown)}`, async (t) => {
    const { app, read } = await dumped(t, `exports.mine = ${value};`);
    assert.deepEqual(mineOf(read('application_config.json')), shown);
    assert.notEqual(app.config['mine'], undefined);
  });
}

test('core 5.8.circular references are paths', async (t) => {
  const { read } = await dumped(t, '', {
    'app.js': 'module.exports = (app) => { app.config.mine = {}; app.config.mine.self = app.config.mine; };',
  });
  assert.deepEqual(mineOf(read('application_config.json')), { self: '~mine' });
});

test('core 5.8.ignoreKeyPaths hides what is at a path', async (t) => {
  const { read } = await dumped(
    t,
    'exports.mine = { a: { b: 1 }, c: 2 }; exports.dump = { ignoreKeyPaths: { "mine.a": true } };',
  );
  assert.deepEqual(mineOf(read('application_config.json')), { a: '<Object>', c: 2 });
});

test('core 5.8.blocked rundir is a warning', async (t) => {
  const app = loadApp(t, { 'config/config.default.js': QUIET, run: 'a file where the directory should be' });
  await app.ready();
  await logged(app, 'egg-web.log', /WARN .*cannot write to config\.rundir/);
});

test('core 5.8.slow steps of the boot are warnings', async (t) => {
  const { app } = await dumped(t, 'exports.dump = { timing: { slowBootActionMinDuration: 1 } };', {
    'app.js': 'module.exports = (app) => app.beforeStart(() => new Promise((done) => setTimeout(done, 20)), "mine");',
  });
  await logged(app, 'egg-web.log', /WARN .*Before Start in mine/);
});

/** The two sides of an app in one process. */
async function single(t: TestContext) {
  const app = await start({ baseDir: writeApp(t, { 'config/config.default.js': QUIET }), env: 'unittest' });
  t.after(() => app.close());
  await until('both sides know each other', () => app.messenger.opids.length + app.agent.messenger.opids.length === 2);
  const got: string[] = [];
  app.messenger.on('x', (data) => void got.push(`app ${String(data)}`));
  app.agent.messenger.on('x', (data) => void got.push(`agent ${String(data)}`));
  const settle = async (): Promise<string[]> => {
    await new Promise((resolve) => setImmediate(resolve));
    return got.splice(0).sort();
  };
  return { app: app.messenger, agent: app.agent.messenger, settle };
}

type Single = Awaited<ReturnType<typeof single>>;
const sends: [method: string, send: (bus: Single) => object, got: string[]][] = [
  ['broadcast', ({ app }) => app.broadcast('x', 1), ['agent 1', 'app 1']],
  ['sendToApp', ({ agent }) => agent.sendToApp('x', 1), ['app 1']],
  ['sendToAgent', ({ agent }) => agent.sendToAgent('x', 1), ['agent 1']],
  ['sendRandom', ({ app }) => app.sendRandom('x', 1), ['agent 1']],
  ['send', ({ app }) => app.send('x', 1, 'agent'), ['agent 1']],
  ['sendTo', ({ app }) => app.sendTo(process.pid, 'x', 1), ['agent 1', 'app 1']],
];
for (const [method, send, expected] of sends) {
  test(`core 5.9.${method} in one process is delivered on the next tick, and returns the messenger`, async (t) => {
    const bus = await single(t);
    assert.ok([bus.app, bus.agent].includes(send(bus) as never));
    assert.deepEqual(await bus.settle(), expected);
  });
}

test('core 5.9.close ends the delivery', async (t) => {
  const { app, agent, settle } = await single(t);
  agent.close();
  app.broadcast('x', 1);
  assert.deepEqual(await settle(), ['app 1']);
});

test('core 5.9.opids are those of egg-pids; an action that is no string is ignored', async (t) => {
  const app = loadApp(t, { 'config/config.default.js': QUIET }, { mode: 'cluster' });
  process.emit('message', { action: 'egg-pids', data: [1, 2] }, undefined);
  process.emit('message', { action: 1, data: [3] }, undefined);
  assert.deepEqual(app.messenger.opids, ['1', '2']);
});

test('core 5.9.listener errors are logged', async (t) => {
  const { app, agent, settle } = await single(t);
  app.on('x', () => {
    throw new Error('in a listener');
  });
  agent.sendToApp('x', 1);
  assert.deepEqual(await settle(), ['app 1']);
});

const withKit = (t: TestContext, kit: string) =>
  loadApp(t, { 'config/config.default.js': `${QUIET} exports.kit = ${kit};` });
type Manager = {
  get(id: string): unknown;
  getSingletonInstance(id: string): unknown;
  createInstance(config: object): unknown;
};

test('core 5.10.client becomes app[name], with ways to make more', async (t) => {
  const app = withKit(t, '{ client: { a: 1 }, default: { b: 2 }, name: "only" }');
  app.addSingleton('kit', (config: object, _app, name) => ({ config, name }));
  const kit = Reflect.get(app, 'kit') as { config: object; name: string } & Manager & {
      createInstanceAsync(config: object): Promise<unknown>;
    };
  assert.deepEqual([kit.config, kit.name], [{ a: 1, b: 2 }, 'only']);
  assert.deepEqual(kit.createInstance({ c: 3 }), { config: { c: 3, b: 2 }, name: undefined });
  assert.deepEqual(await kit.createInstanceAsync({ c: 3 }), { config: { c: 3, b: 2 }, name: undefined });
});

test('core 5.10.frozen clients get the methods on their prototype', (t) => {
  const app = withKit(t, '{ client: {} }');
  class Client {}
  app.addSingleton('kit', () => Object.freeze(new Client()));
  assert.equal(typeof Reflect.get(Client.prototype, 'createInstance'), 'function');
});

test('core 5.10.clients are found by id; without config there is an empty manager', (t) => {
  const app = withKit(t, '{ clients: { one: { a: 1 }, two: { a: 2 } } }');
  app.addSingleton('kit', (config: object) => config);
  app.addSingleton('other', (config: object) => config);
  const { kit, other } = app as never as { kit: Manager; other: Manager };
  assert.deepEqual([kit.get('one'), kit.getSingletonInstance('two'), kit.get('none')], [{ a: 1 }, { a: 2 }, undefined]);
  assert.deepEqual(other.createInstance({ a: 3 }), { a: 3 });
});

test('core 5.10.createInstance is an error when clients are made asynchronously', async (t) => {
  const app = withKit(t, '{ clients: { one: { a: 1 } } }');
  app.addSingleton('kit', async (config: object) => config);
  await app.ready();
  const kit = Reflect.get(app, 'kit') as Manager;
  assert.deepEqual(kit.get('one'), { a: 1 });
  assert.throws(() => kit.createInstance({}), /only support create asynchronously/);
});

/** A server that says who asks, and how. */
async function upstream(t: TestContext): Promise<string> {
  const server = http.createServer((req, res) => {
    res.setHeader('content-type', 'application/json');
    setTimeout(
      () => res.end(JSON.stringify({ url: req.url, agent: req.headers['user-agent'] })),
      req.url === '/slow' ? 2000 : 0,
    );
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as net.AddressInfo).port}`;
}

test('core 5.11.curl sends with the defaults of config', async (t) => {
  const url = await upstream(t);
  const app = loadApp(t, {
    'config/config.default.js': `${QUIET} exports.httpclient = { request: { timeout: '100ms' } };`,
  });
  const { status, data } = await app.curl<{ url: string }>(`${url}/a`, { dataType: 'json', data: { b: 1 } });
  assert.deepEqual([status, data.url], [200, '/a?b=1']);
  await assert.rejects(app.curl(`${url}/slow`), /timeout/i);
});

test('core 5.11.legacy options at the top level count', async (t) => {
  const url = await upstream(t);
  const app = loadApp(t, {
    'config/config.default.js': `${QUIET} exports.httpclient = { keepAlive: false, maxSockets: 1, freeSocketTimeout: '2s' };`,
  });
  const both = await Promise.all([app.curl(url), app.curl(url)]);
  assert.deepEqual(
    both.map(({ status }) => status),
    [200, 200],
  );
});

test('core 5.11.events request and response surround a request', async (t) => {
  const url = await upstream(t);
  const app = loadApp(t, { 'config/config.default.js': QUIET });
  const seen: string[] = [];
  app.httpclient.on('request', () => seen.push('request'));
  app.httpclient.on('response', () => seen.push('response'));
  await app.curl(url);
  await until('both are there', () => seen.length === 2);
  assert.deepEqual(seen, ['request', 'response']);
});

test('core 5.11.DNS names are cached with enableDNSCache', async (t) => {
  const url = (await upstream(t)).replace('127.0.0.1', 'localhost');
  const app = loadApp(t, { 'config/config.default.js': `${QUIET} exports.httpclient = { enableDNSCache: true };` });
  for (const path of ['/a', '/b']) assert.equal((await app.curl(url + path)).status, 200);
});

test('core 5.11.options of urllib 2 that have no counterpart are warned about', async (t) => {
  const config = `${QUIET} exports.httpclient = { httpAgent: { maxFreeSockets: 1 } };`;
  const app = loadApp(t, { 'config/config.default.js': config });
  assert.ok(app.httpclient);
  await logged(app, 'egg-web.log', /WARN .*config\.httpclient\.httpAgent\.maxFreeSockets has no effect/);
});

test('core 5.12.deprecated ways still work: function in app.js, dep, lowercaseFirst, beforeStart', async (t) => {
  const app = loadApp(t, {
    'config/config.default.js': QUIET,
    'config/plugin.js': "exports.a = { path: __dirname + '/../a', dep: [] };",
    'a/package.json': '{ "name": "egg-a", "eggPlugin": { "name": "a", "dep": ["session"] } }',
    'app.js': 'module.exports = (app) => { app.beforeStart(async () => { app.old = true; }); };',
  });
  await app.ready();
  assert.equal(Reflect.get(app, 'old'), true);
  assert.deepEqual(app.plugins['a']?.dependencies, ['session']);
});

test('core 5.12.generators work, as in Egg 3', async (t) => {
  const app = loadApp(t, {
    'config/config.default.js': QUIET,
    'app.js':
      'module.exports = (app) => { app.beforeStart(function* () { app.old = yield Promise.resolve("generated"); }); };',
  });
  await app.ready();
  assert.equal(Reflect.get(app, 'old'), 'generated');
  assert.ok(readdirSync(app.baseDir).includes('app.js'));
});
