// Egg's command-line tools and test kit from npm, unchanged, on an app whose `egg` is Clutch. `node scripts/egg_packages.mjs` installs them.
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { until } from '../support/apps.js';
import { appWithTools, skipEggTools, spawnTool, type Tool } from '../support/egg_tools.js';
import { freePort, request } from '../support/http.js';

/** Entry files of the command-line tools, by major version. */
const EGG_BIN = { 5: 'egg-bin-5/bin/egg-bin.js', 6: 'egg-bin/dist/bin/cli.js' } as const;
const EGG_SCRIPTS = { 2: 'egg-scripts-2/bin/egg-scripts.js', 3: 'egg-scripts/bin/egg-scripts.js' } as const;
const EGG_TS_HELPER = 'egg-ts-helper/dist/bin.js';

/** Milliseconds for a tool that starts several processes on a busy machine. */
const LONG = 120_000;

/** Runs a tool to its end, which must be a good one. */
async function runTool(t: TestContext, baseDir: string, entry: string, args: string[]): Promise<string> {
  const { exited, output } = spawnTool(t, baseDir, entry, args);
  assert.equal(await exited, 0, output());
  return output();
}

/** Less than `LONG`: what a tool has printed is shown before the test is cut off. */
const PAGE_LIMIT = 100_000;

/** @returns the text of a page, once there is one; fails when the tool that serves it has ended */
async function page(url: string, has = /./, tool?: Tool): Promise<string> {
  let body = '';
  await until(
    `${url} has ${has}`,
    async () => {
      body = (await request(url).catch(() => ({ body: '' }))).body;
      if (tool) assert.equal(tool.child.exitCode, null, tool.output());
      return has.test(body);
    },
    PAGE_LIMIT,
  ).catch((error: Error) => assert.fail(`${error.message}\n${tool?.output() ?? ''}`));
  return body;
}

for (const [version, entry] of Object.entries(EGG_BIN)) {
  test(`egg-bin ${version} dev serves, reloads after a change and stops`, {
    skip: skipEggTools,
    timeout: LONG,
  }, async (t) => {
    const baseDir = appWithTools(t);
    const port = await freePort();
    const tool = spawnTool(t, baseDir, entry, ['dev', '--port', String(port)]);
    const { child, exited, output } = tool;
    assert.match(await page(`http://127.0.0.1:${port}/`, /./, tool), /"name":"ada"/);
    const service = path.join(baseDir, 'app/service/user.js');
    writeFileSync(service, readFileSync(service, 'utf8').replace('ada', 'bob'));
    assert.match(await page(`http://127.0.0.1:${port}/`, /bob/, tool), /"name":"bob"/);
    child.kill('SIGINT');
    assert.equal(await exited, 0, output());
    await until('the port is closed', () =>
      request(`http://127.0.0.1:${port}/`).then(
        () => false,
        () => true,
      ),
    );
  });
}

test('egg-bin 6 debug takes the port from config, and gives the Agent an inspector of its own', {
  skip: skipEggTools,
  timeout: LONG,
}, async (t) => {
  // Together: a port that is free again may be given out a second time.
  const [port, agent] = await Promise.all([freePort(), freePort()]);
  const variables = { EGG_AGENT_DEBUG_PORT: String(agent) };
  const config = { 'config/config.local.js': `exports.cluster = { listen: { port: ${port} } };` };
  const tool = spawnTool(t, appWithTools(t, config), EGG_BIN[6], ['debug'], variables);
  const { child, exited, output } = tool;
  assert.match(await page(`http://127.0.0.1:${port}/`, /./, tool), /ada/);
  assert.ok(output().includes(`listening on ws://127.0.0.1:${agent}/`), output());
  child.kill('SIGINT');
  await exited;
});

