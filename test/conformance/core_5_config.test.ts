import assert from 'node:assert/strict';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { temporaryDirectory } from '../support/apps.js';
import { setEnvironment } from '../support/environment.js';
import { loadApp, serve } from '../support/loaded_app.js';

function configOf(t: TestContext, env = 'unittest') {
  setEnvironment(t, { EGG_HOME: temporaryDirectory(t) });
  return loadApp(t, {}, { env }).config;
}

type Config = ReturnType<typeof configOf>;
const defaults: [
  key: string,
  expected: string | number | boolean | Record<string, unknown> | ((config: Config) => void),
][] = [
  ['env', 'unittest'],
  ['name', 'demo'],
  ['pkg', { name: 'demo' }],
  ['keys', ''],
  ['cookies', {}],
  ['proxy', false],
  ['maxIpsCount', 0],
  ['maxProxyCount', 0],
  ['protocolHeaders', 'x-forwarded-proto'],
  ['ipHeaders', 'x-forwarded-for'],
  ['hostHeaders', ''],
  ['rundir', (config) => assert.equal(config.rundir, path.join(config['baseDir'], 'run'))],
  [
    'dump',
    ({ dump }) => {
      const ignore = new Set([...(dump.ignore as Iterable<unknown>)].map(String));
      for (const key of ['pass', 'pwd', 'passd', 'passwd', 'password', 'keys', 'masterKey', 'accessKey', '/secret/i']) {
        assert.ok(ignore.has(key), key);
      }
      assert.equal(dump.timing.slowBootActionMinDuration, 5000);
    },
  ],
  [
    'confusedConfigurations',
    {
      bodyparser: 'bodyParser',
      notFound: 'notfound',
      sitefile: 'siteFile',
      middlewares: 'middleware',
      httpClient: 'httpclient',
    },
  ],
  ['notfound', (config) => assert.equal(config.notfound.pageUrl, '')],
  [
    'siteFile',
    (config) => {
      const siteFile = config['siteFile'] as Record<string, unknown>;
      assert.ok(Buffer.isBuffer(siteFile['/favicon.ico']));
      assert.equal(siteFile['cacheControl'], 'public, max-age=2592000');
    },
  ],
  [
    'bodyParser',
    ({ bodyParser }) => {
      const { enable, encoding, formLimit, jsonLimit, textLimit, strict, queryString } = bodyParser as never as Config;
      assert.deepEqual(
        [enable, encoding, formLimit, jsonLimit, textLimit, strict, queryString],
        [true, 'utf8', '1mb', '1mb', '1mb', true, { arrayLimit: 100, depth: 5, parameterLimit: 1000 }],
      );
    },
  ],
  [
    'logger',
    ({ logger, baseDir, name }) => {
      const { dir, encoding, level, outputJSON, appLogName, coreLogName, agentLogName, errorLogName } =
        logger as never as Config;
      assert.deepEqual(
        [dir, encoding, level, outputJSON],
        [path.join(baseDir as string, 'logs', name as string), 'utf8', 'INFO', false],
      );
      assert.deepEqual(
        [appLogName, coreLogName, agentLogName, errorLogName],
        ['demo-web.log', 'egg-web.log', 'egg-agent.log', 'common-error.log'],
      );
      assert.deepEqual([logger.buffer, logger.consoleLevel, logger.allowDebugAtProd], [false, 'WARN', false]);
    },
  ],
  ['httpclient', (config) => assert.equal(config.httpclient.request?.timeout, 5000)],
  ['meta', { enable: true, logging: false }],
  [
    'coreMiddleware',
    ({ coreMiddleware }) => {
      const own = ['meta', 'siteFile', 'notfound', 'bodyParser', 'overrideMethod'];
      assert.deepEqual(
        (coreMiddleware as string[]).filter((name) => own.includes(name)),
        own,
      );
    },
  ],
  ['workerStartTimeout', 600_000],
  ['serverTimeout', (config) => assert.equal(config.serverTimeout ?? null, null)],
  ['cluster', (config) => assert.deepEqual(config['cluster'].listen, { path: '', port: 7001, hostname: '' })],
  [
    'clusterClient',
    (config) => {
      const { maxWaitTime, responseTimeout } = config['clusterClient'];
      assert.deepEqual([maxWaitTime, responseTimeout], [60_000, 60_000]);
    },
  ],
  ['onClientError', (config) => assert.equal(config.onClientError ?? null, null)],
];

