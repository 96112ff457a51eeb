import assert from 'node:assert/strict';
import net from 'node:net';
import { test } from 'node:test';
import { isAlive, startTestCluster, until } from '../../support/apps.js';
import { request, startLoadProcess } from '../../support/http.js';
import { writeApp } from '../../support/loaded_app.js';

const FILES = {
  'config/config.default.js': `exports.keys = 'k';`,
  'app/controller/user.js': `exports.show = async (ctx) => { ctx.body = ctx.params.id; };`,
  'agent.js': `module.exports = (agent) => { agent.messenger.on('count', () => agent.messenger.sendTo(1, 'lost', {})); };`,
  'app/router.js': `module.exports = (app) => {
    app.get('/', (ctx) => { ctx.body = 'home'; });
    app.get('/users/:id', 'user.show');
    app.get('/fails', () => { throw new Error('on purpose'); });
    app.get('/hangs', () => new Promise(() => undefined));
    app.get('/message', (ctx) => { app.messenger.sendToAgent('count'); ctx.body = 'sent'; });
    app.router.use('/closed', (ctx) => { ctx.status = 403; });
    app.get('/closed/:door', (ctx) => { ctx.body = 'open'; });
    for (let index = 0; index < 250; index += 1) app.get('/many/' + index, (ctx) => { ctx.body = 'one of many'; });
  };`,
};

/** Values by series. */
function parse(text: string): Map<string, number> {
  return new Map(
    [...text.matchAll(/^(clutch_\S.*) (\S+)$/gm)].map(([, series, value]) => [series as string, Number(value)]),
  );
}

const ofRoute = (method: string, route: string, status: string): string =>
  `clutch_http_request_duration_seconds_count{method="${method}",route="${route}",status="${status}"}`;

test('requests are counted by method, route and status; what has no route and what is beyond the limit together', async (t) => {
  const baseDir = writeApp(t, FILES);
  const cluster = await startTestCluster(t, { baseDir, workers: 1, admin: { port: 0 } });
  const admin = await cluster.admin();
  const urls = ['/', '/users/1', '/users/2?token=x', '/fails', '/no/such/page', '/closed/front', '/message'];
  for (const url of urls) await request(cluster.url + url);
  await request(`${cluster.url}/users/3`, { method: 'HEAD' });
  const left = net.connect(Number(new URL(cluster.url).port), '127.0.0.1');
  left.write('GET /hangs HTTP/1.1\r\nhost: a\r\n\r\n');
  const inFlight = async (): Promise<number> =>
    [...parse((await request(`${admin}/metrics`)).body)].find(([series]) =>
      series.startsWith('clutch_requests_in_flight'),
    )?.[1] ?? 0;
  await until('it is in flight', async () => (await inFlight()) === 1);
  left.destroy();
  for (let index = 0; index < 250; index += 1) await request(`${cluster.url}/many/${index}`);
  const expected = 8 + 1 + 250;
  const metrics = await until('all are counted', async () => {
    const values = parse((await request(`${admin}/metrics`)).body);
    return values.get('clutch_http_requests_total') === expected && values;
  });
  assert.equal(metrics.get(ofRoute('GET', '/', '2xx')), 1);
  assert.equal(metrics.get(ofRoute('GET', '/users/:id', '2xx')), 2);
  assert.equal(metrics.get(ofRoute('HEAD', '/users/:id', '2xx')), 1);
  assert.equal(metrics.get(ofRoute('GET', '/fails', '5xx')), 1);
  assert.equal(metrics.get(ofRoute('GET', '(none)', '4xx')), 1);
  assert.equal(
    metrics.get(ofRoute('GET', '/closed/:door', '4xx')),
    1,
    'a middleware of the router that refuses counts for the route',
  );
  assert.equal(metrics.get(ofRoute('GET', '/hangs', 'none')), 1);
  const many = [...metrics].filter(([series]) =>
    series.startsWith('clutch_http_request_duration_seconds_count{method="GET",route="/many/'),
  );
  assert.equal(many.length + 7, 200);
  assert.equal(metrics.get(ofRoute('GET', '(other)', '2xx')), 250 - many.length);
  assert.equal(metrics.get('clutch_http_errors_total'), 1);
  assert.ok(![...metrics.keys()].join().includes('token'));
  assert.ok((metrics.get('clutch_messages_total{from="app",to="agent"}') ?? 0) >= 1);
  assert.equal(metrics.get('clutch_messages_undelivered_total{reason="nobody"}'), 1);
  assert.ok((metrics.get('clutch_gc_duration_seconds_count{kind="app worker",gc="minor"}') ?? 0) > 0);
});

test('sizes are whole bytes', async (t) => {
  const cluster = await startTestCluster(t, { baseDir: writeApp(t, FILES), workers: 1, admin: { port: 0 } });
  const admin = await cluster.admin();
  const sizes = await until('all processes have reported', async () => {
    const series = [...parse((await request(`${admin}/metrics`)).body)].filter(([name]) => /_bytes\{/.test(name));
    return series.filter(([name]) => name.startsWith('clutch_resident_memory')).length === 3 && series;
  });
  assert.deepEqual(
    sizes.filter(([, value]) => !Number.isInteger(value)),
    [],
  );
});

test('counters do not fall when a worker is killed or all are replaced', async (t) => {
  const baseDir = writeApp(t, FILES);
  const cluster = await startTestCluster(t, { baseDir, workers: 2, admin: { port: 0 } });
  const admin = await cluster.admin();
  let before = new Map<string, number>();
  const read = async (): Promise<Map<string, number>> => {
    const values = parse((await request(`${admin}/metrics`)).body);
    const counter = /^clutch_http|_total\b|^clutch_gc|^clutch_drain/;
    for (const [series, value] of before) {
      if (!counter.test(series) || series.startsWith('clutch_cpu')) continue;
      assert.ok((values.get(series) ?? -1) >= value, `${series} fell from ${value} to ${values.get(series)}`);
    }
    before = values;
    return values;
  };
  const load = await startLoadProcess(t, `${cluster.url}/users/7`);
  await until('requests are counted', async () => ((await read()).get(ofRoute('GET', '/users/:id', '2xx')) ?? 0) > 100);
  const { workers } = await cluster.pids();
  process.kill(workers[0] as number, 'SIGKILL');
  await until('it is replaced', async () => {
    await read();
    return (await cluster.pids()).workers.length === 2 && !isAlive(workers[0] as number);
  });
  const old = (await cluster.pids()).workers;
  await cluster.reload();
  await until('the old ones are gone', async () => {
    await read();
    return !old.some(isAlive);
  });
  const { 200: ok = 0 } = await load.stop();
  const values = await until('all is counted that was served', async () => {
    const current = await read();
    // The killed one could not report its last second.
    return (current.get('clutch_drain_duration_seconds_count{kind="app worker"}') ?? 0) >= 2 && current;
  });
  const counted = values.get(ofRoute('GET', '/users/:id', '2xx')) ?? 0;
  assert.ok(counted > ok * 0.5 && counted <= ok + 2, `${counted} of ${ok}`);
  assert.equal(values.get('clutch_reloads_total{outcome="done"}'), 1);
  assert.ok((values.get('clutch_reload_duration_seconds') ?? 0) > 0);
  assert.equal(values.get('clutch_deaths_total{reason="reload"}'), 3);
  assert.equal(values.get('clutch_workers_ready'), 2);
  assert.ok((values.get('clutch_restarts_total{kind="app worker"}') ?? 0) >= 1);
});
