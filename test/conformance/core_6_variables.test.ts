import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { fixture, startTestCluster, temporaryDirectory } from '../support/apps.js';
import { setEnvironment } from '../support/environment.js';
import { type Files, loadApp, writeApp } from '../support/loaded_app.js';
import { plugin, pluginNames } from '../support/plugin_files.js';
import { runScript } from '../support/script.js';

const QUIET: Files = { 'config/config.default.js': 'exports.logger = { consoleLevel: "NONE" };' };

/** An app that is loaded with environment variables, and with no others that choose an env. */
function appWith(t: TestContext, variables: Record<string, string | undefined>, files: Files = {}) {
  setEnvironment(t, { EGG_SERVER_ENV: undefined, NODE_ENV: undefined, EGG_HOME: temporaryDirectory(t), ...variables });
  return loadApp(t, { ...QUIET, ...files }, { env: undefined });
}

const rows: [name: string, title: string, check: (t: TestContext) => void][] = [
  ['EGG_SERVER_ENV', 'is the env', (t) => assert.equal(appWith(t, { EGG_SERVER_ENV: 'sit' }).config.env, 'sit')],
  ['NODE_ENV', 'test is unittest', (t) => assert.equal(appWith(t, { NODE_ENV: 'test' }).config.env, 'unittest')],
  [
    'EGG_SERVER_SCOPE',
    'is the scope',
    (t) => assert.equal(appWith(t, { EGG_SERVER_SCOPE: 'en' }).loader.serverScope, 'en'),
  ],
  [
    'EGG_HOME',
    'is the home directory',
    (t) => {
      const home = temporaryDirectory(t);
      const { HOME, root } = appWith(t, { EGG_HOME: home, EGG_SERVER_ENV: 'prod' }).loader.appInfo;
      assert.deepEqual([HOME, root], [home, home]);
    },
  ],
  [
    'MOCK_HOME_DIR',
    'stands for the home directory of the user',
    (t) => {
      const home = temporaryDirectory(t);
      assert.equal(appWith(t, { EGG_HOME: undefined, MOCK_HOME_DIR: home }).loader.appInfo.HOME, home);
    },
  ],
  [
    'HOME',
    'is the home directory without the others',
    (t) => {
      const home = temporaryDirectory(t);
      assert.equal(appWith(t, { EGG_HOME: undefined, HOME: home }).loader.appInfo.HOME, home);
    },
  ],
  [
    'EGG_PLUGINS',
    'declares plugins',
    (t) =>
      assert.deepEqual(
        pluginNames(
          appWith(
            t,
            { EGG_PLUGINS: '{"a":{"enable":false},"session":false}' },
            { 'node_modules/a/package.json': '{"name":"a"}', ...plugin('a') },
          ),
        ),
        [],
      ),
  ],
  [
    'EGG_APP_CONFIG',
    'wins over all files',
    (t) =>
      assert.equal(
        appWith(t, { EGG_APP_CONFIG: '{"mine":2}' }, { 'config/config.local.js': 'exports.mine = 1;' }).config['mine'],
        2,
      ),
  ],
  [
    'EGG_MOCK_SERVER_ENV',
    'adds the extend files of unittest',
    (t) =>
      assert.equal(
        Reflect.get(
          appWith(t, { EGG_MOCK_SERVER_ENV: 'local' }, { 'app/extend/application.unittest.js': 'exports.mocked = 1;' }),
          'mocked',
        ),
        1,
      ),
  ],
  [
    'EGG_LOG',
    'is the level of every console',
    (t) => {
      const app = appWith(t, { EGG_LOG: 'ERROR' });
      for (const logger of app.loggers.values()) assert.equal(logger.consoleLevel, 'ERROR');
    },
  ],
  [
    'EGG_OPTIONS_PATH_TO_REGEXP_MODULE',
    'has no meaning: patterns are those of path-to-regexp 1',
    (t) => {
      const app = appWith(t, { EGG_OPTIONS_PATH_TO_REGEXP_MODULE: '/no/module' });
      app.get('any', '/any/(.*)', async () => undefined);
      assert.equal(app.router.match('/any/a/b', 'GET').route, true);
    },
  ],
];
for (const [name, title, check] of rows) test(`core 6.${name} ${title}`, check);

