import assert from 'node:assert/strict';
import { once } from 'node:events';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { type TestContext, test } from 'node:test';
import { loadAgent, loadApp, serve } from '../../support/loaded_app.js';

const ROUTES = `module.exports = (app) => {
  app.all('/bare', (ctx) => { ctx.body = { a: 1 }; });
  app.get('/redirect', (ctx) => ctx.redirect(ctx.query.u));
  app.get('/unsafe', (ctx) => ctx.unsafeRedirect(ctx.query.u));
  app.get('/own', (ctx) => { ctx.set('x-frame-options', 'DENY'); ctx.body = 'own'; });
  app.get('/options', (ctx) => { ctx.securityOptions[ctx.query.guard] = JSON.parse(ctx.query.v); ctx.body = 'ok'; });
  app.get('/nonce', (ctx) => { ctx.body = [ctx.nonce, ctx.nonce]; });
  app.get('/helper', (ctx) => {
    const [name, ...given] = JSON.parse(ctx.query.v);
    ctx.body = { value: ctx.helper[name](...given) };
  });
  app.get('/domain', (ctx) => { ctx.body = { safe: ctx.isSafeDomain(ctx.query.d) }; });
  app.get('/curl', async (ctx) => {
    try {
      ctx.body = String((await ctx.safeCurl(ctx.query.u)).data);
    } catch (error) {
      ctx.body = error.name + ' ' + error.code;
      if (error.name === 'IllegalAddressError' || error.cause?.name === 'IllegalAddressError') ctx.body = 'refused';
    }
  });
};`;

const start = (t: TestContext, security: string, more: Record<string, string> = {}) =>
  serve(
    t,
    loadApp(t, {
      'app/router.js': ROUTES,
      'config/config.default.js': `exports.keys = "k1,k2"; exports.logger = { consoleLevel: "NONE" };
        exports.security = { csrf: false, ...${security} };`,
      ...more,
    }),
  );
const json = { accept: 'application/json' };
const q = (value: unknown): string => encodeURIComponent(typeof value === 'string' ? value : JSON.stringify(value));

test('a bare route has the default headers, and no others of a guard', async (t) => {
  const { headers } = await (await start(t, '{}'))('/bare');
  assert.equal(headers['x-frame-options'], 'SAMEORIGIN');
  assert.equal(headers['x-xss-protection'], '1; mode=block');
  assert.equal(headers['x-content-type-options'], 'nosniff');
  assert.equal(headers['x-download-options'], 'noopen');
  for (const name of ['strict-transport-security', 'referrer-policy', 'content-security-policy', 'x-csp-nonce']) {
    assert.equal(headers[name], undefined, name);
  }
});

test('each header can be turned off and on, given a value, and matched to paths', async (t) => {
  const ask = await start(
    t,
    `{ noopen: false, nosniff: { enable: false }, xframe: { ignore: '/bare' }, xssProtection: { match: '/own', ignore: '/own' },
       hsts: { enable: true, maxAge: 5, includeSubdomains: true }, referrerPolicy: { enable: true, value: 'no-referrer' } }`,
  );
  const bare = (await ask('/bare')).headers;
  for (const name of ['x-download-options', 'x-content-type-options', 'x-frame-options', 'x-xss-protection']) {
    assert.equal(bare[name], undefined, name);
  }
  assert.equal(bare['strict-transport-security'], 'max-age=5; includeSubdomains');
  assert.equal(bare['referrer-policy'], 'no-referrer');
  assert.equal((await ask('/own')).headers['x-xss-protection'], '1; mode=block', 'match comes before ignore');
  assert.equal((await ask('/options?guard=none&v={}')).headers['x-frame-options'], 'SAMEORIGIN');
});

test('a handler may set a header itself', async (t) => {
  assert.equal((await (await start(t, '{}'))('/own')).headers['x-frame-options'], 'DENY');
});

test('ctx.securityOptions changes a header for one request', async (t) => {
  const ask = await start(t, '{}');
  const of = async (guard: string, options: object) => (await ask(`/options?guard=${guard}&v=${q(options)}`)).headers;
  assert.equal((await of('xframe', { value: 'DENY' }))['x-frame-options'], 'DENY');
  assert.equal((await of('xframe', { enable: false }))['x-frame-options'], undefined);
  assert.equal((await of('hsts', { enable: true }))['strict-transport-security'], 'max-age=31536000');
  const policy = { 'default-src': "'self'" };
  assert.equal((await of('csp', { enable: true, policy }))['content-security-policy'], "default-src 'self'");
  assert.equal((await of('__proto__', {}))['x-frame-options'], 'SAMEORIGIN');
  assert.equal((await ask('/bare')).headers['x-frame-options'], 'SAMEORIGIN');
});

