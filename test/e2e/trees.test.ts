// An app with a scoped framework and a plugin of that framework, as each package manager lays them out. The plugin's `exports` hides its
// package.json. Packages come from npm's cache where they are there; without it and without a registry the tests are skipped.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync, lstatSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, type TestContext, test } from 'node:test';
import { promisify } from 'node:util';
import { ROOT, temporaryDirectory } from '../support/apps.js';
import type { Files } from '../support/loaded_app.js';

const run = promisify(execFile);
const ENV = {
  ...process.env,
  NODE_TEST_CONTEXT: undefined,
  NODE_ENV: undefined,
  EGG_SERVER_ENV: undefined,
  // Of an `npx -p` that runs these tests: another one in it would look for a command of that package.
  npm_config_package: undefined,
};

const FRAMEWORK: Files = {
  'index.js': `const egg = require('egg');
const at = Symbol.for('egg#eggPath');
exports.startCluster = egg.startCluster;
exports.Application = class extends egg.Application { get [at]() { return __dirname; } };
exports.Agent = class extends egg.Agent { get [at]() { return __dirname; } };`,
  'config/plugin.js': `exports.hello = { enable: true, package: '@acme/egg-hello' };`,
};

const PLUGIN: Files = {
  'package.json': JSON.stringify({
    name: '@acme/egg-hello',
    version: '1.0.0',
    exports: { '.': './index.js' },
    eggPlugin: { name: 'hello' },
  }),
  'index.js': '',
  'app/extend/context.js': `module.exports = { get hello() { return 'Grüße'; } };`,
};

const APP: Files = {
  'config/config.default.js': `exports.keys = 'k';`,
  'app/router.js': `module.exports = (app) => { app.get('/', (ctx) => { ctx.body = [ctx.hello, ctx.service.a.b.name()]; }); };`,
  'app/service/a/b.js': `module.exports = class extends require('egg').Service { name() { return this.app.name; } };`,
};

const BOOT = `
  const { start } = require(require('node:module').createRequire(process.cwd() + '/x.js').resolve('egg'));
  start({ baseDir: process.cwd() }).then(async (app) => {
    const server = app.listen(0);
    const response = await fetch('http://127.0.0.1:' + server.address().port + '/');
    console.log('says ' + (await response.text()));
    server.closeAllConnections();
    server.close();
    await app.close();
  });`;

let packed: string;
/** Names of the tarballs in `packed`. */
const TARBALLS = { clutch: '', framework: 'acme-framework-1.0.0.tgz', plugin: 'acme-egg-hello-1.0.0.tgz' };
let unavailable: string | false = false;

before(async () => {
  packed = mkdtempSync(path.join(tmpdir(), 'clutch-packed-'));
  TARBALLS.clutch = await pack(ROOT);
  write(path.join(packed, 'plugin'), PLUGIN);
  await pack(path.join(packed, 'plugin'));
  write(path.join(packed, 'framework'), { ...FRAMEWORK, 'package.json': frameworkPackage(tarball('plugin')) });
  await pack(path.join(packed, 'framework'));
  try {
    await run('npm', ['view', 'koa', 'version', '--prefer-online', '--fetch-retries=0'], { env: ENV });
  } catch {
    unavailable = 'npm reaches no registry';
  }
});
after(() => rmSync(packed, { recursive: true, force: true }));

/** dist is built: packing must not build it again under the tests that use it. */
async function pack(dir: string): Promise<string> {
  const { stdout } = await run('npm', ['pack', '--ignore-scripts', '--json', '--pack-destination', packed], {
    cwd: dir,
  });
  const [{ filename }] = Object.values(JSON.parse(stdout) as Record<string, { filename: string }>) as [
    { filename: string },
  ];
  return filename;
}

function tarball(name: keyof typeof TARBALLS): string {
  return `file:${path.join(packed, TARBALLS[name])}`;
}

function frameworkPackage(plugin: string): string {
  return JSON.stringify({
    name: '@acme/framework',
    version: '1.0.0',
    main: 'index.js',
    dependencies: { '@acme/egg-hello': plugin },
    peerDependencies: { egg: '*' },
  });
}

function appPackage(framework: string, more: object = {}): string {
  const dependencies = { egg: tarball('clutch'), '@acme/framework': framework };
  return JSON.stringify({
    name: 'shop',
    version: '1.0.0',
    private: true,
    egg: { framework: '@acme/framework' },
    dependencies,
    ...more,
  });
}

function write(dir: string, files: Files): void {
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(path.dirname(path.join(dir, name)), { recursive: true });
    writeFileSync(path.join(dir, name), text);
  }
}

/** Boots the app and asks it, and lists its plugins and routes with the command that was installed. */
async function assertWorks(app: string, bin = app): Promise<void> {
  await assertServes(app);
  const cli = path.join(bin, 'node_modules/.bin/clutch');
  const plugins = await run(cli, ['plugins', '--json'], { cwd: app, env: ENV });
  const hello = (JSON.parse(plugins.stdout) as { name: string; enable: boolean }[]).find(
    ({ name }) => name === 'hello',
  );
  assert.equal(hello?.enable, true);
  const { findings } = await doctor(cli, app);
  assert.deepEqual(
    findings.filter(({ what }) => /installed|does not load|nothing reads/.test(what)),
    [],
  );
}

