import assert from 'node:assert/strict';
import { once } from 'node:events';
import http from 'node:http';
import { createRequire } from 'node:module';
import net from 'node:net';
import path from 'node:path';
import { PassThrough, Readable } from 'node:stream';
import { type TestContext, test } from 'node:test';
import Koa from 'koa';
import { ClutchCore } from 'koa-clutch';
import { AppWorkerLoader } from 'koa-clutch/loader';
import { ROOT, until } from '../../support/apps.js';
import { sortHeaders } from '../../support/http.js';
import { writeApp } from '../../support/loaded_app.js';

// Each case runs on Koa and on the core of Clutch, and what a client sees must be the same.

interface App {
  use(middleware: (ctx: Ctx, next: () => Promise<void>) => unknown): unknown;
  on(event: string, listener: (error: Error, ctx: Ctx) => void): unknown;
  callback(): http.RequestListener;
  listen(port: number): http.Server;
  proxy: boolean;
  keys: string[];
  context: Record<string, unknown>;
  request: Record<string, unknown>;
  response: Record<string, unknown>;
}

type Ctx = Koa.Context & Record<string, unknown>;
type Setup = (app: App) => void;

class BareCore extends ClutchCore {
  get [Symbol.for('egg#loader')]() {
    return AppWorkerLoader;
  }

  get [Symbol.for('egg#eggPath')]() {
    return path.join(ROOT, 'test/fixtures/bare');
  }
}

interface Ask {
  method?: string;
  path?: string;
  headers?: Record<string, string>;
  body?: string;
}

interface Seen {
  status: number | undefined;
  message: string | undefined;
  headers: Record<string, unknown>;
  body: string;
  failed?: string;
}

/** Headers that tell the time, or are made up anew. */
const VARYING = ['date', 'x-response-time', 'x-readtime', 'set-cookie', 'request-id'];

function ask(port: number, { method = 'GET', path: where = '/', headers = {}, body }: Ask): Promise<Seen> {
  return new Promise((resolve) => {
    const failed = (error: NodeJS.ErrnoException): void =>
      resolve({ status: undefined, message: undefined, headers: {}, body: '', failed: error.code ?? error.message });
    const req = http.request({ port, host: '127.0.0.1', method, path: where, headers, agent: false }, (res) => {
      const chunks: Buffer[] = [];
      res.on('data', (chunk: Buffer) => chunks.push(chunk));
      res.on('error', failed);
      res.on('end', () => {
        const seen = Object.fromEntries(
          Object.entries(res.headers).map(([name, value]) => [name, VARYING.includes(name) ? '…' : value]),
        );
        resolve({
          status: res.statusCode,
          message: res.statusMessage,
          headers: seen,
          body: Buffer.concat(chunks).toString('latin1'),
        });
      });
    });
    req.on('error', failed);
    req.end(body);
  });
}

function serve(t: TestContext, app: App, server = app.listen(0)): number {
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return (server.address() as net.AddressInfo).port;
}

const koa = (): App => new Koa() as unknown as App;
const own = (t: TestContext): App => new BareCore({ baseDir: writeApp(t) }) as unknown as App;

/** Runs the requests on Koa, on Clutch, and on Clutch behind a server of Node's; compares responses and `error` events. */
async function same(t: TestContext, setup: Setup, requests: Ask[] = [{}]): Promise<Seen[]> {
  const outcomes = [];
  for (const [app, plain] of [[koa()], [own(t)], [own(t), true]] as [App, boolean?][]) {
    const errors: string[] = [];
    // A client that has read all of a stream may close before Node has seen that it was written: in Koa as well.
    app.on('error', ({ message }) => message !== 'Premature close' && errors.push(message));
    setup(app);
    const port = serve(t, app, plain ? http.createServer(app.callback()).listen(0) : app.listen(0));
    const seen: Seen[] = [];
    for (const request of requests) seen.push(await ask(port, request));
    outcomes.push({ seen, errors });
  }
  const [expected, ...others] = outcomes;
  for (const got of others) assert.deepEqual(got, expected);
  return (expected as { seen: Seen[] }).seen;
}

const check = async (...given: Parameters<typeof same>): Promise<void> => void (await same(...given));

const HEAD_TOO: Ask[] = [{}, { method: 'HEAD' }];
const handler =
  (respond: (ctx: Ctx) => unknown): Setup =>
  (app) =>
    void app.use(respond);

