import assert from 'node:assert/strict';
import http from 'node:http';
import net from 'node:net';
import { test } from 'node:test';
import { addHeaderLine, setHeaderBlock } from '../../../core/http/fast_response.js';
import { HeaderBlock } from '../../../core/http/held_header.js';
import { fastClasses } from '../../support/fast_classes.js';
import { GET, type Handler, sameAsNode } from '../../support/same_as_node.js';

function attempt(see: (value: unknown) => void, action: () => unknown): void {
  try {
    see(action());
  } catch (error) {
    see((error as NodeJS.ErrnoException).code);
  }
}

const BLOCK = new HeaderBlock([
  ['x-one', '1'],
  ['X-Two', '2'],
]);

const RESPONSES: Record<string, Handler> = {
  'a text with headers': (_req, res) => {
    res.setHeader('Content-Type', 'text/plain');
    res.setHeader('X-Number', 7);
    res.end('héllo ☃');
  },
  'a right length': (_req, res) => {
    res.setHeader('Content-Length', '5');
    res.end('hello');
  },
  'a length that is too small': (_req, res) => {
    res.setHeader('Content-Length', 3);
    res.setHeader('Connection', 'close');
    res.end('hello');
  },
  'the same header twice, in another case': (_req, res, see) => {
    res.setHeader('X-A', '1');
    res.setHeader('x-a', '2');
    see([res.getHeader('X-A'), res.getHeaderNames(), res.hasHeader('X-a'), { ...res.getHeaders() }]);
    res.end('x');
  },
  'a header that is removed': (_req, res, see) => {
    res.setHeader('X-A', '1');
    res.setHeader('X-B', '1');
    res.removeHeader('x-a');
    see([res.hasHeader('x-a'), res.getHeaderNames()]);
    res.setHeader('X-C', 'é');
    res.end('x');
  },
  'date, length and connection removed': (_req, res) => {
    res.setHeader('X-A', '1');
    for (const name of ['date', 'content-length', 'connection']) res.removeHeader(name);
    res.end('x');
  },
  'several cookies': (_req, res, see) => {
    res.setHeader('X-A', '1');
    res.setHeader('Set-Cookie', ['a=1', 'b=2']);
    res.appendHeader('Set-Cookie', 'c=3');
    see(res.getHeader('set-cookie'));
    res.end('x');
  },
  'one cookie as a text': (_req, res) => {
    res.setHeader('Set-Cookie', 'a=1');
    res.end('x');
  },
  'finished lines': (_req, res, see) => {
    res.setHeader('X-A', '1');
    for (const name of ['x-a', 'x-b', 'x-c', 'set-cookie']) see(addHeaderLine(res, name, `${name}: ${name}=1\r\n`));
    res.setHeader('X-B', '2');
    see([res.getHeader('X-C'), res.getHeader('set-cookie'), res.getHeaderNames(), { ...res.getHeaders() }]);
    res.end('x');
    see(addHeaderLine(res, 'x-d', 'x-d: 4\r\n'));
  },
  'a finished line that becomes a list': (_req, res, see) => {
    addHeaderLine(res, 'set-cookie', 'set-cookie: a=1\r\n');
    res.appendHeader('Set-Cookie', 'b=2');
    see(res.getHeader('set-cookie'));
    res.end('x');
  },
  'a block of headers': (_req, res, see) => {
    res.setHeader('X-A', '1');
    setHeaderBlock(res, BLOCK);
    res.setHeader('X-C', '3');
    see([res.hasHeader('x-one'), res.getHeader('X-Two'), res.hasHeader('x-three')]);
    res.end('x');
  },
  'a block behind all other headers': (_req, res, see) => {
    res.setHeader('X-A', '1');
    setHeaderBlock(res, BLOCK);
    res.end('x');
    see([res.getHeader('x-one'), { ...res.getHeaders() }]);
  },
  'a block and nothing else': (_req, res) => {
    setHeaderBlock(res, BLOCK);
    res.end('x');
  },
  'a block, listed': (_req, res, see) => {
    res.setHeader('X-A', '1');
    setHeaderBlock(res, BLOCK);
    res.setHeader('X-C', '3');
    see([res.getHeaderNames(), { ...res.getHeaders() }]);
    res.end('x');
  },
  'a header of a block, replaced and removed': (_req, res, see) => {
    setHeaderBlock(res, BLOCK);
    res.setHeader('x-one', 'other');
    see(res.getHeaderNames());
    res.removeHeader('X-TWO');
    see(res.getHeaderNames());
    res.end('x');
  },
  'a block beside a header that is in it': (_req, res, see) => {
    res.setHeader('X-One', 'first');
    setHeaderBlock(res, BLOCK);
    see({ ...res.getHeaders() });
    res.end('x');
  },
  'a block twice': (_req, res) => {
    setHeaderBlock(res, BLOCK);
    setHeaderBlock(res, BLOCK);
    res.end('x');
  },
  "a block whose headers are Node's own": (_req, res) => {
    setHeaderBlock(
      res,
      new HeaderBlock([
        ['Connection', 'close'],
        ['Content-Length', '1'],
      ]),
    );
    res.end('x');
  },
  'a block, then writeHead with headers': (_req, res) => {
    setHeaderBlock(res, BLOCK);
    res.writeHead(200, { 'x-one': 'mine' });
    res.end('x');
  },
  'a block once the head is sent': (_req, res, see) => {
    res.flushHeaders();
    attempt(see, () => setHeaderBlock(res, BLOCK));
    res.end('x');
  },
  'headers from a map': (_req, res) => {
    res.setHeader('X-A', '1');
    res.setHeaders(new Map([['X-B', '2']]));
    res.end('x');
  },
  'a file name outside of ASCII': (_req, res) => {
    res.setHeader('Content-Disposition', 'attachment; filename="é"');
    res.end('x');
  },
  'writeHead with headers': (_req, res) => {
    res.setHeader('X-A', '1');
    res.writeHead(201, 'Made', { 'x-a': '2', 'X-B': '3' });
    res.end('x');
  },
  'writeHead, then the body': (_req, res, see) => {
    res.setHeader('X-A', '1');
    see(res.writeHead(202) === res);
    see(res.headersSent);
    res.end('x');
  },
  'a message of its own': (_req, res) => {
    res.statusMessage = 'Fine';
    res.setHeader('X-A', '1');
    res.end('x');
  },
  'a status without a name': (_req, res) => {
    res.statusCode = 599;
    res.end('x');
  },
  'a status as a text': (_req, res, see) => {
    res.statusCode = '201' as unknown as number;
    res.setHeader('X-A', '1');
    res.end('x');
    see(res.statusCode);
  },
  'no content': (_req, res) => {
    res.statusCode = 204;
    res.setHeader('X-A', '1');
    res.end();
  },
  'no content, with a text all the same': (_req, res) => {
    res.statusCode = 304;
    res.end('x');
  },
  'chunks of unknown length': (_req, res) => {
    res.setHeader('X-A', '1');
    res.write('one');
    res.end('two');
  },
  'chunks of known length': (_req, res) => {
    res.setHeader('Content-Length', '6');
    res.write('one');
    res.end('two');
  },
  'chunks and trailers': (_req, res) => {
    res.setHeader('Trailer', 'X-T');
    res.write('one');
    res.addTrailers({ 'X-T': '1' });
    res.end();
  },
  'an encoding of its own': (_req, res) => {
    res.setHeader('Transfer-Encoding', 'chunked');
    res.end('x');
  },
  'headers flushed first': (_req, res) => {
    res.setHeader('X-A', '1');
    res.flushHeaders();
    res.end('x');
  },
  'a buffer': (_req, res) => res.setHeader('X-A', '1') && res.end(Buffer.from('bytes')),
  'an empty text': (_req, res) => res.setHeader('X-A', '1') && res.end(''),
  nothing: (_req, res) => res.end(),
  'another encoding of the text': (_req, res) => res.end('aGk=', 'base64'),
  'a callback': (_req, res, see) => res.end('x', () => see('finished')),
  corked: (_req, res) => {
    res.cork();
    res.end('x');
  },
  'the close of the connection': (_req, res) => {
    res.setHeader('Connection', 'close');
    res.end('last');
  },
  'a response after a while': (_req, res) => {
    res.setHeader('X-A', '1');
    setImmediate(() => res.end('x'));
  },
  'what is read after the response': (_req, res, see) => {
    res.setHeader('X-A', '1');
    res.on('finish', () => see('finish'));
    res.on('close', () => see([res.writableEnded, res.writableFinished, res.destroyed]));
    res.on('prefinish', () => see('prefinish'));
    res.end('x');
    see([res.headersSent, res.finished, res.statusCode, res.statusMessage]);
    see([res.getHeader('x-a'), res.hasHeader('x-a'), res.getHeaderNames(), { ...res.getHeaders() }]);
    attempt(see, () => res.setHeader('X-B', '1'));
    attempt(see, () => res.removeHeader('X-A'));
    attempt(see, () => res.appendHeader('X-A', '1'));
    attempt(see, () => res.writeHead(200));
    res.on('error', (error: NodeJS.ErrnoException) => see(error.code));
    attempt(see, () => res.end('again') === res);
  },
  'names and values that are refused': (_req, res, see) => {
    res.setHeader('X-A', '1');
    attempt(see, () => res.setHeader('bad name', '1'));
    attempt(see, () => res.setHeader('', '1'));
    attempt(see, () => res.setHeader('X-B', 'a\r\nX-C: 1'));
    attempt(see, () => res.setHeader('X-B', undefined as unknown as string));
    attempt(see, () => res.setHeader(7 as unknown as string, '1'));
    attempt(see, () => res.getHeader(7 as unknown as string));
    attempt(see, () => res.hasHeader(7 as unknown as string));
    attempt(see, () => res.setHeader('__proto__', '1').getHeader('__proto__'));
    res.end('x');
  },
  'a writeHead that is replaced, as on-headers does': (_req, res) => {
    const writeHead = res.writeHead;
    res.writeHead = ((...given: [number]) => {
      res.setHeader('X-Late', '1');
      return writeHead.apply(res, given);
    }) as typeof writeHead;
    res.setHeader('X-A', '1');
    res.end('x');
  },
};

