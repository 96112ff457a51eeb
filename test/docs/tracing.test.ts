import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { symlinkSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { CLI, ROOT, until } from '../support/apps.js';
import { compile } from '../support/compile.js';
import { request } from '../support/http.js';
import { loadApp, serve, writeApp } from '../support/loaded_app.js';
import { startCollector } from '../support/otlp_collector.js';
import { compiled, filesOf } from '../support/page.js';
import { logged } from '../support/served_app.js';

const KEYS = "exports.keys = 'k';";

test('docs/tracing.md: a slow service is warned about, with its request', async (t) => {
  const { 'app.ts': _, ...files } = filesOf('docs/tracing.md');
  const app = loadApp(t, {
    ...files,
    'app/router.js':
      "module.exports = (app) => app.get('/slow', async (ctx) => { ctx.body = await ctx.service.user.find(); });",
    'app/service/user.js': `module.exports = class extends require('egg').Service {
      async find() { await new Promise((resolve) => setTimeout(resolve, 50)); return 'found'; }
    };`,
  });
  const ask = await serve(t, app);
  assert.equal((await ask('/slow')).body, 'found');
  await logged(app, 'demo-web.log', /WARN .* GET \/slow\] user\.find took \d\d+ ms/);
});

test('docs/tracing.md: the TypeScript example compiles and logs the route of each request', async (t) => {
  const { 'app.ts': boot = '' } = filesOf('docs/tracing.md');
  assert.equal(compile(t, { 'app.ts': boot }), '');
  const app = loadApp(t, {
    'package.json': '{ "name": "demo", "type": "module" }',
    ...compiled({ 'app.ts': boot }),
    'config/config.default.js': "export default { keys: 'k' };",
    'app/router.js': "export default (app) => app.get('/users/:id', (ctx) => { ctx.body = 'ok'; });",
  });
  const ask = await serve(t, app);
  await ask('/users/7');
  await logged(app, 'demo-web.log', /GET \/users\/:id 200/);
});

test('docs/telemetry.md: clutch start with its files sends spans to a collector', async (t) => {
  const collector = await startCollector(t);
  const baseDir = writeApp(t, {
    ...filesOf('docs/telemetry.md'),
    'config/config.default.js': KEYS,
    'app/router.js': "module.exports = (app) => app.get('/users/:id', (ctx) => { ctx.body = 'ok'; });",
  });
  symlinkSync(path.join(ROOT, 'node_modules/@opentelemetry'), path.join(baseDir, 'node_modules/@opentelemetry'), 'dir');
  const env = { ...process.env, ...collector.env, NODE_TEST_CONTEXT: undefined, EGG_HOME: baseDir };
  const child = spawn(process.execPath, [CLI, 'start', '--port', '0', '--workers', '1'], {
    cwd: baseDir,
    env,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => (output += String(chunk)));
  const exited = once(child, 'exit');
  t.after(async () => {
    child.kill();
    await exited;
  });
  const [, address] = await until('it has started', () => / started on (\S+)/.exec(output));
  assert.equal((await request(`${address}/users/7`)).status, 200);
  await collector.span('the span of the request', ({ name }) => name === 'GET /users/:id');
});
