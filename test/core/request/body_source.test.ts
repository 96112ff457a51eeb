import assert from 'node:assert/strict';
import { once } from 'node:events';
import http from 'node:http';
import net from 'node:net';
import { PassThrough } from 'node:stream';
import { type TestContext, test } from 'node:test';
import type { Context } from 'koa-clutch';
import { fetch as fetchOfUrllib } from 'urllib';
import { until } from '../../support/apps.js';
import { loadApp } from '../../support/loaded_app.js';

// A body that is not sent, or not to its end, is closed together with its source: here a connection to an upstream server
// that never ends its response.

const COUNT = 40;

/** A server whose responses begin and never end; `open` holds those that nobody has closed. */
async function startUpstream(t: TestContext) {
  const open = new Set<http.ServerResponse>();
  let total = 0;
  const server = http.createServer((_req, res) => {
    total += 1;
    open.add(res);
    res.on('close', () => open.delete(res));
    res.write('begin');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.close();
    server.closeAllConnections();
  });
  const url = `http://127.0.0.1:${(server.address() as net.AddressInfo).port}/`;
  return { url, open, total: () => total };
}

const get = async (url: string): Promise<http.IncomingMessage> => {
  const [response] = await once(http.get(url, { agent: false }), 'response');
  return response as http.IncomingMessage;
};

/** Ways to have a body that comes from the upstream server. */
const BODIES: Record<string, (url: string) => Promise<object>> = {
  'a Response': (url) => fetch(url),
  'a Response of urllib': (url) => fetchOfUrllib(url),
  'a web stream': async (url) => (await fetch(url)).body as object,
  'a Node stream': get,
  'a Node stream that is piped': async (url) => (await get(url)).pipe(new PassThrough()).pipe(new PassThrough()),
};

interface Scenario {
  method?: string;
  /** Set for a client that leaves once the handler has been entered, or once the response has begun. */
  leaves?: 'entered' | 'begun';
  handle(ctx: Context, body: object, left: Promise<unknown>): unknown;
}

const set = (ctx: Context, body: unknown): void => {
  ctx.body = body as never;
};

const SCENARIOS: Record<string, Scenario> = {
  'set after the client has left': {
    leaves: 'entered',
    async handle(ctx, body, left) {
      await left;
      set(ctx, body);
    },
  },
  'set before the client leaves, and the handler goes on': {
    leaves: 'entered',
    async handle(ctx, body, left) {
      set(ctx, body);
      await left;
    },
  },
  'being sent when the client leaves': { leaves: 'begun', handle: set },
  'replaced by a text': {
    handle(ctx, body) {
      set(ctx, body);
      set(ctx, 'text');
    },
  },
  'replaced by data': {
    handle(ctx, body) {
      set(ctx, body);
      set(ctx, { data: 1 });
    },
  },
  'replaced by a buffer': {
    handle(ctx, body) {
      set(ctx, body);
      set(ctx, Buffer.from('bytes'));
    },
  },
  'replaced by null': {
    handle(ctx, body) {
      set(ctx, body);
      set(ctx, null);
    },
  },
  'replaced by undefined': {
    handle(ctx, body) {
      set(ctx, body);
      set(ctx, undefined);
    },
  },
  'replaced by another stream': {
    handle(ctx, body) {
      set(ctx, body);
      set(ctx, new Blob(['other']).stream());
    },
  },
  'before an error': {
    handle(ctx, body) {
      set(ctx, body);
      throw new Error('after the body');
    },
  },
  'for HEAD': { method: 'HEAD', handle: set },
  'after status 204': {
    handle(ctx, body) {
      ctx.status = 204;
      set(ctx, body);
    },
  },
  'before status 304': {
    handle(ctx, body) {
      set(ctx, body);
      ctx.status = 304;
    },
  },
  'beside a response by hand': {
    handle(ctx, body) {
      set(ctx, body);
      ctx.respond = false;
      ctx.res.end('by hand');
    },
  },
};

