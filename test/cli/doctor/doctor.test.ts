import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, cpSync, mkdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { CLI, ROOT, startTestCluster } from '../../support/apps.js';
import { examine } from '../../support/doctor.js';
import { type Files, writeApp } from '../../support/loaded_app.js';

const KEYS = `exports.keys = 'a-key';`;
/** No port is looked at, unless a test is about it. */
const CONFIG = `${KEYS} exports.cluster = { listen: { port: 0 } };`;

function app(t: TestContext, files: Files = {}): string {
  return writeApp(t, { 'config/config.default.js': CONFIG, ...files });
}

test('an app without faults has no findings, and the exit code is 0', (t) => {
  const dir = app(t, { 'app/router.js': 'module.exports = () => {};' });
  const { code, findings } = examine(dir);
  assert.deepEqual(findings, []);
  assert.equal(code, 0);
  const { stdout } = spawnSync(process.execPath, [CLI, 'doctor', dir], { encoding: 'utf8' });
  assert.equal(stdout, 'nothing found\n');
});

test('a text for people has level, what, where, what mends it, and how many there are', (t) => {
  const dir = app(t, { 'config/config.default.js': `${CONFIG} exports.sesion = { maxAge: 1 };` });
  const { stdout, status } = spawnSync(process.execPath, [CLI, 'doctor'], { cwd: dir, encoding: 'utf8' });
  assert.equal(
    stdout,
    `warning: nothing reads config.sesion: did you mean session?
  ${dir}/config/config.default.js
  Write session, or remove it.

1 warning
`,
  );
  assert.equal(status, 0);
});

test('config keys that nothing reads, with the nearest; those that code, a plugin or a middleware reads are none', (t) => {
  const dir = app(t, {
    'config/config.default.js': `${CONFIG}
      exports.session = { maxAg: 1, maxAge: 2 };
      exports.bodyParser = { jsonLimits: '2mb', ignore: '/upload' };
      exports.weather = { city: 'Oslo' };
      exports.middleware = ['gzip'];
      exports.gzip = { threshold: 1 };
      exports.mail = { host: 'a' };
      exports.lonely = true;`,
    'config/plugin.js': `exports.mail = { enable: true, path: require('path').join(__dirname, '../lib/mail') };`,
    'lib/mail/package.json': '{ "name": "mail", "eggPlugin": { "name": "mail" } }',
    'app/middleware/gzip.js': 'module.exports = () => (ctx, next) => next();',
    'app/service/sky.js':
      'module.exports = (app) => class extends app.Service { get() { return this.config.weather; } };',
  });
  const { findings } = examine(dir);
  assert.deepEqual(
    findings.map(({ what }) => what),
    [
      'nothing reads config.session.maxAg: did you mean session.maxAge?',
      'nothing reads config.bodyParser.jsonLimits: did you mean bodyParser.jsonLimit?',
      'nothing reads config.lonely',
    ],
  );
});

test('missing keys are a warning in development, an error in production', (t) => {
  const dir = app(t, { 'config/config.default.js': 'exports.cluster = { listen: { port: 0 } };' });
  const [local] = examine(dir).findings;
  assert.match(`${local?.level} ${local?.what}`, /^warning config\.keys is not set/);
  const { code, findings } = examine(dir, { EGG_SERVER_ENV: 'prod', NODE_ENV: 'production', EGG_HOME: dir });
  assert.match(`${findings[0]?.level} ${findings[0]?.what}`, /^error config\.keys is not set/);
  assert.equal(code, 1);
});

test('a plugin that is on and not installed is an error with its advice', (t) => {
  const dir = app(t, { 'config/plugin.js': 'exports.redis = true;' });
  const { code, findings } = examine(dir);
  assert.equal(code, 1);
  const { what, where = '', fix } = findings[0]!;
  assert.match(what, /the app does not load: .*Can not find plugin redis/);
  assert.match(where, /declared as "redis" in .*config\/plugin\.js/);
  assert.match(fix, /egg-redis/);
});

