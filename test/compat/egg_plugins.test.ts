// Plugins of Egg from npm, unchanged, each in an app that uses its main function. `node scripts/egg_packages.mjs` installs them.
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, symlinkSync } from 'node:fs';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { start } from 'koa-clutch';
import { ROOT, startTestCluster, until } from '../support/apps.js';
import { request } from '../support/http.js';
import { type Files, serve, writeApp } from '../support/loaded_app.js';
import { REDIS, startRedis } from '../support/redis.js';

const INSTALLED = path.join(ROOT, 'test/fixtures/egg-plugins/node_modules');
const skip = existsSync(path.join(INSTALLED, 'egg-cors')) ? false : 'node scripts/egg_packages.mjs has not been run';

interface Options {
  /** Packages by plugin key. */
  plugins: Record<string, string>;
  files: Files;
  env?: string;
}

/** Writes an app whose plugins are those packages. */
function appWith(t: TestContext, { plugins, files }: Options): string {
  const declared = Object.fromEntries(
    Object.entries(plugins).map(([key, name]) => [key, { enable: true, package: name }]),
  );
  const baseDir = writeApp(t, {
    'config/plugin.js': `module.exports = ${JSON.stringify(declared)};`,
    'config/config.unittest.js': `exports.logger = { dir: require('path').join(__dirname, '../logs') };`,
    ...files,
  });
  for (const name of readdirSync(INSTALLED)) {
    if (name.startsWith('egg-') || name === 'sqlite3') {
      symlinkSync(path.join(INSTALLED, name), path.join(baseDir, 'node_modules', name), 'dir');
    }
  }
  return baseDir;
}

/** Starts Agent and Application of such an app in this process. */
async function startWith(t: TestContext, { env = 'unittest', ...options }: Options) {
  const app = await start({ baseDir: appWith(t, options), env });
  t.after(() => app.close());
  return { app, ask: await serve(t, app) };
}

/** Starts a cluster of such an app: timers of some plugins end with their process only. */
async function startClusterWith(t: TestContext, { env = 'unittest', ...options }: Options) {
  const baseDir = appWith(t, options);
  const cluster = await startTestCluster(t, { baseDir, env, workers: 1 });
  return { baseDir, ask: (where: string) => request(cluster.url + where) };
}

const config = (text: string): Files => ({ 'config/config.default.js': `exports.keys = 'test';\n${text}` });
const router = (text: string): Files => ({ 'app/router.js': `module.exports = (app) => {\n${text}\n};` });
const NO_CSRF = 'exports.security = { csrf: { enable: false } };';
const json = (body: unknown) => ({
  method: 'POST',
  headers: { 'content-type': 'application/json', accept: 'application/json' },
  body: JSON.stringify(body),
});

test('egg-cors answers preflights and names the origin', { skip }, async (t) => {
  const { ask } = await startWith(t, {
    plugins: { cors: 'egg-cors' },
    files: {
      ...config(`exports.cors = { origin: 'http://a.example', credentials: true };\n${NO_CSRF}`),
      ...router(`app.get('/', (ctx) => { ctx.body = 'x'; });`),
    },
  });
  const simple = await ask('/', { headers: { origin: 'http://a.example' } });
  assert.equal(simple.headers['access-control-allow-origin'], 'http://a.example');
  const preflight = await ask('/', {
    method: 'OPTIONS',
    headers: { origin: 'http://a.example', 'access-control-request-method': 'PUT' },
  });
  assert.equal(preflight.status, 204);
  assert.match(String(preflight.headers['access-control-allow-methods']), /PUT/);
});

test('egg-validate checks a body and throws 422 with the fields', { skip }, async (t) => {
  const { ask } = await startWith(t, {
    plugins: { validate: 'egg-validate' },
    files: {
      ...config(NO_CSRF),
      ...router(
        `app.post('/', (ctx) => { ctx.validate({ name: 'string', age: { type: 'int', required: false } }); ctx.body = 'ok'; });`,
      ),
    },
  });
  assert.equal((await ask('/', json({ name: 'a' }))).body, 'ok');
  const refused = await ask('/', json({ age: 'x' }));
  assert.equal(refused.status, 422);
  assert.deepEqual(
    JSON.parse(refused.body).errors.map(({ field }: { field: string }) => field),
    ['name', 'age'],
  );
});

