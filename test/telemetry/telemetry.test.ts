import assert from 'node:assert/strict';
import { readFileSync, symlinkSync } from 'node:fs';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { ROOT, startTestCluster, until } from '../support/apps.js';
import { request } from '../support/http.js';
import { type Files, writeApp } from '../support/loaded_app.js';
import { type ReceivedSpan, startCollector } from '../support/otlp_collector.js';

const SERVER = 2;
const CLIENT = 3;
const PRODUCER = 4;
const CONSUMER = 5;
const ERROR = 2;

const SETUP = `
  import { NodeSDK } from '@opentelemetry/sdk-node';
  import { ClutchInstrumentation } from 'koa-clutch/telemetry';
  new NodeSDK({ instrumentations: [new ClutchInstrumentation()] }).start();`;

const APP: Files = {
  'config/config.default.js': `
    exports.keys = 'k';
    exports.logger = { consoleLevel: 'NONE', outputJSON: true, dir: require('path').join(__dirname, '../logs') };`,
  'telemetry.mjs': SETUP,
  'remote.js': `module.exports = class Remote {
    constructor() { this.listeners = new Map(); }
    subscribe({ key }, listener) { this.listeners.set(key, listener); }
    publish({ key, value }) { this.listeners.get(key)?.(value); }
    async get(key) { this.logger?.info('remote get'); return 'value of ' + key; }
  };`,
  'agent.js': `const Remote = require('./remote');
    module.exports = class {
      constructor(agent) { this.agent = agent; }
      async didLoad() {
        const { agent } = this;
        agent.remote = agent.cluster(Remote).create();
        agent.messenger.onRequest('ask', async ({ pid }) => {
          agent.logger.info('asked by %s', pid);
          const other = agent.messenger.opids.find((each) => Number(each) !== pid);
          return agent.messenger.request(Number(other), 'work', {});
        });
      }
    };`,
  'app.js': `const Remote = require('./remote');
    module.exports = class {
      constructor(app) { this.app = app; }
      async didLoad() {
        const { app } = this;
        app.remote = app.cluster(Remote).create();
        app.messenger.onRequest('work', async () => {
          const { data } = await app.curl(process.env.TARGET + '/target?token=abcdef', { dataType: 'json' });
          return { pid: process.pid, traceparent: data.traceparent };
        });
        app.messenger.on('note', () => app.logger.info('noted'));
      }
    };`,
  'app/router.js': `module.exports = (app) => {
    app.get('/ask/:id', 'home.ask');
    app.get('/fails', () => { throw new TypeError('no such thing'); });
    app.get('/forbidden', (ctx) => ctx.throw(403, 'no'));
    app.get('/target', (ctx) => { ctx.body = { traceparent: ctx.get('traceparent') }; });
  };`,
  'app/controller/home.js': `module.exports = class extends require('egg').Controller {
    async ask() {
      const { app, ctx } = this;
      ctx.logger.info('asking');
      const worked = await app.messenger.request('agent', 'ask', { pid: process.pid });
      ctx.body = { ...worked, asked: process.pid, remote: await app.remote.get(ctx.params.id), user: await ctx.service.user.find(1) };
      app.messenger.sendToAgent('note', 1);
    }
  };`,
  'app/service/user.js': `module.exports = class extends require('egg').Service {
    async find(id) { return 'user ' + id; }
  };`,
};

function writeTracedApp(t: TestContext, files: Files = {}): string {
  const baseDir = writeApp(t, { ...APP, ...files });
  symlinkSync(path.join(ROOT, 'node_modules/@opentelemetry'), path.join(baseDir, 'node_modules/@opentelemetry'), 'dir');
  return baseDir;
}

async function startTraced(t: TestContext, files: Files = {}, options: object = {}) {
  const collector = await startCollector(t);
  const baseDir = writeTracedApp(t, files);
  const target = { url: '' };
  const other = await startTestCluster(t, { baseDir: writeApp(t, APP), workers: 1 });
  target.url = other.url;
  const cluster = await startTestCluster(
    t,
    { baseDir, workers: 2, telemetry: './telemetry.mjs', ...options },
    { ...collector.env, TARGET: target.url },
  );
  return { collector, cluster, baseDir };
}

