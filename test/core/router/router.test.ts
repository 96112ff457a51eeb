import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { type Files, loadApp, serve } from '../../support/loaded_app.js';

const router = (body: string): Files => ({ 'app/router.js': `module.exports = (app) => { ${body} };` });
const withoutCsrf: Files = { 'config/config.unittest.js': 'exports.security = { csrf: false };' };
const start = (t: TestContext, files: Files) => serve(t, loadApp(t, { ...withoutCsrf, ...files }));

/** An app with a middleware `mark` that sets x-mark, with the given options. */
const marked = (options: string): Files => ({
  'app/middleware/mark.js': `global.factories = (global.factories || 0) + 1;
    module.exports = (options) => { global.options = options; return async (ctx, next) => { await next(); ctx.set('x-mark', '1'); }; };`,
  'config/config.default.js': `exports.middleware = ['mark']; exports.mark = ${options};`,
  ...router("app.get('/(.*)', async (ctx) => { ctx.body = 'ok'; });"),
});

const MATCHES: [options: string, hits: string[], misses: string[]][] = [
  ['{ match: "/static" }', ['/static', '/static/a', '/STATIC', '/static/'], ['/staticfoo', '/a/static', '/']],
  ['{ ignore: "/static" }', ['/staticfoo', '/'], ['/static', '/static/a']],
  ['{ match: /^\\/api/ }', ['/api', '/apix'], ['/x/api']],
  ['{ match: /a/g }', ['/a', '/a'], ['/b']],
  ['{ match: (ctx) => ctx.query.x === "1" }', ['/?x=1'], ['/?x=2', '/']],
  ['{ match: ["/a", /b$/] }', ['/a', '/xb'], ['/c']],
  ['{ match: [] }', [], ['/', '/a']],
  ['{ ignore: [] }', ['/', '/a'], []],
  ['{ match: "/user/:id" }', ['/user/1', '/user/1/x'], ['/user']],
  ['{ match: "" }', ['/'], []],
  ['{ enable: false }', [], ['/']],
  ['null', ['/'], []],
];
for (const [options, hits, misses] of MATCHES) {
  test(`a middleware with ${options} runs where it should`, async (t) => {
    const ask = await start(t, marked(options));
    for (const path of hits) assert.equal((await ask(path)).headers['x-mark'], '1', path);
    for (const path of misses) assert.equal((await ask(path)).headers['x-mark'], undefined, path);
  });
}

const WRONG: [what: string, files: Files, message: RegExp][] = [
  [
    'match and ignore together',
    marked('{ match: "/a", ignore: "/b" }'),
    /options\.match and options\.ignore cannot both be given[\s\S]*config\.mark/,
  ],
  ['match of a wrong type', marked('{ match: 1 }'), /match\/ignore pattern must be RegExp, Array or String/],
  [
    'a name without a file',
    { 'config/config.default.js': 'exports.middleware = ["nope"];' },
    /Middleware nope not found[\s\S]*app\/middleware\/nope/,
  ],
  [
    'a name listed twice',
    { ...marked('{}'), 'config/config.unittest.js': 'exports.middleware = ["mark", "mark"];' },
    /Middleware mark redefined/,
  ],
  [
    'a core name in middleware',
    { 'config/config.default.js': 'exports.middleware = ["notfound"];' },
    /Middleware notfound redefined/,
  ],
  [
    'an async factory',
    { ...marked('{}'), 'app/middleware/mark.js': 'module.exports = async () => () => {};' },
    /Middleware mark must be a function, but actual is a promise/,
  ],
];
for (const [what, files, message] of WRONG) {
  test(`${what} is refused`, (t) => {
    assert.throws(() => loadApp(t, files), { code: 'ERR_CLUTCH_MIDDLEWARE', message });
  });
}

test('loaded middleware is reached as app.middleware.<name> and app.middlewares.<name>', (t) => {
  const app = loadApp(t, marked('{}')) as unknown as { middleware: { mark: unknown }; middlewares: { mark: unknown } };
  assert.equal(app.middleware.mark, app.middlewares.mark);
});

test('routes are case-sensitive, take a trailing slash and answer HEAD for GET', async (t) => {
  const ask = await start(t, router("app.get('/tail', async (ctx) => { ctx.body = 'ok'; });"));
  assert.equal((await ask('/TAIL')).status, 404);
  assert.equal((await ask('/tail/')).status, 200);
  assert.equal((await ask('/tail', { method: 'HEAD' })).status, 200);
  for (const method of ['OPTIONS', 'POST']) {
    const answer = await ask('/tail', { method });
    assert.equal(answer.status, 404);
    assert.equal(answer.headers.allow, undefined);
  }
});