test('the content security policy has the nonce of the request for scripts', async (t) => {
  const policy = `{ 'script-src': ["'self'"], 'img-src': '*', 'upgrade-insecure-requests': true, 'object-src': false }`;
  const ask = await start(t, `{ csp: { enable: true, policy: ${policy} } }`);
  const { headers, body } = await ask('/nonce');
  const [nonce, again] = JSON.parse(body);
  assert.match(nonce, /^[\w-]{16}$/);
  assert.equal(again, nonce);
  assert.equal(headers['x-csp-nonce'], nonce);
  assert.equal(
    headers['content-security-policy'],
    `script-src 'self' 'nonce-${nonce}';img-src *;upgrade-insecure-requests`,
  );
  assert.notEqual(JSON.parse((await ask('/nonce')).body)[0], nonce);
  const report = await start(t, `{ csp: { enable: true, reportOnly: true, policy: { 'default-src': ["'self'"] } } }`);
  const only = (await report('/bare')).headers;
  assert.equal(only['content-security-policy'], undefined);
  assert.equal(only['content-security-policy-report-only'], "default-src 'self'");
});

test('TRACE is a 405, unless methodnoallow is off', async (t) => {
  assert.equal((await (await start(t, '{}'))('/bare', { method: 'TRACE' })).status, 405);
  assert.equal((await (await start(t, '{ methodnoallow: false }'))('/bare', { method: 'TRACE' })).status, 200);
});

for (const path of ['/../a', '/a/../../b', '/%2e%2e/a', '/..%2f', '/%2e%2e%2f%2e%2e/', '/..%5c..%5c', '/..']) {
  test(`the path ${path} leads above the root and is a 400`, async (t) => {
    assert.equal((await (await start(t, '{}'))('/', { path })).status, 400);
    assert.equal((await (await start(t, '{ dta: false }'))('/', { path })).status, 404);
  });
}
for (const path of ['/a/../b', '/a..b', '/%zz/..', '/a%20b', '/..a']) {
  test(`the path ${path} stays below the root`, async (t) => {
    assert.equal((await (await start(t, '{}'))('/', { path })).status, 404);
  });
}

const REDIRECTS: [target: string, location: string | 403][] = [
  ['/x', '/x'],
  ['/x?a=//evil.test', '/x?a=//evil.test'],
  ['//evil.test', '/'],
  ['///evil.test', '/'],
  ['/\\evil.test', '/'],
  ['\\\\evil.test', '/'],
  ['javascript:alert(1)', '/'],
  ['data:text/html,x', '/'],
  ['x', '/'],
  ['', '/'],
  ['/a\r\nb: c', '/a%0D%0Ab:%20c'],
  ['/\t/evil.test', '/%09/evil.test'],
  ['http://a.ok.test/p', 'http://a.ok.test/p'],
  ['http://OK.test', 'http://ok.test/'],
  ['http://app.test/own', 'http://app.test/own'],
  ['http:a.ok.test', 'http://a.ok.test/'],
  ['http://evil.test', 403],
  ['http:///evil.test', 403],
  ['https://ok.test@evil.test', 403],
  ['https://evilok.test', 403],
  [`https://evil.test/${'x'.repeat(5000)}`, 403],
];
for (const [target, location] of REDIRECTS) {
  test(`ctx.redirect(${JSON.stringify(target.slice(0, 40))}) ${location === 403 ? 'is refused' : `leads to ${location}`}`, async (t) => {
    const ask = await start(t, `{ domainWhiteList: ['.ok.test'] }`);
    const answer = await ask(`/redirect?u=${q(target)}`, { headers: { ...json, host: 'app.test' } });
    assert.equal(answer.status, location === 403 ? 403 : 302);
    assert.equal(answer.headers.location, location === 403 ? undefined : location);
  });
}

test('without a white list every HTTP address may be redirected to; unsafeRedirect asks nobody', async (t) => {
  const ask = await start(t, '{}');
  assert.equal((await ask('/redirect?u=http://evil.test')).headers.location, 'http://evil.test/');
  assert.equal((await ask('/redirect?u=javascript:1')).headers.location, '/');
  const listed = await start(t, `{ domainWhiteList: ['.ok.test'] }`);
  assert.equal((await listed('/unsafe?u=http://evil.test')).headers.location, 'http://evil.test/');
});

