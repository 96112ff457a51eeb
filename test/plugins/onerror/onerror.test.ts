import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import net from 'node:net';
import { test } from 'node:test';
import { until } from '../../support/apps.js';
import { request } from '../../support/http.js';
import { type Files, loadApp, serve } from '../../support/loaded_app.js';

const CONFIG =
  'exports.keys = "k"; exports.security = { csrf: { enable: false } }; exports.logger = { consoleLevel: "NONE" };';
const ROUTES = `const { Readable } = require('node:stream'); module.exports = (app) => {
  app.all('/500', async () => { throw Object.assign(new Error('boom <b>'), { code: 'E_BOOM', extra: 1 }); });
  app.all('/400', async (ctx) => ctx.throw(400, 'bad <b>', { code: 'E_BAD', errors: ['a'] }));
  app.all('/jsonp', app.jsonp({ csrf: false }), async (ctx) => ctx.throw(400, 'bad'));
  app.all('/json', async (ctx) => { ctx.body = { a: 1 }; throw new Error('boom'); });
  app.all('/begun', async (ctx) => {
    let parts = 0;
    ctx.body = new Readable({ read() { if (parts++) this.destroy(new Error('midway')); else this.push('part'); } });
  });
  app.all('/late', async (ctx) => { ctx.respond = false; ctx.res.end('sent'); throw new Error('late'); });
};`;

const files = (config = '', more: Files = {}): Files => ({
  'config/config.default.js': CONFIG + config,
  'app/router.js': ROUTES,
  ...more,
});
const html = { accept: 'text/html' };
const json = { accept: 'application/json' };

test('in production HTML, JSON, text and JSONP clients get a response of their kind', async (t) => {
  const ask = await serve(t, loadApp(t, files(), { env: 'prod' }));
  const types: [path: string, headers: Record<string, string>, type: RegExp, body: string][] = [
    ['/500', html, /^text\/html/, '<h2>Internal Server Error, real status: 500</h2>'],
    ['/400', html, /^text\/html/, '<h2>400 Bad Request</h2>'],
    ['/500', json, /^application\/json/, '{"message":"Internal Server Error","code":"E_BOOM"}'],
    ['/400', json, /^application\/json/, '{"errors":["a"],"code":"E_BAD","message":"bad <b>"}'],
    ['/500', { accept: 'text/plain' }, /^text\/plain/, 'Internal Server Error'],
    ['/400', { accept: 'text/plain' }, /^text\/plain/, 'bad <b>'],
    ['/400', {}, /^text\/html/, '<h2>400 Bad Request</h2>'],
    ['/json', {}, /^application\/json/, '{"message":"Internal Server Error"}'],
    ['/jsonp?callback=cb', {}, /javascript/, '/**/ typeof cb === \'function\' && cb({"message":"bad"});'],
  ];
  for (const [path, headers, type, body] of types) {
    const answer = await ask(path, { headers });
    assert.match(String(answer.headers['content-type']), type);
    if (type.source.includes('json')) assert.deepEqual(JSON.parse(answer.body), JSON.parse(body));
    else assert.equal(answer.body, body);
    const head = await ask(path, { headers, method: 'HEAD' });
    assert.deepEqual([head.status, head.body], [answer.status, '']);
    assert.equal(head.headers['content-length'], answer.headers['content-length']);
  }
});

test('a developer sees everything: fields and stack in JSON, a page with source and request in local', async (t) => {
  const unittest = await serve(t, loadApp(t, files()));
  const data = JSON.parse((await unittest('/500', { headers: json })).body);
  assert.equal(data.message, 'boom <b>');
  assert.equal(data.name, 'Error');
  assert.equal(data.extra, 1);
  assert.match(data.stack, /router\.js/);
  assert.match((await unittest('/500', { headers: html })).body, /<h1>Error: boom &lt;b&gt;<\/h1>/);
  const local = await serve(t, loadApp(t, files(), { env: 'local' }));
  const answer = await local('/500?q=1', { headers: { ...html, cookie: 'secret=1', 'x-shown': 'shown' } });
  assert.equal(answer.status, 500);
  assert.match(answer.body, /boom &lt;b&gt;/);
  assert.match(answer.body, /router\.js/);
  assert.match(answer.body, /E_BOOM/);
  assert.match(answer.body, /\/500\?q=1/);
  assert.match(answer.body, /shown/);
  assert.doesNotMatch(answer.body, /secret=1/);
  assert.ok(answer.body.length > 10_000);
});