const BODIES: Record<string, (ctx: Ctx) => unknown> = {
  'a text': (ctx) => (ctx.body = 'hello'),
  'a text of several bytes': (ctx) => (ctx.body = 'héllo ☃'),
  'an empty text': (ctx) => (ctx.body = ''),
  HTML: (ctx) => (ctx.body = '  <p>hello</p>'),
  'a buffer': (ctx) => (ctx.body = Buffer.from('bytes')),
  'an object': (ctx) => (ctx.body = { hello: 'wörld' }),
  'an array': (ctx) => (ctx.body = [1, { two: 2 }]),
  'an object without prototype': (ctx) => (ctx.body = Object.assign(Object.create(null), { a: 1 })),
  'an instance of a class': (ctx) =>
    (ctx.body = new (class Point {
      x = 1;
    })()),
  'an object with toJSON': (ctx) => (ctx.body = { toJSON: () => ({ made: true }) }),
  'a number': (ctx) => (ctx.body = 7),
  zero: (ctx) => (ctx.body = 0),
  true: (ctx) => (ctx.body = true),
  false: (ctx) => (ctx.body = false),
  'a date': (ctx) => (ctx.body = new Date(0)),
  null: (ctx) => (ctx.body = null),
  undefined: (ctx) => (ctx.body = undefined),
  nothing: () => undefined,
  'null after a type': (ctx) => {
    ctx.type = 'json';
    ctx.body = null;
  },
  'null with a status': (ctx) => {
    ctx.status = 200;
    ctx.body = null;
  },
  'a stream': (ctx) => (ctx.body = Readable.from(['one ', 'two'])),
  'a stream with a type': (ctx) => {
    ctx.type = 'text';
    ctx.body = Readable.from(['text']);
  },
  'a stream in place of a text': (ctx) => {
    ctx.body = 'text';
    ctx.body = Readable.from(['stream']);
  },
  'a text in place of a stream': (ctx) => {
    ctx.body = Readable.from(['stream']);
    ctx.body = 'text';
  },
  'null in place of a stream': (ctx) => {
    ctx.body = new PassThrough();
    ctx.body = null;
  },
  'a web stream': (ctx) => (ctx.body = new Blob(['web']).stream()),
  'a blob': (ctx) => (ctx.body = new Blob(['blob'], { type: 'text/x-blob' })),
  'a Response': (ctx) =>
    (ctx.body = new Response('fetched', { status: 203, headers: { 'x-from': 'fetch', 'content-type': 'text/x' } })),
  'a Response without body': (ctx) => (ctx.body = new Response(null, { status: 204 })),
  'an object in place of a text': (ctx) => {
    ctx.body = 'text';
    ctx.body = { a: 1 };
  },
  'a text in place of an object': (ctx) => {
    ctx.body = { a: 1 };
    ctx.body = 'text';
  },
  'an object of another JSON type': (ctx) => {
    ctx.type = 'application/vnd.api+json';
    ctx.body = { a: 1 };
  },
  'an object under a text type': (ctx) => {
    ctx.type = 'text';
    ctx.body = { a: 1 };
  },
  'a text under a JSON type': (ctx) => {
    ctx.type = 'json';
    ctx.body = '{"a":1}';
  },
  'an object with a length set before': (ctx) => {
    ctx.length = 100;
    ctx.body = { a: 1 };
  },
  'a text with transfer-encoding': (ctx) => {
    ctx.set('Transfer-Encoding', 'chunked');
    ctx.body = 'text';
  },
  'an object with transfer-encoding': (ctx) => {
    ctx.set('Transfer-Encoding', 'chunked');
    ctx.body = { a: 1 };
  },
  'a text, and its length removed': (ctx) => {
    ctx.body = 'text';
    ctx.remove('Content-Length');
  },
  'status 204 and an object': (ctx) => {
    ctx.status = 204;
    ctx.body = { a: 1 };
  },
  'an object, then status 204': (ctx) => {
    ctx.body = { a: 1 };
    ctx.status = 204;
  },
  'status 205': (ctx) => {
    ctx.body = 'text';
    ctx.status = 205;
  },
  'status 304': (ctx) => {
    ctx.body = 'text';
    ctx.status = 304;
  },
  'status 404 and an object': (ctx) => {
    ctx.status = 404;
    ctx.body = { a: 1 };
  },
  'status 299 without a message': (ctx) => {
    ctx.status = 299;
    ctx.body = 'odd';
  },
  'a message': (ctx) => {
    ctx.status = 200;
    ctx.message = 'Fine';
    ctx.body = 'text';
  },
  'only a message': (ctx) => {
    ctx.status = 403;
    ctx.message = 'Nope';
  },
  'only a status': (ctx) => (ctx.status = 402),
  'a type and no body': (ctx) => (ctx.type = 'json'),
  'headers of several values': (ctx) => {
    ctx.set({ 'X-A': 'a', 'X-B': ['b', 'c'] });
    ctx.append('X-C', 'd');
    ctx.append('X-C', 'e');
    ctx.body = 'x';
  },
  'vary, etag and last-modified': (ctx) => {
    ctx.vary('Accept');
    ctx.vary('Origin');
    ctx.etag = 'abc';
    ctx.lastModified = new Date(0);
    ctx.body = 'x';
  },
  'a redirect': (ctx) => ctx.redirect('/elsewhere?a=<b>'),
  'a redirect with a status': (ctx) => {
    ctx.status = 301;
    ctx.redirect('http://example.com/ä');
  },
  back: (ctx) => ctx.back('/home'),
  'an attachment': (ctx) => {
    ctx.attachment('naïve.html');
    ctx.body = 'x';
  },
  'a response by hand': (ctx) => {
    ctx.respond = false;
    ctx.res.statusCode = 202;
    ctx.res.end('by hand');
  },
  'a response ended before': (ctx) => {
    ctx.res.end('ended');
    ctx.body = 'late';
  },
  'headers sent before': (ctx) => {
    ctx.res.write('first ');
    ctx.body = 'second';
  },
  'headers flushed before an object': (ctx) => {
    ctx.type = 'json';
    ctx.flushHeaders();
    ctx.body = { a: 1 };
  },
  'a circular object': (ctx) => {
    const body: Record<string, unknown> = {};
    body['self'] = body;
    ctx.body = body;
  },
  'a status that is none': (ctx) => (ctx.status = 1000),
};

