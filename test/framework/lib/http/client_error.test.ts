import assert from 'node:assert/strict';
import http from 'node:http';
import net from 'node:net';
import { type TestContext, test } from 'node:test';
import { until } from '../../../support/apps.js';
import { loadApp } from '../../../support/loaded_app.js';

const CONFIG =
  'exports.keys = "k"; exports.security = { csrf: { enable: false } }; exports.logger = { consoleLevel: "NONE", level: "NONE" };';
const ROUTES = `module.exports = (app) => {
  app.all('/', async (ctx) => { ctx.body = 'fine'; });
  app.all('/begun', async (ctx) => { ctx.respond = false; ctx.res.writeHead(200, { 'content-length': 100 }); ctx.res.write('begun'); });
  app.all('/chunks', async (ctx) => {
    ctx.respond = false;
    ctx.res.write('first');
    ctx.req.socket.once('bad', () => { ctx.res.write('second'); ctx.res.end('third'); });
  });
  app.all('/length', async (ctx) => {
    const body = new (require('node:stream').PassThrough)();
    ctx.body = body;
    ctx.length = 16;
    body.write('first');
    ctx.req.socket.once('bad', () => body.end('second third'));
  });
};`;

async function listen(t: TestContext, { config = '', server: options = {} } = {}): Promise<number> {
  const app = loadApp(t, { 'config/config.unittest.js': CONFIG + config, 'app/router.js': ROUTES });
  await app.ready();
  const server = http.createServer(
    { ...app.serverOptions, connectionsCheckingInterval: 20, ...options },
    app.callback(),
  );
  app.emit('server', server);
  await new Promise<void>((resolve) => server.listen(0, resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return (server.address() as net.AddressInfo).port;
}

/** @returns all that comes until the connection is closed */
function send(port: number, ...parts: string[]): Promise<string> {
  return new Promise((resolve) => {
    let text = '';
    const socket = net.connect(port, '127.0.0.1', () => {
      for (const part of parts) socket.write(part, 'latin1');
    });
    socket.on('data', (chunk) => (text += String(chunk)));
    socket.on('error', () => undefined);
    socket.on('close', () => resolve(text));
  });
}

const page = (title: string): string =>
  `<html><head><title>${title}</title></head><body><h1>${title}</h1></body></html>`;

const CASES: [what: string, bytes: string, title: string][] = [
  ['too long a URL', `GET /${'a'.repeat(20_000)} HTTP/1.1\r\nHost: a\r\n\r\n`, '431 Request Header Fields Too Large'],
  [
    'too long a header block',
    `GET / HTTP/1.1\r\nHost: a\r\nx: ${'a'.repeat(20_000)}\r\n\r\n`,
    '431 Request Header Fields Too Large',
  ],
  [
    'a megabyte of headers',
    `GET / HTTP/1.1\r\nHost: a\r\n${`x: ${'a'.repeat(1000)}\r\n`.repeat(1000)}\r\n`,
    '431 Request Header Fields Too Large',
  ],
  [
    'too long a chunk extension',
    `POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2;${'a'.repeat(20_000)}\r\nAA\r\n0\r\n\r\n`,
    '413 Payload Too Large',
  ],
  ['no HTTP', 'hello\r\n\r\n', '400 Bad Request'],
  ['a wrong method', 'FOO / HTTP/1.1\r\n\r\n', '400 Bad Request'],
  ['two lengths', 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n', '400 Bad Request'],
  ['a header without a name', 'GET / HTTP/1.1\r\nHost: a\r\n: b\r\n\r\n', '400 Bad Request'],
];
for (const [what, bytes, title] of CASES) {
  test(`${what} is ${title}, and the connection is closed`, async (t) => {
    const text = await send(await listen(t), bytes);
    const body = page(title);
    assert.equal(text, `HTTP/1.1 ${title}\r\nContent-Length: ${body.length}\r\nConnection: close\r\n\r\n${body}`);
  });
}

for (const [what, bytes, server] of [
  ['headers', 'GET / HTTP/1.1\r\n', { headersTimeout: 50, requestTimeout: 60 }],
  [
    'a body',
    'POST / HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 5\r\n\r\n',
    { headersTimeout: 50, requestTimeout: 60 },
  ],
] as const) {
  test(`${what} that does not come in time is 408`, async (t) => {
    assert.match(
      await send(await listen(t, { server }), bytes),
      /^HTTP\/1\.1 408 Request Timeout\r\n.*Connection: close/s,
    );
  });
}

test('config.onClientError decides status, headers and body; it may decide nothing, or fail', async (t) => {
  const answers: [config: string, expected: RegExp][] = [
    [
      "async () => ({ status: 418, headers: { 'x-a': 'b\\r\\nc: d', 'content-length': '1' }, body: 'tea' })",
      /^HTTP\/1\.1 418 I'm a Teapot\r\nContent-Length: 3\r\nConnection: close\r\nx-a: bc: d\r\n\r\ntea$/,
    ],
    [
      "() => ({ body: Buffer.from([0xff, 0x00]), headers: { connection: 'close' } })",
      /^HTTP\/1\.1 400 Bad Request\r\nContent-Length: 2\r\nconnection: close\r\n\r\n/,
    ],
    ['() => undefined', /^HTTP\/1\.1 400 Bad Request\r\n/],
    ["() => { throw new Error('x'); }", /^HTTP\/1\.1 400 Bad Request\r\n/],
    ["async () => { throw new Error('x'); }", /^HTTP\/1\.1 400 Bad Request\r\n/],
    ['() => ({ body: 1 })', /^HTTP\/1\.1 400 Bad Request\r\n/],
    ["() => ({ status: 'abc' })", /^HTTP\/1\.1 400 Bad Request\r\n/],
    ['() => ({ status: 100 })', /^HTTP\/1\.1 400 Bad Request\r\n/],
    ['() => ({ status: 418.5 })', /^HTTP\/1\.1 400 Bad Request\r\n/],
    ['() => ({ status: undefined })', /^HTTP\/1\.1 400 Bad Request\r\n.*<title>400 Bad Request</s],
    ["() => ({ headers: { 'a b': 'c' } })", /^HTTP\/1\.1 400 Bad Request\r\n(?!.*a b)/s],
    // The time limit.
    ['() => new Promise(() => {})', /^HTTP\/1\.1 400 Bad Request\r\n/],
  ];
  for (const [config, expected] of answers) {
    const port = await listen(t, { config: `exports.onClientError = ${config};` });
    assert.match(await send(port, 'hello\r\n\r\n'), expected);
  }
});

test('a response before the error comes first; one to the broken request is cut if it has begun', async (t) => {
  const port = await listen(t);
  const both = await send(port, 'GET / HTTP/1.1\r\nHost: a\r\n\r\nhello\r\n\r\n');
  assert.match(both, /^HTTP\/1\.1 200 OK\r\n.*\r\n\r\nfineHTTP\/1\.1 400 Bad Request\r\n/s);
  const cut = await send(
    port,
    'POST /begun HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n',
    'hello\r\n\r\n',
  );
  assert.doesNotMatch(cut, /400/);
});

test('bytes that are no HTTP while a response is written end its connection, without a 400 in it', async (t) => {
  for (const path of ['/chunks', '/length', '/begun']) {
    const app = loadApp(t, { 'config/config.unittest.js': CONFIG, 'app/router.js': ROUTES });
    await app.ready();
    const server = http.createServer(app.serverOptions, app.callback());
    app.emit('server', server);
    // The handler goes on once the error is known.
    server.on('clientError', (_error, socket) => void socket.emit('bad'));
    await new Promise<void>((resolve) => server.listen(0, resolve));
    t.after(() => server.close());
    const { port } = server.address() as net.AddressInfo;
    const socket = net.connect({ port, host: '127.0.0.1', allowHalfOpen: true });
    let text = '';
    socket.once('data', () => socket.write('no HTTP\r\n\r\n'));
    socket.on('data', (chunk) => {
      text += String(chunk);
    });
    socket.on('error', () => undefined);
    socket.write(`GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`);
    const open = (): Promise<number> =>
      new Promise((resolve, reject) =>
        server.getConnections((error, count) => (error ? reject(error) : resolve(count))),
      );
    await until(
      'the server has closed it, although the client has not',
      async () => text !== '' && (await open()) === 0,
    );
    assert.match(text, /^HTTP\/1\.1 .*\r\n\r\n.*(first|begun)/s, path);
    assert.doesNotMatch(text, /second|400/, path);
    socket.destroy();
  }
});

test('a client that stays after its 400 loses its connection', async (t) => {
  const app = loadApp(t, { 'config/config.unittest.js': CONFIG, 'app/router.js': ROUTES });
  await app.ready();
  const server = http.createServer(app.serverOptions, app.callback());
  app.emit('server', server);
  await new Promise<void>((resolve) => server.listen(0, resolve));
  t.after(() => server.close());
  const { port } = server.address() as net.AddressInfo;
  const socket = net.connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  let text = '';
  socket.on('data', (chunk) => {
    text += String(chunk);
  });
  socket.on('error', () => undefined);
  socket.write('GET / HTTP/1.1\r\nHost: a\r\n\r\nno HTTP\r\n\r\n');
  const open = (): Promise<number> =>
    new Promise((resolve, reject) => server.getConnections((error, count) => (error ? reject(error) : resolve(count))));
  await until('the server has closed it, although the client has not', async () => text !== '' && (await open()) === 0);
  assert.match(text, /\r\n\r\nfineHTTP\/1\.1 400 /);
  socket.destroy();
});