for (const [key, expected] of defaults) {
  test(`core 5.1.${key} default`, (t) => {
    const config = configOf(t);
    if (typeof expected === 'function') expected(config);
    else assert.deepEqual(config[key], expected);
  });
}

test('core 5.1.local config of local: the core logger prints warnings only', (t) => {
  const { coreLogger } = configOf(t, 'local').logger as { coreLogger?: { consoleLevel?: string } };
  assert.equal(coreLogger?.consoleLevel, 'WARN');
});

const plugins: [key: string, config: object][] = [
  ['onerror', { errorPageUrl: '', appErrorFilter: null }],
  ['session', { maxAge: 86_400_000, key: 'EGG_SESS', httpOnly: true, encrypt: true, logValue: true }],
  ['i18n', { defaultLocale: 'en_US', dirs: [], queryField: 'locale', cookieField: 'locale', cookieDomain: '' }],
  ['watcher', { type: 'development' }],
  ['multipart', { mode: 'stream', fieldSize: '100kb', fileSize: '10mb', fields: 10, files: 10 }],
  ['security', {}],
  ['development', { fastReady: false, reloadOnDebug: true }],
  ['logrotator', { maxFiles: 10, rotateDuration: 60_000, maxDays: 31, maxFileSize: 50 * 1024 * 1024 }],
  ['schedule', { directory: [] }],
  ['static', { prefix: '/public/', dynamic: true, maxFiles: 1000 }],
  ['jsonp', { limit: 50, callback: ['_callback', 'callback'], csrf: false }],
  ['view', { cache: true, defaultExtension: '.html' }],
];

for (const [key, expected] of plugins) {
  test(`core 5.2.${key} is on, with its defaults`, (t) => {
    const app = loadApp(t, {}, { env: key === 'development' ? 'local' : 'unittest' });
    assert.equal(app.plugins[key]?.enable, true);
    const config = app.config[key] as Record<string, unknown>;
    for (const [name, value] of Object.entries(expected)) assert.deepEqual(config[name], value, name);
  });
}

test('core 5.2.order of the plugins, of the middleware and the default headers', async (t) => {
  const app = loadApp(t, {
    'config/config.default.js': "exports.keys = 'k';",
    'app/router.js': "module.exports = (app) => app.get('/', (ctx) => { ctx.body = 'x'; });",
  });
  const inEgg = [
    ...['session', 'security', 'jsonp', 'onerror', 'i18n', 'watcher'],
    ...['schedule', 'multipart', 'logrotator', 'static', 'view'],
  ];
  assert.deepEqual(
    Object.keys(app.plugins).filter((name) => inEgg.includes(name)),
    inEgg,
  );
  const chain = ['meta', 'siteFile', 'notfound', 'static', 'bodyParser', 'overrideMethod', 'session', 'securities'];
  assert.deepEqual(
    app.config.coreMiddleware.filter((name: string) => chain.includes(name)),
    chain,
  );
  const { headers } = await (await serve(t, app))('/');
  assert.equal(headers['x-frame-options'], 'SAMEORIGIN');
  assert.equal(headers['x-xss-protection'], '1; mode=block');
  assert.equal(headers['x-content-type-options'], 'nosniff');
  assert.equal(headers['x-download-options'], 'noopen');
  assert.match(headers['x-readtime'] as string, /^\d+$/);
  assert.match(String(headers['set-cookie']), /csrfToken=/);
});