const PATTERNS: [pattern: string, path: string, params: object | null][] = [
  ['/user/:id', '/user/5', { id: '5' }],
  ['/user/:id', '/user/%zz', { id: '%zz' }],
  ['/user/:id', '/user/a%20b', { id: 'a b' }],
  ['/user/:id(\\\\d+)', '/user/5', { id: '5' }],
  ['/user/:id(\\\\d+)', '/user/x', null],
  ['/user/:id?', '/user', {}],
  ['/files/(.*)', '/files/a/b', { 0: 'a/b' }],
  ['/files/*', '/files/a/b', { 0: 'a/b' }],
  ['/v{/:id}', '/v', {}],
  ['/w/*rest', '/w/a/b', { rest: 'a/b' }],
];
for (const [pattern, path, params] of PATTERNS) {
  test(`route ${pattern} ${params ? 'matches' : 'does not match'} ${path}`, async (t) => {
    const ask = await start(t, router(`app.get('${pattern}', async (ctx) => { ctx.body = { ...ctx.params }; });`));
    const answer = await ask(path);
    if (params) assert.deepEqual(JSON.parse(answer.body), params);
    else assert.equal(answer.status, 404);
  });
}

test('several handlers of one path run in order', async (t) => {
  const ask = await start(
    t,
    router(`app.get('/a', async (ctx, next) => { ctx.body = [1]; await next(); });
      app.get('/a', async (ctx) => { ctx.body.push(2); });
      app.get('/b', async (ctx, next) => { ctx.seen = 'mw'; await next(); }, async (ctx) => { ctx.body = ctx.seen; });`),
  );
  assert.equal((await ask('/a')).body, '[1,2]');
  assert.equal((await ask('/b')).body, 'mw');
});

test('an array of paths, a RegExp and a named route', async (t) => {
  const app = loadApp(
    t,
    router(`app.get(['/x', '/y'], async (ctx) => { ctx.body = 'xy'; });
      app.get(/^\\/r(\\d+)$/, async (ctx) => { ctx.body = ctx.params[0] ?? ctx.captures[0]; });
      app.get('named', '/n/:a', async (ctx) => { ctx.body = ctx.routerName; });`),
  );
  const ask = await serve(t, app);
  assert.equal((await ask('/x')).body, 'xy');
  assert.equal((await ask('/y')).body, 'xy');
  assert.equal((await ask('/r12')).body, '12');
  assert.equal((await ask('/n/1')).body, 'named');
  assert.equal(app.url('named', { a: 'a b/c', q: [1, 2] }), '/n/a%20b%2Fc?q=1&q=2');
});

const POSTS: Files = {
  'app/controller/posts.js': `for (const action of ['index', 'new', 'create', 'show', 'edit', 'update', 'destroy'])
    exports[action] = async (ctx) => { ctx.body = [action, ctx.params.id, ctx.method]; };`,
  ...router(
    "app.resources('posts', '/api/posts/', app.controller.posts); app.resources('people', '/people', 'people');",
  ),
  'app/controller/people.js': 'exports.show = async (ctx) => { ctx.body = ctx.routerName; };',
};

test('resources registers the REST routes of the actions that exist', async (t) => {
  const app = loadApp(t, { ...withoutCsrf, ...POSTS });
  const ask = await serve(t, app);
  const expect: [method: string, path: string, action: string, id?: string][] = [
    ['GET', '/api/posts', 'index'],
    ['GET', '/api/posts/new', 'new'],
    ['POST', '/api/posts', 'create'],
    ['GET', '/api/posts/9', 'show', '9'],
    ['GET', '/api/posts/9/edit', 'edit', '9'],
    ['PUT', '/api/posts/9', 'update', '9'],
    ['PATCH', '/api/posts/9', 'update', '9'],
    ['DELETE', '/api/posts/9', 'destroy', '9'],
  ];
  for (const [method, path, action, id] of expect) {
    assert.deepEqual(JSON.parse((await ask(path, { method })).body), [action, id ?? null, method], `${method} ${path}`);
  }
  assert.equal((await ask('/people/1')).body, 'person');
  assert.equal((await ask('/people')).status, 404);
});

test('url builds paths of named routes', (t) => {
  const app = loadApp(t, POSTS);
  assert.equal(app.url('edit_post', { id: 'a b/c' }), '/api/posts/a%20b%2Fc/edit');
  assert.equal(app.url('posts'), '/api/posts');
  assert.equal(app.url('post', {}), '/api/posts/:id');
  assert.equal(app.url('none'), '');
  app.router.get('regex', /x/, async () => undefined);
  assert.throws(() => app.url('regex'), { code: 'ERR_CLUTCH_OPTION' });
});