test('an app with a syntax error is an error, and other checks go on', (t) => {
  const dir = app(t, {
    'app/router.js': 'module.exports = (app) => {',
    'package.json': '{ "name": "demo", "engines": { "node": ">=90" } }',
  });
  const { code, findings } = examine(dir);
  assert.equal(code, 1);
  assert.match(findings[0]?.what ?? '', /Node .* is not in the range ">=90"/);
  assert.match(findings[0]?.where ?? '', /package\.json/);
  assert.match(findings[1]?.what ?? '', /the app does not load: .*/);
  assert.match(`${findings[1]?.what}${findings[1]?.where}`, /app\/router\.js/);
});

test('NODE_ENV that contradicts the env, and an env without a config file', (t) => {
  const dir = app(t, { 'config/config.staging.js': '' });
  const whats = (env: NodeJS.ProcessEnv) => examine(dir, { EGG_HOME: dir, ...env }).findings.map(({ what }) => what);
  assert.match(whats({ EGG_SERVER_ENV: 'prod' })[0] ?? '', /the env is "prod", and NODE_ENV is not set/);
  assert.match(whats({ EGG_SERVER_ENV: 'local', NODE_ENV: 'production' })[0] ?? '', /NODE_ENV is production/);
  assert.deepEqual(whats({ EGG_SERVER_ENV: 'staging' }), []);
  const [finding] = examine(dir, { EGG_SERVER_ENV: 'stagin', EGG_HOME: dir }).findings;
  assert.match(finding?.what ?? '', /neither config\.stagin nor plugin\.stagin/);
  assert.equal(finding?.fix, 'Did you mean EGG_SERVER_ENV=staging?');
});

test('directories that cannot be written', (t) => {
  const dir = app(t, { 'logs/demo': 'a file', run: 'a file' });
  const { code, findings } = examine(dir);
  assert.deepEqual(
    findings.map(({ what, where }) => [what, where]),
    [
      [`${dir}/logs/demo cannot be written: ENOTDIR`, `config.logger.dir; at ${dir}/logs/demo`],
      [`${dir}/run cannot be written: ENOTDIR`, `config.rundir; at ${dir}/run`],
    ],
  );
  assert.equal(code, 1);
});

test('a directory of another user cannot be written', { skip: process.getuid?.() === 0 && 'root may write' }, (t) => {
  const dir = app(t);
  mkdirSync(path.join(dir, 'logs'));
  chmodSync(path.join(dir, 'logs'), 0o500);
  assert.match(examine(dir).findings[0]?.what ?? '', /logs.* cannot be written: EACCES/);
});

test('a port in use is an error with the process that has it', async (t) => {
  const holder = spawn(
    process.execPath,
    ['-e', 'const s = require("net").createServer().listen(0, () => console.log(s.address().port))'],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  t.after(() => holder.kill());
  const [port] = (await once(holder.stdout, 'data')) as [Buffer];
  const listen = `exports.cluster = { listen: { port: ${String(port).trim()} } };`;
  const { code, findings } = examine(app(t, { 'config/config.default.js': `${KEYS} ${listen}` }));
  assert.equal(code, 1);
  assert.match(findings[0]?.what ?? '', /^port \d+ is in use by pid \d+: .*node.* -e const s/);
  assert.equal(findings[0]?.where, `config.cluster.listen; the process runs in ${ROOT}`);
  assert.equal(findings[0]?.fix, `kill ${holder.pid}, or start with --port.`);
});

test('the port of the running app itself is a note', async (t) => {
  const probe = net.createServer().listen(0);
  const { port } = probe.address() as net.AddressInfo;
  await new Promise((resolve) => probe.close(resolve));
  const dir = app(t, { 'config/config.default.js': `${KEYS} exports.cluster = { listen: { port: ${port} } };` });
  const pidFile = path.join(dir, 'run/clutch.pid');
  const { child } = await startTestCluster(t, { baseDir: dir, port: undefined, workers: 1, pidFile });
  const { findings, code } = examine(dir);
  assert.deepEqual(findings, [
    {
      level: 'note',
      what: `the app runs on port ${port}, pid ${child.pid}`,
      where: `config.cluster.listen; the process runs in ${ROOT}`,
      fix: '`clutch status` shows it.',
    },
  ]);
  assert.equal(code, 0);
});

test('pid file and socket of a Master that was killed are notes', async (t) => {
  const dir = app(t);
  const pidFile = path.join(dir, 'run/clutch.pid');
  const cluster = await startTestCluster(t, { baseDir: dir, workers: 1, pidFile });
  await cluster.stop('SIGKILL');
  const { findings, code } = examine(dir);
  const found = findings.filter(({ where }) => where === pidFile || where === path.join(dir, 'run/clutch.sock'));
  assert.deepEqual(
    found.map(({ level, what }) => `${level}: ${what}`),
    [
      `note: the file of pid ${cluster.child.pid} is left over from a Master that has ended without stopping`,
      'note: nobody listens on this socket: its process has ended without stopping',
    ],
  );
  for (const { fix } of found) {
    const [, file] = /^rm '([^']+)'/.exec(fix) ?? [];
    rmSync(file ?? '');
  }
  assert.equal(code, 0);
});

