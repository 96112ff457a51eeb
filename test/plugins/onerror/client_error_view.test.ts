import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { type Files, loadApp, serve } from '../../support/loaded_app.js';

const CONFIG =
  'exports.keys = "k"; exports.security = { csrf: { enable: false } }; exports.logger = { consoleLevel: "NONE", level: "NONE" };';

function app(bodies: string[]): Files {
  const routes = bodies.map((body, index) => `app.all('/${index}', async (ctx) => { ${body} });`);
  return {
    'app/router.js': `const fs = require('node:fs'); module.exports = (app) => { ${routes.join('\n')} };`,
    'config/config.default.js': CONFIG,
  };
}

const start = (t: TestContext, files: Files) => serve(t, loadApp(t, files, { env: 'prod' }));
const TYPES = ['text/html', 'application/json', 'text/plain'];
const SECRET = /\/srv|secret|127\.0\.0\.1:9|ENOENT|ECONNREFUSED|ERR_|EACCES/;

const INTERNAL: [what: string, body: string, status: number][] = [
  ['a missing file', "fs.readFileSync('/srv/secret');", 404],
  ['a missing file with a status', "try { fs.readFileSync('/srv/secret'); } catch (e) { ctx.throw(404, e); }", 404],
  [
    'a missing file that is exposed',
    "try { fs.readFileSync('/srv/secret'); } catch (e) { e.expose = true; throw e; }",
    404,
  ],
  ['a stream of a missing file', "ctx.body = fs.createReadStream('/srv/secret');", 404],
  [
    'a refused connection',
    "await new Promise((_, no) => require('node:net').connect(9, '127.0.0.1').on('error', no));",
    500,
  ],
  ['an error of Node', "new URL('secret');", 500],
  ['an error of the app', "throw new Error('secret');", 500],
  [
    'an error with a cause',
    "throw Object.assign(new Error('bad', { cause: new Error('secret') }), { status: 400 });",
    400,
  ],
  ['a status from 500 on', "throw Object.assign(new Error('secret'), { status: 502 });", 502],
  ['an error that is not to be shown', "ctx.throw(400, 'secret', { expose: false });", 400],
  [
    'an error of a client of HTTP',
    "throw Object.assign(new Error('secret'), { status: 403, response: { status: 403 }, headers: { 'x-secret': '1' } });",
    403,
  ],
  ['a missing key', "ctx.cookies.set('a', 'secret;');", 500],
];
for (const accept of TYPES) {
  test(`${accept}: in production nothing internal is shown`, async (t) => {
    const ask = await start(t, app(INTERNAL.map(([, body]) => body)));
    for (const [index, [what, , status]] of INTERNAL.entries()) {
      const answer = await ask(`/${index}`, { headers: { accept } });
      assert.equal(answer.status, status, what);
      assert.doesNotMatch(`${answer.body}${JSON.stringify(answer.headers)}`, SECRET, what);
    }
  });
}

const FOR_CLIENTS: [body: string, json: object][] = [
  [
    "ctx.throw(400, 'mind the gap', { code: 'E_GAP', errors: [{ field: 'a' }] });",
    { code: 'E_GAP', message: 'mind the gap', errors: [{ field: 'a' }] },
  ],
  ["throw Object.assign(new Error('mind the gap'), { status: 422 });", { message: 'mind the gap' }],
  ["ctx.throw(503, 'mind the gap', { expose: true });", { message: 'mind the gap' }],
  ["throw { status: 418, message: 'mind the gap' };", { message: 'mind the gap' }],
];
test('in production an error made for clients shows message, code and errors', async (t) => {
  const ask = await start(t, app(FOR_CLIENTS.map(([body]) => body)));
  for (const [index, [, json]] of FOR_CLIENTS.entries()) {
    assert.deepEqual(JSON.parse((await ask(`/${index}`, { headers: { accept: 'application/json' } })).body), json);
    assert.equal((await ask(`/${index}`, { headers: { accept: 'text/plain' } })).body, 'mind the gap');
  }
});

test('headers of an error for clients are set, of others only harmless ones, and none that frame the response', async (t) => {
  const headers =
    "{ 'x-own': '1', 'retry-after': '5', 'access-control-allow-origin': '*', 'content-length': '1', 'set-cookie': ['a=1', 'b=2'] }";
  const ask = await start(
    t,
    app([
      `ctx.throw(429, 'slow', { headers: ${headers} });`,
      `throw Object.assign(new Error('e'), { headers: ${headers} });`,
    ]),
  );
  const shown = await ask('/0');
  assert.equal(shown.headers['x-own'], '1');
  assert.deepEqual(shown.headers['set-cookie'], ['a=1', 'b=2']);
  assert.equal(shown.headers['content-length'], String(Buffer.byteLength(shown.body)));
  const hidden = await ask('/1');
  assert.equal(hidden.headers['x-own'], undefined);
  assert.equal(hidden.headers['set-cookie'], undefined);
  assert.equal(hidden.headers['retry-after'], '5');
  assert.equal(hidden.headers['access-control-allow-origin'], '*');
});

const LEAKS: [errors: string, shown: unknown][] = [
  ['[enoent]', []],
  ['enoent', undefined],
  ["[{ field: 'a', cause: enoent }, enoent, 'plain']", [{ field: 'a' }, 'plain']],
  [
    "{ deep: { list: [[enoent], Object.assign(new Error('mine'), { path: '/srv/secret' })] } }",
    { deep: { list: [[]] } },
  ],
  [
    "[Object.assign(new Error('mind', { cause: enoent }), { status: 422, code: 'E_GAP', secret: 'secret', errors: [enoent, 1] })]",
    [{ message: 'mind', code: 'E_GAP', errors: [1] }],
  ],
  [
    "[Object.assign(new AggregateError([enoent, new Error('secret')], 'all'), { expose: true })]",
    [{ message: 'all', errors: [] }],
  ],
  ["[Object.assign(new Error('secret'), { toJSON: () => 'secret' })]", []],
  ['[{ at: new Date(0) }]', [{ at: '1970-01-01T00:00:00.000Z' }]],
];
for (const [kind, config] of [
  ['JSON', ''],
  ['problem details', 'exports.onerror = { problemDetails: true };'],
] as const) {
  test(`${kind}, JSONP: of errors among \`errors\` clients see what was made for them, plain data as it is`, async (t) => {
    const given = LEAKS.map(
      ([errors]) => `let enoent; try { fs.readFileSync('/srv/secret'); } catch (e) { enoent = e; }
        ctx.throw(422, 'bad', { errors: ${errors} });`,
    );
    const files = app(given);
    files['app/router.js'] +=
      '\nconst fill = module.exports; module.exports = (app) => { app.use(app.jsonp()); fill(app); };';
    files['config/config.default.js'] += config;
    const ask = await start(t, files);
    for (const [index, [what, shown]] of LEAKS.entries()) {
      const plain = await ask(`/${index}`, { headers: { accept: 'application/json' } });
      const script = await ask(`/${index}?callback=cb`);
      assert.match(String(script.headers['content-type']), /javascript/);
      assert.doesNotMatch(plain.body + script.body, SECRET, what);
      assert.deepEqual(JSON.parse(plain.body).errors, shown, what);
      assert.deepEqual(JSON.parse(/cb\((\{.*\})\);$/.exec(script.body)?.[1] ?? '').errors, shown, what);
    }
  });
}