test('redirect takes paths and route names, 301 unless said otherwise', async (t) => {
  const ask = await start(
    t,
    router(`app.get('home', '/home', async (ctx) => { ctx.body = 'home'; });
      app.redirect('/', 'home'); app.redirect('/old', '/home', 302);`),
  );
  for (const method of ['GET', 'POST']) {
    const answer = await ask('/', { method });
    assert.equal(answer.status, 301);
    assert.equal(answer.headers.location, '/home');
  }
  assert.equal((await ask('/old')).status, 302);
});

test('a controller that does not exist is refused with those that do', (t) => {
  const files = {
    'app/controller/home.js': 'exports.index = async () => {};',
    ...router("app.get('/', 'home.nope');"),
  };
  assert.throws(() => loadApp(t, files), {
    code: 'ERR_CLUTCH_CONTROLLER',
    message: /controller 'home\.nope' does not exist[\s\S]*app\/router\.js[\s\S]*home\.index/,
  });
});

test('an undefined controller is refused', (t) => {
  assert.throws(() => loadApp(t, router("app.get('/', app.controller.nope);")), {
    message: /the route has no controller/,
  });
  for (const args of ["'/posts', app.controller.nope", "'posts', '/posts', undefined", "'/posts'"]) {
    assert.throws(
      () => loadApp(t, router(`app.resources(${args});`)),
      { message: /the route has no controller/ },
      args,
    );
  }
});

const CLASS: Files = {
  'app/controller/home.js': `const { Controller } = require('egg');
    class Base extends Controller { async inherited() { this.ctx.body = 'base'; } async overridden() { this.ctx.body = 'base'; } }
    let made = 0;
    module.exports = class Home extends Base {
      constructor(ctx) { super(ctx); made++; }
      static util() {} get accessor() { return 1; }
      async overridden() { this.ctx.body = 'own'; }
      async made(...args) { this.ctx.body = [made, args.length, args[0] === this.ctx]; }
      async value() { return 'ignored'; }
    };`,
  ...router("for (const name of ['inherited', 'overridden', 'made', 'value']) app.get('/' + name, 'home.' + name);"),
};

test('a controller class gives its methods, inherited ones too, and is made per call', async (t) => {
  const app = loadApp(t, CLASS) as ReturnType<typeof loadApp> & { controller: { home: object } };
  assert.deepEqual(Object.keys(app.controller.home).sort(), ['inherited', 'made', 'overridden', 'value']);
  const ask = await serve(t, app);
  assert.equal((await ask('/inherited')).body, 'base');
  assert.equal((await ask('/overridden')).body, 'own');
  assert.equal((await ask('/value')).status, 404);
  const [before, count, isCtx] = JSON.parse((await ask('/made')).body);
  assert.deepEqual([count, isCtx], [1, true]);
  assert.equal(JSON.parse((await ask('/made')).body)[0], before + 1);
});

test('supportParams passes all arguments on', async (t) => {
  const ask = await start(t, { ...CLASS, 'config/config.default.js': 'exports.controller = { supportParams: true };' });
  assert.equal(JSON.parse((await ask('/made')).body)[1], 2);
});

test('an object controller runs with this = ctx, nested too; a function export is called with app', async (t) => {
  const ask = await start(t, {
    'app/controller/o.js':
      'exports.index = async function () { this.body = 1; }; exports.deep = { a: async (ctx) => { ctx.body = 2; } };',
    'app/controller/f.js': 'module.exports = (app) => ({ async index(ctx) { ctx.body = app.name; } });',
    ...router("app.get('/o', 'o.index'); app.get('/d', 'o.deep.a'); app.get('/f', 'f.index');"),
  });
  assert.equal((await ask('/o')).body, '1');
  assert.equal((await ask('/d')).body, '2');
  assert.equal((await ask('/f')).body, 'demo');
});

test('a controller method that takes next is refused', (t) => {
  assert.throws(() => loadApp(t, { 'app/controller/a.js': 'exports.index = function (next) {};' }), {
    code: 'ERR_CLUTCH_CONTROLLER',
    message: /should not use next as argument/,
  });
});

test('an async router function is refused', (t) => {
  assert.throws(() => loadApp(t, { 'app/router.js': 'module.exports = async () => {};' }), {
    message: /app\/router exports an async function/,
  });
});

test('app.use in router.js and didLoad comes before the router', async (t) => {
  const ask = await start(t, {
    ...router(
      "app.use(async (ctx, next) => { ctx.seen = ['use']; await next(); }); app.get('/', async (ctx) => { ctx.body = ctx.seen; });",
    ),
    'app.js': `module.exports = class { constructor(app) { this.app = app; }
      async didLoad() { this.app.use(async (ctx, next) => { ctx.seen.push('didLoad'); await next(); }); } };`,
  });
  assert.equal((await ask('/')).body, '["use","didLoad"]');
});
