import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { Readable } from 'node:stream';
import { type TestContext, test } from 'node:test';
import { until } from '../support/apps.js';
import { type Files, loadApp, serve } from '../support/loaded_app.js';

/** What reads the context lies in a module that the loader never sees. */
const HELPER = 'exports.path = (app) => app.currentContext?.path;';

async function ask(t: TestContext, files: Files, path = '/first') {
  const app = loadApp(t, {
    'lib/where.js': HELPER,
    'config/config.default.js':
      'exports.keys = "k"; exports.logger = { consoleLevel: "NONE" }; exports.security = { csrf: false };',
    ...files,
  });
  return { app, answer: await (await serve(t, app))(path, { method: 'POST', body: 'a body' }) };
}

function router(handler: string): Files {
  return {
    'app/router.js': `const where = require('../lib/where');
      const { Readable } = require('stream');
      module.exports = (app) => { app.seen = []; app.post('/:any', async (ctx) => { ${handler} }); };`,
  };
}

const PLACES: [place: string, handler: string][] = [
  ['the handler', 'ctx.body = where.path(app);'],
  ['an awaited timer', 'await new Promise((resolve) => setTimeout(resolve, 5)); ctx.body = where.path(app);'],
  [
    'the callback of a timer',
    'await new Promise((resolve) => setTimeout(() => resolve((ctx.body = where.path(app))), 5));',
  ],
  ['a loop over the request', 'for await (const chunk of ctx.req) ctx.body = where.path(app);'],
  [
    'the source of a stream',
    'ctx.body = Readable.from((async function* () { await null; yield where.path(app); })());',
  ],
];

for (const [place, handler] of PLACES) {
  test(`the first request is app.currentContext in a helper module: ${place}`, async (t) => {
    const { answer } = await ask(t, router(handler));
    assert.equal(answer.body, '/first');
  });
}

test('it is app.currentContext in what goes on after the response', async (t) => {
  const { app } = await ask(t, router("setTimeout(() => app.emit('late', where.path(app)), 20); ctx.body = '';"));
  assert.deepEqual(await once(app, 'late'), ['/first']);
});

/** Keeps what a listener for `error` sees, and holds a stream that was made outside of any request. */
const LISTENER: Files = {
  'app.js': `const { Readable } = require('stream');
    module.exports = class {
      constructor(app) { this.app = app; }
      async didLoad() {
        this.app.outside = new Readable({ read() {} });
        this.app.on('error', () => { this.app.seen.push(this.app.currentContext?.path); });
      }
    };`,
};

test('in a listener for error, the request that failed is app.currentContext', async (t) => {
  const { app } = await ask(t, { ...router("throw new Error('no');"), ...LISTENER });
  assert.deepEqual((app as unknown as { seen: unknown[] }).seen, ['/first']);
});

test('so it is when a stream fails that lives outside of the request', async (t) => {
  const app = loadApp(t, {
    'lib/where.js': HELPER,
    'config/config.default.js':
      'exports.keys = "k"; exports.logger = { consoleLevel: "NONE" }; exports.security = { csrf: false };',
    ...router('ctx.body = app.outside; app.outside.push("begun");'),
    ...LISTENER,
  }) as unknown as ReturnType<typeof loadApp> & { seen: unknown[]; outside: Readable };
  const request = await serve(t, app);
  const answer = request('/first', { method: 'POST' }).catch(() => undefined);
  await until('the stream is read', () => app.outside.readableFlowing);
  app.outside.destroy(new Error('no'));
  await answer;
  assert.ok(app.seen.length > 0 && app.seen.every((path) => path === '/first'), String(app.seen));
});

test('with asyncContext: false there is no app.currentContext', async (t) => {
  const { answer } = await ask(t, {
    ...router('ctx.body = { path: where.path(app) };'),
    'config/config.default.js': 'exports.keys = "k"; exports.asyncContext = false; exports.security = { csrf: false };',
  });
  assert.equal(answer.body, '{}');
});

test('two requests at a time do not see each other', async (t) => {
  const app = loadApp(t, {
    'lib/where.js': HELPER,
    ...router('await new Promise((resolve) => setTimeout(resolve, 5)); ctx.body = where.path(app);'),
    'config/config.unittest.js': 'exports.security = { csrf: false };',
  });
  const request = await serve(t, app);
  const paths = Array.from({ length: 20 }, (_, index) => `/${index}`);
  const answers = await Promise.all(paths.map((path) => request(path, { method: 'POST' })));
  assert.deepEqual(
    answers.map(({ body }) => body),
    paths,
  );
});
