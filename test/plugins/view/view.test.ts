import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { type Files, loadApp, serve } from '../../support/loaded_app.js';

const QUIET = 'exports.keys = "k"; exports.logger = { consoleLevel: "NONE" };';
const ROUTES = `module.exports = (app) => {
  app.get('/render', (ctx) => ctx.render(ctx.query.name, { who: ctx.query.who }, ctx.query.engine ? { viewEngine: ctx.query.engine } : undefined));
  app.get('/view', async (ctx) => { ctx.locals = { who: 'of the request' }; ctx.body = { html: await ctx.renderView('hello') }; });
  app.get('/string', async (ctx) => {
    ctx.body = { text: await ctx.renderString(ctx.query.t, { who: ctx.query.who }, ctx.query.engine ? { viewEngine: ctx.query.engine } : {}) };
  });
};`;
const FILES: Files = {
  'app/router.js': ROUTES,
  'app/view/hello.html': '<p>Hello <%= it.who %></p>',
  'app/view/page.html': `<% layout('layouts/main') %><h1><%= it.who %></h1><%~ include('./parts/foot', { n: 7 }) %>`,
  'app/view/layouts/main.html': '<main><%~ it.body %></main>',
  'app/view/parts/foot.html': '<i><%= it.n %></i>',
  'app/view/out.html': `<%~ include('../../secret') %>`,
  'app/view/absolute.html': `<%~ include('/etc/hostname') %>`,
  'app/view/async.html': '<%= await Promise.resolve(it.helper.pathFor("x") + it.ctx.path + it.request.method) %>',
  'app/view/wrong.html': '<%= it.none.x %>',
  'secret.html': 'secret',
};

const start = async (t: TestContext, config = '', more: Files = {}) => {
  const app = loadApp(t, { ...FILES, 'config/config.default.js': `${QUIET} ${config}`, ...more });
  return { app, ask: await serve(t, app) };
};

test('ctx.render answers with a template of app/view; values are escaped', async (t) => {
  const { ask } = await start(t);
  for (const name of ['hello', 'hello.html']) {
    const { body, headers } = await ask(`/render?name=${name}&who=%3Cb%3E`);
    assert.equal(body, '<p>Hello &lt;b&gt;</p>');
    assert.equal(headers['content-type'], 'text/html; charset=utf-8');
  }
});

test('templates have layouts and parts, ctx, request and helper, and may wait', async (t) => {
  const { ask } = await start(t);
  assert.equal((await ask('/render?name=page&who=Ada')).body, '<main><h1>Ada</h1><i>7</i></main>');
  assert.equal((await ask('/render?name=async')).body, '/renderGET');
});

test('renderView gives the text, renderString takes the template; locals come from app, ctx and call', async (t) => {
  const { app, ask } = await start(t);
  assert.deepEqual(JSON.parse((await ask('/view')).body), { html: '<p>Hello of the request</p>' });
  app.locals = { shop: 'Eggs' };
  const template = encodeURIComponent('<%= it.shop %> for <%= it.who %>');
  assert.deepEqual(JSON.parse((await ask(`/string?t=${template}&who=Bo`)).body), { text: 'Eggs for Bo' });
});