test('core 6.EGG_READY_TIMEOUT_ENV is the time after which a task is called slow', async (t) => {
  const app = appWith(
    t,
    { EGG_READY_TIMEOUT_ENV: '20' },
    {
      'app.js': 'module.exports = (app) => app.beforeStart(() => new Promise((done) => { app.done = done; }), "mine");',
    },
  );
  const slow = await new Promise((resolve) => app.once('ready_timeout', resolve));
  assert.equal(slow, 'mine');
  (Reflect.get(app, 'done') as () => void)();
  await app.ready();
});

const LOADS =
  "import { Application } from 'koa-clutch'; const app = new Application({ env: 'unittest', mode: 'single' });";

test('core 6.EGG_TYPESCRIPT has .ts loaded where a hook is registered', async (t) => {
  const baseDir = writeApp(t, {
    'config/config.default.ts': 'const from: string = "ts"; export default { from };',
    'config/config.default.js': 'exports.from = "js";',
  });
  const script = `${LOADS} console.log('from', app.config.from); await app.close();`;
  const hook = { EGG_TYPESCRIPT: 'true', NODE_OPTIONS: `--import ${import.meta.resolve('tsx')}` };
  assert.match((await runScript(t, baseDir, script, hook)).output, /from ts/);
  assert.match((await runScript(t, baseDir, script)).output, /from js/);
});

test('core 6.NODE_CONSOLE_LOGGRE_LEVEL is the level of app.console', async (t) => {
  const script = `${LOADS} app.console.info('info of console'); app.console.error('error of console'); await app.close();`;
  const baseDir = writeApp(t, QUIET);
  assert.match((await runScript(t, baseDir, script)).output, /info of console/);
  const { output } = await runScript(t, baseDir, script, { NODE_CONSOLE_LOGGRE_LEVEL: 'ERROR' });
  assert.doesNotMatch(output, /info of console/);
  assert.match(output, /error of console/);
});

for (const [name, who] of [
  ['EGG_APP_CLOSE_TIMEOUT', 'app'],
  ['EGG_AGENT_CLOSE_TIMEOUT', 'agent'],
  ['EGG_MASTER_CLOSE_TIMEOUT', 'app'],
] as const) {
  test(`core 6.${name} bounds a close that hangs`, async (t) => {
    const hang = 'module.exports = (one) => one.beforeClose(() => new Promise(() => setInterval(() => {}, 1000)));';
    const cluster = await startTestCluster(
      t,
      { workers: 1, baseDir: writeApp(t, { [`${who}.js`]: hang }) },
      { [name]: '500' },
    );
    const begin = Date.now();
    await cluster.stop();
    const took = Date.now() - begin;
    assert.ok(took > 450 && took < 10_000, `${took} ms`);
  });
}

/** Runs a cluster until it is ready. @returns what it has printed */
async function outputOf(t: TestContext, variables: Record<string, string>): Promise<string> {
  const cluster = await startTestCluster(t, { workers: 1, baseDir: fixture('egg-app') }, variables);
  await cluster.stop();
  return cluster.output();
}

test('core 6.EGG_MASTER_LOGGER_LEVEL is the least level of what the Master prints', async (t) => {
  assert.match(await outputOf(t, {}), /INFO \d+ \[master\]/);
  assert.doesNotMatch(await outputOf(t, { EGG_MASTER_LOGGER_LEVEL: 'ERROR' }), /INFO \d+ \[master\]/);
});

for (const name of ['EGG_APP_WORKER_LOGGER_LEVEL', 'EGG_AGENT_WORKER_LOGGER_LEVEL']) {
  test(`core 6.${name} is not needed: such a process prints through its loggers only`, async (t) => {
    const lines = (await outputOf(t, { [name]: 'DEBUG', EGG_LOG: 'NONE' })).trim().split('\n');
    assert.deepEqual(
      lines.filter((line) => !line.includes(' [master] ')),
      [],
    );
  });
}
