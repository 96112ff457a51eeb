import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { type Files, loadApp, serve } from '../support/loaded_app.js';

/** An app whose middleware `mark` sets the header `marked`, with `config` for it. */
function marked(config: string): Files {
  return {
    'app/middleware/mark.js': `module.exports = (options) => { globalThis.markOptions = options;
      return (ctx, next) => { ctx.set('marked', 'yes'); return next(); }; };`,
    'config/config.default.js': `exports.middleware = ['mark']; exports.mark = ${config};`,
  };
}

async function askerOf(t: TestContext, files: Files) {
  const ask = await serve(t, loadApp(t, files));
  return async (path: string) => (await ask(path)).headers['marked'] === 'yes';
}

/** Serves routes that are registered with `app` and `router`. */
async function routes(t: TestContext, code: string, files: Files = {}) {
  const app = loadApp(t, {
    'config/config.default.js': 'exports.security = { csrf: false };',
    'app/router.js': `module.exports = (app) => { const { router } = app; ${code} };`,
    ...files,
  });
  return { app, ask: await serve(t, app) };
}

test('core 7.44 match is a prefix of whole segments, whatever the case', async (t) => {
  const isMarked = await askerOf(t, marked('{ match: "/static" }'));
  for (const path of ['/static', '/static/a', '/STATIC']) assert.equal(await isMarked(path), true, path);
  for (const path of ['/staticfoo', '/a/static']) assert.equal(await isMarked(path), false, path);
});

test('core 7.45 empty lists, match with ignore, and other types', async (t) => {
  assert.equal(await (await askerOf(t, marked('{ match: [] }')))('/'), false);
  assert.equal(await (await askerOf(t, marked('{ ignore: [] }')))('/'), true);
  assert.throws(() => loadApp(t, marked('{ match: "/a", ignore: "/b" }')), /cannot both be given[\s\S]*config\.mark/);
  assert.throws(() => loadApp(t, marked('{ match: 1 }')), /pattern must be RegExp, Array or String, but got 1/);
});

test('core 7.46 enable: false calls the factory, and does not use what it made', async (t) => {
  const state = globalThis as { markOptions?: unknown };
  state.markOptions = undefined;
  assert.equal(await (await askerOf(t, marked('{ enable: false }')))('/'), false);
  assert.deepEqual(state.markOptions, { enable: false });
});

test('core 7.47 config of a middleware that is null or false becomes {}', async (t) => {
  const state = globalThis as { markOptions?: unknown };
  for (const config of ['null', 'false']) {
    state.markOptions = undefined;
    assert.equal(await (await askerOf(t, marked(config)))('/'), true);
    assert.deepEqual(state.markOptions, {});
  }
});

test('core 7.48 case counts, a trailing slash does not; HEAD comes with GET, nothing else does', async (t) => {
  const { ask } = await routes(t, 'router.get("/tail", async (ctx) => { ctx.body = "tail"; });');
  assert.equal((await ask('/TAIL')).status, 404);
  assert.equal((await ask('/tail/')).status, 200);
  assert.equal((await ask('/tail', { method: 'HEAD' })).status, 200);
  for (const method of ['OPTIONS', 'POST']) {
    const { status, headers } = await ask('/tail', { method });
    assert.equal(status, 404);
    assert.equal(headers.allow, undefined);
  }
});

test('core 7.49 resources: update by PUT and PATCH, and the URL of edit', async (t) => {
  const { app, ask } = await routes(t, 'router.resources("posts", "/api/posts/", app.controller.posts);', {
    'app/controller/posts.js':
      'exports.update = async (ctx) => { ctx.body = ctx.params.id; }; exports.edit = async () => {};',
  });
  for (const method of ['PUT', 'PATCH']) assert.equal((await ask('/api/posts/9', { method })).body, '9');
  assert.equal(app.url('edit_post', { id: 'a b/c' }), '/api/posts/a%20b%2Fc/edit');
});

test('core 7.50 url: unknown names, missing parameters, lists, and a RegExp', async (t) => {
  const code = 'const f = async () => {}; router.get("post", "/api/posts/:id", f); router.get("re", /^\\/re/, f);';
  const { app } = await routes(t, code);
  assert.equal(app.url('none'), '');
  assert.equal(app.url('post', {}), '/api/posts/:id');
  assert.equal(app.url('post', { id: 1, tag: ['a', 'b'] }), '/api/posts/1?tag=a&tag=b');
  assert.throws(() => app.url('re'), /RegExp/);
});

test('core 7.51 redirect by route name, 301 for every verb unless a status is given', async (t) => {
  const { ask } = await routes(
    t,
    `router.get("home", "/home", async () => {}); router.redirect("/old", "home"); router.redirect("/older", "/home", 302);`,
  );
  for (const method of ['GET', 'POST']) {
    const { status, headers } = await ask('/old', { method });
    assert.deepEqual([status, headers.location], [301, '/home']);
  }
  assert.equal((await ask('/older')).status, 302);
});

test('core 7.52 a parameter that cannot be decoded stays as it is', async (t) => {
  const { ask } = await routes(t, 'router.get("/User/:id", async (ctx) => { ctx.body = ctx.params.id; });');
  assert.equal((await ask('/User/%zz')).body, '%zz');
});

test('core 7.53 routes of one path run in order while they call next', async (t) => {
  const { ask } = await routes(
    t,
    `router.get("/", (ctx, next) => { ctx.body = "first"; return next(); });
     router.get("/", async (ctx) => { ctx.body += " second"; });`,
  );
  assert.equal((await ask('/')).body, 'first second');
});

test('core 7.54 an unknown controller stops the boot; an object in its place responds with 404', async (t) => {
  const home = { 'app/controller/home.js': 'exports.index = async () => {};' };
  await assert.rejects(routes(t, 'router.get("/", "home.nope");', home), /controller 'home\.nope' does not exist/);
  const { ask } = await routes(t, 'router.get("/", app.controller.home);', home);
  assert.equal((await ask('/')).status, 404);
});