test('compiled files that are older than their source', (t) => {
  const dir = app(t, {
    'app/service/old.js': 'module.exports = class {};',
    'app/service/old.ts': 'export default class {}',
    'app/service/new.js': 'module.exports = class {};',
    'app/service/new.ts': 'export default class {}',
  });
  const hour = new Date(Date.now() - 3600_000);
  utimesSync(path.join(dir, 'app/service/old.js'), hour, hour);
  utimesSync(path.join(dir, 'app/service/new.ts'), hour, hour);
  const { findings } = examine(dir);
  assert.deepEqual(
    findings.map(({ where }) => where),
    ['app/service/old.js'],
  );
  assert.match(findings[0]?.fix ?? '', /npm run build/);
});

test('packages that are installed twice, and Egg beside Clutch', (t) => {
  const dir = app(t);
  for (const modules of ['node_modules', 'node_modules/passport/node_modules', 'node_modules/@scope/b/node_modules']) {
    cpSync(path.join(ROOT, 'node_modules/koa/package.json'), path.join(dir, modules, 'koa/package.json'));
  }
  rmSync(path.join(dir, 'node_modules/egg'));
  mkdirSync(path.join(dir, 'node_modules/egg'));
  writeFileSync(path.join(dir, 'node_modules/egg/package.json'), '{ "name": "egg", "version": "3.9.0" }');
  const { findings } = examine(dir);
  assert.match(findings[0]?.what ?? '', /^koa is installed 3 times/);
  assert.equal(findings[0]?.where?.split('\n').length, 3);
  assert.match(findings[1]?.what ?? '', /^Egg 3\.9\.0 is installed beside Clutch/);
  assert.match(findings[1]?.fix ?? '', /"egg": "npm:koa-clutch"/);
});

test('files from the future and a time zone that there is not', (t) => {
  const dir = app(t, { 'app/router.js': 'module.exports = () => {};' });
  const future = new Date(Date.now() + 3 * 86_400_000);
  utimesSync(path.join(dir, 'app/router.js'), future, future);
  const { findings } = examine(dir, { TZ: 'Mars/Olympus', LC_ALL: 'zh_CN.GBK' });
  assert.match(findings[0]?.what ?? '', /^the clock says/);
  assert.match(findings[1]?.what ?? '', /^TZ=Mars\/Olympus is not a time zone/);
  assert.match(findings[2]?.what ?? '', /zh_CN\.GBK is not UTF-8/);
});

test('a directory that holds no app is refused', (t) => {
  const { code, stderr } = examine(path.join(app(t), 'app'));
  assert.equal(code, 1);
  assert.match(stderr, /ERR_CLUTCH_NOT_FOUND/);
});
