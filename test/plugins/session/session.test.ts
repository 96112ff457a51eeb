import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { until } from '../../support/apps.js';
import { browser, cookiesOf } from '../../support/client.js';
import { type Files, loadApp, serve } from '../../support/loaded_app.js';

const ROUTES = `module.exports = (app) => {
  app.get('/bare', (ctx) => { ctx.body = { a: 1 }; });
  app.get('/get', (ctx) => {
    const { isNew, length, populated, maxAge } = ctx.session;
    ctx.body = { values: ctx.session, isNew, length, populated, maxAge, id: ctx.sessionId };
  });
  app.get('/set', (ctx) => { Object.assign(ctx.session, JSON.parse(ctx.query.v)); ctx.body = 'ok'; });
  app.get('/assign', (ctx) => { ctx.session = JSON.parse(ctx.query.v); ctx.body = 'ok'; });
  app.get('/save', (ctx) => { ctx.session.save(); ctx.body = 'ok'; });
  app.get('/age', (ctx) => { ctx.session.maxAge = JSON.parse(ctx.query.v); ctx.session.x = 1; ctx.body = 'ok'; });
  app.get('/login', async (ctx) => { ctx.session.user = 'ada'; await ctx.session.regenerate(); ctx.body = 'ok'; });
  app.get('/throw', (ctx) => { ctx.session.seen = true; ctx.throw(400, 'no'); });
  app.get('/flash', (ctx) => { ctx.flash(ctx.query.type, ctx.query.v); ctx.body = 'ok'; });
  app.get('/messages', (ctx) => { ctx.body = ctx.query.type ? ctx.flash(ctx.query.type) : ctx.flash(); });
  app.get('/options', (ctx) => { ctx.body = { key: ctx.sessionOptions.key }; });
};`;
const QUIET = 'exports.keys = "k1,k2"; exports.logger = { consoleLevel: "NONE" };';

const filesOf = (session: object): Files => ({
  'app/router.js': ROUTES,
  'config/config.default.js': `${QUIET} exports.session = ${JSON.stringify(session)}; exports.security = { csrf: false };`,
});
const start = async (t: TestContext, session: object = {}, more: Files = {}) => {
  const app = loadApp(t, { ...filesOf(session), ...more });
  return { app, ask: await serve(t, app) };
};
const v = (value: unknown): string => `?v=${encodeURIComponent(JSON.stringify(value))}`;

test('a session lives in one encrypted cookie, and comes back with it', async (t) => {
  const { ask } = await start(t);
  const answer = await ask(`/set${v({ user: 'ada' })}`);
  const [line] = answer.headers['set-cookie'] as string[];
  assert.match(line as string, /^EGG_SESS=v1\.[\w-]+; path=\/; max-age=86400; expires=.*; httponly$/i);
  assert.doesNotMatch(Buffer.from(cookiesOf(answer)['EGG_SESS'] as string, 'base64').toString(), /user|ada/);
  const { body } = await ask('/get', { headers: { cookie: `EGG_SESS=${cookiesOf(answer)['EGG_SESS']}` } });
  assert.deepEqual(JSON.parse(body), {
    values: { user: 'ada' },
    isNew: false,
    length: 1,
    populated: true,
    maxAge: 86_400_000,
  });
});

test('a request that uses no session, or leaves it empty or as it was, sends no cookie', async (t) => {
  const { ask: plain } = await start(t);
  const { ask } = browser(plain);
  for (const path of ['/bare', '/get']) assert.equal((await ask(path)).headers['set-cookie'], undefined, path);
  await ask(`/set${v({ a: 1 })}`);
  for (const path of ['/bare', '/get', `/set${v({ a: 1 })}`]) {
    assert.equal((await ask(path)).headers['set-cookie'], undefined, path);
  }
});

