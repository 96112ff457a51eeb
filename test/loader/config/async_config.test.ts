import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { Agent, Application, reveal, start } from 'koa-clutch';
import { CLI, launch, startTestCluster, until } from '../../support/apps.js';
import { request } from '../../support/http.js';
import { type Files, loadApp, serve, writeApp } from '../../support/loaded_app.js';

/** An app whose config comes from a config centre, and a plugin that makes a decision from it. */
const app = (url: string): Files => ({
  'config/config.default.js': `module.exports = async ({ name }) => {
    const response = await fetch('${url}/' + name);
    if (!response.ok) throw new Error('config centre: ' + response.status);
    return { keys: 'k', ...(await response.json()) };
  };`,
  'config/plugin.js': `exports.p = { path: require('path').join(__dirname, '../p') };`,
  'p/package.json': '{ "name": "egg-p", "eggPlugin": { "name": "p" } }',
  'p/config/config.default.js': 'module.exports = (info, appConfig) => ({ copied: appConfig.database.host });',
  'p/app.js': 'module.exports = class { constructor(app) { app.seen = app.config.database.host; } };',
  'app/router.js': `module.exports = (app) => app.get('/', (ctx) => {
    ctx.body = { host: app.config.database.host, copied: app.config.copied, seen: app.seen };
  });`,
});

const WORKING = { host: 'db.example', copied: 'db.example', seen: 'db.example' };