/** To HEAD, Koa gives these the length of `{}`. */
const OF_UNKNOWN_LENGTH = ['a web stream', 'a Response'];

for (const [name, respond] of Object.entries(BODIES)) {
  const requests = OF_UNKNOWN_LENGTH.includes(name) ? [{}] : HEAD_TOO;
  test(`${name} gets the response of Koa`, (t) => check(t, handler(respond), requests));
}

const ERRORS: Record<string, (ctx: Ctx) => unknown> = {
  'an error': () => {
    throw new Error('boom');
  },
  'an error of an async function': async () => {
    throw new Error('late boom');
  },
  'a status': (ctx) => ctx.throw(418, 'teapot', { headers: { 'x-pot': 'tea', 'content-type': 'x/y' } }),
  'an unknown status': () => {
    throw Object.assign(new Error('odd'), { status: 999 });
  },
  'an exposed message': () => {
    throw Object.assign(new Error('to be seen'), { status: 400, expose: true });
  },
  'a text': () => {
    throw 'text';
  },
  'an error after the headers': (ctx) => {
    ctx.set('X-Before', 'gone');
    ctx.body = { a: 1 };
    throw new Error('after');
  },
  'an assertion': (ctx) => ctx.assert(false, 403, 'forbidden'),
  'an error of another realm': () => {
    throw Object.assign(Object.create(null), { message: 'alien' });
  },
};

for (const [name, fail] of Object.entries(ERRORS)) {
  test(`${name} that is thrown gets the response of Koa`, (t) => check(t, handler(fail), HEAD_TOO));
}

test('null that is thrown is an error, where Koa lets the client wait', async (t) => {
  const app = own(t);
  const errors: string[] = [];
  app.on('error', (error) => errors.push(error.message));
  app.use(() => {
    throw null;
  });
  const { status } = await ask(serve(t, app), {});
  assert.equal(status, 500);
  assert.deepEqual(errors, ['non-error thrown: null']);
});