async function startApp(t: TestContext, make: () => Promise<object>, { handle }: Scenario, entered: () => void) {
  const app = loadApp(t, {
    'config/config.default.js': 'exports.onerror = { appErrorFilter: () => false };',
  });
  app.use(async (ctx) => {
    const left = new Promise((resolve) => ctx.req.socket.on('close', resolve));
    // The first of two pipelined requests has no body.
    const body = ctx.path === '/first' ? {} : await make();
    entered();
    await handle(ctx, body, left);
  });
  await app.ready();
  const server = app.listen(0);
  t.after(() => {
    server.close();
    server.closeAllConnections();
  });
  return (server.address() as net.AddressInfo).port;
}

for (const [bodyName, make] of Object.entries(BODIES)) {
  for (const [name, scenario] of Object.entries(SCENARIOS)) {
    // A Response sets its own status.
    if (bodyName.startsWith('a Response') && name === 'after status 204') continue;
    test(`${bodyName} ${name} is closed with its source, ${COUNT} of ${COUNT}`, async (t) => {
      const upstream = await startUpstream(t);
      let entered = 0;
      const port = await startApp(
        t,
        () => make(upstream.url),
        scenario,
        () => (entered += 1),
      );
      const clients = Array.from({ length: COUNT }, () => {
        const socket = net.connect(port, '127.0.0.1').on('error', () => undefined);
        socket.write(`${scenario.method ?? 'GET'} / HTTP/1.1\r\nHost: x\r\n\r\n`);
        return socket;
      });
      t.after(() => {
        for (const client of clients) client.destroy();
      });
      if (scenario.leaves === 'entered') await until('the handlers run', () => entered === COUNT);
      else await Promise.all(clients.map((client) => once(client, 'data')));
      if (scenario.leaves) for (const client of clients) client.resetAndDestroy();
      await until('all upstream responses are closed', () => upstream.open.size === 0);
      assert.equal(upstream.total(), COUNT);
    });
  }

  test(`${bodyName} of a pipelined request whose turn never comes is closed with its source`, async (t) => {
    const upstream = await startUpstream(t);
    let entered = 0;
    const handle = (ctx: Context, body: object): unknown => {
      if (ctx.path === '/first') return new Promise(() => undefined);
      return set(ctx, body);
    };
    const port = await startApp(
      t,
      () => make(upstream.url),
      { handle },
      () => (entered += 1),
    );
    const clients = Array.from({ length: COUNT }, () => net.connect(port, '127.0.0.1').on('error', () => undefined));
    for (const client of clients) {
      client.write('GET /first HTTP/1.1\r\nHost: x\r\n\r\nGET /second HTTP/1.1\r\nHost: x\r\n\r\n');
    }
    await until('the handlers run', () => entered === 2 * COUNT);
    for (const client of clients) client.resetAndDestroy();
    await until('all upstream responses are closed', () => upstream.open.size === 0);
    assert.equal(upstream.total(), COUNT);
  });
}

test('a source that somebody else reads as well goes on when the client leaves', async (t) => {
  const upstream = await startUpstream(t);
  const others: PassThrough[] = [];
  const make = async (): Promise<object> => {
    const source = await get(upstream.url);
    others.push(source.pipe(new PassThrough()).resume());
    return source.pipe(new PassThrough());
  };
  let ended = 0;
  const handle = (ctx: Context, body: object): void => {
    (body as PassThrough).on('close', () => (ended += 1));
    set(ctx, body);
  };
  const port = await startApp(t, make, { handle }, () => undefined);
  const client = net.connect(port, '127.0.0.1').on('error', () => undefined);
  client.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
  await once(client, 'data');
  client.resetAndDestroy();
  await until('the body is closed', () => ended === 1);
  assert.equal(others[0]?.destroyed, false);
  assert.equal(upstream.open.size, 1);
});

test('a body that fails before the response begins is an error of the request, not of the process', async (t) => {
  const handle = async (ctx: Context): Promise<void> => {
    const body = new PassThrough();
    set(ctx, body);
    body.destroy(new Error('failed early'));
    await once(body, 'close').catch(() => undefined);
  };
  const port = await startApp(
    t,
    async () => ({}),
    { handle },
    () => undefined,
  );
  const response = await get(`http://127.0.0.1:${port}/`);
  assert.equal(response.resume().statusCode, 500);
});