for (const [name, handler] of Object.entries(RESPONSES)) test(`as from Node: ${name}`, (t) => sameAsNode(t, handler));

const text: Handler = (req, res, see) => {
  res.setHeader('X-A', '1');
  req.on('data', (chunk) => see(String(chunk)));
  if (req.method === 'POST') req.on('end', () => res.end('posted'));
  else res.end('hello');
};

const REQUESTS: Record<string, string> = {
  HEAD: 'HEAD / HTTP/1.1\r\nHost: x\r\n\r\n',
  'several at once': GET.repeat(5),
  'one with a body': 'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nbody',
  'one that waits for a 100': 'POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\nbody',
  'HTTP/1.0 that keeps the connection': 'GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n',
};

for (const [name, bytes] of Object.entries(REQUESTS)) {
  test(`as to Node: ${name}`, (t) => sameAsNode(t, text, bytes));
}

test('a header that one response changes or removes is as before in the next', async (t) => {
  let count = 0;
  await sameAsNode(
    t,
    (_req, res, see) => {
      const turn = count % 5;
      count += 1;
      for (const name of ['X-A', 'X-B', 'X-C']) res.setHeader(name, 'constant');
      res.setHeader('X-Number', turn % 2 === 0 ? 1 : '1');
      if (turn === 1) res.setHeader('x-a', 'another');
      if (turn === 2) res.setHeader('X-A', 'another').removeHeader('X-B');
      if (turn === 3) attempt(see, () => res.setHeader('X-A', 'a\r\nb'));
      see([res.getHeader('x-a'), res.getHeader('X-Number'), res.getHeaderNames(), res.hasHeader('x-b')]);
      res.end('x');
    },
    GET.repeat(5),
  );
});