test('egg-jwt signs, and lets only verified tokens pass', { skip }, async (t) => {
  const { app, ask } = await startWith(t, {
    plugins: { jwt: 'egg-jwt' },
    files: {
      ...config(`exports.jwt = { secret: 'shh' };`),
      ...router(`app.get('/', app.jwt, (ctx) => { ctx.body = ctx.state.user.name; });`),
    },
  });
  const jwt = (app as unknown as { jwt: { sign(data: object, secret: string): string } }).jwt;
  const token = jwt.sign({ name: 'ada' }, 'shh');
  assert.equal((await ask('/', { headers: { authorization: `Bearer ${token}` } })).body, 'ada');
  assert.equal((await ask('/')).status, 401);
});

for (const [key, name, extension, template] of [
  ['nunjucks', 'egg-view-nunjucks', '.nj', '<p>{{ name }} {{ helper.upper(name) }}</p>'],
  ['ejs', 'egg-view-ejs', '.ejs', '<p><%= name %> <%= helper.upper(name) %></p>'],
] as const) {
  test(`${name} renders a view with locals and helper`, { skip }, async (t) => {
    const { ask } = await startWith(t, {
      plugins: { [key]: name },
      files: {
        ...config(`exports.view = { mapping: { '${extension}': '${key}' } };`),
        ...router(`app.get('/', (ctx) => ctx.render('home${extension}', { name: '<ada>' }));`),
        'app/extend/helper.js': 'exports.upper = (text) => text.toUpperCase();',
        [`app/view/home${extension}`]: template,
      },
    });
    const { body, headers } = await ask('/');
    assert.equal(body, '<p>&lt;ada&gt; &lt;ADA&gt;</p>');
    assert.match(String(headers['content-type']), /html/);
  });
}

const counting = router(
  `app.get('/', (ctx) => { ctx.session.count = (ctx.session.count || 0) + 1; ctx.body = String(ctx.session.count); });`,
);

function cookiesOf({ headers }: { headers: { 'set-cookie'?: string[] } }): string {
  return (headers['set-cookie'] ?? []).map((cookie) => cookie.split(';')[0]).join('; ');
}

test('egg-session keeps a session in a cookie', { skip }, async (t) => {
  const { ask } = await startWith(t, { plugins: { session: 'egg-session' }, files: { ...config(''), ...counting } });
  const first = await ask('/');
  assert.equal(first.body, '1');
  assert.equal((await ask('/', { headers: { cookie: cookiesOf(first) } })).body, '2');
});

test('egg-static serves app/public', { skip }, async (t) => {
  const { ask } = await startWith(t, {
    plugins: { static: 'egg-static' },
    files: { ...config(''), 'app/public/a.txt': 'hello' },
  });
  assert.equal((await ask('/public/a.txt')).body, 'hello');
  assert.equal((await ask('/public/../package.json')).status, 404);
});

test('egg-i18n translates by query and header', { skip }, async (t) => {
  const { ask } = await startWith(t, {
    plugins: { i18n: 'egg-i18n' },
    files: {
      ...config(`exports.i18n = { defaultLocale: 'en-US' };`),
      ...router(`app.get('/', (ctx) => { ctx.body = ctx.__('hello %s', 'ada'); });`),
      'config/locale/zh-CN.js': `module.exports = { 'hello %s': '你好 %s' };`,
      'config/locale/en-US.js': `module.exports = { 'hello %s': 'Hello %s' };`,
    },
  });
  assert.equal((await ask('/')).body, 'Hello ada');
  assert.equal((await ask('/?locale=zh-CN')).body, '你好 ada');
  assert.equal((await ask('/', { headers: { 'accept-language': 'zh-CN' } })).body, '你好 ada');
});

test('egg-router-plus loads app/router/** and namespaces', { skip }, async (t) => {
  const { ask } = await startWith(t, {
    plugins: { routerPlus: 'egg-router-plus' },
    files: {
      ...config(''),
      'app/router/admin.js': `module.exports = (app) => { app.router.namespace('/admin').get('/users', (ctx) => { ctx.body = 'users'; }); };`,
      ...router(''),
    },
  });
  assert.equal((await ask('/admin/users')).body, 'users');
});

function multipart(parts: string[]): { method: string; headers: Record<string, string>; body: string } {
  const body = `${parts.map((part) => `--b\r\nContent-Disposition: form-data; ${part}\r\n`).join('')}--b--\r\n`;
  return { method: 'POST', headers: { 'content-type': 'multipart/form-data; boundary=b' }, body };
}