const INPUTS: Ask[] = [
  {},
  { path: '/a/b?c=d&c=e&f' },
  { path: 'http://example.com/abs?x=1' },
  {
    headers: {
      host: 'a.b.example.com:8080',
      accept: 'text/html;q=0.5, application/json',
      'accept-language': 'de, en;q=0.8',
      'accept-encoding': 'gzip',
    },
  },
  {
    headers: {
      'x-forwarded-for': '1.2.3.4, 5.6.7.8',
      'x-forwarded-proto': 'https, http',
      'x-forwarded-host': 'outer.example.com',
    },
  },
  { method: 'POST', headers: { 'content-type': 'application/json; charset=utf-8', 'content-length': '2' }, body: '{}' },
  { method: 'PUT', headers: { 'if-none-match': '"x"', cookie: 'a=1; b=2' }, body: '' },
];

for (const proxy of [false, true]) {
  test(`the properties of a request are those of Koa, ${proxy ? 'behind a proxy' : 'without a proxy'}`, (t) =>
    check(
      t,
      (app) => {
        app.proxy = proxy;
        app.use((ctx) => {
          const {
            method,
            url,
            originalUrl,
            path: pathname,
            querystring,
            search,
            query,
            host,
            hostname,
            origin,
            protocol,
            secure,
            ips,
            subdomains,
            fresh,
            stale,
            idempotent,
            length,
            type,
            charset,
          } = ctx;
          const { header, URL: parsed } = ctx.request;
          ctx.body = {
            ...{
              method,
              url,
              originalUrl,
              pathname,
              querystring,
              search,
              query,
              host,
              hostname,
              origin,
              protocol,
              secure,
              ips,
              subdomains,
              fresh,
              stale,
              idempotent,
              length,
              type,
              charset,
            },
            ...{
              ip: ctx.ip.replace('::ffff:', ''),
              is: ctx.is('json'),
              accepts: [
                ctx.accepts('json', 'html'),
                ctx.acceptsLanguages('en', 'de'),
                ctx.acceptsEncodings('br', 'gzip'),
              ],
            },
            ...{
              names: Object.keys(header).length,
              href: ctx.href.replace(/:\d+/, ''),
              parsed: parsed.pathname,
              cookie: ctx.cookies.get('a'),
              json: Object.keys(ctx.toJSON()),
            },
          };
          if (ctx.host.startsWith('127')) Object.assign(ctx.body as object, { host: 'own', origin: 'own' });
        });
      },
      INPUTS,
    ));
}

test('middleware runs in order, next() resolves when the rest is done, and a rewrite is seen by those behind', (t) =>
  check(
    t,
    (app) => {
      const trail: string[] = [];
      for (const name of ['a', 'b']) {
        app.use(async (ctx, next) => {
          trail.push(`>${name}`);
          await next();
          trail.push(`<${name}`);
          if (name === 'a') ctx.body = { trail, path: ctx.path, url: ctx.url, method: ctx.method, query: ctx.query };
        });
      }
      app.use((ctx, next) => {
        ctx.path = '/rewritten';
        ctx.method = 'PATCH';
        ctx.query = { x: '1' };
        return next();
      });
      app.use(() => void trail.push('end'));
    },
    [{ path: '/original?y=2' }],
  ));

test('next() twice is the same error', (t) =>
  check(t, (app) => {
    app.use(async (_ctx, next) => {
      await next();
      await next();
    });
  }));

test('what is added to app.context, request and response is there, state and cookies as well', (t) =>
  check(t, (app) => {
    app.keys = ['secret'];
    app.context['shout'] = function (this: Ctx, text: string) {
      return `${text}! ${this.path}`;
    };
    Object.defineProperty(app.request, 'loud', {
      get(this: Koa.Request) {
        return this.method.toUpperCase();
      },
    });
    app.response['quiet'] = function (this: Koa.Response) {
      this.set('X-Quiet', 'yes');
    };
    app.use((ctx, next) => {
      (ctx.state as Record<string, unknown>)['seen'] = true;
      ctx.cookies.set('signed', 'value', { signed: true });
      return next();
    });
    app.use((ctx) => {
      (ctx.response as unknown as { quiet(): void }).quiet();
      ctx.body = {
        shout: (ctx['shout'] as (text: string) => string)('hey'),
        loud: (ctx.request as unknown as { loud: string }).loud,
        state: ctx.state,
        same: ctx.request.ctx === ctx && ctx.response.request === ctx.request,
      };
    });
  }));