test('several at once whose responses end in another order', async (t) => {
  let waiting: (() => void) | undefined;
  await sameAsNode(
    t,
    (_req, res) => {
      res.setHeader('X-A', '1');
      if (waiting) {
        res.end('second');
        waiting();
        waiting = undefined;
      } else {
        waiting = () => res.end('first');
      }
    },
    GET + GET,
  );
});

test("a tracer that wraps writeHead of Node's response later on sees every response", async (t) => {
  const proto = http.ServerResponse.prototype;
  const { writeHead } = proto;
  let calls = 0;
  proto.writeHead = function (this: http.ServerResponse, ...given: [number]) {
    calls += 1;
    return writeHead.apply(this, given);
  } as typeof writeHead;
  t.after(() => {
    proto.writeHead = writeHead;
  });
  await sameAsNode(t, (_req, res) => res.setHeader('X-A', '1') && res.end('x'));
  // Two responses of each server.
  assert.equal(calls, 4);
});

test('a client that disconnects while a response is sent: the same events', async () => {
  const outcomes = [];
  for (const options of [{}, fastClasses]) {
    const events: string[] = [];
    const server = http.createServer(options, (_req, res) => {
      for (const event of ['finish', 'close', 'error']) res.on(event, () => events.push(event));
      res.end('x'.repeat(50 * 1024 * 1024));
    });
    server.listen(0);
    const closed = new Promise((resolve) => server.on('connection', (socket) => socket.on('close', resolve)));
    const socket = net.connect((server.address() as net.AddressInfo).port, '127.0.0.1', () => socket.write(GET));
    socket.once('data', () => socket.resetAndDestroy());
    await closed;
    await new Promise((resolve) => server.close(resolve));
    outcomes.push(events);
  }
  assert.deepEqual(outcomes[1], outcomes[0]);
  assert.ok(outcomes[0]?.includes('close'));
});

test('a block of headers is checked when it is made', () => {
  assert.throws(() => new HeaderBlock([['x-a', 'a\r\nb: c']]), { code: 'ERR_INVALID_CHAR' });
  assert.throws(() => new HeaderBlock([['x a', '1']]), { code: 'ERR_INVALID_HTTP_TOKEN' });
});
