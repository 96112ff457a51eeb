import assert from 'node:assert/strict';
import { once } from 'node:events';
import http from 'node:http';
import net from 'node:net';
import { type TestContext, test } from 'node:test';
import {
  findMissing,
  findReplaced,
  hasOrdinaryHead,
  isUnread,
  measuredLength,
} from '../../../core/http/node_internals.js';

// What Clutch relies on in Node's http and stream modules, looked at on a server of Node's own.

type Internals = Record<string, (...args: unknown[]) => unknown>;

/** Records the arguments of every call of a method. */
function recording<C extends typeof http.ServerResponse | typeof http.IncomingMessage>(Class: C, method: string) {
  const calls: unknown[][] = [];
  const Recording = class extends (Class as typeof http.ServerResponse) {} as unknown as C;
  (Recording.prototype as unknown as Internals)[method] = function (this: Internals, ...args: unknown[]) {
    calls.push(args);
    return ((Class.prototype as unknown as Internals)[method] as Internals[string]).apply(this, args);
  };
  return { Recording, calls };
}

async function ask(
  t: TestContext,
  listener: http.RequestListener,
  { options = {}, head = 'GET / HTTP/1.1\r\nHost: x' }: { options?: http.ServerOptions; head?: string } = {},
): Promise<string> {
  const server = http.createServer(options, listener).listen(0, '127.0.0.1');
  t.after(() => server.close());
  await once(server, 'listening');
  const socket = net.connect((server.address() as net.AddressInfo).port, '127.0.0.1');
  socket.end(`${head}\r\nConnection: close\r\n\r\n`);
  let text = '';
  for await (const chunk of socket) text += String(chunk);
  return text;
}

test("Node's ServerResponse writes its head through _storeHeader, which adds Date and Connection", async (t) => {
  const { Recording, calls } = recording(http.ServerResponse, '_storeHeader');
  const text = await ask(t, (_req, res) => res.setHeader('X-A', '1').end('hello'), {
    options: { ServerResponse: Recording },
  });
  assert.equal(calls.length, 1);
  assert.match(String(calls[0]?.[0]), /^HTTP\/1\.1 200 OK\r\n$/);
  assert.match(text, /\r\nDate: [^\r]+\r\nConnection: close\r\n/);
});

test("end and write of Node's ServerResponse pass everything through _send, a text as a text", async (t) => {
  const { Recording, calls } = recording(http.ServerResponse, '_send');
  await ask(t, (_req, res) => res.end('hello'), { options: { ServerResponse: Recording } });
  assert.equal(calls[0]?.[0], 'hello');
  assert.ok(calls.slice(1).every(([data]) => data === ''));
  calls.length = 0;
  await ask(t, (_req, res) => res.write('hello') && res.end(), { options: { ServerResponse: Recording } });
  assert.ok(calls.some(([data]) => data === 'hello'));
});

test("Node's server calls _dump of a request that nobody reads, once its response has finished", async (t) => {
  const { Recording, calls } = recording(http.IncomingMessage, '_dump');
  await ask(t, (_req, res) => res.end('hello'), { options: { IncomingMessage: Recording } });
  assert.equal(calls.length, 1);
});

test('a request that nobody has touched shows it in _consuming, _events and _readableState', async (t) => {
  const touches: ((req: http.IncomingMessage) => unknown)[] = [
    (req) => req.on('end', () => undefined),
    (req) => req.once('close', () => undefined),
    (req) => req.on('data', () => undefined),
    (req) => req.on('readable', () => undefined),
    (req) => req.on('error', () => undefined),
    (req) => req.on('aborted', () => undefined),
    (req) => req.resume(),
    (req) => req.pause(),
    (req) => req.read(),
    (req) => req.pipe(process.stdout, { end: false }),
  ];
  for (const touch of touches) {
    const seen: boolean[] = [];
    await ask(t, (req, res) => {
      seen.push(isUnread(req));
      touch(req);
      seen.push(isUnread(req));
      res.end();
    });
    assert.deepEqual(seen, [true, false], String(touch));
  }
});

const HEADS: Record<string, [head: string, ordinary: boolean]> = {
  'a GET': ['GET / HTTP/1.1\r\nHost: x', true],
  'HEAD, by _hasBody': ['HEAD / HTTP/1.1\r\nHost: x', false],
  'HTTP/1.0, by useChunkedEncodingByDefault': ['GET / HTTP/1.0\r\nHost: x', false],
  'Expect: 100-continue, by _expect_continue': ['POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue', false],
};

for (const [name, [head, ordinary]] of Object.entries(HEADS)) {
  test(`a ServerResponse knows ${name}`, async (t) => {
    const seen: boolean[] = [];
    await ask(t, (_req, res) => void seen.push(hasOrdinaryHead(res.end('x'))), { head });
    assert.deepEqual(seen, [ordinary]);
  });
}

test('end measures the body and keeps its length in _contentLength before the head is written', async (t) => {
  const lengths: unknown[] = [];
  class Measuring extends http.ServerResponse {
    override writeHead(...args: unknown[]): this {
      lengths.push(measuredLength(this));
      return (super.writeHead as (...given: unknown[]) => this)(...args);
    }
  }
  await ask(t, (_req, res) => res.end('héllo'), {
    options: { ServerResponse: Measuring as typeof http.ServerResponse },
  });
  assert.deepEqual(lengths, [6]);
});

test('closeIdleConnections keeps a connection whose response is not `finished`', async (t) => {
  const server = http.createServer((_req, res) => {
    (res as { finished: boolean }).finished = false;
    server.closeIdleConnections();
    res.end('kept');
  });
  server.listen(0, '127.0.0.1');
  t.after(() => server.close());
  await once(server, 'listening');
  const { port } = server.address() as net.AddressInfo;
  const response = await fetch(`http://127.0.0.1:${port}/`, { headers: { connection: 'close' } });
  assert.equal(await response.text(), 'kept');
});

test('on this version of Node nothing is missing, and nothing is replaced', () => {
  assert.equal(findMissing(), undefined);
  assert.equal(findReplaced(), undefined);
});

test('a private member that is gone is named', () => {
  const proto = http.OutgoingMessage.prototype as unknown as Internals;
  const { _storeHeader: stored } = proto;
  try {
    delete proto['_storeHeader'];
    assert.equal(findMissing(), 'ServerResponse._storeHeader');
  } finally {
    proto['_storeHeader'] = stored as Internals[string];
  }
});