test('egg-multipart gives files as streams and in file mode', { skip }, async (t) => {
  for (const mode of ['stream', 'file']) {
    const { ask } = await startWith(t, {
      plugins: { multipart: 'egg-multipart' },
      files: {
        ...config(`exports.multipart = { mode: '${mode}' };\n${NO_CSRF}`),
        ...router(`app.post('/', async (ctx) => {
          if ('${mode}' === 'file') {
            const [file] = ctx.request.files;
            ctx.body = { name: file.filename, text: require('fs').readFileSync(file.filepath, 'utf8'), title: ctx.request.body.title };
          } else {
            const stream = await ctx.getFileStream();
            let text = '';
            for await (const chunk of stream) text += chunk;
            ctx.body = { name: stream.filename, text, title: stream.fields.title };
          }
        });`),
      },
    });
    const { body } = await ask(
      '/',
      multipart(['name="title"\r\n\r\nmine', 'name="file"; filename="a.png"\r\nContent-Type: image/png\r\n\r\nhello']),
    );
    assert.deepEqual(JSON.parse(body), { name: 'a.png', text: 'hello', title: 'mine' }, mode);
  }
});

test('egg-jsonp answers with the callback', { skip }, async (t) => {
  const { ask } = await startWith(t, {
    plugins: { jsonp: 'egg-jsonp' },
    files: { ...config(''), ...router(`app.get('/', app.jsonp(), (ctx) => { ctx.body = { a: 1 }; });`) },
  });
  assert.equal((await ask('/?callback=fn')).body, '/**/ typeof fn === \'function\' && fn({"a":1});');
  assert.equal((await ask('/')).body, '{"a":1}');
});

test('egg-schedule runs a task at once and at an interval', { skip }, async (t) => {
  const { baseDir } = await startClusterWith(t, {
    plugins: { schedule: 'egg-schedule' },
    files: {
      ...config(''),
      'app/schedule/tick.js': `
        const fs = require('fs'); const path = require('path');
        exports.schedule = { type: 'worker', interval: 100, immediate: true };
        exports.task = async (ctx) => fs.appendFileSync(path.join(ctx.app.baseDir, 'ticks'), 'x');`,
    },
  });
  await until(
    'it has run three times',
    () => existsSync(path.join(baseDir, 'ticks')) && readFileSync(path.join(baseDir, 'ticks')).length >= 3,
  );
});

test('egg-logrotator renames the log files of a day', { skip }, async (t) => {
  const { baseDir, ask } = await startClusterWith(t, {
    plugins: { logrotator: 'egg-logrotator', schedule: 'egg-schedule' },
    files: {
      ...config(''),
      ...router(`
        const file = require.resolve('egg-logrotator/app/schedule/rotate_by_file.js');
        app.get('/log', (ctx) => { app.logger.info(ctx.query.line); ctx.body = 'logged'; });
        app.get('/rotate', async (ctx) => { await app.runSchedule(file); ctx.body = 'rotated'; });`),
    },
  });
  await ask('/log?line=before');
  assert.equal((await ask('/rotate')).body, 'rotated');
  const files = () => readdirSync(path.join(baseDir, 'logs'));
  await until('a file with a date is there', () => files().some((name) => /-web\.log\.\d{4}-\d\d-\d\d$/.test(name)));
  const current = path.join(baseDir, 'logs/demo-web.log');
  await until('the new file has a new line', async () => {
    await ask('/log?line=after');
    return existsSync(current) && readFileSync(current, 'utf8').includes('after');
  });
});

test('egg-onerror answers errors as JSON and HTML', { skip }, async (t) => {
  const { ask } = await startWith(t, {
    plugins: { onerror: 'egg-onerror' },
    files: {
      ...config(`exports.onerror = { json(err, ctx) { ctx.body = { own: err.message }; ctx.status = 500; } };`),
      ...router(`app.get('/', () => { throw new Error('broken'); });`),
    },
  });
  assert.deepEqual(JSON.parse((await ask('/', { headers: { accept: 'application/json' } })).body), { own: 'broken' });
  const html = await ask('/', { headers: { accept: 'text/html' } });
  assert.equal(html.status, 500);
  assert.match(html.body, /broken/);
});

