import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { browser, cookiesOf } from '../../support/client.js';
import { type Files, loadApp, serve } from '../../support/loaded_app.js';

const QUIET = 'exports.keys = "k"; exports.logger = { consoleLevel: "NONE" }; exports.security = { csrf: false };';
const FILES: Files = {
  'config/locale/zh-CN.js': `module.exports = { Email: '邮箱', 'Hi %s': '你好 %s', '{0} {1}': '{1} {0}' };`,
  'config/locale/en-US.json': `{ "Email": "E-mail", "files": { "one": "%d file", "other": "%d files" }, "n": { "one": "{count} one", "other": "{count} more" } }`,
  'config/locale/pl.json': `{ "files": { "one": "%d plik", "few": "%d pliki", "many": "%d plików", "other": "%d pliku" } }`,
  'config/locales/de_DE.yml': 'Email: E-Post\n',
  'config/locale/fr.properties': '# comment\nEmail = Courriel\nHi %s: Salut %s\n',
  'app/router.js': `module.exports = (app) => {
    app.get('/bare', (ctx) => { ctx.body = 'bare'; });
    app.get('/locale', (ctx) => { ctx.body = { locale: ctx.locale, origin: ctx.__getLocaleOrigin(), email: ctx.__('Email') }; });
    app.get('/text', (ctx) => { ctx.body = { text: ctx.gettext(...JSON.parse(ctx.query.v)) }; });
    app.get('/set', (ctx) => { ctx.locale = ctx.query.to; ctx.body = { locale: ctx.locale, email: ctx.__('Email') }; });
    app.get('/locals', (ctx) => { ctx.body = [Object.keys(ctx.locals), ctx.state.__('Email')]; });
    app.get('/app', (ctx) => { ctx.body = [app.gettext('zh-CN', 'Hi %s', 'x'), app.__('zh_cn', 'Email'), app.__('xx', 'Email')]; });
  };`,
};

const start = (t: TestContext, config = '{}', more: Files = {}) =>
  serve(
    t,
    loadApp(t, {
      ...FILES,
      'config/config.default.js': `${QUIET} exports.i18n = { defaultLocale: 'en-US', ...${config} };`,
      ...more,
    }),
  );

const LOCALES: [from: string, path: string, headers: Record<string, string>, locale: string, origin: string][] = [
  ['the default', '/locale', {}, 'en-us', 'default'],
  ['the query', '/locale?locale=zh-CN', {}, 'zh-cn', 'query'],
  ['the query, written otherwise', '/locale?locale=zh_cn', {}, 'zh-cn', 'query'],
  ['the query, before the cookie', '/locale?locale=fr', { cookie: 'locale=zh-cn' }, 'fr', 'query'],
  ['the cookie', '/locale', { cookie: 'locale=zh-CN', 'accept-language': 'fr' }, 'zh-cn', 'cookie'],
  ['the header', '/locale', { 'accept-language': 'xx,zh-CN;q=0.8,fr;q=0.5' }, 'zh-cn', 'header'],
  ['the language of the header', '/locale', { 'accept-language': 'zh;q=0.5' }, 'zh-cn', 'header'],
  ['the default for a language that there is not', '/locale', { 'accept-language': 'ja,*' }, 'en-us', 'default'],
  ['the default for an unknown query', '/locale?locale=xx', {}, 'en-us', 'default'],
  ['the cookie for an unknown query', '/locale?locale=%0d%0aset-cookie:x', { cookie: 'locale=fr' }, 'fr', 'cookie'],
  ['the default for a name of every object', '/locale?locale=__proto__', {}, 'en-us', 'default'],
  ['the first of several', '/locale?locale=fr&locale=zh-cn', {}, 'fr', 'query'],
  ['the default for a long one', `/locale?locale=${'a'.repeat(5000)}`, {}, 'en-us', 'default'],
  ['the default for a long header', '/locale', { 'accept-language': 'a'.repeat(9000) }, 'en-us', 'default'],
];
for (const [from, path, headers, locale, origin] of LOCALES) {
  test(`the locale is of ${from}`, async (t) => {
    const answer = await (await start(t))(path, { headers });
    assert.equal(answer.status, 200, answer.body);
    const found = JSON.parse(answer.body);
    assert.deepEqual([found.locale, found.origin], [locale, origin]);
    assert.equal(found.email, { 'zh-cn': '邮箱', fr: 'Courriel', 'en-us': 'E-mail' }[locale]);
  });
}

test('the client remembers its locale in a cookie that scripts can read', async (t) => {
  const { ask } = browser(await start(t));
  const [line] = (await ask('/locale?locale=zh-CN')).headers['set-cookie'] as string[];
  assert.match(line as string, /^locale=zh-cn; path=\/; max-age=31557600; expires=[^;]+$/);
  const second = await ask('/locale');
  assert.equal(JSON.parse(second.body).locale, 'zh-cn');
  assert.equal(second.headers['set-cookie'], undefined);
});