test('a stream that fails midway is cut and reported once; one that fails at once gets an error response', async (t) => {
  // Koa reports each twice, and resets the connection of the second.
  const failing = (parts: string[]) => () =>
    new Readable({
      read() {
        const part = parts.shift();
        if (part === undefined) this.destroy(new Error('failed'));
        else this.push(part);
      },
    });
  const { createReadStream } = await import('node:fs');
  const cases: [make: () => unknown, expected: Partial<Seen>, message: RegExp][] = [
    [failing(['part']), { failed: 'ECONNRESET' }, /^failed$/],
    [failing([]), { status: 500, body: 'Internal Server Error' }, /^failed$/],
    [() => createReadStream('/no/such/file'), { status: 500, body: 'Internal Server Error' }, /ENOENT/],
    [() => new ReadableStream({ pull: () => Promise.reject(new Error('web')) }), { status: 500 }, /^web$/],
  ];
  for (const [make, expected, message] of cases) {
    const app = own(t);
    const errors: string[] = [];
    app.on('error', (error) => errors.push(error.message));
    app.use((ctx) => (ctx.body = make() as string));
    const seen = await ask(serve(t, app), {});
    for (const [key, value] of Object.entries(expected)) assert.equal(seen[key as keyof Seen], value, key);
    assert.equal(errors.length, 1);
    assert.match(errors[0] as string, message);
  }
});

test('a client that disconnects destroys the stream, and a broken connection reaches the error event', async (t) => {
  for (const app of [koa(), own(t)]) {
    const body = new PassThrough();
    body.write('begin');
    app.use((ctx) => (ctx.body = body));
    app.on('error', () => undefined);
    const socket = net.connect(serve(t, app), '127.0.0.1');
    socket.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    await once(socket, 'data');
    socket.resetAndDestroy();
    await until('the stream is destroyed', () => body.destroyed);
  }
});

test('requests in one packet get their responses in order', async (t) => {
  const texts = [];
  for (const app of [koa(), own(t)]) {
    app.use(async (ctx) => {
      if (ctx.path === '/slow') await new Promise((resolve) => setTimeout(resolve, 50));
      ctx.body = { path: ctx.path };
    });
    const socket = net.connect(serve(t, app), '127.0.0.1');
    let text = '';
    socket.on('data', (chunk) => (text += String(chunk)));
    const request = (where: string, last = false): string =>
      `GET ${where} HTTP/1.1\r\nHost: a\r\n${last ? 'Connection: close\r\n' : ''}\r\n`;
    socket.write(request('/slow') + request('/fast') + request('/last', true));
    await once(socket, 'close');
    texts.push(sortHeaders(text));
  }
  assert.equal(texts[1], texts[0]);
  assert.match(texts[0] as string, /slow[\s\S]*fast[\s\S]*last/);
});

const require = createRequire(import.meta.url);
type Factory = (options?: unknown, more?: unknown) => (ctx: Ctx, next: () => Promise<void>) => Promise<void>;
const load = (name: string): Factory => {
  const loaded = require(name);
  return loaded.default ?? loaded;
};
const publicDir = path.join(ROOT, 'test/fixtures/tls');