const MOCK_TEST = `
  const { app, assert } = require('egg-mock/bootstrap');
  describe('egg-mock/bootstrap', () => {
    const get = (url = '/') => app.httpRequest().get(url);
    it('serves', () => get().expect(200).expect(/ada/));
    it('takes route names', () => get('home').expect(200));
    it('has a context in each test', () => assert(app.currentContext));
    it('mockContext', async () => {
      const ctx = app.mockContext({ user: 'x' });
      assert.equal(ctx.user, 'x');
      assert.equal(await ctx.service.user.name(), 'ada');
    });
    it('mockContextScope', () => app.mockContextScope(async (ctx) => {
      assert.equal(app.currentContext, ctx);
      assert.equal(ctx.user, 'y');
    }, { user: 'y' }));
    it('mockService with a value', async () => {
      app.mockService('user', 'name', 'bob');
      await get().expect(/bob/);
    });
    it('mockService with a function', async () => {
      app.mockService('user', 'name', () => 'bob');
      await get().expect(/bob/);
    });
    it('mockServiceError', async () => {
      app.mockServiceError('user', 'name', 'broken');
      await get().expect(500);
    });
    it('restores after each test', () => get().expect(/ada/));
    it('mockSession', async () => {
      app.mockSession({ user: 'eve' });
      await get().expect(/eve/);
    });
    it('mockCsrf', async () => {
      await app.httpRequest().post('/').send({ a: 1 }).expect(403);
      app.mockCsrf();
      await app.httpRequest().post('/').send({ a: 1 }).expect(200).expect({ a: 1 });
    });
    it('mockCookies', async () => {
      app.mockCookies({ c: 'cookie of mine' });
      await get().expect(/cookie of mine/);
    });
    it('mockHeaders', async () => {
      app.mockHeaders({ 'x-token': 'token of mine' });
      await get().expect(/token of mine/);
    });
    it('mockLog', async () => {
      app.mockLog();
      await get().expect(200);
      app.expectLog('home is asked');
      app.expectLog(/home is/);
      app.notExpectLog('home is away');
    });
    it('mockHttpclient by URL', async () => {
      app.mockHttpclient('http://example.invalid/a', { data: { x: 1 } });
      await get('/out').expect({ x: 1 });
    });
    it('mockHttpclient by RegExp and method', async () => {
      app.mockHttpclient(/invalid/, 'get', { data: { x: 2 } });
      await get('/out').expect({ x: 2 });
    });
    it('mockAgent', async () => {
      app.mockAgent().get('http://example.invalid').intercept({ path: '/a' }).reply(200, { x: 3 });
      await get('/out').expect({ x: 3 });
    });
    it('mockEnv', () => {
      app.mockEnv('prod');
      assert.equal(app.config.env, 'prod');
    });
    it('backgroundTasksFinished', async () => {
      let isDone = false;
      app.mockContext().runInBackground(async () => { isDone = true; });
      await app.backgroundTasksFinished();
      assert(isDone);
    });
  });`;

const APP_TEST = `
  const assert = require('assert');
  const mm = require('egg-mock');
  describe('mm.app', () => {
    let app;
    before(() => {
      app = mm.app({ baseDir: process.cwd(), cache: false });
      return app.ready();
    });
    afterEach(mm.restore);
    after(() => app.close());
    it('serves', () => app.httpRequest().get('/').expect(200));
    for (const [method, from, to] of [
      ['sendToAgent', 'app', 'agent'], ['sendToApp', 'agent', 'app'], ['sendRandom', 'app', 'agent'],
      ['sendRandom', 'agent', 'app'], ['broadcast', 'app', 'app'], ['broadcast', 'app', 'agent'],
    ]) {
      it(method + ' from ' + from + ' to ' + to, async () => {
        const messengers = { app: app.messenger, agent: app._agent.messenger };
        const action = [method, from, to].join(' ');
        const got = new Promise((resolve) => messengers[to].once(action, resolve));
        messengers[from][method](action, { a: 1 });
        assert.deepEqual(await got, { a: 1 });
      });
    }
    it('request in both directions', async () => {
      const { messenger } = app;
      const agentMessenger = app._agent.messenger;
      agentMessenger.onRequest('double', ({ n }) => 2 * n);
      agentMessenger.onRequest('fail', () => { throw new TypeError('of the agent'); });
      messenger.onRequest('halve', ({ n }) => n / 2);
      assert.equal(await messenger.request('agent', 'double', { n: 4 }), 8);
      assert.equal(await agentMessenger.request('app', 'halve', { n: 4 }), 2);
      assert.equal(await messenger.request('app', 'halve', { n: 8 }), 4);
      await assert.rejects(messenger.request('agent', 'fail'), { name: 'TypeError', message: 'of the agent' });
      await assert.rejects(messenger.request('agent', 'nothing'), /have no handler here/);
    });
  });`;

const clusterTest = (port: number): string => `
  const mm = require('egg-mock');
  describe('mm.cluster', () => {
    let app;
    before(() => {
      app = mm.cluster({ baseDir: process.cwd(), coverage: false, port: ${port} });
      return app.ready();
    });
    after(() => app.close());
    const get = (url = '/') => app.httpRequest().get(url);
    it('serves', () => get('home').expect(200).expect(/ada/));
    it('mocks', async () => {
      app.mockService('user', 'name', () => 'bob');
      app.mockSession({ user: 'eve' });
      app.mockCookies({ c: 'cookie of mine' });
      app.mockHeaders({ 'x-token': 'token of mine' });
      app.mockHttpclient('http://example.invalid/a', { data: { x: 1 } });
      app.mockCsrf();
      app.mockLog();
      await get().expect({ name: 'bob', user: 'eve', token: 'token of mine', cookie: 'cookie of mine' });
      await get('/out').expect({ x: 1 });
      await app.httpRequest().post('/').send({ a: 1 }).expect({ a: 1 });
      app.expectLog('home is asked');
      app.notExpectLog('home is away');
    });
    it('restores', async () => {
      await mm.restore();
      await get().expect(/ada/);
    });
  });`;