test('null removes the session, an object replaces it, anything else is an error', async (t) => {
  const { ask: plain } = await start(t);
  const { ask, jar } = browser(plain);
  await ask(`/set${v({ a: 1, b: 2 })}`);
  await ask(`/assign${v({ z: 1 })}`);
  assert.deepEqual(JSON.parse((await ask('/get')).body).values, { z: 1 });
  assert.equal((await ask(`/assign${v('text')}`)).status, 500);
  await ask(`/assign${v(null)}`);
  assert.deepEqual(jar, {});
  assert.equal(JSON.parse((await ask('/get')).body).isNew, true);
});

test('ctx.session.maxAge lasts, in milliseconds or as long as the browser runs', async (t) => {
  const { ask: plain } = await start(t);
  const { ask } = browser(plain);
  const [short] = (await ask(`/age${v(5000)}`)).headers['set-cookie'] as string[];
  assert.match(short as string, /max-age=5;/);
  assert.equal(JSON.parse((await ask('/get')).body).maxAge, 5000);
  const [whole] = (await ask(`/age${v('session')}`)).headers['set-cookie'] as string[];
  assert.doesNotMatch(whole as string, /max-age|expires/);
  assert.equal(JSON.parse((await ask('/get')).body).maxAge, 'session');
});

test('an expired session is a new one, and the app hears of it', async (t) => {
  const { app, ask: plain } = await start(t, { maxAge: 1 });
  const expired = new Promise<{ value: { a: number } }>((resolve) => app.once('session:expired', resolve));
  const { ask } = browser(plain);
  await ask(`/set${v({ a: 1 })}`);
  await until('it has expired', async () => JSON.parse((await ask('/get')).body).isNew === true);
  assert.equal((await expired).value.a, 1);
});

test('rolling sends the cookie of every request that uses it, renew from half its age on', async (t) => {
  const rolling = browser((await start(t, { rolling: true })).ask);
  await rolling.ask(`/set${v({ a: 1 })}`);
  assert.ok((await rolling.ask('/get')).headers['set-cookie']);
  assert.equal((await rolling.ask('/bare')).headers['set-cookie'], undefined);

  const { ask } = browser((await start(t, { renew: true, maxAge: 1000 })).ask);
  const begin = Date.now();
  await ask(`/set${v({ a: 1 })}`);
  const renewed = await until('it is renewed', async () => {
    const answer = await ask('/get');
    return answer.headers['set-cookie'] && answer;
  });
  assert.ok(Date.now() - begin >= 500);
  assert.equal(JSON.parse(renewed.body).isNew, false);
});

test('encrypt: false signs the cookie instead; a changed one is a new session', async (t) => {
  const { ask: plain } = await start(t, { encrypt: false, sameSite: 'lax', maxAge: 'session' });
  const { ask, jar } = browser(plain);
  await ask(`/set${v({ a: 1 })}`);
  assert.equal(Buffer.from(jar['EGG_SESS'] as string, 'base64').toString(), '{"a":1,"_session":true}');
  const forged = Buffer.from('{"a":2,"_session":true}').toString('base64');
  const answer = await plain('/get', {
    headers: { cookie: `EGG_SESS=${forged}; EGG_SESS.sig=${jar['EGG_SESS.sig']}` },
  });
  assert.equal(JSON.parse(answer.body).isNew, true);
});

const UNSIGNED = { encrypt: false, signed: false };
const HOSTILE: [what: string, text: string][] = [
  ['nothing that is JSON', '%%%'],
  ['a list', '[1,2]'],
  ['a number', '7'],
  ['null', 'null'],
  ['an own __proto__', '{"__proto__":{"isAdmin":true},"a":1}'],
  ['names of methods', '{"save":1,"toJSON":2,"maxAge":"x","constructor":3}'],
  ['an age that is no number', '{"a":1,"_maxAge":{},"_expire":"x"}'],
  ['very much', JSON.stringify({ a: 'x'.repeat(10_000) })],
];
for (const [what, text] of HOSTILE) {
  test(`a cookie that holds ${what} is no error`, async (t) => {
    const { ask } = await start(t, UNSIGNED);
    const headers = { cookie: `EGG_SESS=${Buffer.from(text).toString('base64')}` };
    const answer = await ask('/get', { headers });
    assert.equal(answer.status, 200, answer.body);
    assert.equal(({} as { isAdmin?: boolean }).isAdmin, undefined);
    assert.equal((await ask(`/set${v({ c: 1 })}`, { headers })).status, 200);
  });
}

