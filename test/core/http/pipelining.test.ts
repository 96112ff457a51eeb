import assert from 'node:assert/strict';
import { once } from 'node:events';
import net from 'node:net';
import { Readable } from 'node:stream';
import { type TestContext, test } from 'node:test';
import { setImmediate as nextIteration, setTimeout as sleep } from 'node:timers/promises';
import fc from 'fast-check';
import Koa from 'koa';
import { startBursts } from '../../support/burst.js';
import { sortHeaders } from '../../support/http.js';
import { loadApp } from '../../support/loaded_app.js';

// Clients that send the next request without waiting for a response: responses keep their order, in whichever way and at
// whichever time each of them ends.

type Respond = (ctx: Koa.Context) => unknown;

const body =
  (value: () => unknown): Respond =>
  (ctx) => {
    ctx.body = value();
  };

const RESPONSES: Record<string, Respond> = {
  '/json': (ctx) => body(() => ({ asked: ctx.querystring }))(ctx),
  '/text': (ctx) => body(() => `asked ${ctx.querystring}`)(ctx),
  '/long': body(() => 'x'.repeat(70_000)),
  '/letters': body(() => ({ text: 'äöü€𝄞'.repeat(50) })),
  '/buffer': body(() => Buffer.from('buffer')),
  '/stream': body(() => Readable.from(['a', 'b', 'c'])),
  '/null': body(() => null),
  '/empty': body(() => ''),
  '/unread': body(() => 'whatever you sent'),
  '/204': (ctx) => void (ctx.status = 204),
  '/304': (ctx) => void (ctx.status = 304),
  '/headers': (ctx) => {
    ctx.set('x-several', ['1', '2']);
    ctx.body = {};
  },
  '/heard': (ctx) => {
    ctx.res.on('finish', () => undefined);
    ctx.body = {};
  },
  '/timer': async (ctx) => {
    await sleep(3);
    ctx.body = 'late';
  },
  '/iteration': async (ctx) => {
    await nextIteration();
    ctx.body = 'next iteration';
  },
  '/read': async (ctx) => {
    let length = 0;
    for await (const chunk of ctx.req) length += (chunk as Buffer).length;
    ctx.body = { length };
  },
  '/ended': (ctx) => {
    ctx.respond = false;
    ctx.res.end('ended');
  },
  '/written': (ctx) => {
    ctx.respond = false;
    ctx.res.write('writ');
    setImmediate(() => ctx.res.end('ten'));
  },
  '/missing': () => undefined,
};

interface Sent {
  path: string;
  head: boolean;
  body: string;
  chunked: boolean;
}

const sent: fc.Arbitrary<Sent> = fc.record({
  path: fc.constantFrom(...Object.keys(RESPONSES)),
  head: fc.integer({ min: 0, max: 3 }).map((number) => number === 0),
  body: fc.integer({ min: 0, max: 3000 }).map((length) => 'y'.repeat(length)),
  chunked: fc.boolean(),
});

/** The bytes of one connection, in the pieces in which they are sent. */
const connection = fc
  .tuple(fc.array(sent, { maxLength: 7 }), fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 5 }))
  .map(([requests, cuts]) => {
    const bytes = `${requests.map(textOf).join('')}GET /json?last HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`;
    const places = [0, ...cuts.map((cut) => Math.floor(cut * bytes.length)).sort((a, b) => a - b), bytes.length];
    return places.slice(1).map((place, index) => bytes.slice(places[index], place));
  });

function textOf({ path, head, body: text, chunked }: Sent, index: number): string {
  const first = (method: string): string => `${method} ${path}?${index} HTTP/1.1\r\nHost: x\r\n`;
  if (path !== '/read' && path !== '/unread') return `${first(head ? 'HEAD' : 'GET')}\r\n`;
  if (!chunked) return `${first('POST')}Content-Length: ${text.length}\r\n\r\n${text}`;
  const chunk = text && `${text.length.toString(16)}\r\n${text}\r\n`;
  return `${first('POST')}Transfer-Encoding: chunked\r\n\r\n${chunk}0\r\n\r\n`;
}

async function exchange(port: number, pieces: string[]): Promise<string> {
  const chunks: Buffer[] = [];
  const socket = net.connect(port, '127.0.0.1').on('data', (chunk: Buffer) => chunks.push(chunk));
  const closed = once(socket, 'close');
  for (const piece of pieces) {
    socket.write(piece);
    await nextIteration();
  }
  await closed;
  return sortHeaders(Buffer.concat(chunks).toString('latin1'));
}

/** Other clients, so many that responses wait for the end of their event-loop iteration. */
async function keepBusy(t: TestContext) {
  const paths = Array.from({ length: 64 }, (_, index) => `/${index}`);
  const { ask } = await startBursts(t, paths.length, (req, res) => res.endInBatch(req.url as string));
  let busy = true;
  const asking = (async () => {
    while (busy) assert.deepEqual(await ask(paths), paths);
  })();
  return {
    end() {
      busy = false;
      return asking;
    },
  };
}

test('pipelined requests get the responses of Koa, byte for byte and in order', async (t) => {
  const off = ['meta', 'siteFile', 'notfound', 'bodyParser', 'overrideMethod'];
  const own = loadApp(t, {
    'config/plugin.js': 'exports.session = exports.security = false;',
    'config/config.default.js': off.map((name) => `exports.${name} = { enable: false };`).join('\n'),
  });
  await own.ready();
  const ports = [new Koa(), own].map((app) => {
    (app as Koa).use((ctx) => RESPONSES[ctx.path]?.(ctx));
    const server = (app as Koa).listen(0);
    t.after(() => server.close());
    return (server.address() as net.AddressInfo).port;
  });
  const busy = await keepBusy(t);
  for (let seed = 1; seed <= 20; seed += 1) {
    const connections = fc.sample(connection, { seed, numRuns: 48 });
    const [koas, owns] = await Promise.all(
      ports.map((port) => Promise.all(connections.map((pieces) => exchange(port, pieces)))),
    );
    assert.deepEqual(owns, koas);
    for (const responses of owns as string[]) assert.match(responses, /\{"asked":"last"\}$/);
  }
  await busy.end();
});