async function assertServes(app: string): Promise<void> {
  const { stdout } = await run(process.execPath, ['-e', BOOT], { cwd: app, env: ENV });
  assert.match(stdout, /says \["Grüße","shop"\]/);
}

async function doctor(cli: string, app: string): Promise<{ findings: { level: string; what: string }[] }> {
  // An error such as a port in use, by another test, ends it with 1.
  const { stdout } = await run(cli, ['doctor', '--json'], { cwd: app, env: ENV }).catch((error) => error);
  return { findings: JSON.parse(stdout) };
}

const FLAGS = ['--no-audit', '--no-fund', '--prefer-offline', '--ignore-scripts'];

/** @returns whether the test cannot run, and says so */
function isSkipped(t: TestContext): boolean {
  if (unavailable) t.skip(unavailable);
  return unavailable !== false;
}

describe('trees', { concurrency: true }, () => {
  test('npm workspaces: framework hoisted and linked, a path with spaces and other letters, the app behind a link', async (t) => {
    if (isSkipped(t)) return;
    const root = path.join(temporaryDirectory(t), 'ein Größen-Test 应用');
    write(root, {
      'package.json': JSON.stringify({ name: 'root', private: true, workspaces: ['apps/*', 'packages/*'] }),
    });
    write(path.join(root, 'packages/framework'), { ...FRAMEWORK, 'package.json': frameworkPackage('1.0.0') });
    write(path.join(root, 'packages/hello'), PLUGIN);
    write(path.join(root, 'apps/shop'), { ...APP, 'package.json': appPackage('1.0.0') });
    await run('npm', ['install', ...FLAGS], { cwd: root, env: ENV });
    assert.ok(lstatSync(path.join(root, 'node_modules/@acme/framework')).isSymbolicLink());
    assert.ok(!existsSync(path.join(root, 'apps/shop/node_modules/egg')));
    await assertWorks(path.join(root, 'apps/shop'), root);
    const link = path.join(root, '..', 'linked app');
    symlinkSync(path.join(root, 'apps/shop'), link, 'dir');
    await assertServes(link);
  });

  test('pnpm: a plugin that only the framework can see', async (t) => {
    if (isSkipped(t)) return;
    const app = path.join(temporaryDirectory(t), 'shop');
    write(app, { ...APP, 'package.json': appPackage(tarball('framework')) });
    await run('npx', ['-y', '--prefer-offline', 'pnpm@10', 'install', '--prefer-offline', '--ignore-scripts'], {
      cwd: app,
      env: ENV,
    });
    assert.ok(!existsSync(path.join(app, 'node_modules/@acme/egg-hello')));
    await assertWorks(app);
  });

  test('yarn 1 with node_modules, then with Plug’n’Play, which is refused with what to write', async (t) => {
    if (isSkipped(t)) return;
    const dir = temporaryDirectory(t);
    const app = path.join(dir, 'shop');
    write(app, { ...APP, 'package.json': appPackage(tarball('framework')) });
    const yarn = ['-y', '--prefer-offline', 'yarn@1'];
    const flags = [
      '--prefer-offline',
      '--ignore-scripts',
      '--non-interactive',
      '--cache-folder',
      path.join(dir, 'cache'),
    ];
    await run('npx', [...yarn, 'install', ...flags], { cwd: app, env: ENV });
    await assertWorks(app);

    const pnp = path.join(dir, 'pnp');
    write(pnp, { ...APP, 'package.json': appPackage(tarball('framework'), { installConfig: { pnp: true } }) });
    await run('npx', [...yarn, 'install', '--offline', ...flags], { cwd: pnp, env: ENV });
    const failed = await run('npx', [...yarn, 'run', '-s', 'clutch', 'routes'], { cwd: pnp, env: ENV }).catch(
      (error) => error,
    );
    assert.match(String(failed.stderr), /Yarn's Plug'n'Play is not supported/);
    assert.match(String(failed.stderr), /nodeLinker: node-modules/);
  });

  test('two Koas in the tree: middleware of the other one runs, and clutch doctor names both', async (t) => {
    if (isSkipped(t)) return;
    const app = path.join(temporaryDirectory(t), 'shop');
    const router = `const Koa = require('koa');
    const other = new Koa().use((ctx) => { ctx.body = { koa: require('koa/package.json').version }; });
    module.exports = (app) => { app.get('/', async (ctx) => { ctx.respond = false; await other.callback()(ctx.req, ctx.res); }); };`;
    write(app, { ...APP, 'app/router.js': router });
    const dependencies = { egg: tarball('clutch'), koa: '^2.16.0' };
    write(app, { 'package.json': JSON.stringify({ name: 'shop', version: '1.0.0', dependencies }) });
    await run('npm', ['install', ...FLAGS], { cwd: app, env: ENV });
    const { stdout } = await run(process.execPath, ['-e', BOOT], { cwd: app, env: ENV });
    assert.match(stdout, /says \{"koa":"2\./);
    const { findings } = await doctor(path.join(app, 'node_modules/.bin/clutch'), app);
    assert.ok(
      findings.some(({ level, what }) => level === 'warning' && /^koa is installed 2 times/.test(what)),
      JSON.stringify(findings),
    );
  });
});