test('a request to a worker that asks the Agent, which asks another worker, is one trace', async (t) => {
  const { collector, cluster, baseDir } = await startTraced(t);
  const { agent, workers } = await cluster.pids();
  const { body, status } = await request(`${cluster.url}/ask/7?password=hunter2`, {
    headers: { traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01' },
  });
  assert.equal(status, 200, body);
  const result = JSON.parse(body) as { pid: number; asked: number; traceparent: string; remote: string; user: string };
  assert.ok(workers.includes(result.pid) && workers.includes(result.asked) && result.pid !== result.asked);
  assert.deepEqual([result.remote, result.user], ['value of 7', 'user 1']);

  const traceId = '0af7651916cd43dd8448eb211c80319c';
  const server = await collector.span('the span of the request', ({ name }) => name === 'GET /ask/:id');
  await collector.span('the call of the Leader', ({ name, pid }) => name === 'Remote.get' && pid === agent);
  await collector.span('the message', ({ name }) => name === 'send note');
  const spans = (await collector.spans()).filter((span) => span.traceId === traceId);
  const of = (name: string, pid: number | undefined, kind: number): ReceivedSpan => {
    const found = spans.find((span) => span.name === name && span.pid === pid && span.kind === kind);
    assert.ok(
      found,
      `${name} of ${pid} in\n${spans.map((span) => `${span.pid} ${span.kind} ${span.name}`).join('\n')}`,
    );
    return found;
  };
  const chain = [
    server,
    of('controller home.ask', result.asked, 1),
    of('ask', result.asked, CLIENT),
    of('ask', agent, SERVER),
    of('work', agent, CLIENT),
    of('work', result.pid, SERVER),
    of('GET', result.pid, CLIENT),
  ];
  assert.equal(server.parentSpanId, 'b7ad6b7169203331');
  for (const [index, span] of chain.slice(1).entries()) {
    assert.equal(span.parentSpanId, chain[index]?.spanId, `${span.name} is below ${chain[index]?.name}`);
  }
  const [, controller] = chain;
  assert.equal(of('service user.find', result.asked, 1).parentSpanId, controller?.spanId);
  assert.equal(of('send note', result.asked, PRODUCER).parentSpanId, controller?.spanId);
  const invoke = of('Remote.get', result.asked, CLIENT);
  assert.equal(invoke.parentSpanId, controller?.spanId);
  assert.equal(of('Remote.get', agent, SERVER).parentSpanId, invoke.spanId);
  // What the other service has got.
  assert.equal(result.traceparent, `00-${traceId}-${chain.at(-1)?.spanId}-01`);

  assert.equal(server.kind, SERVER);
  assert.equal(server.attributes['http.request.method'], 'GET');
  assert.equal(server.attributes['http.route'], '/ask/:id');
  assert.equal(server.attributes['http.response.status_code'], 200);
  assert.equal(server.attributes['url.path'], '/ask/7');
  assert.equal(server.attributes['url.scheme'], 'http');
  assert.equal(server.attributes['server.port'], Number(new URL(cluster.url).port));
  assert.doesNotMatch(JSON.stringify(spans), /hunter2|abcdef/);
  const client = chain.at(-1) as ReceivedSpan;
  assert.equal(client.attributes['http.response.status_code'], 200);
  assert.equal(client.attributes['server.address'], '127.0.0.1');

  const logs = await until('the log lines have come', async () => {
    const found = await collector.logs();
    return found.some(({ body: text }) => text.startsWith('asked by')) && found;
  });
  const asking = logs.find(({ body: text }) => text === 'asking');
  assert.equal(asking?.traceId, traceId);
  assert.equal(asking?.spanId, controller?.spanId);
  assert.equal(logs.find(({ body: text }) => text.startsWith('asked by'))?.traceId, traceId);
  // Files are written a moment later.
  const written = (file: string, line: RegExp): Promise<string> =>
    until(`${file} has ${line}`, () => line.exec(readFileSync(path.join(baseDir, 'logs', file), 'utf8'))?.[0]);
  await written('demo-web.log', new RegExp(`\\[-/127\\.0\\.0\\.1/${traceId}/[\\d.]+ms GET /ask/7.*\\] asking`));
  await written('egg-agent.log', new RegExp(`\\[trace_id=${traceId} span_id=\\w{16}\\] asked by`));
  const line = JSON.parse(await written('demo-web.json.log', /^.*"asking".*$/m));
  assert.deepEqual([line.trace_id, line.span_id], [traceId, controller?.spanId]);
});

test('what fails has the status of an error, and what a client does wrong has not', async (t) => {
  const { collector, cluster } = await startTraced(t);
  assert.equal((await request(`${cluster.url}/fails`)).status, 500);
  assert.equal((await request(`${cluster.url}/forbidden`)).status, 403);
  assert.equal((await request(`${cluster.url}/nowhere`)).status, 404);
  const failed = await collector.span('the failure', ({ name }) => name === 'GET /fails');
  assert.equal(failed.status.code, ERROR);
  assert.equal(failed.attributes['error.type'], 'TypeError');
  assert.equal(failed.events[0]?.attributes['exception.message'], 'no such thing');
  const forbidden = await collector.span('the refusal', ({ name }) => name === 'GET /forbidden');
  assert.deepEqual([forbidden.status.code ?? 0, forbidden.attributes['http.response.status_code']], [0, 403]);
  const nowhere = await collector.span(
    'no route',
    ({ name, attributes }) => name === 'GET' && attributes['url.path'] === '/nowhere',
  );
  assert.equal(nowhere.attributes['http.route'], undefined);
  const points = await until('the metrics have come', async () => {
    const found = (await collector.points()).filter(({ metric }) => metric === 'http.server.request.duration');
    return found.some(({ attributes }) => attributes['http.route'] === '/fails') && found;
  });
  const point = points.find(({ attributes }) => attributes['http.route'] === '/fails');
  assert.deepEqual(point?.attributes, {
    'http.request.method': 'GET',
    'http.response.status_code': 500,
    'http.route': '/fails',
    'network.protocol.version': '1.1',
    'url.scheme': 'http',
    'error.type': 'TypeError',
  });
});

test('with the instrumentation of Node’s http there is one server span, which has the route', async (t) => {
  const { collector, cluster } = await startTraced(t, {
    'telemetry.mjs': `
      import { NodeSDK } from '@opentelemetry/sdk-node';
      import { HttpInstrumentation } from '@opentelemetry/instrumentation-http';
      import { ClutchInstrumentation } from 'koa-clutch/telemetry';
      new NodeSDK({ instrumentations: [new HttpInstrumentation(), new ClutchInstrumentation()] }).start();`,
  });
  const { status, body } = await request(`${cluster.url}/ask/7`);
  assert.equal(status, 200, body);
  assert.equal((JSON.parse(body) as { remote: string }).remote, 'value of 7');
  assert.equal((await request(`${cluster.url}/fails`)).status, 500);
  const server = await collector.span(
    'the server span',
    ({ name, kind }) => name === 'GET /ask/:id' && kind === SERVER,
  );
  const controller = await collector.span(
    'its controller',
    ({ name, traceId }) => name === 'controller home.ask' && traceId === server.traceId,
  );
  assert.equal(server.scope, '@opentelemetry/instrumentation-http');
  assert.equal(server.attributes['http.route'], '/ask/:id');
  assert.equal(controller.parentSpanId, server.spanId);
  const failed = await collector.span('the failure', ({ name, kind }) => name === 'GET /fails' && kind === SERVER);
  assert.equal(failed.status.code, ERROR);
  assert.equal(failed.events[0]?.attributes['exception.message'], 'no such thing');
  const servers = (await collector.spans()).filter(
    ({ kind, attributes }) => kind === SERVER && attributes['http.route'],
  );
  assert.equal(servers.length, 2);
});

test('a run of a schedule is one trace, from the Agent to the worker and what it calls', async (t) => {
  const { collector, cluster } = await startTraced(t, {
    'app/schedule/clean.js': `
      exports.schedule = { type: 'worker', immediate: true };
      exports.task = async (ctx) => { await ctx.service.user.find(2); };`,
  });
  const { agent, workers } = await cluster.pids();
  const service = await collector.span('what the task calls', ({ name }) => name === 'service user.find');
  const dispatch = await collector.span('the dispatch', ({ name }) => name === 'schedule dispatch clean');
  const run = await collector.span('the run', ({ name }) => name === 'schedule run clean');
  assert.deepEqual(
    [dispatch.pid, dispatch.kind, workers.includes(run.pid), run.kind],
    [agent, PRODUCER, true, CONSUMER],
  );
  assert.equal(run.parentSpanId, dispatch.spanId);
  assert.equal(service.parentSpanId, run.spanId);
  assert.equal(service.traceId, dispatch.traceId);
});

test('reloads and deaths are seen in the Master, and what a process has to send is sent before it ends', async (t) => {
  const { collector, cluster } = await startTraced(t, {}, { workers: 1 });
  // No timer sends anything from now on.
  await request(`${cluster.url}/target`);
  await cluster.reload();
  await collector.span('the reload', ({ name, pid }) => name === 'reload' && pid === cluster.child.pid);
  const died = await until('the deaths have come', async () => {
    const found = await collector.logs();
    return found.find(({ body }) => /^app worker \d+ has ended: it was replaced by a reload/.test(body));
  });
  assert.equal(died.severityText, 'INFO');
  const deaths = await until('they are counted', async () =>
    (await collector.points()).find(
      ({ metric, attributes }) =>
        metric === 'clutch.process.deaths' && attributes['clutch.process.kind'] === 'app worker',
    ),
  );
  assert.equal(deaths.attributes['clutch.death.reason'], 'reload');
});