test('a session that was saved before an error is kept', async (t) => {
  const { app, ask } = await start(t);
  const store = new Map<string, unknown>();
  app.sessionStore = storeOf(store);
  assert.equal((await ask('/throw')).status, 400);
  assert.deepEqual(
    [...store.values()].map((value) => (value as { seen: boolean }).seen),
    [true],
  );
});

function storeOf(kept: Map<string, unknown>) {
  return {
    get: async (key: string) => kept.get(key),
    set: async (key: string, value: object) => void kept.set(key, structuredClone(value)),
    destroy: async (key: string) => void kept.delete(key),
  };
}

test('app.sessionStore keeps sessions by a key that the cookie holds, encrypted', async (t) => {
  const { app, ask: plain } = await start(t);
  const kept = new Map<string, unknown>();
  app.sessionStore = storeOf(kept);
  const { ask } = browser(plain);
  await ask(`/set${v({ a: 1 })}`);
  const [[id, value] = []] = [...kept] as [string, { a: number; _maxAge: number }][];
  assert.match(id as string, /^[0-9a-f-]{36}$/);
  assert.equal(value?.a, 1);
  assert.equal(value?._maxAge, 86_400_000);
  assert.equal(JSON.parse((await ask('/get')).body).id, id);

  await ask('/login');
  assert.equal(kept.size, 1, 'the session has another key from the login on, and the old one is gone');
  assert.ok(!kept.has(id as string));
  await ask(`/assign${v(null)}`);
  assert.equal(kept.size, 0);
});

test('the store is asked only for requests with the cookie; one that it does not know is a new session', async (t) => {
  const { app, ask: plain } = await start(t);
  const kept = new Map<string, unknown>();
  let asked = 0;
  app.sessionStore = {
    ...storeOf(kept),
    get: async (key: string) => {
      asked += 1;
      return kept.get(key);
    },
  };
  const missed = new Promise((resolve) => app.once('session:missed', resolve));
  await plain('/bare');
  assert.equal(asked, 0);
  const { ask } = browser(plain);
  await ask(`/set${v({ a: 1 })}`);
  kept.clear();
  assert.equal(JSON.parse((await ask('/get')).body).isNew, true);
  assert.equal(asked, 1);
  await missed;
});

test('a store may have generator functions, as in Egg 3', async (t) => {
  const { app, ask: plain } = await start(t);
  const kept = new Map<string, unknown>();
  app.sessionStore = class {
    *get(key: string): Generator<unknown, unknown, unknown> {
      return yield Promise.resolve(kept.get(key));
    }
    *set(key: string, value: object): Generator<unknown, void, unknown> {
      kept.set(key, yield Promise.resolve(structuredClone(value)));
    }
    *destroy(key: string) {
      yield Promise.resolve(kept.delete(key));
    }
  } as never;
  const { ask } = browser(plain);
  await ask(`/set${v({ a: 1 })}`);
  assert.equal(kept.size, 1);
  assert.equal(JSON.parse((await ask('/get')).body).values.a, 1);
  await ask(`/assign${v(null)}`);
  assert.equal(kept.size, 0);
});

test('a store may be a class; one that lacks a method is refused by name', async (t) => {
  const { app, ask: plain } = await start(t);
  app.sessionStore = class {
    static kept = new Map<string, unknown>();
    async get(key: string) {
      return (this.constructor as unknown as { kept: Map<string, unknown> }).kept.get(key);
    }
    async set(key: string, value: unknown) {
      (this.constructor as unknown as { kept: Map<string, unknown> }).kept.set(key, value);
    }
    async destroy() {}
  };
  const { ask } = browser(plain);
  await ask(`/set${v({ a: 1 })}`);
  assert.equal(JSON.parse((await ask('/get')).body).values.a, 1);
  assert.throws(() => {
    app.sessionStore = { get() {}, set() {} } as never;
  }, /app\.sessionStore\.destroy is not a function/);
  app.sessionStore = null;
  assert.equal(app.sessionStore, undefined);
});