test('config.onerror.problemDetails gives RFC 9457', async (t) => {
  const ask = await serve(t, loadApp(t, files('exports.onerror = { problemDetails: true };'), { env: 'prod' }));
  const bad = await ask('/400', { headers: json });
  assert.match(String(bad.headers['content-type']), /^application\/problem\+json/);
  assert.deepEqual(JSON.parse(bad.body), {
    type: 'about:blank',
    title: 'Bad Request',
    status: 400,
    detail: 'bad <b>',
    code: 'E_BAD',
    errors: ['a'],
  });
  assert.deepEqual(JSON.parse((await ask('/500', { headers: json })).body), {
    type: 'about:blank',
    title: 'Internal Server Error',
    status: 500,
    code: 'E_BOOM',
  });
});

test('handlers of config replace a kind, all replaces every kind; one that fails gives a plain 500', async (t) => {
  const config = `exports.onerror = {
    html(error, ctx) { this.body = '<i>' + (this === ctx) + this.status + '</i>'; },
    json(error, ctx) { ctx.body = { own: error.message }; },
    text() { throw new Error('handler'); },
  };`;
  const ask = await serve(t, loadApp(t, files(config), { env: 'prod' }));
  assert.equal((await ask('/400', { headers: html })).body, '<i>true400</i>');
  assert.equal((await ask('/400', { headers: json })).body, '{"own":"bad <b>"}');
  const failed = await ask('/400', { headers: { accept: 'text/plain' } });
  assert.deepEqual(
    [failed.status, failed.message, failed.body],
    [500, 'Internal Server Error', 'Internal Server Error'],
  );
  const all =
    'exports.onerror = { all(error, ctx) { ctx.status = 499; ctx.message = "Own"; ctx.body = { all: error.message }; } };';
  const every = await serve(t, loadApp(t, files(all), { env: 'prod' }));
  const answer = await every('/500', { headers: html });
  assert.deepEqual([answer.status, answer.message, answer.body], [499, 'Own', '{"all":"boom <b>"}']);
});

test('config.onerror.accepts chooses the kind; one that fails keeps nobody waiting', async (t) => {
  const ask = await serve(t, loadApp(t, files("exports.onerror = { accepts: () => 'json' };"), { env: 'prod' }));
  assert.equal((await ask('/json', { headers: html })).body, '{"message":"Internal Server Error"}');
  const failing = files("exports.onerror = { accepts: () => { throw new Error('x'); } };");
  assert.equal((await (await serve(t, loadApp(t, failing, { env: 'prod' })))('/400')).status, 400);
});

test('pages by status are HTML files, also for an unknown path', async (t) => {
  const config = `const path = require('node:path');
    exports.onerror = { pages: { 500: path.join(__dirname, '500.html'), 400: path.join(__dirname, '400.html') } };
    exports.notfound = { template: path.join(__dirname, '404.html') };`;
  const more = {
    'config/500.html': '<p>{{ status }} {{title}} {{message}} {{stack}}</p>',
    'config/400.html': '<p>{{message}}</p>',
    'config/404.html': '<p>no {{path}}</p>',
  };
  const ask = await serve(t, loadApp(t, files(config, more), { env: 'prod' }));
  assert.equal((await ask('/500', { headers: html })).body, '<p>500 Internal Server Error Internal Server Error </p>');
  assert.equal((await ask('/400', { headers: html })).body, '<p>bad &lt;b&gt;</p>');
  const missing = await ask("/it's", { headers: html });
  assert.deepEqual([missing.status, missing.body], [404, '<p>no /it&#39;s</p>']);
  assert.equal((await ask('/nope', { headers: json })).body, '{"message":"Not Found"}');
});

test('templatePath is the page of a developer', async (t) => {
  const config = "exports.onerror = { templatePath: require('node:path').join(__dirname, 'dev.html') };";
  const more = { 'config/dev.html': '<p>{{name}}: {{message}}</p><pre>{{stack}}</pre>' };
  const ask = await serve(t, loadApp(t, files(config, more), { env: 'local' }));
  assert.match((await ask('/500', { headers: html })).body, /^<p>Error: boom &lt;b&gt;<\/p><pre>Error: boom/);
});