test('egg-security refuses a POST without a token and sets its headers', { skip }, async (t) => {
  const { ask } = await startWith(t, {
    plugins: { security: 'egg-security' },
    files: {
      ...config(''),
      ...router(`app.get('/', (ctx) => { ctx.body = ctx.csrf; }); app.post('/', (ctx) => { ctx.body = 'done'; });`),
    },
  });
  const page = await ask('/');
  assert.equal(page.headers['x-frame-options'], 'SAMEORIGIN');
  assert.equal((await ask('/', json({}))).status, 403);
  const headers = { 'content-type': 'application/json', cookie: cookiesOf(page), 'x-csrf-token': page.body };
  assert.equal((await ask('/', { method: 'POST', headers, body: '{}' })).body, 'done');
});

test('egg-passport logs in with a local strategy and keeps the user in the session', { skip }, async (t) => {
  const { ask } = await startWith(t, {
    plugins: { passport: 'egg-passport', passportLocal: 'egg-passport-local' },
    files: {
      ...config(NO_CSRF),
      'app.js': `module.exports = (app) => {
        app.passport.verify(async (ctx, { username, password }) => (password === 'secret' ? { name: username } : undefined));
      };`,
      ...router(`
        app.post('/login', app.passport.authenticate('local', { successRedirect: '/me', failureRedirect: '/no' }));
        app.get('/me', (ctx) => { ctx.body = { in: ctx.isAuthenticated(), user: ctx.user && ctx.user.name }; });`),
    },
  });
  const login = await ask('/login', json({ username: 'ada', password: 'secret' }));
  assert.equal(login.headers.location, '/me');
  const me = await ask('/me', { headers: { cookie: cookiesOf(login) } });
  assert.deepEqual(JSON.parse(me.body), { in: true, user: 'ada' });
  assert.equal((await ask('/login', json({ username: 'ada', password: 'x' }))).headers.location, '/no');
});

test('egg-sequelize stores and finds in SQLite', { skip }, async (t) => {
  const { ask } = await startWith(t, {
    plugins: { sequelize: 'egg-sequelize' },
    files: {
      ...config(`exports.sequelize = { dialect: 'sqlite', storage: ':memory:', logging: false };\n${NO_CSRF}`),
      'app.js': `module.exports = class { constructor(app) { this.app = app; } async didLoad() { await this.app.model.sync(); } };`,
      'app/model/user.js': `module.exports = (app) => app.model.define('user', { name: app.Sequelize.STRING });`,
      ...router(`
        app.post('/users', async (ctx) => { ctx.body = await ctx.model.User.create(ctx.request.body); });
        app.get('/users', async (ctx) => { ctx.body = (await app.model.User.findAll()).map((user) => user.name); });`),
    },
  });
  assert.equal(JSON.parse((await ask('/users', json({ name: 'ada' }))).body).name, 'ada');
  assert.equal((await ask('/users')).body, '["ada"]');
});

const skipRedis = skip || (REDIS ? false : 'there is no redis-server');

const redisConfig = (port: number): string =>
  `exports.redis = { client: { host: '127.0.0.1', port: ${port}, password: '', db: 0 } };`;

test('egg-redis reads and writes', { skip: skipRedis }, async (t) => {
  const port = await startRedis(t);
  const { ask } = await startWith(t, {
    plugins: { redis: 'egg-redis' },
    files: {
      ...config(redisConfig(port)),
      ...router(
        `app.get('/', async (ctx) => { await app.redis.set('k', 'v'); ctx.body = await app.redis.get('k'); });`,
      ),
    },
  });
  assert.equal((await ask('/')).body, 'v');
});

test('egg-session-redis keeps sessions in Redis, with the built-in session and with egg-session', {
  skip: skipRedis,
}, async (t) => {
  const port = await startRedis(t);
  for (const session of [{}, { session: 'egg-session' }] as Record<string, string>[]) {
    const { app, ask } = await startWith(t, {
      plugins: { redis: 'egg-redis', sessionRedis: 'egg-session-redis', ...session },
      files: { ...config(redisConfig(port)), ...counting },
    });
    const first = await ask('/');
    assert.equal((await ask('/', { headers: { cookie: cookiesOf(first) } })).body, '2');
    const { redis } = app as unknown as { redis: { keys(pattern: string): Promise<string[]> } };
    assert.ok((await redis.keys('*')).length > 0);
  }
});