test('a store that fails is a 500, and the next request is served', async (t) => {
  const { app, ask: plain } = await start(t);
  const kept = new Map<string, unknown>();
  app.sessionStore = storeOf(kept);
  const { ask } = browser(plain);
  await ask(`/set${v({ a: 1 })}`);
  app.sessionStore = { ...storeOf(kept), get: () => Promise.reject(new Error('down')) };
  assert.equal((await ask('/get')).status, 500);
  assert.equal((await plain('/get')).status, 200);
});

test('ctx.sessionId is the key in the store once the session is saved', async (t) => {
  const { app, ask: plain } = await start(
    t,
    {},
    {
      'app/router.js': `module.exports = (app) => {
        app.get('/new', async (ctx) => {
          ctx.session.a = 1;
          const before = ctx.sessionId;
          await ctx.session.manuallyCommit();
          ctx.body = { before, after: ctx.sessionId };
        });
        app.get('/id', (ctx) => { ctx.body = { id: ctx.sessionId }; });
      };`,
    },
  );
  const kept = new Map<string, unknown>();
  app.sessionStore = storeOf(kept);
  const { ask } = browser(plain);
  assert.deepEqual(JSON.parse((await ask('/id')).body), {});
  assert.deepEqual(JSON.parse((await ask('/new')).body), { after: [...kept.keys()][0] });
  assert.deepEqual(JSON.parse((await ask('/id')).body), { id: [...kept.keys()][0] });
  assert.equal(kept.size, 1);
});

test('flash messages are there until they are read', async (t) => {
  const { ask } = browser((await start(t)).ask);
  await ask('/flash?type=info&v=Saved');
  await ask('/flash?type=info&v=Twice');
  await ask('/flash?type=error&v=No');
  await ask('/flash?type=__proto__&v=x');
  await ask('/flash?type=constructor&v=x');
  assert.deepEqual(JSON.parse((await ask('/messages?type=info')).body), ['Saved', 'Twice']);
  assert.deepEqual(JSON.parse((await ask('/messages?type=info')).body), []);
  assert.deepEqual(JSON.parse((await ask('/messages?type=toString')).body), []);
  assert.deepEqual(JSON.parse((await ask('/messages')).body), { error: ['No'], constructor: ['x'] });
  assert.deepEqual(JSON.parse((await ask('/messages')).body), {});
});

test('autoCommit: false saves only what manuallyCommit() does; hooks may refuse and change a session', async (t) => {
  const { ask: plain } = await start(
    t,
    {},
    {
      'config/config.default.js': `${QUIET}
      exports.session = {
        autoCommit: false,
        valid: (ctx, session) => session.a !== 13,
        beforeSave: (ctx, session) => { session.saved = true; },
      };
      exports.security = { csrf: false };`,
      'app/router.js': `${ROUTES.slice(0, -2)}
      app.get('/commit', async (ctx) => { ctx.session.a = Number(ctx.query.a); await ctx.session.manuallyCommit(); ctx.body = 'ok'; });
    };`,
    },
  );
  const { ask } = browser(plain);
  assert.equal((await ask(`/set${v({ a: 1 })}`)).headers['set-cookie'], undefined);
  await ask('/commit?a=1');
  assert.deepEqual(JSON.parse((await ask('/get')).body).values, { a: 1, saved: true });
  await ask('/commit?a=13');
  assert.equal(JSON.parse((await ask('/get')).body).isNew, true);
});

test('session: false in config/plugin leaves no trace of it', async (t) => {
  const app = loadApp(t, { ...filesOf({}), 'config/plugin.js': 'exports.session = false;' });
  assert.ok(!app.config.coreMiddleware.includes('session'));
  assert.ok(!('session' in app.context));
});
