import assert from 'node:assert/strict';
import net from 'node:net';
import { test } from 'node:test';
import { startTestCluster } from '../support/apps.js';
import { request, sortHeaders } from '../support/http.js';
import type { Files } from '../support/loaded_app.js';
import { startTraced } from '../support/traced_app.js';

const SERVER = 2;
const ERROR = 2;

/** The instrumentation of Node's http wraps the server, and binds each request and response to its context. */
const SETUP = `
  import { NodeSDK } from '@opentelemetry/sdk-node';
  import { HttpInstrumentation } from '@opentelemetry/instrumentation-http';
  import { ClutchInstrumentation } from 'koa-clutch/telemetry';
  new NodeSDK({ instrumentations: [new HttpInstrumentation(), new ClutchInstrumentation()] }).start();`;

test('with the instrumentation of Node’s http there is one server span, which has the route', async (t) => {
  const { collector, cluster } = await startTraced(t, { 'telemetry.mjs': SETUP });
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

const ROUTES: Files = {
  'config/config.default.js': `
    exports.keys = 'k';
    exports.security = { csrf: false };
    exports.logger = { consoleLevel: 'NONE', disableConsoleAfterReady: true };`,
  'app/router.js': `module.exports = (app) => {
    const { Readable } = require('node:stream');
    app.get('/json', (ctx) => { ctx.body = { a: 1 }; });
    app.get('/none', (ctx) => { ctx.status = 204; });
    app.get('/stream', (ctx) => { ctx.type = 'text'; ctx.body = Readable.from(['a', 'b', 'c']); });
    app.get('/large', (ctx) => { ctx.body = 'x'.repeat(300000); });
    app.get('/fails', () => { throw new Error('no such thing'); });
    app.get('/moved', (ctx) => ctx.redirect('/json'));
    app.get('/raw', (ctx) => { ctx.respond = false; ctx.res.write('raw '); ctx.res.end('text'); });
    app.post('/body', (ctx) => { ctx.body = ctx.request.body; });
    app.post('/upload', async (ctx) => {
      let size = 0;
      for await (const chunk of ctx.req) size += chunk.length;
      ctx.body = { size };
    });
    app.get('/fast', (ctx) => { ctx.body = { classes: Object.keys(app.serverOptions).length, why: app.httpFallback ?? null }; });
  };`,
};

const PATHS = ['/json', '/none', '/stream', '/large', '/fails', '/moved', '/raw', '/nowhere', '/json?a=1'];
const REQUESTS = [
  ...PATHS.map((path) => `GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`),
  'HEAD /json HTTP/1.1\r\nHost: x\r\n\r\n',
  'POST /body HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n{"b":"2"}',
  'POST /body HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 3\r\n\r\nc=3',
  'POST /upload HTTP/1.1\r\nHost: x\r\nContent-Type: a/b\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n',
  'POST /nowhere HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello',
];

/** Sends all requests on one connection, one behind the other. @returns all that arrives */
function exchange(url: string): Promise<string> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    const socket = net.connect(Number(port), hostname);
    socket.write(`${REQUESTS.join('')}GET /json HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`);
    socket.on('data', (chunk: Buffer) => chunks.push(chunk));
    socket.on('error', reject);
    socket.on('close', () => resolve(Buffer.concat(chunks).toString('latin1')));
  });
}

/** What differs from one moment to the next. */
const stable = (responses: string): string =>
  sortHeaders(responses).replace(/^(?:date|x-readtime|x-response-time): .*\r\n/gim, '');

test('under the instrumentation of Node’s http a client sees the same responses, from the fast classes', async (t) => {
  const { cluster, baseDir } = await startTraced(t, {
    ...ROUTES,
    'telemetry.mjs': SETUP,
    'app.js': '',
    'agent.js': '',
  });
  const plain = await startTestCluster(t, { baseDir, workers: 1 });
  const [traced, untraced] = [await exchange(cluster.url), await exchange(plain.url)];
  assert.equal(stable(traced), stable(untraced));
  assert.equal(traced.match(/HTTP\/1\.1 \d{3} /g)?.length, REQUESTS.length + 1);
  const { body } = await request(`${cluster.url}/fast`);
  assert.deepEqual(JSON.parse(body), { classes: 2, why: null });
});
