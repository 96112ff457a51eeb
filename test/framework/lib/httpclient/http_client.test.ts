import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import http from 'node:http';
import http2 from 'node:http2';
import { type AddressInfo, Socket } from 'node:net';
import { buffer, text } from 'node:stream/consumers';
import { type TestContext, test } from 'node:test';
import { until } from '../../../support/apps.js';
import { request } from '../../../support/http.js';
import { type Files, loadAgent, loadApp, serve } from '../../../support/loaded_app.js';

interface Upstream {
  url: string;
  server: http.Server;
  connections: Socket[];
}

/** A service that the app under test sends requests to. */
async function upstream(t: TestContext, handler: http.RequestListener): Promise<Upstream> {
  const server = http.createServer(handler).listen(0, '127.0.0.1');
  const connections: Socket[] = [];
  server.on('connection', (socket) => connections.push(socket));
  await once(server, 'listening');
  t.after(() => {
    server.close();
    server.closeAllConnections();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, server, connections };
}

/** Replies with what it was sent. */
const echo: http.RequestListener = async (req, res) => {
  const { method, url, headers } = req;
  res.setHeader('content-type', 'application/json');
  res.end(JSON.stringify({ method, url, headers, body: await text(req) }));
};

interface Echo {
  method: string;
  url: string;
  headers: Record<string, string>;
  body: string;
}

const config = (httpclient: string): Files => ({
  'config/config.default.js': `exports.httpclient = ${httpclient};`,
});

test('curl sends data as query, form or JSON and parses the reply by dataType', async (t) => {
  const { url } = await upstream(t, echo);
  const app = loadApp(t);
  const sent = async (options: object): Promise<Echo> => (await app.curl<Echo>(`${url}/a`, options)).data;
  assert.equal((await sent({ dataType: 'json', data: { b: 'c d' } })).url, '/a?b=c%20d');
  const form = await sent({ dataType: 'json', method: 'POST', data: { b: 'c d' } });
  assert.deepEqual([form.method, form.body], ['POST', 'b=c+d']);
  assert.match(form.headers['content-type'] as string, /urlencoded/);
  const json = await sent({ dataType: 'json', method: 'PUT', contentType: 'json', data: { b: ['c'] } });
  assert.deepEqual([json.body, json.headers['content-type']], ['{"b":["c"]}', 'application/json']);
  const query = await sent({ dataType: 'json', method: 'POST', dataAsQueryString: true, data: { b: 'c' } });
  assert.deepEqual([query.url, query.body], ['/a?b=c', '']);
  const plain = await app.curl(url);
  assert.ok(Buffer.isBuffer(plain.data));
  assert.equal(plain.status, 200);
  assert.equal(typeof (await app.curl(url, { dataType: 'text' })).data, 'string');
});

test('curl uploads files, streams the reply and follows redirects', async (t) => {
  const { url } = await upstream(t, (req, res) => {
    if (req.url === '/old') res.writeHead(302, { location: '/new' }).end();
    else echo(req, res);
  });
  const app = loadApp(t);
  const upload = await app.curl<Echo>(url, {
    dataType: 'json',
    files: { doc: Buffer.from('hello') },
    data: { a: 'b' },
  });
  assert.match(upload.data.body, /name="a"\r\n\r\nb.*name="doc"; filename="doc".*hello/s);
  const { res } = await app.curl(url, { streaming: true });
  assert.match(String(await buffer(res)), /"method":"GET"/);
  const { data, redirected } = await app.curl<Echo>(`${url}/old`, { dataType: 'json' });
  assert.deepEqual([data.url, redirected], ['/new', true]);
});

test('connections are kept alive; httpAgent.keepAlive and maxSockets have their effect', async (t) => {
  const kept = await upstream(t, echo);
  const app = loadApp(t);
  for (let i = 0; i < 10; i++) await app.httpclient.request(kept.url);
  // The next request may be there before the library has seen the end of the last one, and opens a second connection.
  assert.ok(kept.connections.length <= 2, `${kept.connections.length} connections`);
  assert.equal(app.httpClient, app.httpclient);

  const closed = await upstream(t, echo);
  const without = loadApp(t, config('{ httpAgent: { keepAlive: false } }'));
  for (let i = 0; i < 3; i++) await without.curl(closed.url);
  assert.equal(closed.connections.length, 3);

  const one = await upstream(t, echo);
  const narrow = loadApp(t, config('{ httpAgent: { maxSockets: 1 } }'));
  await Promise.all([1, 2, 3].map(() => narrow.curl(one.url)));
  assert.equal(one.connections.length, 1);
});

type Failure = Error & { url: string; code?: string; status?: number; res: { timing: object; rt: number } };
const failure = (promise: Promise<unknown>): Promise<Failure> =>
  promise.then(
    () => assert.fail('the request did not fail'),
    (error) => error as Failure,
  );

test('a reply that is late is a HttpClientRequestTimeoutError with url and timings, its query left out', async (t) => {
  const { url } = await upstream(t, () => undefined);
  const app = loadApp(t, config("{ request: { timeout: '80ms' } }"));
  const error = await failure(app.curl(`${url}/slow?token=secret`));
  assert.equal(error.name, 'HttpClientRequestTimeoutError');
  assert.match(error.message, /^Request timeout for 80 ms \(GET http:\/\/127\.0\.0\.1:\d+\/slow, \d+ ms\)$/);
  assert.equal(error.url, `${url}/slow`);
  assert.ok('queuing' in error.res.timing && error.res.rt >= 60);
  assert.doesNotMatch(JSON.stringify({ ...error }), /secret/);
  const own = await failure(app.curl(url, { timeout: '50' }));
  assert.match(own.message, /timeout for 50 ms/);
  await assert.rejects(app.curl(url, { timeout: 'soon' }), /"soon" is not a time/);
});

test('a refused connection names the request', async (t) => {
  const { url, server } = await upstream(t, echo);
  server.close();
  const error = await failure(loadApp(t).curl(`${url}/x`));
  assert.equal(error.code, 'ECONNREFUSED');
  assert.match(error.message, /\(GET http:\/\/127\.0\.0\.1:\d+\/x/);
});

test('what the upstream sends with an error does not reach the client of the app', async (t) => {
  const { url } = await upstream(t, (_req, res) => {
    res
      .writeHead(404, { 'content-type': 'application/json', 'set-cookie': 'inner=1', 'x-inner': '1' })
      .end('{ not json');
  });
  const app = loadApp(t, {
    'app/router.js': `module.exports = (app) => app.get('/', (ctx) => ctx.curl(${JSON.stringify(url)}, { dataType: 'json' }));`,
  });
  const reply = await (await serve(t, app))('/');
  assert.equal(reply.status, 500);
  assert.equal(reply.headers['x-inner'] ?? reply.headers['set-cookie'], undefined);
});

test('retry repeats a request that failed with 5xx', async (t) => {
  let count = 0;
  const { url } = await upstream(t, (_req, res) => {
    count += 1;
    res.writeHead(count < 3 ? 503 : 200).end();
  });
  assert.equal((await loadApp(t).curl(url, { retry: 3 })).status, 200);
  assert.equal(count, 3);
});

test('events: request may add headers for tracing, response has the outcome; ctx is with both', async (t) => {
  const { url } = await upstream(t, echo);
  const app = loadApp(t);
  const ctx = app.createAnonymousContext();
  const seen: unknown[] = [];
  app.httpclient.on('request', (req) => {
    req.args.headers['x-trace'] = 't1';
    seen.push(req.url, req.ctx);
  });
  app.httpclient.on('response', ({ error, res, ctx: of }) => seen.push(error, res.status, of));
  const { data } = await ctx.curl<Echo>(url, { dataType: 'json' });
  assert.equal(data.headers['x-trace'], 't1');
  assert.deepEqual(seen, [`${url}/`, ctx, null, 200, ctx]);
});

test('ctx.curl is aborted when its client leaves, unless told otherwise', async (t) => {
  const arrived: string[] = [];
  const left: string[] = [];
  const { url } = await upstream(t, (req, res) => {
    arrived.push(req.url as string);
    res.once('close', () => left.push(req.url as string));
    if (req.url === '/kept') setTimeout(() => res.end('done'), 300);
  });
  const app = loadApp(t, {
    'app/router.js': `
      module.exports = (app) => {
        app.outcomes = [];
        app.get('/:path', async (ctx) => {
          const options = ctx.params.path === 'kept' ? { abortWithClient: false } : {};
          ctx.curl('${url}/beside', options).catch(() => undefined);
          await ctx.curl('${url}/' + ctx.params.path, options).then(
            ({ data }) => app.outcomes.push(String(data)),
            (error) => { app.outcomes.push(error.name + ' ' + error.status); throw error; },
          );
        });
      };`,
  }) as unknown as ReturnType<typeof loadApp> & { outcomes: string[] };
  const logged: unknown[] = [];
  app.logger.log = (level, [line]) => void logged.push(level, line);
  await app.ready();
  const server = app.listen(0);
  t.after(() => server.close());
  const { port } = server.address() as AddressInfo;
  for (const path of ['/waits', '/kept']) {
    const client = http.get(`http://127.0.0.1:${port}${path}`).on('error', () => undefined);
    await until(`${path} has arrived`, () => arrived.includes(path));
    client.destroy();
  }
  await until('the first one is aborted', () => left.includes('/waits'));
  await until('both have ended', () => app.outcomes.length === 2);
  assert.deepEqual(app.outcomes.sort(), ['AbortError 499', 'done']);
  await until('it is logged', () => logged.length > 0);
  assert.equal(logged.length, 2, String(logged));
  assert.equal(logged[0], 'WARN');
  assert.match(
    String(logged[1]),
    /^AbortError: aborted, [^\n]* has left [^\n]*\(499, GET \/waits from 127\.0\.0\.1\)$/,
  );
});

test('checkAddress sees addresses, names and redirects before a connection is opened', async (t) => {
  const { url, connections } = await upstream(t, (req, res) => {
    if (req.url === '/away') res.writeHead(302, { location: `http://localhost:${port}/in` }).end();
    else res.end('ok');
  });
  const port = new URL(url).port;
  const app = loadApp(t);
  const asked: string[] = [];
  const nothing = app.createHttpClient({
    checkAddress: (ip, family, hostname) => {
      asked.push(`${hostname} ${ip} ${family}`);
      return false;
    },
  });
  for (const host of ['127.0.0.1', 'localhost', '2130706433', '[::1]']) {
    const error = await failure(nothing.request(`http://${host}:${port}/`));
    assert.equal(error.name, 'IllegalAddressError', error.stack);
  }
  assert.equal(connections.length, 0);
  assert.ok(asked.includes('127.0.0.1 127.0.0.1 4') && asked.includes('::1 ::1 6'), asked.join());
  assert.ok(asked.some((each) => /^localhost (?:127|::1)/.test(each)));
  // Through curl(), as safeCurl of Egg's security plugin does.
  const only = (_ip: string, _family: unknown, hostname: string): boolean => hostname === '127.0.0.1';
  assert.equal((await app.curl(url, { checkAddress: only })).status, 200);
  assert.match(
    (await failure(app.curl(`${url}/away`, { checkAddress: only }))).message,
    /illegal address .* of localhost/,
  );
  assert.equal((await app.curl(`${url}/away`)).status, 200);
});

test('an app may replace HttpClient and ContextHttpClient; Agent and app have their own', async (t) => {
  const { url } = await upstream(t, echo);
  const app = loadApp(t);
  app.HttpClient = class extends app.HttpClient {
    override request<T>(to: string | URL, options: object = {}) {
      return super.request<T>(to, { ...options, headers: { 'x-by': 'mine' } });
    }
  } as typeof app.HttpClient;
  assert.equal((await app.curl<Echo>(url, { dataType: 'json' })).data.headers['x-by'], 'mine');
  const agent = loadAgent(t);
  assert.equal((await agent.curl(url)).status, 200);
  assert.equal((await agent.createAnonymousContext().curl(url)).status, 200);
});

test('the client leaves the sockets of the process as they are', async (t) => {
  const { url } = await upstream(t, echo);
  await loadApp(t).curl(url);
  const error = new Error('one reason for all');
  const sockets = [new Socket(), new Socket()];
  for (const socket of sockets) socket.once('error', () => undefined).destroy(error);
  assert.ok(sockets.every(({ destroyed }) => destroyed));
});

test('options that have no effect are warned about', async (t) => {
  const app = loadApp(
    t,
    config('{ enableDNSCache: true, httpAgent: { maxFreeSockets: 1 }, httpsAgent: { maxSockets: 3 } }'),
  );
  const warned: string[] = [];
  app.coreLogger.warn = (...args: unknown[]) => void warned.push(String(args[1]));
  app.createHttpClient();
  assert.deepEqual(warned, [
    'config.httpclient.httpAgent.maxFreeSockets has no effect',
    'config.httpclient.httpsAgent.maxSockets has no effect: httpAgent.maxSockets is for both',
  ]);
});

test('connections are closed with the app, and requests in flight get a second', async (t) => {
  const { url, connections } = await upstream(t, (req, res) => {
    if (req.url === '/never') return;
    setTimeout(() => res.end('late'), 200);
  });
  const app = loadApp(t);
  await app.ready();
  const late = app.curl(`${url}/late`, { dataType: 'text' });
  const never = failure(app.curl(`${url}/never`));
  await until('both are sent', () => connections.length === 2);
  await app.close();
  assert.equal((await late).data, 'late');
  assert.match((await never).message, /\/never/);
  await until('no connection is left', () => connections.every((socket) => socket.destroyed));
  assert.equal((await request(`${url}/x`)).body, 'late');
});

test('app.fetch is the standard fetch on the connections of app.httpclient; safeFetch refuses addresses that are not public', async (t) => {
  const { url, connections } = await upstream(t, echo);
  const app = loadApp(t);
  const agent = loadAgent(t);
  for (const host of [app, agent]) {
    const response = await host.fetch(`${url}/a?b=1`, { method: 'POST', body: 'text', headers: { 'x-a': '1' } });
    assert.equal(response.status, 200);
    const { method, url: path, body, headers } = (await response.json()) as Echo;
    assert.deepEqual([method, path, body, headers['x-a']], ['POST', '/a?b=1', 'text', '1']);
    const { safeFetch } = host as typeof app;
    await assert.rejects(safeFetch.call(host, url), ({ cause }: Error) => /illegal address/.test(String(cause)));
  }
  const before = connections.length;
  await app.curl(url);
  assert.equal(connections.length, before);
  const hanging = await upstream(t, () => undefined);
  const waiting = app.fetch(hanging.url);
  await once(hanging.server, 'request');
  const rejected = assert.rejects(waiting);
  await app.close();
  await rejected;
});

test('ctx.fetch carries ctx to the events, is aborted with the client, and ctx.safeFetch refuses addresses', async (t) => {
  const gone = deferred();
  const { url } = await upstream(t, (req, res) => {
    if (req.url !== '/hang') return echo(req, res);
    req.once('close', () => gone.resolve());
    return undefined;
  });
  const app = loadApp(t, {
    'config/config.default.js': "exports.logger = { consoleLevel: 'NONE' };",
    'app/router.js': `module.exports = (app) => {
      app.get('/fetch', async (ctx) => { ctx.body = (await ctx.fetch('${url}/a', { headers: [['x-b', '2']] })).body; });
      app.get('/hang', async (ctx) => { app.emit('hanging'); ctx.body = (await ctx.fetch('${url}/hang')).body; });
      app.get('/safe', async (ctx) => { ctx.body = await ctx.safeFetch('${url}').then(() => 'fetched', (e) => String(e.cause)); });
    };`,
  });
  const seen: unknown[] = [];
  app.httpclient.on('request', ({ args }) => {
    args.headers['x-request-id'] = args.ctx.get('x-request-id');
  });
  app.httpclient.on('response', ({ error, ctx, req, res }) => seen.push([error?.name, ctx.path, req.url, res.status]));
  const ask = await serve(t, app);
  const { headers } = JSON.parse((await ask('/fetch', { headers: { 'x-request-id': 'r7' } })).body) as Echo;
  assert.deepEqual([headers['x-request-id'], headers['x-b']], ['r7', '2']);
  assert.deepEqual(seen, [[undefined, '/fetch', `${url}/a`, 200]]);
  assert.match((await ask('/safe')).body, /illegal address/);
  const server = app.listen(0);
  t.after(() => server.close());
  const client = http.get({ port: (server.address() as AddressInfo).port, path: '/hang' });
  client.on('error', () => undefined);
  await once(app, 'hanging');
  await until('it is asked', () => client.socket?.connecting === false);
  client.destroy();
  await gone.promise;
});

function deferred(): { promise: Promise<void>; resolve: () => void } {
  let resolve = (): void => undefined;
  const promise = new Promise<void>((done) => {
    resolve = done;
  });
  return { promise, resolve };
}

test('enableDNSCache resolves a name once for an interval, and outlives a resolver that fails', async (t) => {
  const { url } = await upstream(t, echo);
  const { port } = new URL(url);
  const resolver = { lookups: 0, isDown: false };
  const start = (interval: string) => {
    const app = loadApp(
      t,
      config(`{ httpAgent: { keepAlive: false }, enableDNSCache: true, dnsCacheLookupInterval: ${interval} }`),
    );
    app.config.httpclient.lookup = (_name, { all }, callback) => {
      resolver.lookups += 1;
      const error = resolver.isDown ? Object.assign(new Error('down'), { code: 'EAI_AGAIN' }) : null;
      if (all) callback(error, [{ address: '127.0.0.1', family: 4 }]);
      else callback(error, '127.0.0.1', 4);
    };
    return (name: string) => app.curl(`http://${name}.test:${port}/`);
  };
  const ask = start("'1h'");
  await Promise.all([ask('name'), ask('name'), ask('name')]);
  await ask('name');
  assert.equal(resolver.lookups, 1);
  const askAgain = start('0');
  await askAgain('name');
  assert.equal(resolver.lookups, 2);
  resolver.isDown = true;
  assert.equal((await askAgain('name')).status, 200);
  assert.equal((await askAgain('name')).status, 200);
  assert.equal(resolver.lookups, 4);
  await assert.rejects(askAgain('other'), /down/);
  resolver.isDown = false;
  assert.equal((await askAgain('other')).status, 200);
});

test('options of TLS and HTTP/2 reach the connection: an unknown authority is refused, allowH2 speaks HTTP/2', async (t) => {
  const tls = { key: readFileSync('test/fixtures/tls/key.pem'), cert: readFileSync('test/fixtures/tls/cert.pem') };
  const server = http2.createSecureServer({ ...tls, allowHTTP1: true }, (req, res) => {
    res.end(JSON.stringify({ version: req.httpVersion }));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  const url = `https://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  const versionOf = async (httpclient: string) => {
    const app = loadApp(t, config(httpclient));
    const { data } = await app.curl<{ version: string }>(url, { dataType: 'json' });
    assert.deepEqual(await (await app.fetch(url)).json(), data);
    await app.close();
    return data.version;
  };
  await assert.rejects(versionOf('{}'), /self-signed certificate|unable to verify/);
  assert.equal(await versionOf('{ httpsAgent: { rejectUnauthorized: false } }'), '1.1');
  assert.equal(await versionOf('{ allowH2: true, connect: { rejectUnauthorized: false } }'), '2.0');
});
