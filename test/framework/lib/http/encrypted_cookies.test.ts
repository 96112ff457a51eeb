import assert from 'node:assert/strict';
import { createCipheriv, createHash } from 'node:crypto';
import { type TestContext, test } from 'node:test';
import { loadApp, serve } from '../../../support/loaded_app.js';

const ROUTES = `module.exports = (app) => {
  app.get('/set', (ctx) => {
    ctx.cookies.set(ctx.query.name, ctx.query.value, { encrypt: true });
    ctx.body = 'ok';
  });
  app.get('/get', (ctx) => {
    ctx.body = { value: ctx.cookies.get(ctx.query.name, { encrypt: true }) };
  });
  app.get('/login', (ctx) => {
    ctx.session.user = ctx.query.user;
    ctx.body = 'ok';
  });
  app.get('/who', (ctx) => {
    ctx.body = { user: ctx.session.user };
  });
};`;

async function start(t: TestContext, { keys = 'k1', config = '' } = {}) {
  const app = loadApp(t, {
    'app/router.js': ROUTES,
    'config/config.default.js': `exports.keys = '${keys}'; exports.logger = { consoleLevel: 'NONE' }; ${config}`,
  });
  const ask = await serve(t, app);
  const sentBy = async (where: string): Promise<string> => {
    const lines = (await ask(where)).headers['set-cookie'] as string[];
    return (lines.find((line) => !line.startsWith('csrfToken')) as string).split(';')[0] as string;
  };
  return {
    /** @returns `name=value` of the cookie */
    set: (name: string, value: string) =>
      sentBy(`/set?name=${encodeURIComponent(name)}&value=${encodeURIComponent(value)}`),
    login: (user: string) => sentBy(`/login?user=${user}`),
    get: async (name: string, cookie: string): Promise<unknown> => {
      const { status, body } = await ask(`/get?name=${name}`, { headers: { cookie } });
      assert.equal(status, 200);
      return JSON.parse(body).value;
    },
    who: async (cookie: string): Promise<unknown> => JSON.parse((await ask('/who', { headers: { cookie } })).body).user,
  };
}

test('an encrypted cookie has a version, is never the same twice, and is read again', async (t) => {
  const { set, get } = await start(t);
  const first = await set('a', 'é☃ hello');
  assert.match(first, /^a=v1\.[\w-]{40,}$/);
  assert.notEqual(await set('a', 'é☃ hello'), first);
  assert.equal(await get('a', first), 'é☃ hello');
  assert.doesNotMatch(first, /hello/);
});

test('an encrypted cookie with one bit changed, cut or moved to another name is none', async (t) => {
  const { set, get } = await start(t);
  const value = (await set('a', 'user=7')).slice('a=v1.'.length);
  const bytes = Buffer.from(value, 'base64url');
  for (let bit = 0; bit < bytes.length * 8; bit += 5) {
    const changed = Buffer.from(bytes);
    changed[bit >> 3] = (changed[bit >> 3] as number) ^ (1 << (bit & 7));
    assert.equal(await get('a', `a=v1.${changed.toString('base64url')}`), undefined, `bit ${bit}`);
  }
  for (const length of [0, 1, 12, 27, 28, bytes.length - 1]) {
    const cut = bytes.subarray(0, length).toString('base64url');
    assert.equal(await get('a', `a=v1.${cut}`), undefined, `${length} bytes`);
  }
  assert.equal(await get('b', `b=v1.${value}`), undefined);
  for (const other of ['v2.', 'v1', 'v1.v1.', '']) assert.equal(await get('a', `a=${other}${value}`), undefined);
});

test('keys rotate: the first encrypts, all decrypt', async (t) => {
  const cookie = await (await start(t, { keys: 'k1' })).set('a', 'hello');
  const rotated = await start(t, { keys: 'k2,k1' });
  assert.equal(await rotated.get('a', cookie), 'hello');
  const fresh = await rotated.set('a', 'hello');
  const after = await start(t, { keys: 'k2' });
  assert.equal(await after.get('a', fresh), 'hello');
  assert.equal(await after.get('a', cookie), undefined);
});

/** What Egg 3 writes for these texts with `keys: 'k1'`. */
const OF_EGG: [value: string, text: string][] = [
  ['A3yAT3zu3dRxdeakVz4QIw==', 'hello'],
  ['WblYA_-xMkarq7uuAzjDH6qcvAc4jpmCbXja0QiQboM=', '{"user":1,"text":"é☃"}'],
];

test("cookies in Egg's format are read, unless eggFormat is false, and written if it is 'write'", async (t) => {
  const hello = 'A3yAT3zu3dRxdeakVz4QIw==';
  const reading = await start(t, { keys: 'k2,k1' });
  for (const [value, text] of OF_EGG) assert.equal(await reading.get('a', `a=${value}`), text);
  for (const wrong of ['forged', 'A3yAT3zu3dRxdeakVz4QIQ==', '%00', '=']) {
    assert.equal(await reading.get('a', `a=${wrong}`), undefined);
  }
  const strict = await start(t, { config: 'exports.cookies = { eggFormat: false };' });
  assert.equal(await strict.get('a', `a=${hello}`), undefined);
  const writing = await start(t, { config: "exports.cookies = { eggFormat: 'write' };" });
  assert.equal(await writing.set('a', 'hello'), `a=${hello}`);
  assert.equal(await writing.get('a', await reading.set('a', 'hello')), undefined, 'another first key');
  assert.equal(await writing.get('a', await (await start(t)).set('a', 'hello')), 'hello');
});

test("a session that Egg has written goes on, and is written in Clutch's format when it changes", async (t) => {
  const { login, who } = await start(t);
  const own = await login('ada');
  assert.match(own, /^EGG_SESS=v1\./);
  assert.equal(await who(own), 'ada');
  // As Egg does it: OpenSSL's key derivation, CBC, base64 of JSON inside.
  let derived = Buffer.alloc(0);
  for (let last = Buffer.alloc(0); derived.length < 48; derived = Buffer.concat([derived, last])) {
    last = createHash('md5').update(last).update('k1').digest();
  }
  const cipher = createCipheriv('aes-256-cbc', derived.subarray(0, 32), derived.subarray(32, 48));
  const stored = { user: 'eve', _expire: Date.now() + 60_000, _maxAge: 60_000 };
  const text = Buffer.from(JSON.stringify(stored)).toString('base64');
  const value = Buffer.concat([cipher.update(text), cipher.final()]).toString('base64url');
  assert.equal(await who(`EGG_SESS=${value}`), 'eve');
});

test('a wrong eggFormat stops the boot', (t) => {
  const config = "exports.keys = 'k'; exports.cookies = { eggFormat: 'none' };";
  assert.throws(() => loadApp(t, { 'config/config.default.js': config }), {
    code: 'ERR_CLUTCH_CONFIG',
    message: /config\.cookies\.eggFormat is "none"/,
  });
});