const MISSING = [
  'none',
  '../secret',
  '../../package.json',
  '/etc/passwd',
  '..%2f..%2fsecret',
  'layouts',
  'a%00b',
  '',
  '__proto__',
];
for (const name of MISSING) {
  test(`the name ${JSON.stringify(name)} finds no template`, async (t) => {
    const { ask } = await start(t);
    const { status, body } = await ask(`/render?name=${name}`);
    assert.equal(status, 500);
    assert.match(body, /Can&#39;t find|Can't find/);
    assert.doesNotMatch(body, />secret/);
  });
}

test('a template includes nothing from outside', async (t) => {
  const { ask } = await start(t);
  for (const name of ['out', 'absolute']) {
    const { status, body } = await ask(`/render?name=${name}`);
    assert.equal(status, 500);
    assert.match(body, /find/);
    assert.doesNotMatch(body, />secret/);
  }
});

test('an error in a template names it', async (t) => {
  const { ask } = await start(t);
  assert.match((await ask('/render?name=wrong')).body, /undefined/);
});

test('several roots: the first that has the template; root is told to engines', async (t) => {
  const { ask } = await start(t, `exports.view = { root: __dirname + '/../app/view, ' + __dirname + '/../more' };`, {
    'more/hello.html': 'of more',
    'more/only.html': 'only here',
  });
  assert.match((await ask('/render?name=hello')).body, /Hello/);
  assert.equal((await ask('/render?name=only')).body, 'only here');
});

test('with cache a template stays as it was; without, a change is seen at once', async (t) => {
  for (const cache of [true, false]) {
    const { app, ask } = await start(t, `exports.view = { cache: ${cache} };`);
    await ask('/render?name=hello');
    writeFileSync(path.join(app.baseDir, 'app/view/hello.html'), 'changed');
    assert.equal((await ask('/render?name=hello')).body, cache ? '<p>Hello undefined</p>' : 'changed');
  }
});

const ENGINES = `
  const engine = (name) => class {
    constructor(ctx) { this.path = ctx.path; }
    render(file, locals, { name: given, root, locals: own, ...more }) {
      return JSON.stringify([name, this.path, require('node:path').relative(root, file), given, own, Object.keys(locals), more]);
    }
    *renderString(template, locals) { return yield Promise.resolve(name + ' ' + template + ' ' + locals.who); }
  };
  module.exports = (app) => { app.view.use('one', engine('one')); app.view.use('two', engine('two')); };`;

test('plugins register engines; mapping, viewEngine and defaultViewEngine choose one', async (t) => {
  const config = `exports.view = { mapping: { '.one': 'one', two: 'two' }, defaultViewEngine: 'two' };`;
  const { ask } = await start(t, config, {
    'app.js': ENGINES,
    'app/view/x.one': '',
    'app/view/y.two': '',
    'app/view/z.any': '',
  });
  const of = async (query: string) => JSON.parse((await ask(`/render?${query}`)).body);
  assert.deepEqual(await of('name=x.one&who=Ada'), [
    'one',
    '/render',
    'x.one',
    'x.one',
    { who: 'Ada' },
    ['ctx', 'request', 'helper', 'gettext', '__', 'who'],
    {},
  ]);
  assert.equal((await of('name=y.two'))[0], 'two');
  assert.equal((await of('name=z.any'))[0], 'two');
  assert.deepEqual((await of('name=x.one&engine=two')).at(-1), { viewEngine: 'two' });
  assert.equal(JSON.parse((await ask('/string?t=hi&who=Bo')).body).text, 'two hi Bo');
  assert.equal(JSON.parse((await ask('/string?t=hi&who=Bo&engine=one')).body).text, 'one hi Bo');
});

test('a template without an engine, and an unknown engine, are errors that name what there is', async (t) => {
  const { ask } = await start(t, '', { 'app.js': ENGINES });
  assert.match((await ask('/render?name=hello')).body, /find viewEngine for [\s\S]*registered: one, two, eta/);
  assert.match(
    (await ask('/render?name=hello&engine=nope')).body,
    /find ViewEngine &quot;nope&quot;|find ViewEngine "nope"/,
  );
  assert.match((await ask('/render?name=hello&engine=eta&who=x')).body, /Hello x/);
});

test('what is no engine, or registered twice, is refused', (t) => {
  const { view } = loadApp(t, { 'config/config.default.js': QUIET });
  const Engine = class {
    render() {
      return '';
    }
    renderString() {
      return '';
    }
  };
  view.use('one', Engine);
  assert.throws(() => view.use('one', Engine), /one has been registered/);
  assert.throws(() => view.use('', Engine), /name is required/);
  assert.throws(
    () =>
      view.use(
        'two',
        class {
          render() {}
        } as never,
      ),
    /should implement `renderString`/,
  );
});

test('app.view.resolve gives the file of a template', async (t) => {
  const { app } = await start(t);
  assert.equal(await app.view.resolve('hello'), path.join(app.baseDir, 'app/view/hello.html'));
  await assert.rejects(app.view.resolve('none'), /Can't find none from/);
});