test('errorPageUrl may be a function', async (t) => {
  const config = 'exports.onerror = { errorPageUrl: (error, ctx) => "/e" + ctx.path };';
  const ask = await serve(t, loadApp(t, files(config), { env: 'prod' }));
  assert.equal((await ask('/500', { headers: html })).headers.location, '/e/500?real_status=500');
});

test('a listener for error has the final status and is inside the request, also for streams; its own failure is logged', async (t) => {
  const app = loadApp(t, files(), { env: 'prod' });
  const seen: unknown[] = [];
  app.on('error', (error: Error, ctx) => {
    seen.push([error.message, ctx.status, app.currentContext === ctx]);
    throw new Error('listener');
  });
  const ask = await serve(t, app);
  assert.equal((await ask('/400')).status, 400);
  assert.equal((await ask('/500')).status, 500);
  await assert.rejects(ask('/begun'));
  assert.equal((await ask('/late')).body, 'sent');
  await until('all are reported', () => seen.length === 4);
  assert.deepEqual(seen, [
    ['bad <b>', 400, true],
    ['boom <b>', 500, true],
    ['midway', 200, true],
    ['late', 404, true],
  ]);
});

test('appErrorFilter decides what is logged', async (t) => {
  const config = "exports.onerror = { appErrorFilter: (error, ctx) => ctx.path !== '/500' };";
  const app = loadApp(t, files(config), { env: 'prod' });
  const logged: unknown[] = [];
  app.logger.log = (_level, [error]) => void logged.push((error as Error).message);
  const ask = await serve(t, app);
  await ask('/500');
  await ask('/400');
  assert.deepEqual(logged, ['bad <b>']);
});

