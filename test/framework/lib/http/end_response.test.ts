import assert from 'node:assert/strict';
import http from 'node:http';
import net from 'node:net';
import { type TestContext, test } from 'node:test';
import { until } from '../../../support/apps.js';
import { loadApp } from '../../../support/loaded_app.js';

const MB = 1024 * 1024;

async function listen(t: TestContext): Promise<number> {
  const app = loadApp(t, {
    'config/config.unittest.js':
      'exports.keys = "k"; exports.security = { csrf: { enable: false } }; exports.logger = { consoleLevel: "NONE", level: "NONE" };',
    'app/router.js': `module.exports = (app) => {
      app.post('/refused', async (ctx) => ctx.throw(401, 'who?'));
      app.post('/ignored', async (ctx) => { ctx.status = 401; ctx.body = 'who?'; });
      app.post('/streamed', async (ctx) => { ctx.status = 401; ctx.body = require('node:stream').Readable.from(['who?']); });
      app.post('/parsed', async (ctx) => { ctx.body = 'never'; });
      app.post('/unread', async (ctx) => { ctx.body = 'fine'; });
      app.post('/204', async (ctx) => ctx.throw(Object.assign(new Error('x'), { status: 204 })));
    };`,
  });
  await app.ready();
  const server = app.listen(0);
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return (server.address() as net.AddressInfo).port;
}

/** A client that writes its whole request, and only then reads. */
function upload(port: number, head: string, size: number): Promise<{ text: string; failed?: string; sent: number }> {
  return new Promise((resolve) => {
    let text = '';
    let sent = 0;
    let failed: string | undefined;
    const block = Buffer.alloc(64 * 1024, 'a');
    const socket = net.connect({ port, host: '127.0.0.1' });
    socket.pause();
    const write = (): void => {
      while (sent < size) {
        sent += block.length;
        if (!socket.write(block)) {
          socket.once('drain', write);
          return;
        }
      }
      socket.on('data', (chunk) => (text += String(chunk)));
      socket.resume();
    };
    socket.write(`${head}\r\n\r\n`);
    write();
    socket.on('error', (error: NodeJS.ErrnoException) => (failed = error.code));
    socket.on('close', () => resolve({ text, failed, sent }));
  });
}

for (const [what, path, status] of [
  ['an error of the app', '/refused', 401],
  ['a response that ignores the body', '/ignored', 401],
  ['a stream beside an unread body', '/streamed', 401],
  ['an unknown path', '/nope', 404],
  ['too large a body', '/parsed', 413],
] as const) {
  for (const framing of [`Content-Length: ${20 * MB}`, 'Transfer-Encoding: chunked']) {
    test(`${what} reaches a client that sends ${framing} first and reads later`, async (t) => {
      const port = await listen(t);
      const type = path === '/parsed' ? 'application/json' : 'application/octet-stream';
      const head = `POST ${path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Type: ${type}\r\n${framing}`;
      const chunked = framing.startsWith('Transfer');
      const { text } = await upload(port, chunked ? `${head}\r\n\r\n${(20 * MB).toString(16)}` : head, 20 * MB);
      assert.match(text, new RegExp(`^HTTP/1\\.1 ${status} `));
    });
  }
}

test('memory stays flat, and an upload without end is cut', async (t) => {
  const port = await listen(t);
  const before = process.memoryUsage().rss;
  const head = 'POST /refused HTTP/1.1\r\nHost: a\r\nContent-Type: application/octet-stream';
  const { sent } = await upload(port, `${head}\r\nContent-Length: ${1000 * MB}`, 1000 * MB);
  assert.ok(sent < 200 * MB, `${sent / MB} MB`);
  assert.ok(process.memoryUsage().rss - before < 100 * MB);
});

test('a connection serves on after an error with an unread body', async (t) => {
  const port = await listen(t);
  let text = '';
  const socket = net.connect({ port, host: '127.0.0.1' });
  t.after(() => socket.destroy());
  socket.on('data', (chunk) => (text += String(chunk)));
  for (const path of ['/refused', '/204', '/refused']) {
    const body = 'a'.repeat(3 * MB);
    socket.write(
      `POST ${path} HTTP/1.1\r\nHost: a\r\nContent-Type: application/octet-stream\r\nContent-Length: ${body.length}\r\n\r\n`,
    );
    socket.write(body);
  }
  await until('three responses', () => text.match(/HTTP\/1\.1 /g)?.length === 3);
  assert.deepEqual(text.match(/HTTP\/1\.1 \d+/g), ['HTTP/1.1 401', 'HTTP/1.1 204', 'HTTP/1.1 401']);
});

test('an upload without end that no handler reads is cut after a bound, also where the response was 200', async (t) => {
  const port = await listen(t);
  for (const framing of [`Content-Length: ${1000 * MB}`, 'Transfer-Encoding: chunked']) {
    const chunk = framing.startsWith('Transfer') ? `\r\n\r\n${(1000 * MB).toString(16)}` : '';
    const head = `POST /unread HTTP/1.1\r\nHost: a\r\nContent-Type: application/octet-stream\r\n${framing}${chunk}`;
    const { sent } = await upload(port, head, 1000 * MB);
    assert.ok(sent < 200 * MB, `${sent / MB} MB`);
  }
});

test('a connection is kept alive after an upload within the bound that no handler reads', async (t) => {
  const port = await listen(t);
  const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
  t.after(() => agent.destroy());
  const ports = new Set<number | undefined>();
  for (const size of [10, 1000, 100_000, 5 * MB, 10]) {
    const body = await new Promise<string>((resolve, reject) => {
      const headers = { 'content-type': 'application/octet-stream', 'content-length': size };
      const req = http.request({ port, host: '127.0.0.1', path: '/unread', method: 'POST', agent, headers }, (res) => {
        ports.add(res.socket.localPort);
        let text = '';
        res.setEncoding('utf8').on('data', (chunk) => (text += chunk));
        res.on('end', () => resolve(text));
      });
      req.on('error', reject);
      req.end(Buffer.alloc(size));
    });
    assert.equal(body, 'fine');
  }
  assert.equal(ports.size, 1);
});