test('a request that uses no text looks for no locale; writeCookie: false writes none', async (t) => {
  assert.equal((await (await start(t))('/bare?locale=zh-CN')).headers['set-cookie'], undefined);
  const ask = await start(t, '{ writeCookie: false }');
  assert.equal((await ask('/locale?locale=zh-CN')).headers['set-cookie'], undefined);
});

test('queryField, cookieField, cookieDomain, cookieMaxAge and localeAlias', async (t) => {
  const config = `{ queryField: 'hl', cookieField: 'lang', cookieDomain: '.x.com', cookieMaxAge: 1000, localeAlias: { de: 'de_DE' } }`;
  const answer = await (await start(t, config))('/locale?hl=de');
  assert.equal(JSON.parse(answer.body).email, 'E-Post');
  assert.match(
    answer.headers['set-cookie']?.[0] as string,
    /^lang=de-de; path=\/; max-age=1; expires=[^;]+; domain=\.x\.com$/,
  );
});

test('ctx.locale can be set, and is remembered', async (t) => {
  const answer = await (await start(t))('/set?to=zh_CN');
  assert.deepEqual(JSON.parse(answer.body), { locale: 'zh-cn', email: '邮箱' });
  assert.deepEqual(cookiesOf(answer), { locale: 'zh-cn' });
});

const TEXTS: [locale: string, call: unknown[], text: string][] = [
  ['zh-CN', ['Hi %s', 'x'], '你好 x'],
  ['zh-CN', ['{0} {1}', ['a', 'b']], 'b a'],
  ['zh-CN', ['{0} {1} {2}', ['a', null]], 'a null {2}'],
  ['en-US', ['a %s %d %j %%', 'x', 3, { a: 1 }], 'a x 3 {"a":1} %'],
  ['en-US', ['{a} {a} {b}', { a: 'x', b: null }], 'x x {b}'],
  ['en-US', ['{constructor} {__proto__}', { a: 1 }], '{constructor} {__proto__}'],
  ['en-US', ['Hi %s', 'x'], 'Hi x'],
  ['en-US', ['a', 'b', 'c'], 'a b c'],
  ['en-US', ['constructor'], 'constructor'],
  ['en-US', ['__proto__'], '__proto__'],
  ['en-US', [''], ''],
  ['en-US', [1], '1'],
  ['en-US', [], ''],
  ['en-US', ['files', 1], '1 file'],
  ['en-US', ['files', 0], '0 files'],
  ['en-US', ['n', { count: 1 }], '1 one'],
  ['en-US', ['n', { count: 7 }], '7 more'],
  ['en-US', ['files', 'x'], 'NaN files'],
  ['pl', ['files', 3], '3 pliki'],
  ['pl', ['files', 5], '5 plików'],
];
for (const [locale, call, text] of TEXTS) {
  test(`${locale}: ${JSON.stringify(call)} is ${JSON.stringify(text)}`, async (t) => {
    const ask = await start(t);
    const answer = await ask(`/text?locale=${locale}&v=${encodeURIComponent(JSON.stringify(call))}`);
    assert.equal(JSON.parse(answer.body).text, text);
  });
}

test('app.gettext takes the locale; templates have __ and gettext in their locals', async (t) => {
  const ask = await start(t);
  assert.deepEqual(JSON.parse((await ask('/app')).body), ['你好 x', '邮箱', 'Email']);
  assert.deepEqual(JSON.parse((await ask('/locals?locale=fr')).body), [['gettext', '__'], 'Courriel']);
});

test('plugins and config.i18n.dirs add texts; the app comes last', async (t) => {
  const ask = await start(t, `{ dirs: [__dirname + '/../texts'] }`, {
    'config/plugin.js': `exports.shop = { enable: true, path: __dirname + '/../lib/shop' };`,
    'lib/shop/package.json': '{ "name": "shop", "eggPlugin": { "name": "shop" } }',
    'lib/shop/config/locale/fr.json': '{ "Email": "of the plugin", "Cart": "Panier" }',
    'texts/fr.js': 'module.exports = { Pay: "Payer" };',
  });
  const of = async (key: string) => JSON.parse((await ask(`/text?locale=fr&v=["${key}"]`)).body).text;
  assert.deepEqual([await of('Email'), await of('Cart'), await of('Pay')], ['Courriel', 'Panier', 'Payer']);
});

const BROKEN: [file: string, content: string, message: RegExp][] = [
  ['config/locale/fr.json', '{', /fr\.json/],
  ['config/locale/fr.json', '{ "a": ["x"] }', /the text of "a" is \["x"\]/],
  ['config/locale/de.yml', 'a: [', /a locale file is no YAML[\s\S]*de\.yml/],
  ['config/locale/it.js', 'module.exports = 7;', /not an object/],
];
for (const [file, content, message] of BROKEN) {
  test(`a locale file ${file} with ${content} stops the boot`, (t) => {
    assert.throws(() => loadApp(t, { ...FILES, 'config/config.default.js': QUIET, [file]: content }), message);
  });
}
