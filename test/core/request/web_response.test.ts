import assert from 'node:assert/strict';
import { once } from 'node:events';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { type TestContext, test } from 'node:test';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import type { Context } from 'koa-clutch';
import type { HttpResponse } from '../../support/http.js';
import { loadApp, serve } from '../../support/loaded_app.js';

// `ctx.body = await fetch(…)`: a response of another server is passed on, whichever class of `Response` it has.

const TEXT = 'from the upstream';

const UPSTREAM: Record<string, (res: http.ServerResponse) => unknown> = {
  '/gzip': (res) => sendEncoded(res, 'gzip', gzipSync(TEXT)),
  '/both': (res) => sendEncoded(res, 'gzip, br', brotliCompressSync(gzipSync(TEXT))),
  '/unknown': (res) => sendEncoded(res, 'gzip, own', Buffer.from(TEXT)),
  '/plain': (res) => res.writeHead(201, { 'content-length': TEXT.length, 'content-type': 'text/x-own' }).end(TEXT),
  '/closes': (res) => {
    res.writeHead(200, { connection: 'close', 'x-own': 'a' });
    res.write(TEXT);
    res.end();
  },
  '/cookies': (res) =>
    res.writeHead(200, { 'set-cookie': ['a=1; path=/', 'b=2; expires=Thu, 01 Jan 2099 00:00:00 GMT'] }).end(TEXT),
  '/teapot': (res) => res.writeHead(418).end(TEXT),
};

function sendEncoded(res: http.ServerResponse, coding: string, body: Buffer): void {
  res
    .writeHead(200, { 'content-encoding': coding, 'content-length': body.length, 'content-type': 'text/plain' })
    .end(body);
}

async function startUpstream(t: TestContext): Promise<string> {
  const server = http.createServer((req, res) => UPSTREAM[req.url as string]?.(res));
  await once(server.listen(0, '127.0.0.1'), 'listening');
  t.after(() => server.close().closeAllConnections());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** @returns what a client sees of the response of an app with one handler */
async function ask(t: TestContext, handler: (ctx: Context) => unknown, method = 'GET'): Promise<HttpResponse> {
  const app = loadApp(t, { 'config/config.default.js': `exports.keys = 'k';` });
  app.use(handler);
  const agent = new http.Agent({ keepAlive: true });
  t.after(() => agent.destroy());
  return (await serve(t, app))('/', { method, agent });
}

/** Ways to fetch: on the connections of the app, with a class of urllib's, and with that of Node. */
const WAYS: Record<string, (ctx: Context, url: string, init?: RequestInit) => Promise<Response>> = {
  'ctx.fetch': (ctx, url, init) => ctx.fetch(url, init as object),
  fetch: (_ctx, url, init) => fetch(url, init),
};

for (const [way, get] of Object.entries(WAYS)) {
  const pass = async (t: TestContext, path: string, method = 'GET', init: RequestInit = {}): Promise<HttpResponse> => {
    const url = (await startUpstream(t)) + path;
    return ask(t, async (ctx) => (ctx.body = (await get(ctx, url, init)) as never), method);
  };

  test(`a response of ${way} is sent with its status, type and length`, async (t) => {
    const { status, headers, body } = await pass(t, '/plain');
    assert.deepEqual([status, body], [201, TEXT]);
    assert.deepEqual([headers['content-type'], headers['content-length']], ['text/x-own', String(TEXT.length)]);
  });

  test(`a body that ${way} has decoded is sent without its coding`, async (t) => {
    for (const path of ['/gzip', '/both']) {
      const { headers, body } = await pass(t, path);
      assert.deepEqual([body, headers['content-encoding'], headers['content-length']], [TEXT, undefined, undefined]);
      assert.equal(headers['content-type'], 'text/plain');
    }
  });

  test(`a coding that ${way} does not know stays`, async (t) => {
    const { headers, body } = await pass(t, '/unknown');
    assert.deepEqual([body, headers['content-encoding']], [TEXT, 'gzip, own']);
  });

  test(`${way}: headers of the other connection are not sent, others are`, async (t) => {
    const { headers, body } = await pass(t, '/closes');
    assert.deepEqual([body, headers['x-own']], [TEXT, 'a']);
    assert.notEqual(headers.connection, 'close');
  });

  test(`${way}: each cookie is sent, and those set before stay`, async (t) => {
    const url = `${await startUpstream(t)}/cookies`;
    const { headers } = await ask(t, async (ctx) => {
      ctx.cookies.set('own', '1', { signed: false });
      ctx.body = (await get(ctx, url)) as never;
    });
    const names = headers['set-cookie']?.map((cookie) => cookie.split('=')[0]);
    assert.deepEqual(names?.slice(-3), ['own', 'a', 'b']);
  });

  test(`${way}: HEAD and a response without a body have no wrong length`, async (t) => {
    const asked = await pass(t, '/gzip', 'HEAD');
    assert.deepEqual([asked.status, asked.headers['content-length'], asked.body], [200, undefined, '']);
    const fetched = await pass(t, '/plain', 'GET', { method: 'HEAD' });
    assert.deepEqual([fetched.status, fetched.headers['content-length'] ?? '0', fetched.body], [201, '0', '']);
    const both = await pass(t, '/plain', 'HEAD', { method: 'HEAD' });
    assert.deepEqual([both.status, both.headers['content-length']], [201, String(TEXT.length)]);
  });
}

test('a Response that the app has made keeps its headers', async (t) => {
  const encoded = gzipSync(TEXT);
  const { headers, body } = await ask(t, (ctx) => {
    ctx.body = new Response(encoded, { headers: { 'content-encoding': 'gzip', 'x-own': 'a' } }) as never;
  });
  assert.deepEqual([headers['content-encoding'], headers['x-own']], ['gzip', 'a']);
  assert.notEqual(body, '');
});

test('an object that is only called a Response is JSON', async (t) => {
  const { body } = await ask(t, (ctx) => (ctx.body = { a: 1, [Symbol.toStringTag]: 'Response' }));
  assert.equal(body, '{"a":1}');
});
