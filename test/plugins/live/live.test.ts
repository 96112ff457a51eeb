import assert from 'node:assert/strict';
import { once } from 'node:events';
import http from 'node:http';
import type { TestContext } from 'node:test';
import { test } from 'node:test';
import WebSocket from 'ws';
import { startTestCluster, until } from '../../support/apps.js';
import { writeApp } from '../../support/loaded_app.js';
import { filesOf } from '../../support/page.js';

const APP = {
  'config/config.default.js': `
    exports.keys = 'test';
    exports.middleware = ['stamp'];
    exports.live = { heartbeat: 100 };`,
  'app/middleware/stamp.js': `module.exports = () => async (ctx, next) => { ctx.state.stamp = 'seen'; await next(); };`,
  'app/router.js': `module.exports = (app) => {
    const seen = app.seen = { begun: 0, aborted: 0, closed: [] };
    app.ws('/echo', (ctx, socket) => {
      socket.send(ctx.state.stamp + ' ' + ctx.query.name + ' ' + (ctx.cookies.get('user', { signed: false }) || ''));
      socket.on('message', (data) => socket.send('echo ' + data));
      socket.on('close', (code) => seen.closed.push(code));
    });
    app.ws('/private', (ctx, next) => { if (!ctx.query.key) ctx.throw(401); return next(); }, (ctx, socket) => socket.send('in'));
    app.ws('/broken', () => { throw new Error('broken handler'); });
    app.get('/events', (ctx) => {
      const stream = ctx.sse();
      stream.send({ event: 'hello', id: '1', data: { last: stream.lastEventId || null } });
      stream.send({ data: 'two\\nlines' });
      stream.send('a text');
      if (ctx.query.once) stream.close();
    });
    app.get('/slow', (ctx) => new Promise((resolve) => {
      seen.begun += 1;
      ctx.signal.addEventListener('abort', () => { seen.aborted += 1; resolve(); });
      setTimeout(() => { ctx.body = 'late'; resolve(); }, Number(ctx.query.ms));
    }));
    app.get('/seen', (ctx) => { ctx.body = seen; });
  };`,
};

const startApp = (t: TestContext) => startTestCluster(t, { baseDir: writeApp(t, APP), workers: 1, killTimeout: 5000 });

function connect(
  t: TestContext,
  url: string,
  options: WebSocket.ClientOptions = {},
): { socket: WebSocket; messages: string[] } {
  const socket = new WebSocket(url.replace('http', 'ws'), options);
  const messages: string[] = [];
  socket.on('message', (data) => messages.push(String(data)));
  socket.on('error', () => undefined);
  t.after(() => socket.terminate());
  return { socket, messages };
}

test('a web socket passes through the middleware of the app and talks to its handler', async (t) => {
  const { url } = await startApp(t);
  const { socket, messages } = connect(t, `${url}/echo?name=ada`, { headers: { cookie: 'user=7' } });
  await once(socket, 'open');
  socket.send('hi');
  await until('both have come', () => messages.length === 2);
  assert.deepEqual(messages, ['seen ada 7', 'echo hi']);
});

async function refusal(t: TestContext, url: string, options: WebSocket.ClientOptions = {}): Promise<number> {
  const { socket } = connect(t, url, options);
  const [, response] = (await once(socket, 'unexpected-response')) as [unknown, http.IncomingMessage];
  response.resume();
  return response.statusCode as number;
}

test('what may not connect gets an ordinary response', async (t) => {
  const { url } = await startApp(t);
  assert.equal(await refusal(t, `${url}/private`), 401);
  assert.equal(await refusal(t, `${url}/nowhere`), 404);
  assert.equal(await refusal(t, `${url}/echo`, { origin: 'http://evil.example' }), 403);
  const { socket, messages } = connect(t, `${url}/private?key=1`, { origin: url });
  await until('it is let in', () => messages[0] === 'in');
  socket.close();
  const plain = await get(`${url}/echo`);
  assert.equal(plain.status, 426);
  const broken = connect(t, `${url}/broken`).socket;
  assert.equal((await once(broken, 'close'))[0], 1011);
});

function get(url: string, headers: http.OutgoingHttpHeaders = {}) {
  return new Promise<{ status: number; response: http.IncomingMessage; ended: Promise<unknown>; text(): string }>(
    (resolve, reject) => {
      const req = http.get(url, { headers, agent: false }, (response) => {
        let text = '';
        response.on('data', (chunk) => {
          text += chunk;
        });
        response.on('error', () => undefined);
        const ended = once(response, 'end').catch(() => undefined);
        resolve({ status: response.statusCode as number, response, ended, text: () => text });
      });
      req.on('error', reject);
    },
  );
}

test('events are sent as they come, with comments while nothing does', async (t) => {
  const { url } = await startApp(t);
  const { response, text } = await get(`${url}/events`, { 'last-event-id': '41' });
  assert.equal(response.headers['content-type'], 'text/event-stream');
  await until('a heartbeat has come', () => text().includes(': alive'));
  assert.match(text(), /event: hello\nid: 1\ndata: \{"last":"41"\}\n\ndata: two\ndata: lines\n\ndata: a text\n\n/);
  response.destroy();
  await (await get(`${url}/events?once=1`)).ended;
});

test('live connections are counted apart from requests, and told when the worker drains', async (t) => {
  const cluster = await startApp(t);
  const events = await get(`${cluster.url}/events`);
  const { socket, messages } = connect(t, `${cluster.url}/echo`);
  await until('the socket is open', () => messages.length === 1);
  await until('both are counted', async () => {
    const worker = (await cluster.status()).processes.find(({ kind }) => kind === 'app worker');
    return worker?.live === 2 && worker.inFlight === 0;
  });
  const closed = once(socket, 'close');
  const begin = Date.now();
  const stopped = cluster.stop();
  const [code] = await closed;
  assert.equal(code, 1012);
  await events.ended;
  assert.match(events.text(), /retry: \d+\n\n$/);
  assert.equal(await stopped, 0);
  assert.ok(Date.now() - begin < 4000, 'it does not wait for killTimeout');
});

test('ctx.signal fires when the client leaves, and not when it has its response', async (t) => {
  const { url } = await startApp(t);
  const leaving = http.get(`${url}/slow?ms=5000`, { agent: false });
  leaving.on('error', () => undefined);
  const seen = async (): Promise<{ begun: number; aborted: number }> => {
    const { ended, text } = await get(`${url}/seen`);
    await ended;
    return JSON.parse(text());
  };
  const aborted = async (): Promise<number> => (await seen()).aborted;
  await until('the handler has begun', async () => (await seen()).begun === 1);
  leaving.destroy();
  await until('the handler knows', async () => (await aborted()) === 1);
  const { ended, text } = await get(`${url}/slow?ms=1`);
  await ended;
  assert.equal(text(), 'late');
  assert.equal(await aborted(), 1);
});

test('docs/live.md: the chat answers, and prices come', async (t) => {
  const baseDir = writeApp(t, { 'config/config.default.js': `exports.keys = 'test';`, ...filesOf('docs/live.md') });
  const { url } = await startTestCluster(t, { baseDir, workers: 1 });
  const { socket, messages } = connect(t, `${url}/chat?name=ada`);
  await once(socket, 'open');
  socket.send('hi');
  await until('the chat answers', () => messages[0] === 'ada: hi');
  const { response, text } = await get(`${url}/prices`);
  await until('a price has come', () => /event: price\ndata: \{"eur":42\}/.test(text()));
  response.destroy();
});