/** Starts a config centre; `respond` can be replaced. */
async function startCentre(t: TestContext) {
  const centre = {
    requests: 0,
    respond: (res: http.ServerResponse): unknown => res.end('{"database":{"host":"db.example","password":"geheim"}}'),
    url: '',
  };
  const server = http.createServer((_, res) => {
    centre.requests += 1;
    centre.respond(res);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  centre.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return centre;
}

const copies = (baseDir: string): string[] =>
  readdirSync(path.join(baseDir, 'run'))
    .filter((name) => name.startsWith('async_config_'))
    .map((name) => path.join(baseDir, 'run', name));

/** Waits for a warning in the log, in which no secret is. */
async function warned({ baseDir }: Application, pattern: RegExp): Promise<void> {
  const file = path.join(baseDir, 'logs/demo/egg-web.log');
  const log = await until(`the log has ${pattern}`, () => {
    const text = existsSync(file) ? readFileSync(file, 'utf8') : '';
    return pattern.test(text) && text;
  });
  assert.doesNotMatch(log, /geheim/);
}

test('start() awaits an async config function before any plugin reads config, once for Agent and Application', async (t) => {
  const centre = await startCentre(t);
  const started = await start({ baseDir: writeApp(t, app(centre.url)), env: 'unittest' });
  t.after(() => started.close());
  const ask = await serve(t, started);
  assert.deepEqual(JSON.parse((await ask('/')).body), WORKING);
  assert.equal(started.agent.config['copied'], 'db.example');
  assert.equal(centre.requests, 1);
});

test('new Application() refuses async config and says what awaits it', (t) => {
  const files = { 'config/config.default.js': 'module.exports = async () => ({});' };
  assert.throws(
    () => loadApp(t, files),
    (error: Error & { code: string }) =>
      error.code === 'ERR_CLUTCH_CONFIG_ASYNC' &&
      /config\.default\.js is async[\s\S]*start\(\), or await Application\.create/.test(error.message),
  );
});

test('Application.create() and Agent.create() await functions of default, env and plugin files', async (t) => {
  const later = (config: string) =>
    `module.exports = (info) => new Promise((resolve) => setImmediate(resolve, ${config}));`;
  const baseDir = writeApp(t, {
    'config/config.default.js': later('{ a: { one: 1 }, env: info.env }'),
    'config/config.unittest.js': later('{ a: { two: 2 } }'),
    'config/plugin.js': `exports.p = { path: require('path').join(__dirname, '../p') };`,
    'p/package.json': '{ "name": "egg-p", "eggPlugin": { "name": "p" } }',
    'p/config/config.default.js': 'module.exports = async (info, appConfig) => ({ p: appConfig.a });',
  });
  const options = { baseDir, env: 'unittest', mode: 'single' } as const;
  for (const create of [() => Application.create({ ...options }), () => Agent.create({ ...options })]) {
    const created = await create();
    t.after(() => created.close());
    await created.ready();
    assert.deepEqual(created.config['a'], { one: 1, two: 2 });
    assert.deepEqual(created.config['p'], { one: 1, two: 2 });
    assert.match(String(created.loader.explainConfig('a.two')[0]?.sources[0]?.file), /config\.unittest\.js$/);
  }
});

test('the last result is kept for its user only and used, with a warning, when the function fails', async (t) => {
  const centre = await startCentre(t);
  const baseDir = writeApp(t, app(centre.url));
  await (await start({ baseDir, env: 'unittest' })).close();
  const [copy] = copies(baseDir);
  assert.ok(copy);
  assert.equal(statSync(copy).mode & 0o777, 0o600);
  const saved = JSON.parse(readFileSync(copy, 'utf8'));
  writeFileSync(copy, JSON.stringify({ ...saved, savedAt: saved.savedAt - 3 * 3_600_000 }));

  for (const respond of [
    (res: http.ServerResponse) => res.writeHead(503).end(),
    () => undefined, // no response at all
  ]) {
    centre.respond = respond;
    const started = await start({ baseDir, env: 'unittest', configTimeout: 300 });
    t.after(() => started.close());
    const ask = await serve(t, started);
    assert.deepEqual(JSON.parse((await ask('/')).body), WORKING);
    await warned(started, /config\.default\.js failed: .*its last result is used, which is 3 hours old/);
  }
});

test('without a copy a function that fails or is late is a boot error with its file and the way out', async (t) => {
  const centre = await startCentre(t);
  centre.respond = (res) => res.writeHead(503).end();
  const baseDir = writeApp(t, app(centre.url));
  await assert.rejects(start({ baseDir, env: 'unittest' }), /config\.default\.js failed: config centre: 503/);
  centre.respond = () => undefined;
  await assert.rejects(
    start({ baseDir, env: 'unittest', configTimeout: 100 }),
    /config\.default\.js failed: it has not resolved within 100 ms\n.*no earlier result is in .*run\/async_config_\w+\.json\n.*configTimeout/,
  );
});

test('a Secret survives in the copy; a result that is not JSON is used, but not kept, with a warning', async (t) => {
  const files = (config: string): Files => ({
    'config/config.default.js': `const { secret } = require('koa-clutch');
      module.exports = async () => { if (process.env.CENTRE_DOWN) throw new Error('down'); return ${config}; };`,
  });
  const baseDir = writeApp(t, files(`{ keys: secret('abc') }`));
  await (await start({ baseDir, env: 'unittest' })).close();
  process.env['CENTRE_DOWN'] = '1';
  t.after(() => delete process.env['CENTRE_DOWN']);
  const again = await start({ baseDir, env: 'unittest' });
  t.after(() => again.close());
  assert.equal(reveal(again.config.keys), 'abc');
  delete process.env['CENTRE_DOWN'];

  const other = writeApp(t, files('{ a: { pattern: /x/ } }'));
  const started = await start({ baseDir: other, env: 'unittest' });
  t.after(() => started.close());
  assert.ok(started.config['a']);
  await warned(started, /no copy of the result of .* its result\.a\.pattern is not JSON/);
  assert.equal(existsSync(path.join(other, 'run')) && copies(other).length > 0, false);
});

test('Agent and workers of a cluster await async config; a cluster without it fails with the file', async (t) => {
  const centre = await startCentre(t);
  const baseDir = writeApp(t, app(centre.url));
  const cluster = await startTestCluster(t, { baseDir, workers: 1 });
  assert.deepEqual(JSON.parse((await request(cluster.url)).body), WORKING);
  assert.equal(await cluster.stop(), 0);

  centre.respond = () => undefined;
  const failed = launch(t, { baseDir: writeApp(t, app(centre.url)), workers: 1, configTimeout: 200 });
  assert.equal(await failed.exited, 1);
  assert.match(failed.output(), /config\.default\.js failed: it has not resolved within 200 ms/);
});

test('clutch config shows values of async functions, masked', async (t) => {
  const centre = await startCentre(t);
  const cwd = writeApp(t, app(centre.url));
  const child = spawn(process.execPath, [CLI, 'config', 'database'], { cwd, stdio: ['ignore', 'pipe', 'inherit'] });
  let output = '';
  for await (const chunk of child.stdout) output += chunk;
  assert.match(output, /database\.host = "db\.example"/);
  assert.doesNotMatch(output, /geheim/);
});

test('a test kit that constructs the app itself awaits config with resolveConfig()', async (t) => {
  const centre = await startCentre(t);
  const options = { baseDir: writeApp(t, app(centre.url)), env: 'unittest' };
  await Application.resolveConfig(options);
  const created = new Application({ ...options, mode: 'single' });
  t.after(() => created.close());
  assert.equal(created.config['copied'], 'db.example');
});

test('run/ that cannot be written to costs the copy, not the boot', async (t) => {
  const baseDir = writeApp(t, {
    'config/config.default.js': 'module.exports = async () => ({ a: 1 });',
    run: 'a file',
  });
  const started = await start({ baseDir, env: 'unittest' });
  t.after(() => started.close());
  await warned(started, /no copy of the result of .*config\.default\.js/);
});