for (const [version, entry] of Object.entries(EGG_BIN)) {
  test(`egg-bin ${version} test runs tests with egg-mock`, { skip: skipEggTools, timeout: LONG }, async (t) => {
    const baseDir = appWithTools(t, { 'test/home.test.js': MOCK_TEST, 'test/messenger.test.js': APP_TEST });
    assert.match(await runTool(t, baseDir, entry, ['test']), /\b27 passing/);
  });

  test(`egg-bin ${version} cov writes the coverage of the app`, { skip: skipEggTools, timeout: LONG }, async (t) => {
    const baseDir = appWithTools(t, { 'test/home.test.js': MOCK_TEST });
    const output = await runTool(t, baseDir, entry, ['cov']);
    assert.match(output, /\b19 passing/);
    assert.match(output, /Lines\s+: 100%/);
    const covered = Object.keys(JSON.parse(readFileSync(path.join(baseDir, 'coverage/coverage-final.json'), 'utf8')));
    assert.ok(covered.some((file) => file.endsWith('app/service/user.js')));
  });
}

test('egg-bin 6 test --parallel shares one Agent', { skip: skipEggTools, timeout: LONG }, async (t) => {
  const one = `
    const { app, assert } = require('egg-mock/bootstrap');
    it('serves', () => app.httpRequest().get('/').expect(200).expect(/ada/));`;
  const baseDir = appWithTools(t, { 'test/a.test.js': one, 'test/b.test.js': one });
  assert.match(await runTool(t, baseDir, EGG_BIN[6], ['test', '--parallel', '--jobs=2']), /\b2 passing/);
});

test('egg-bin test ends with 1 when a test fails', { skip: skipEggTools, timeout: LONG }, async (t) => {
  const baseDir = appWithTools(t, {
    'test/a.test.js': `require('egg-mock/bootstrap'); it('fails', () => { throw new Error('broken'); });`,
  });
  const { exited, output } = spawnTool(t, baseDir, EGG_BIN[6], ['test']);
  assert.equal(await exited, 1);
  assert.match(output(), /1 failing/);
});

test('egg-mock mocks in the worker of a cluster', { skip: skipEggTools, timeout: LONG }, async (t) => {
  const baseDir = appWithTools(t, { 'test/cluster.test.js': clusterTest(await freePort()) });
  assert.match(await runTool(t, baseDir, EGG_BIN[6], ['test']), /\b3 passing/);
});

for (const [version, entry] of Object.entries(EGG_SCRIPTS)) {
  test(`egg-scripts ${version} starts a daemon and stops it by its title`, {
    skip: skipEggTools,
    timeout: LONG,
  }, async (t) => {
    const baseDir = appWithTools(t);
    const port = await freePort();
    const title = `egg-server-${path.basename(baseDir)}`;
    const stop = () => runTool(t, baseDir, entry, ['stop', `--title=${title}`, '--timeout=1s']);
    const started = await runTool(t, baseDir, entry, [
      'start',
      '--daemon',
      `--title=${title}`,
      `--port=${port}`,
      '--workers=2',
    ]);
    try {
      assert.match(started, new RegExp(`started on http://127.0.0.1:${port}`));
      assert.match(await page(`http://127.0.0.1:${port}/`), /ada/);
      const stderr = path.join(baseDir, 'home/logs/master-stderr.log');
      assert.equal(readFileSync(stderr, 'utf8'), '');
    } finally {
      assert.match(await stop(), /got master pid/);
    }
    await until('the port is closed', () =>
      request(`http://127.0.0.1:${port}/`).then(
        () => false,
        () => true,
      ),
    );
  });
}

test('egg-ts-helper writes typings', { skip: skipEggTools, timeout: LONG }, async (t) => {
  const baseDir = appWithTools(t);
  await runTool(t, baseDir, EGG_TS_HELPER, []);
  assert.match(
    readFileSync(path.join(baseDir, 'typings/app/service/index.d.ts'), 'utf8'),
    /interface IService \{\s+user:/,
  );
});
