import assert from 'node:assert/strict';
import { appendFileSync, renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { FILES, startPage } from '../../support/admin.js';
import { until } from '../../support/apps.js';
import { SKIP, startServer } from '../../support/fleet.js';
import { request } from '../../support/http.js';

test('now: each process, what the app is, and a point for each second', async (t) => {
  const { view, pids, url } = await startPage(t, { workers: 2 });
  const { master, agent, workers } = await pids();
  const { app, cluster, readOnly } = await view('now');
  assert.deepEqual(
    { ...app, clutch: undefined },
    { name: 'demo', version: '1.2.3', env: 'prod', node: process.version, pid: master, clutch: undefined },
  );
  assert.match(app.clutch, /^\d+\.\d+\.\d+/);
  assert.equal(readOnly, false);
  assert.deepEqual(cluster.processes.map(({ pid }) => pid).sort(), [master, agent, ...workers].sort());
  for (let count = 0; count < 5; count += 1) await request(`${url}/fails`);
  const { history } = await until('the errors are in a point', async () => {
    const now = await view('now');
    return now.history.some(({ errors }) => errors > 0) && now;
  });
  const point = history.find(({ errors }) => errors > 0);
  assert.ok(point && point.requests >= point.errors && point.memory > 50, JSON.stringify(point));
  assert.ok(Object.keys(point.byProcess).some((pid) => workers.includes(Number(pid))));
});

test('config and plugins: each value with the files that set it, each plugin with its reason; secrets are masked', async (t) => {
  const { view } = await startPage(t, {
    files: { ...FILES, 'config/plugin.js': 'exports.session = false;' },
  });
  const { leaves } = await view('config');
  const leaf = (key: string) => leaves.find((each) => each.key === key);
  assert.deepEqual(leaf('shop.name'), {
    key: 'shop.name',
    value: '"two"',
    sources: [
      { file: 'config/config.default.js', value: '"one"' },
      { file: 'config/config.prod.js', value: '"two"' },
    ],
  });
  assert.ok(leaf('shop.password') && leaf('keys'));
  assert.match(String(leaf('logger.dir')?.sources[0]?.file), /^koa-clutch\//);
  assert.doesNotMatch(JSON.stringify(leaves), /hunter2/);

  const plugins = await view('plugins');
  const session = plugins.find(({ name }) => name === 'session');
  assert.deepEqual(
    [session?.enabled, session?.reason, session?.from],
    [false, 'off in config/plugin.js', 'config/plugin.js'],
  );
  const onerror = plugins.find(({ name }) => name === 'onerror');
  assert.deepEqual([onerror?.enabled, onerror?.path], [true, 'koa-clutch/plugins/onerror']);
});

test('after a reload the view has the config of the new code', async (t) => {
  const { view, reload, baseDir } = await startPage(t);
  const name = async () => (await view('config')).leaves.find(({ key }) => key === 'shop.name')?.value;
  assert.equal(await name(), '"two"');
  writeFileSync(path.join(baseDir, 'config/config.prod.js'), "exports.shop = { name: 'three' };");
  await reload();
  assert.equal(await name(), '"three"');
});

test('boot: the steps of each process, with the file and what ready waited for', async (t) => {
  const { view, pids } = await startPage(t, {
    files: {
      ...FILES,
      'app.js': `module.exports = class {
  async didLoad() { await new Promise((done) => setTimeout(done, 120)); }
};`,
    },
  });
  const { agent, workers } = await pids();
  const boots = await until('both have written it', async () => {
    const all = await view('boot');
    return all.length === 2 && all;
  });
  assert.deepEqual(
    boots.map(({ kind, pid }) => [kind, pid]),
    [
      ['agent', agent],
      ['app worker', workers[0]],
    ],
  );
  const boot = boots[1];
  const hook = boot?.steps.find(({ name, file }) => name === 'didLoad' && file?.startsWith('app.js'));
  assert.ok(boot && hook, JSON.stringify(boot));
  assert.deepEqual([hook.critical, hook.file], [true, 'app.js:2']);
  assert.ok(hook.took >= 110 && hook.start + hook.took <= boot.took && Date.parse(boot.at) < Date.now());
});

test('deaths: a worker that dies is there at once', async (t) => {
  const { view, pids, url } = await startPage(t);
  assert.deepEqual(await view('deaths'), []);
  const [pid] = (await pids()).workers;
  await request(`${url}/die`).catch(() => undefined);
  const [death] = await until('it is recorded', async () => {
    const all = await view('deaths');
    return all.length > 0 && all;
  });
  assert.deepEqual([death?.pid, death?.reason, death?.code], [pid, 'exit', 7]);
});

test('logs: level, process and trace of each line, the Master’s too, also after a rotation', async (t) => {
  const { view, url, pids, baseDir } = await startPage(t);
  await request(url);
  const [pid] = (await pids()).workers;
  const find = (text: RegExp) =>
    until(`the logs have ${text}`, async () => (await view('logs')).find((line) => text.test(line.text)));
  const hello = await find(/hello$/);
  assert.deepEqual([hello.pid, hello.level, hello.log], [pid, 'INFO', 'demo-web.log']);
  assert.ok(Math.abs(Date.parse(hello.at) - Date.now()) < 60_000);
  await request(`${url}/fails`);
  const error = await find(/on purpose/);
  assert.equal(error.level, 'ERROR');
  assert.match(error.text, /at .*router\.js:3/);
  const started = await find(/started on/);
  assert.deepEqual([started.log, started.pid, started.level], ['stdout', (await pids()).master, 'INFO']);

  const log = path.join(baseDir, 'logs/demo/demo-web.log');
  renameSync(log, `${log}.2026-01-01`);
  const line = (text: string) => `2099-01-01 00:00:00,000 WARN 4711 [-/127.0.0.1/trace-1/3ms GET /x] ${text}\n`;
  writeFileSync(log, line('after the rotation with token=hunter2'));
  appendFileSync(log, line('and another'));
  const after = await find(/after the rotation/);
  assert.deepEqual([after.pid, after.level, after.traceId], [4711, 'WARN', 'trace-1']);
  assert.doesNotMatch(after.text, /hunter2/);
  await find(/and another/);
});

test('routes and messages: what was served by route, and what went between processes', async (t) => {
  const { view, url } = await startPage(t, {
    files: {
      ...FILES,
      'app/router.js': `module.exports = ({ router, messenger }) => {
        router.get('/items/:id', (ctx) => { messenger.sendToAgent('item-seen', 1); ctx.body = 'x'; });
        router.get('/fails', () => { throw new Error('on purpose'); });
      };`,
    },
  });
  for (const at of ['/items/1', '/items/2', '/fails', '/nothing']) await request(`${url}${at}`);
  const routes = await until('all are counted', async () => {
    const found = (await view('routes')).routes;
    return found.reduce((sum, each) => sum + each.requests, 0) === 4 && found;
  });
  const counts = routes.map(({ method, route, requests, errors }) => [`${method} ${route}`, requests, errors]).sort();
  assert.deepEqual(counts, [
    ['GET (none)', 1, 0],
    ['GET /fails', 1, 1],
    ['GET /items/:id', 2, 0],
  ]);
  const { actions, undelivered } = await view('messages');
  const seen = actions.find(({ action }) => action === 'item-seen');
  assert.deepEqual([seen?.count, seen?.to, undelivered], [2, 'agent', 0]);
});

test('fleet: the machines, and which of them this one is', { skip: SKIP.redis }, async (t) => {
  const server = await startServer(t, 'redis');
  const { view, pids } = await startPage(t, {
    files: {
      ...FILES,
      'config/plugin.js': 'exports.fleet = true;',
      'config/config.prod.js': `exports.fleet = { name: 'shops', member: 'a', adapter: 'redis', url: '${server.url}' };`,
    },
  });
  const { name, self, members } = await until('it is ready', async () => {
    const fleet = await view('fleet');
    return fleet.members[0]?.state === 'ready' && fleet;
  });
  assert.deepEqual([name, self], ['shops', 'a']);
  const [member] = members;
  assert.deepEqual([member?.id, member?.version, member?.workers], ['a', '1.2.3', 1]);
  assert.equal(member?.pid, (await pids()).agent);
  assert.ok(Date.parse(String(member?.since)) <= Date.now());
});

test('a view whose source is missing is empty', async (t) => {
  const { view, baseDir } = await startPage(t, {
    files: { ...FILES, 'config/plugin.js': 'exports.schedule = false; exports.logrotator = false;' },
  });
  assert.deepEqual(await view('fleet'), { members: [] });
  assert.deepEqual(await view('schedule'), { schedules: [], queues: [] });
  assert.deepEqual(await view('routes'), { routes: [], slowest: [] });
  writeFileSync(path.join(baseDir, 'run/deaths.json'), 'no JSON');
  assert.deepEqual(await view('deaths'), []);
});