test('isSafeDomain knows hosts, all below a dot, and patterns', async (t) => {
  const ask = await start(t, `{ domainWhiteList: ['.ok.test', 'http://port.test:80', '*.any.*'] }`);
  const safe = async (domain: string) => JSON.parse((await ask(`/domain?d=${q(domain)}`)).body).safe;
  for (const domain of ['ok.test', 'a.ok.test', 'OK.TEST', 'http://port.test:80', 'a.any.org']) {
    assert.equal(await safe(domain), true, domain);
  }
  for (const domain of ['xok.test', 'port.test', '', 'ok.test.evil']) assert.equal(await safe(domain), false, domain);
});

const HELPERS: [call: unknown[], value: unknown][] = [
  [['escape', `<a href="x">'&`], '&lt;a href=&quot;x&quot;&gt;&#39;&amp;'],
  [['escape', 1], '1'],
  [['sjs', '"hi" </script>\n中'], '\\x22hi\\x22\\x20\\x3c\\x2fscript\\x3e\\n中'],
  [['sjs', null], 'null'],
  [['sjson', { a: "</script>'", b: [1, '\u2028'] }], '{"a":"\\u003c\\u002fscript\\u003e\\u0027","b":[1,"\\u2028"]}'],
  [['surl', 'http://a.test/<s>"'], 'http://a.test/&lt;s&gt;&quot;'],
  [['surl', 'javascript:alert(1)'], ''],
  [['surl', 'java\nscript:alert(1)'], ''],
  [['surl', ' javascript:alert(1)'], ''],
  [['surl', 'JavaScript://x%0aalert(1)'], ''],
  [['surl', '//a.test'], '//a.test'],
  [['surl', '/a:b'], '/a:b'],
  [['surl', 'own://x'], 'own://x'],
  [['surl', 7], 7],
  [['spath', 'a/b'], 'a/b'],
  [['spath', '../a'], null],
  [['spath', 'a/../b'], null],
  [['spath', '/a'], null],
  [['spath', '%2e%2e/a'], null],
  [['spath', '%252e%252e/a'], null],
  [['spath', 'a\u0000b'], null],
  [['spath', 'a%zz'], 'a%zz'],
  [['cliFilter', 'a;b|c$(d) -_./\\x'], 'abcd-_.x'],
  [['escapeShellArg', "a'b"], "'a'\\''b'"],
  [['escapeShellCmd', "a'b;c$(x)\n"], 'abcx'],
  [
    [
      'shtml',
      '<a href="http://evil.test" onclick=1>a</a><script>1</script><img src="javascript:1"><p style="color:red">',
    ],
    '<a>a</a>&lt;script&gt;1&lt;/script&gt;<img><p>',
  ],
  [
    ['shtml', '<a href="http://a.ok.test/x">a</a><img src="/own.png">'],
    '<a href="http://a.ok.test/x">a</a><img src="/own.png">',
  ],
  [['shtml', '<a href="jav&#x0A;ascript:alert(1)">a</a>'], '<a href>a</a>'],
  [['shtml', '<b title="x">b</b><i>i</i>'], '<b>b</b><i>i</i>'],
];
for (const [call, value] of HELPERS) {
  test(`ctx.helper.${call[0]}(${JSON.stringify(call[1])})`, async (t) => {
    const ask = await start(t, `{ domainWhiteList: ['.ok.test'], protocolWhiteList: ['own'] }`);
    assert.deepEqual(JSON.parse((await ask(`/helper?v=${q(call)}`)).body).value, value);
  });
}

test('app.injectCsrf, injectNonce and injectHijackingDefense change templates', (t) => {
  const app = loadApp(t, { 'config/config.default.js': 'exports.keys = "k";' });
  assert.equal(
    app.injectCsrf('<form method=post>a</form><FORM>b</FORM>'),
    '<form method=post>a\r\n<input type="hidden" name="_csrf" value="{{ctx.csrf}}" /></form>' +
      '<FORM>b\r\n<input type="hidden" name="_csrf" value="{{ctx.csrf}}" /></FORM>',
  );
  assert.equal(
    app.injectNonce('<script>a</script><script src=x></script><script nonce="y"></script>'),
    '<script nonce="{{ctx.nonce}}">a</script><script src=x nonce="{{ctx.nonce}}"></script><script nonce="y"></script>',
  );
  assert.match(app.injectHijackingDefense('abc'), /<!--<\/html>-->.*abc.*<!--<\/html>-->/);
});

async function upstream(t: TestContext): Promise<number> {
  const server = http.createServer((_req, res) => res.end('inner')).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  return (server.address() as AddressInfo).port;
}