const REFUSED: [what: string, status: number, path: string, options: Parameters<typeof request>[1]][] = [
  ['JSON', 400, '/fine', { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{\n"' }],
  [
    'charset',
    415,
    '/fine',
    { method: 'POST', headers: { 'content-type': 'application/json; charset=none' }, body: '{' },
  ],
  ['method', 400, '/fine', { method: 'POST', headers: { 'x-http-method-override': 'NONSENSE' } }],
  ['path', 400, '/public/..%2f..%2fsecret', {}],
  ['TRACE', 405, '/fine', { method: 'TRACE' }],
  ['token', 403, '/csrf', {}],
  ['referrer', 403, '/script?callback=a', {}],
  ['redirect', 403, '/away', {}],
  ['no upload', 400, '/upload', { method: 'POST' }],
  ['boundary', 400, '/upload', { method: 'POST', headers: { 'content-type': 'multipart/form-data' }, body: 'x' }],
  [
    'multipart',
    400,
    '/upload',
    { method: 'POST', headers: { 'content-type': 'multipart/form-data; boundary=b' }, body: '--b\r\nbroken' },
  ],
  [
    'extension',
    400,
    '/upload',
    {
      method: 'POST',
      headers: { 'content-type': 'multipart/form-data; boundary=b' },
      body: '--b\r\nContent-Disposition: form-data; name="a"; filename="a.exe"\r\n\r\nx\r\n--b--\r\n',
    },
  ],
];

test('what clients send wrong is counted, and logged a few times without a stack; errors of the app are all logged', async (t) => {
  const routes = `module.exports = (app) => {
    app.all('/fine', async (ctx) => { ctx.body = 'fine'; });
    app.all('/csrf', async (ctx) => { ctx.assertCsrf(); });
    app.all('/script', app.jsonp({ whiteList: 'a.com' }), async (ctx) => { ctx.body = 'fine'; });
    app.all('/away', async (ctx) => { ctx.redirect('http://b.com/'); });
    app.all('/upload', async (ctx) => { ctx.body = (await ctx.getFileStream()).filename; });
    app.all('/own', async (ctx) => ctx.throw(400, 'own'));
  };`;
  const config =
    "exports.security.domainWhiteList = ['a.com']; exports.security.csrf.enable = true; exports.security.csrf.ignore = '/';";
  const app = loadApp(t, files(config, { 'app/router.js': routes }), { env: 'prod' });
  let logged: [level: string, line: unknown][] = [];
  app.logger.log = (level, [line]) => void logged.push([level, line]);
  const ask = await serve(t, app);
  for (const [what, status, path, options] of REFUSED) {
    logged = [];
    for (let count = 0; count < 10; count += 1) assert.equal((await ask(path, options)).status, status, what);
    assert.ok(logged.length <= 3, `${what}: ${logged.length}`);
    for (const [level, line] of logged) {
      assert.equal(level, 'WARN', what);
      assert.match(String(line), /^\w*Error: .* \(4\d\d, [A-Z]+ \/.* from /, what);
    }
  }
  logged = [];
  for (let count = 0; count < 10; count += 1) await ask('/own');
  assert.equal(logged.length, 10);
  assert.match(String((logged.at(-1) as [string, Error])[1].stack), /router\.js/);
});

test('a client that leaves midway is no error, also for an app that reads the request itself', async (t) => {
  const app = loadApp(
    t,
    files('', {
      'app/router.js': `module.exports = (app) => {
        app.post('/json', async (ctx) => { ctx.body = 'fine'; });
        app.post('/raw', async (ctx) => { for await (const chunk of ctx.req) void chunk; });
        app.post('/own', async () => { throw Object.assign(new Error('upstream'), { code: 'ECONNRESET' }); });
      };`,
    }),
    { env: 'prod' },
  );
  const logged: [level: string, line: unknown][] = [];
  app.logger.log = (level, [line]) => void logged.push([level, line]);
  let emitted = 0;
  app.on('error', () => void (emitted += 1));
  await app.ready();
  const server = app.listen(0);
  t.after(() => server.close());
  const { port } = server.address() as { port: number };
  let sent = 0;
  for (const [path, type] of [
    ['/json', 'application/json'],
    ['/raw', 'application/octet-stream'],
  ]) {
    for (let count = 0; count < 10; count += 1) {
      const socket = net.connect(port, '127.0.0.1');
      const arrived = once(server, 'request');
      socket.write(`POST ${path} HTTP/1.1\r\nHost: a\r\nContent-Type: ${type}\r\nContent-Length: 100\r\n\r\n{"a":`);
      await arrived;
      socket.resetAndDestroy();
      sent += 1;
    }
  }
  await until('all have failed', () => emitted >= sent);
  assert.ok(logged.length > 0 && logged.length <= 6, String(logged.length));
  for (const [level, line] of logged) {
    assert.equal(level, 'WARN');
    assert.match(String(line), /^\w*Error: [^\n]* \([^\n]*, POST \/[^\n]*$/);
  }
  await request(`http://127.0.0.1:${port}/own`, { method: 'POST' });
  assert.equal(logged.at(-1)?.[0], 'ERROR');
});

test('a client that leaves a response midway is a line of level debug, whatever the body is', async (t) => {
  const upstream = createServer((_req, res) => void res.write('a')).listen(0);
  t.after(() => upstream.close());
  const { port: upstreamPort } = upstream.address() as { port: number };
  const app = loadApp(
    t,
    files('', {
      'app/router.js': `const { PassThrough, Readable } = require('node:stream');
      async function* endless() { for (;;) { await new Promise(setImmediate); yield Buffer.alloc(100_000); } }
      module.exports = (app) => {
        app.get('/node', async (ctx) => { ctx.body = Readable.from(endless()); });
        app.get('/web', async (ctx) => { ctx.body = Readable.toWeb(Readable.from(endless())); });
        app.get('/slow', async (ctx) => { ctx.body = new PassThrough(); ctx.body.write('a'); });
        const url = 'http://127.0.0.1:${upstreamPort}/';
        app.get('/curl', async (ctx) => { ctx.body = (await ctx.curl(url, { streaming: true })).res; });
        app.get('/app-curl', async (ctx) => { ctx.body = (await app.httpclient.request(url, { streaming: true })).res; });
        app.get('/fetch', async (ctx) => { ctx.body = await ctx.fetch(url); });
        app.get('/app-fetch', async (ctx) => { ctx.body = (await app.fetch(url)).body; });
        app.get('/broken', async (ctx) => { ctx.body = new PassThrough(); ctx.body.write('a'); setTimeout(() => ctx.body.destroy(), 10); });
      };`,
    }),
    { env: 'prod' },
  );
  const logged: [level: string, line: unknown][] = [];
  app.logger.log = (level, [line]) => void logged.push([level, line]);
  let emitted = 0;
  app.on('error', () => void (emitted += 1));
  const ask = await serve(t, app);
  await assert.rejects(ask('/broken'));
  assert.deepEqual(
    logged.splice(0).map(([level]) => level),
    ['ERROR'],
  );
  const server = app.listen(0);
  t.after(() => server.close());
  const { port } = server.address() as { port: number };
  for (const path of ['/node', '/web', '/slow', '/curl', '/app-curl', '/fetch', '/app-fetch']) {
    for (const end of ['destroy', 'resetAndDestroy'] as const) {
      const before = emitted;
      const socket = net.connect(port, '127.0.0.1');
      socket.write(`GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`);
      await once(socket, 'data');
      socket[end]();
      await until(`${path} has failed`, () => emitted > before);
    }
  }
  await app.close();
  assert.ok(logged.length >= 14, String(logged.length));
  for (const [level] of logged) assert.equal(level, 'DEBUG');
});

test('without the plugin Koa responds, and the error is still logged', async (t) => {
  const app = loadApp(t, files('', { 'config/plugin.js': 'exports.onerror = false;' }), { env: 'prod' });
  const logged: unknown[] = [];
  app.logger.log = (_level, [error]) => void logged.push((error as Error).message);
  const ask = await serve(t, app);
  const answer = await ask('/400', { headers: json });
  assert.deepEqual([answer.status, answer.body], [400, 'bad <b>']);
  assert.equal((await ask('/500', { headers: html })).body, 'Internal Server Error');
  assert.deepEqual(logged, ['bad <b>', 'boom <b>']);
});

test('without the plugin, refusals of clients are a warning without a stack, and flood no log', async (t) => {
  const app = loadApp(t, files('', { 'config/plugin.js': 'exports.onerror = false;' }), { env: 'prod' });
  const logged: [level: string, first: unknown][] = [];
  app.logger.log = (level, [first]) => void logged.push([level, first]);
  const ask = await serve(t, app);
  const send = (type: string, body: string) =>
    ask('/400', { method: 'POST', headers: { ...json, 'content-type': type }, body });
  assert.equal((await send('application/json; charset=klingon', '{}')).status, 415);
  assert.equal((await send('application/json', `"${'x'.repeat(1_100_000)}"`)).status, 413);
  for (let count = 0; count < 10; count += 1) assert.equal((await send('application/json', '{')).status, 400);
  assert.ok(logged.length >= 3 && logged.length <= 6, String(logged.length));
  for (const [level, line] of logged) {
    assert.equal(level, 'WARN');
    assert.match(String(line), /^\w*Error: [^\n]* \((?:400|413|415), POST \/400 [^\n]*$/);
  }
});

test('a client that leaves while an error response is chosen does no harm', async (t) => {
  const app = loadApp(t, files('exports.onerror = { json(error, ctx) { ctx.req.destroy(); ctx.body = {}; } };'), {
    env: 'prod',
  });
  const ask = await serve(t, app);
  await assert.rejects(ask('/500', { headers: json }));
  assert.equal((await ask('/400', { headers: html })).status, 400);
});

test('a thrown object that cannot be read is a 500, and is emitted as an error', async (t) => {
  const thrown = [
    "{ get message() { throw new Error('m'); }, get status() { throw new Error('s'); } }",
    "new Proxy({}, { get() { throw new Error('px'); } })",
    "new Proxy(new Error('e'), { get() { throw null; }, getPrototypeOf() { throw new Error('px'); } })",
    "Object.defineProperty(new Error('e'), 'headers', { get() { throw new Error('h'); } })",
    "Object.assign(new Error('e'), { headers: new Proxy({}, { ownKeys() { throw new Error('keys'); } }) })",
    '(() => { const { proxy, revoke } = Proxy.revocable({}, {}); revoke(); return proxy; })()',
    "{ [Symbol.for('nodejs.util.inspect.custom')]() { throw new Error('i'); }, toJSON() { throw new Error('j'); } }",
    "Object.assign(new Error('e'), { message: { toString() { throw new Error('t'); } } })",
    'Object.assign(new Error(), { message: Symbol() })',
  ];
  const routes = thrown.map((value, index) => `app.all('/${index}', async () => { throw ${value}; });`);
  for (const plugin of ['', 'exports.onerror = false;']) {
    const app = loadApp(
      t,
      files('', {
        'app/router.js': `module.exports = (app) => { ${routes.join('\n')} };`,
        'config/plugin.js': plugin,
      }),
      { env: 'prod' },
    );
    const ask = await serve(t, app);
    let emitted = 0;
    app.on('error', (error) => {
      assert.ok(error instanceof Error);
      emitted += 1;
    });
    // Koa itself reads more of an error than can be looked at before.
    for (const [index, value] of (plugin === '' ? thrown : thrown.slice(0, 4)).entries()) {
      for (const headers of [html, json, { accept: 'text/plain' }]) {
        const before = emitted;
        const answer = await ask(`/${index}`, { headers });
        assert.equal(answer.status, 500, `${plugin} ${value}`);
        assert.equal(emitted, before + 1, `${plugin} ${value}`);
      }
    }
  }
});

test('an error whose headers or members cannot be written still has a response', async (t) => {
  const routes = `module.exports = (app) => {
    app.get('/header', () => { throw Object.assign(new Error('in'), { status: 400, headers: { 'X-In': 'a\\nb', 'X-\\u0100': '1', 'x-fine': 'yes' } }); });
    app.get('/getter', () => {
      const error = new Error('getter');
      for (const name of ['headers', 'status', 'expose']) Object.defineProperty(error, name, { get() { throw new Error('in ' + name); } });
      throw error;
    });
    app.get('/circle', () => { const errors = []; errors.push(errors); throw Object.assign(new Error('circle'), { status: 422, errors }); });
  };`;
  const app = loadApp(t, files('', { 'app/router.js': routes }), { env: 'prod' });
  app.logger.log = () => undefined;
  const ask = await serve(t, app);
  for (const accept of ['text/html', 'application/json', 'text/plain']) {
    assert.equal((await ask('/header', { headers: { accept } })).status, 400);
    assert.equal((await ask('/getter', { headers: { accept } })).status, 500);
    assert.equal((await ask('/circle', { headers: { accept } })).status, 422);
  }
});

test('a response that cannot be written at all ends with its connection, with the plugin and without it', async (t) => {
  const broken = ['setHeader', 'removeHeader', 'getHeaderNames', 'writeHead', 'end'];
  const routes = `const { Readable } = require('node:stream'); module.exports = (app) => {
    app.get('/fine', async (ctx) => { ctx.body = 'fine'; });
    app.get('/onerror', async (ctx) => { ctx.onerror = () => { throw new Error('onerror'); }; throw new Error('e'); });
    app.get('/stream', async (ctx) => {
      ctx.onerror = () => { throw new Error('onerror'); };
      ctx.body = new Readable({ read() { this.destroy(new Error('e')); } });
    });
    for (const name of ${JSON.stringify(broken)}) {
      app.get('/' + name, async (ctx) => { ctx.res[name] = () => { throw new Error(name); }; throw new Error('e'); });
    }
  };`;
  for (const config of ['', 'exports.onerror = { html() { throw new Error("handler"); } };']) {
    for (const plugin of [true, false]) {
      const app = loadApp(
        t,
        files(config, { 'app/router.js': routes, 'config/plugin.js': `exports.onerror = ${plugin};` }),
        { env: 'prod' },
      );
      const ask = await serve(t, app);
      for (const name of ['onerror', 'stream', ...broken]) {
        const outcome = await Promise.race([
          ask(`/${name}`, { headers: html }).then(
            ({ status }) => status,
            ({ code }) => code as string,
          ),
          new Promise((resolve) => setTimeout(resolve, 10_000, 'no response').unref()),
        ]);
        assert.ok(outcome === 500 || outcome === 'ECONNRESET', `${name}, plugin ${plugin}: ${outcome}`);
      }
      assert.equal((await ask('/fine')).body, 'fine');
    }
  }
});
