import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { launch, until } from '../support/apps.js';
import { request } from '../support/http.js';
import { writeApp } from '../support/loaded_app.js';
import type { ReceivedSpan } from '../support/otlp_collector.js';
import { startTraced } from '../support/traced_app.js';

const SERVER = 2;
const CLIENT = 3;
const PRODUCER = 4;
const CONSUMER = 5;
const ERROR = 2;

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

test('the values of a stream from the Agent are made in the trace of who reads them', async (t) => {
  const { collector, cluster } = await startTraced(t, {}, { workers: 1 });
  assert.equal((await request(`${cluster.url}/count`)).body, '[1,2,3]');
  const { agent } = await cluster.pids();
  const handled = await collector.span('the handler', ({ name, pid }) => name === 'count' && pid === agent);
  const server = await collector.span('the request', ({ name }) => name === 'GET /count');
  assert.equal(handled.traceId, server.traceId);
  const logs = await until('its lines have come', async () => {
    const found = (await collector.logs()).filter(({ body }) => body.startsWith('counted'));
    return found.length === 3 && found;
  });
  for (const { spanId } of logs) assert.equal(spanId, handled.spanId);
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

test('the boot of each process is a trace with its hooks', async (t) => {
  const { collector, cluster, baseDir } = await startTraced(t, {}, { workers: 1 });
  const { agent, workers } = await cluster.pids();
  for (const [pid, name, file] of [
    [agent, 'boot agent', 'agent.js'],
    [workers[0], 'boot application', 'app.js'],
  ] as const) {
    const boot = await collector.span(name, (span) => span.name === name && span.pid === pid);
    const hook = await collector.span('its hook', ({ name: title, attributes }) => {
      return title === 'didLoad' && attributes['code.file.path'] === path.join(baseDir, file);
    });
    assert.deepEqual([hook.traceId, hook.parentSpanId], [boot.traceId, boot.spanId]);
  }
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

test('a job is in the trace of the request that has added it, whoever runs it', async (t) => {
  const { collector, cluster } = await startTraced(
    t,
    {
      'config/plugin.js': 'exports.jobs = true;',
      'app/job/greet.js': `exports.handle = async (ctx) => {
        await ctx.service.user.find(3);
        throw new RangeError('no greeting');
      };
      exports.options = { attempts: 1 };`,
      'app/router.js': `module.exports = (app) => app.get('/add', async (ctx) => { ctx.body = await ctx.jobs.greet.add({}); });`,
    },
    { workers: 1 },
  );
  const { status, body } = await request(`${cluster.url}/add`);
  assert.equal(status, 200, body);
  const run = await collector.span('the run', ({ name }) => name === 'process greet');
  const added = await collector.span('the addition', ({ name }) => name === 'send greet');
  const server = await collector.span('the request', ({ name }) => name === 'GET /add');
  const service = await collector.span('what the job calls', ({ name }) => name === 'service user.find');
  assert.deepEqual([added.kind, run.kind], [PRODUCER, CONSUMER]);
  for (const { traceId } of [added, run, service]) assert.equal(traceId, server.traceId);
  assert.equal(run.parentSpanId, added.spanId);
  assert.equal(service.parentSpanId, run.spanId);
  const { id } = JSON.parse(body) as { id: string };
  assert.deepEqual([run.attributes['messaging.message.id'], run.attributes['clutch.job.attempt']], [id, 1]);
  assert.deepEqual([run.status.code, run.attributes['error.type']], [ERROR, 'RangeError']);
});

test('reloads and deaths are seen in the Master, and what a process has to send is sent before it ends', async (t) => {
  const { collector, cluster } = await startTraced(t, {}, { workers: 1 });
  // No timer sends anything from now on.
  await request(`${cluster.url}/plain`);
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

test('options add spans and leave them out, and the context travels without spans of messages', async (t) => {
  const { collector, cluster } = await startTraced(t, {
    'telemetry.mjs': `
      import { NodeSDK } from '@opentelemetry/sdk-node';
      import { ClutchInstrumentation } from 'koa-clutch/telemetry';
      const options = { middleware: true, message: false, logs: false, boot: false, ignorePaths: ['/plain'] };
      new NodeSDK({ instrumentations: [new ClutchInstrumentation(options)] }).start();`,
  });
  assert.equal((await request(`${cluster.url}/plain`)).status, 200);
  const { body } = await request(`${cluster.url}/ask/7`);
  const { pid } = JSON.parse(body) as { pid: number };
  const server = await collector.span('the request', ({ name }) => name === 'GET /ask/:id');
  const client = await collector.span('the last call', (span) => span.name === 'GET' && span.pid === pid);
  assert.equal(client.traceId, server.traceId);
  const names = (await collector.spans()).map(({ name }) => name);
  assert.ok(names.includes('middleware bodyParser'), names.join(', '));
  for (const name of ['GET /plain', 'ask', 'work', 'boot agent']) assert.ok(!names.includes(name), name);
  assert.deepEqual(
    (await collector.logs()).filter(({ body: text }) => text === 'asking'),
    [],
  );
});

test('threads load the module as well', async (t) => {
  const { collector, cluster } = await startTraced(t, {}, { startMode: 'worker_threads', workers: 1, port: 0 });
  assert.equal((await request(`${cluster.url}/plain`)).status, 200);
  const span = await collector.span('the request', ({ name }) => name === 'GET /plain');
  assert.equal(span.attributes['http.response.status_code'], 200);
});

test('a module of option telemetry that is not there, or throws, is named before anything starts', async (t) => {
  const baseDir = writeApp(t, { 'bad.mjs': "throw new Error('no exporter');" });
  for (const [telemetry, message] of [
    ['./nowhere.mjs', /ERR_CLUTCH_NOT_FOUND: module \.\/nowhere\.mjs cannot be found/],
    ['./bad.mjs', /ERR_CLUTCH_OPTION: the module of option telemetry has failed: no exporter/],
  ] as const) {
    const { exited, output } = launch(t, { baseDir, telemetry });
    assert.equal(await exited, 1);
    assert.match(output(), message);
  }
});