const MIDDLEWARE: Record<string, [setup: Setup, requests?: Ask[]]> = {
  'koa-compress': [
    (app) => app.use(load('koa-compress')({ threshold: 1 })),
    [{ headers: { 'accept-encoding': 'gzip' } }, {}],
  ],
  'koa-etag and koa-conditional-get': [
    (app) => {
      app.use(load('koa-conditional-get')());
      app.use(load('koa-etag')());
    },
    [{}, { headers: { 'if-none-match': '"e-sqGgpx2E5PDJhYQUnZ/8jbq1g"' } }],
  ],
  'koa-static': [
    (app) => app.use(load('koa-static')(publicDir)),
    [{ path: '/cert.pem' }, { path: '/cert.pem', method: 'HEAD' }, { path: '/../package.json' }, {}],
  ],
  'koa-mount': [
    (app) => {
      const inner = koa();
      inner.use((ctx) => (ctx.body = { inner: ctx.path }));
      app.use(load('koa-mount')('/in', inner));
    },
    [{ path: '/in/side' }, {}],
  ],
  'koa-helmet': [(app) => app.use(load('koa-helmet')())],
  '@koa/cors': [
    (app) => app.use(load('@koa/cors')()),
    [
      { headers: { origin: 'http://o' } },
      { method: 'OPTIONS', headers: { origin: 'http://o', 'access-control-request-method': 'PUT' } },
    ],
  ],
  'koa-session': [
    (app) => {
      app.keys = ['k'];
      app.use(
        (load('koa-session') as unknown as { createSession?: Factory }).createSession?.({}, app) ??
          load('koa-session')({}, app),
      );
      app.use((ctx, next) => {
        const session = ctx['session'] as { views?: number };
        session.views = (session.views ?? 0) + 1;
        return next();
      });
    },
  ],
  'koa-bodyparser': [
    (app) => {
      app.use(load('koa-bodyparser')());
      app.use((ctx) => (ctx.body = (ctx.request as { body?: unknown }).body));
    },
    [
      { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{"a":1}' },
      { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{"a"' },
    ],
  ],
  'koa-favicon': [
    (app) => app.use(load('koa-favicon')(path.join(publicDir, 'cert.pem'))),
    [{ path: '/favicon.ico' }, {}],
  ],
  'koa-logger': [(app) => app.use(load('koa-logger')({ transporter: () => undefined }))],
  'koa-response-time': [(app) => app.use(load('koa-response-time')())],
  'koa-json': [(app) => app.use(load('koa-json')({ pretty: true, spaces: 3 }))],
  'koa-range': [
    (app) => {
      app.use(load('koa-range') as never);
      app.use((ctx) => (ctx.body = Buffer.from('0123456789')));
    },
    [{ headers: { range: 'bytes=2-5' } }, {}],
  ],
  'koa-rewrite': [
    (app) => {
      app.use(load('koa-rewrite')(/^\/old\/(\d+)/, '/new/$1'));
      app.use((ctx) => (ctx.body = ctx.path));
    },
    [{ path: '/old/7' }],
  ],
  'koa-basic-auth': [
    (app) => app.use(load('koa-basic-auth')({ name: 'ada', pass: 'x' })),
    [{}, { headers: { authorization: `Basic ${Buffer.from('ada:x').toString('base64')}` } }],
  ],
  'koa-jwt': [(app) => app.use(load('koa-jwt')({ secret: 's' })), [{}, { headers: { authorization: 'Bearer x.y.z' } }]],
  'koa-cache-control': [(app) => app.use(load('koa-cache-control')({ maxAge: 60 }))],
  'koa-remove-trailing-slashes': [
    (app) => app.use(load('koa-remove-trailing-slashes')()),
    [{ path: '/a/' }, { path: '/a' }],
  ],
  'koa-connect': [
    (app) =>
      app.use(
        load('koa-connect')(((_req: unknown, res: http.ServerResponse, next: () => void) => {
          res.setHeader('X-Connect', 'yes');
          next();
        }) as never),
      ),
  ],
  'koa-requestid': [(app) => app.use(load('koa-requestid')())],
  'koa-qs': [
    (app) => {
      (load('koa-qs') as unknown as (app: App) => void)(app);
      app.use((ctx) => (ctx.body = ctx.query));
    },
    [{ path: '/?a[b]=1&a[c]=2' }],
  ],
};

for (const [name, [setup, requests]] of Object.entries(MIDDLEWARE)) {
  test(`${name} from npm runs unchanged`, async (t) => {
    const seen = await same(
      t,
      (app) => {
        setup(app);
        app.use((ctx) => (ctx.body ??= { hello: 'world', path: ctx.path }));
      },
      requests,
    );
    assert.ok(seen.every(({ failed }) => failed === undefined));
  });
}

// Koa with koa-compose before 4.2 does the same, and Egg's test kit needs it: it takes callback() while the app boots.
test('middleware that is added after callback() runs', async (t) => {
  const app = own(t);
  const server = http.createServer(app.callback()).listen(0, '127.0.0.1');
  t.after(() => server.close());
  await once(server, 'listening');
  const { port } = server.address() as net.AddressInfo;
  const ask = async () => (await fetch(`http://127.0.0.1:${port}/`)).text();
  app.use(async (ctx, next) => {
    ctx.body = 'first';
    await next();
  });
  assert.equal(await ask(), 'first');
  app.use((ctx) => {
    ctx.body = 'second';
  });
  assert.equal(await ask(), 'second');
});