const SSRF: [ssrf: string, host: string, reached: boolean][] = [
  ['{}', '127.0.0.1', false],
  ['{}', 'localhost', false],
  ['{}', '[::ffff:127.0.0.1]', false],
  ['{}', '2130706433', false],
  ['{}', '0x7f.1', false],
  [`{ ipBlackList: ['10.0.0.0/8'] }`, '127.0.0.1', true],
  [`{ ipBlackList: ['127.0.0.1'] }`, 'localhost', false],
  [`{ ipBlackList: ['127.0.0.0/8'], ipExceptionList: ['127.0.0.1'] }`, '127.0.0.1', true],
  [`{ hostnameExceptionList: ['localhost'] }`, 'localhost', true],
  [`{ hostnameExceptionList: ['localhost'] }`, '127.0.0.1', false],
  [`{ checkAddress: (ip) => ip === '127.0.0.1' }`, '127.0.0.1', true],
  [`{ checkAddress: () => false }`, 'localhost', false],
];
for (const [ssrf, host, reached] of SSRF) {
  test(`safeCurl with ${ssrf} ${reached ? 'reaches' : 'refuses'} ${host}`, async (t) => {
    const port = await upstream(t);
    const ask = await start(t, `{ ssrf: ${ssrf} }`);
    assert.equal((await ask(`/curl?u=${q(`http://${host}:${port}/`)}`)).body, reached ? 'inner' : 'refused');
  });
}

test('app and Agent have safeCurl too, which follows no redirect into the own network', async (t) => {
  const inner = await upstream(t);
  const server = http.createServer((_req, res) => res.writeHead(302, { location: `http://localhost:${inner}/` }).end());
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  const { port } = server.address() as AddressInfo;
  const files = {
    'config/config.default.js': `exports.keys = "k"; exports.logger = { consoleLevel: "NONE" };
      exports.security = { ssrf: { checkAddress: (ip, family, host) => host !== 'localhost' } };`,
  };
  const app = loadApp(t, files);
  const agent = loadAgent(t, files) as unknown as typeof app;
  for (const { safeCurl } of [app, agent]) {
    const curl = safeCurl.bind(safeCurl === app.safeCurl ? app : agent);
    assert.equal((await curl(`http://127.0.0.1:${inner}/`, { dataType: 'text' })).data, 'inner');
    await assert.rejects(curl(`http://127.0.0.1:${port}/`, { followRedirect: true }), /illegal address/);
  }
});

test('a guard that config does not describe stops the boot', (t) => {
  const config = 'exports.security = { defaultMiddleware: "xframe,nope" };';
  assert.throws(() => loadApp(t, { 'config/config.default.js': config }), /config\.security\.nope is undefined/);
});

test('security: false in config/plugin leaves no trace of it', async (t) => {
  const ask = await start(t, '{}', { 'config/plugin.js': 'exports.security = false;' });
  const { headers } = await ask('/bare', { method: 'POST' });
  assert.equal(headers['x-frame-options'], undefined);
  assert.equal(headers['set-cookie'], undefined);
});

test('its middleware comes after that of a session plugin from npm, whose app.js is a function', async (t) => {
  const app = loadApp(t, {
    'config/plugin.js': `exports.session = { enable: true, path: __dirname + '/../lib/session' };`,
    'lib/session/package.json': '{ "name": "egg-session", "eggPlugin": { "name": "session" } }',
    'lib/session/app.js': "module.exports = (app) => { app.config.coreMiddleware.push('session'); };",
    'lib/session/app/middleware/session.js': 'module.exports = () => (ctx, next) => next();',
  });
  assert.deepEqual(app.config.coreMiddleware.slice(-2), ['session', 'securities']);
});

test('error responses have the security headers, whatever refuses the request', async (t) => {
  const security = `{ csrf: { type: 'all' }, hsts: { enable: true }, csp: { enable: true, policy: { 'default-src': "'self'" } },
    noopen: { ignore: '/throw' } }`;
  for (const env of ['unittest', 'prod', 'local']) {
    const app = loadApp(
      t,
      {
        'app/router.js': `module.exports = (app) => {
          app.get('/throw', (ctx) => { ctx.set('x-secret', '1'); ctx.throw(500, 'no'); });
          app.get('/own', (ctx) => { ctx.securityOptions.xframe = { value: 'DENY' }; ctx.throw(400, 'no'); });
          app.post('/json', (ctx) => { ctx.body = 'ok'; });
        };`,
        'config/config.default.js': `exports.keys = "k1"; exports.logger = { consoleLevel: "NONE" }; exports.security = ${security};`,
      },
      { env },
    );
    const ask = await serve(t, app);
    const post = (body: string) =>
      ask('/json', { method: 'POST', headers: { 'content-type': 'application/json' }, body });
    for (const [expected, reply] of [
      [500, await ask('/throw')],
      [500, await ask('/throw', { headers: { accept: 'application/json' } })],
      [404, await ask('/none')],
      [403, await post('{}')],
      [400, await post('{')],
      [400, await ask('/own')],
      [405, await ask('/throw', { method: 'TRACE' })],
    ] as const) {
      const { status, headers } = reply;
      const what = `${env} ${status} ${reply.body.slice(0, 50)}`;
      assert.equal(status, expected, what);
      assert.equal(headers['x-content-type-options'], 'nosniff', what);
      assert.match(String(headers['x-frame-options']), /^(SAMEORIGIN|DENY)$/, what);
      // Plugin security turns it off in local.
      assert.equal(headers['strict-transport-security'], env === 'local' ? undefined : 'max-age=31536000', what);
      const hasPage = env === 'local' && reply.body.includes('<style');
      assert.equal(headers['content-security-policy'], hasPage ? undefined : "default-src 'self'", what);
      assert.equal(headers['x-secret'], undefined);
    }
    assert.equal((await ask('/own')).headers['x-frame-options'], 'DENY');
    assert.equal((await ask('/throw')).headers['x-download-options'], undefined);
    assert.equal((await ask('/own')).headers['x-download-options'], 'noopen');
  }
});

test('error responses have the security headers without plugin onerror, too', async (t) => {
  const app = loadApp(t, {
    'app/router.js': `module.exports = (app) => {
      app.on('error', () => undefined);
      app.get('/throw', (ctx) => { ctx.set('x-secret', '1'); ctx.throw(500, 'no'); });
      app.get('/own', (ctx) => ctx.throw(400, 'no', { headers: { 'x-frame-options': 'DENY', 'x-own': '1' } }));
      app.post('/json', (ctx) => { ctx.body = 'ok'; });
    };`,
    'config/plugin.js': 'exports.onerror = false;',
    'config/config.default.js': 'exports.keys = "k1"; exports.logger = { consoleLevel: "NONE" };',
  });
  const ask = await serve(t, app);
  const post = (body: string) =>
    ask('/json', { method: 'POST', headers: { 'content-type': 'application/json' }, body });
  for (const [expected, reply] of [
    [500, await ask('/throw')],
    [404, await ask('/none')],
    [403, await post('{}')],
    [400, await post('{')],
    [405, await ask('/throw', { method: 'TRACE' })],
  ] as const) {
    const { status, headers, body } = reply;
    assert.equal(status, expected, body);
    assert.equal(headers['x-content-type-options'], 'nosniff', body);
    assert.equal(headers['x-frame-options'], 'SAMEORIGIN', body);
    assert.equal(headers['x-secret'], undefined);
  }
  const { status, headers } = await ask('/own');
  assert.deepEqual([status, headers['x-frame-options'], headers['x-own']], [400, 'DENY', '1']);
  assert.equal(headers['x-content-type-options'], 'nosniff');
});

test('pages of the config may be on a domain that is not in the white list', async (t) => {
  const app = loadApp(
    t,
    {
      'app/router.js': `module.exports = (app) => {
        app.get('/throw', (ctx) => ctx.throw(500, 'no'));
        app.get('/leave', (ctx) => ctx.redirect(ctx.query.to));
      };`,
      'config/config.default.js': `exports.keys = "k1"; exports.logger = { consoleLevel: "NONE" };
        exports.security = { domainWhiteList: ['shop.example.com'] };
        exports.onerror = { errorPageUrl: 'https://status.example.org/50x.html' };
        exports.notfound = { pageUrl: 'https://status.example.org/404.html' };
        exports.siteFile = { '/robots.txt': 'https://cdn.example.org/robots.txt' };`,
    },
    { env: 'prod' },
  );
  const ask = await serve(t, app);
  const locationOf = async (where: string) => {
    const { status, headers } = await ask(where, { headers: { accept: 'text/html' } });
    return [status, headers.location];
  };
  assert.deepEqual(await locationOf('/throw'), [302, 'https://status.example.org/50x.html?real_status=500']);
  assert.deepEqual(await locationOf('/none'), [302, 'https://status.example.org/404.html']);
  assert.deepEqual(await locationOf('/robots.txt'), [302, 'https://cdn.example.org/robots.txt']);
  assert.deepEqual(await locationOf('/leave?to=https://status.example.org/'), [403, undefined]);
});
