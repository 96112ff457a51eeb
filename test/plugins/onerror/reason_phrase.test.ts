import assert from 'node:assert/strict';
import { STATUS_CODES } from 'node:http';
import { type TestContext, test } from 'node:test';
import { type Files, loadApp, serve } from '../../support/loaded_app.js';

const CONFIG =
  'exports.keys = "k"; exports.security = { csrf: { enable: false } }; exports.logger = { consoleLevel: "NONE" };';

/** An app with a route for each of the texts: `/0`, `/1` and so on. */
function app(bodies: string[], config = ''): Files {
  const routes = bodies.map((body, index) => `app.all('/${index}', async (ctx) => { ${body} });`);
  return {
    'app/router.js': `const { Readable } = require('node:stream'); module.exports = (app) => { ${routes.join('\n')} };`,
    'config/config.default.js': CONFIG + config,
  };
}

const start = (t: TestContext, files: Files) => serve(t, loadApp(t, files, { env: 'prod' }));

const FAILS: [what: string, body: string, status: number][] = [
  ['after a body', "ctx.body = 'x'; throw new Error('e');", 500],
  ['after a status', "ctx.status = 404; throw new Error('e');", 500],
  ['after a status of Node', "ctx.res.statusCode = 201; throw new Error('e');", 500],
  ['after a body, with a status', "ctx.body = 'x'; ctx.throw(422, 'no');", 422],
  ['after a status without a body', "ctx.status = 204; throw new Error('e');", 500],
  ['after a redirect', "ctx.redirect('/a'); throw new Error('e');", 500],
  ['after a body with a message of its own', "ctx.body = 'x'; ctx.message = 'Fine'; throw new Error('e');", 500],
  ['of a stream that has not begun', "ctx.body = new Readable({ read() { this.destroy(new Error('e')); } });", 500],
  ['of a web stream that has not begun', "ctx.body = new ReadableStream({ pull() { throw new Error('e'); } });", 500],
  ['of a missing file', "ctx.body = require('node:fs').createReadStream('/nope/nope');", 404],
  ['while the body becomes JSON', "ctx.body = { toJSON() { throw new Error('e'); } };", 500],
  ['of a body that cannot become JSON', 'const a = {}; a.a = a; ctx.body = a;', 500],
  ['of a circle thrown', 'const a = {}; a.a = a; throw a;', 500],
  ['of a thing that cannot be printed', 'throw Object.create(null, { toString: { value: 1 } });', 500],
  ['of a BigInt', 'throw { a: 1n };', 500],
  ['of a symbol', 'throw Symbol("x");', 500],
  ['of null', 'throw null;', 500],
  ['of a frozen error', "throw Object.freeze(new Error('e'));", 500],
  [
    'with headers that are none',
    "throw Object.assign(new Error('e'), { status: 400, headers: { 'a b': '1', c: 'd\\r\\ne' } });",
    400,
  ],
  ['with a reason phrase that is none', "ctx.message = 'a\\nb'; throw new Error('e');", 500],
  ['of a response whose reason phrase is none', "ctx.status = 200; ctx.message = 'a\\nb'; ctx.body = 'x';", 500],
  ['with a status of interim responses', "throw Object.assign(new Error('e'), { status: 101 });", 500],
];
for (const accept of ['text/html', 'application/json', 'text/plain']) {
  for (const method of ['GET', 'HEAD']) {
    test(`${method} ${accept}: the reason phrase is that of the status sent`, async (t) => {
      const ask = await start(t, app(FAILS.map(([, body]) => body)));
      for (const [index, [what, , status]] of FAILS.entries()) {
        // A stream is not read for HEAD.
        if (method === 'HEAD' && /stream|file/.test(what)) continue;
        const answer = await ask(`/${index}`, { method, headers: { accept } });
        assert.deepEqual([answer.status, answer.message], [status, STATUS_CODES[status]], what);
      }
    });
  }
}

test('the app’s own reason phrase for its error is kept', async (t) => {
  const own = ["ctx.message = 'Own'; ctx.throw(402);", "ctx.status = 402; ctx.message = 'Own'; ctx.throw(402);"];
  const ask = await start(t, app(own));
  for (const index of own.keys()) {
    const answer = await ask(`/${index}`);
    assert.deepEqual([answer.status, answer.message], [402, 'Own']);
  }
  const files = {
    ...app(["throw new Error('e');"]),
    'app.js': "module.exports = (app) => app.on('error', (e, ctx) => { ctx.message = 'Own'; });",
  };
  assert.equal((await (await start(t, files))('/0')).message, 'Own');
});

test('a redirect to an error page is 302 Found, whatever was set before', async (t) => {
  const before = ['ctx.status = 301;', "ctx.body = 'x';", "ctx.message = 'Own';"];
  const bodies = before.map((text) => `${text} throw new Error('e');`);
  const ask = await start(t, app(bodies, 'exports.onerror = { errorPageUrl: "/50x" };'));
  for (const index of bodies.keys()) {
    const answer = await ask(`/${index}`, { headers: { accept: 'text/html' } });
    assert.deepEqual([answer.status, answer.message], [302, 'Found']);
    assert.equal(answer.headers.location, '/50x?real_status=500');
  }
});

test('an unknown path keeps the reason phrase of the app, and has its own without one', async (t) => {
  const ask = await start(t, app(['ctx.status = 404; if (ctx.query.own) ctx.message = ctx.query.own;']));
  for (const headers of [{ accept: 'text/html' }, { accept: 'application/json' }]) {
    assert.equal((await ask('/0', { headers })).message, 'Not Found');
    assert.equal((await ask('/0?own=Gone+away', { headers })).message, 'Gone away');
    assert.equal((await ask('/nope', { headers })).message, 'Not Found');
  }
});
