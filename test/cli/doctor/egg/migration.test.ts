import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import module from 'node:module';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { ROWS } from '../../../../cli/doctor/egg/rows.js';
import { scanPackage, scanSources } from '../../../../cli/doctor/egg/scan.js';
import { CLI } from '../../../support/apps.js';
import { type Files, writeApp } from '../../../support/loaded_app.js';

interface Migration {
  findings: { kind: string; file: string; line: number; what: string }[];
  boot: { error?: string; plugins?: number; routes?: number; warnings: string[] };
}

/** Writes an app that has Egg itself installed, as far as one can see: to load it is an error. */
function eggApp(t: TestContext, version: string, files: Files): string {
  const dir = writeApp(t, files);
  const egg = path.join(dir, 'node_modules/egg');
  rmSync(egg);
  rmSync(path.join(dir, 'node_modules/koa-clutch'));
  mkdirSync(egg);
  writeFileSync(path.join(egg, 'package.json'), JSON.stringify({ name: 'egg', version, main: 'index.js' }));
  writeFileSync(path.join(egg, 'index.js'), 'throw new Error("this is Egg itself");');
  return dir;
}

function examine(dir: string): { code: number | null; migration: Migration } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [CLI, 'doctor', dir, '--from', 'egg', '--json'], {
    encoding: 'utf8',
    env: { ...process.env, NODE_ENV: undefined, NODE_TEST_CONTEXT: undefined },
  });
  assert.notEqual(stdout, '', stderr);
  return { code: status, migration: JSON.parse(stdout) };
}

test('an app of Egg 2 with generators and a framework of its own boots with Clutch in the place of Egg', (t) => {
  const dir = eggApp(t, '2.37.0', {
    'package.json': '{ "name": "old", "egg": { "framework": "yadan" }, "dependencies": { "egg": "^2.0.0" } }',
    'config/config.default.js': `exports.keys = 'k';`,
    'app/router.js': `module.exports = (app) => { app.get('/', 'home.index'); };`,
    'app/controller/home.js': 'exports.index = function* (ctx) { ctx.body = yield ctx.service.a.b(); };',
    'app/service/a.js': `module.exports = class extends require('egg').Service { *b() { return 1; } };`,
    'node_modules/yadan/package.json': '{ "name": "yadan", "main": "index.js" }',
    'node_modules/yadan/index.js': `const egg = require('egg');
      const at = Symbol.for('egg#eggPath');
      exports.startCluster = egg.startCluster;
      exports.Application = class extends egg.Application { get [at]() { return __dirname; } };
      exports.Agent = class extends egg.Agent { get [at]() { return __dirname; } };`,
  });
  const { code, migration } = examine(dir);
  assert.equal(migration.boot.error, undefined);
  assert.equal(code, 0);
  assert.deepEqual(
    migration.findings.map(({ kind, file, line }) => `${file}:${line} ${kind}`),
    ['package.json:1 write', 'app/controller/home.js:1 deprecated', 'app/service/a.js:1 deprecated'],
  );
});

test('an app of Egg 4 in ES modules, whose framework is named egg', (t) => {
  const dir = eggApp(t, '4.0.0', {
    'package.json':
      '{ "name": "new", "type": "module", "egg": { "framework": "egg" }, "dependencies": { "egg": "4" } }',
    'config/config.default.js': `import { defineConfig } from 'egg'; export default defineConfig({ keys: 'k' });`,
    'app/router.js': `export default (app) => { app.get('/', app.controller.home.index); };`,
    'app/controller/home.js': `import { Controller } from 'egg';
      export default class Home extends Controller { async index() { this.ctx.body = 'hi'; } }`,
    'app.js': `export default class { async configDidLoad() {} }`,
  });
  const { code, migration } = examine(dir);
  if ('registerHooks' in module) {
    assert.equal(migration.boot.error, undefined);
    assert.equal(code, 0);
  } else {
    assert.match(migration.boot.error ?? '', /use Node 22\.15 or later, or write "egg": "npm:koa-clutch" and install/);
  }
  assert.deepEqual(
    migration.findings.map(({ kind, file }) => `${file} ${kind}`),
    ['package.json write', 'app.js differs'],
  );
});

test('an app that does not boot is reported with its error, and the exit code is 1', (t) => {
  const dir = eggApp(t, '3.0.0', { 'config/plugin.js': `exports.mysql = { enable: true, package: 'egg-mysql' };` });
  const { code, migration } = examine(dir);
  assert.equal(code, 1);
  assert.match(migration.boot.error ?? '', /Can not find plugin egg-mysql/);
});

test('each row is found in code, and not in comments', () => {
  const samples: [file: string, text: string][] = [
    ['app/a.js', "ctx.curl('/')"],
    ['config/config.default.js', 'exports.httpclient = { enableDNSCache: true }'],
    ['agent.js', 'agent instanceof Koa'],
    ['app/a.js', "ctx.cookies.set('a', 'b', { encrypt: true })"],
    ['app.js', 'async configWillLoad() {'],
    ['app/router.js', 'module.exports = async (app) => {}'],
    ['app.js', "app.loader.loadToApp(dir, 'model')"],
    ['app/a.js', "ctx.set('X-Frame-Options', 'DENY')"],
    ['config/config.prod.js', 'exports.workerStartTimeout = 1'],
    ['app.js', "app.options.pathToRegexpModule = ''"],
    ['config/config.default.js', "exports.multipart = { mode: 'file' }"],
    ['app/schedule/a.js', "static schedule = { cron: '0 0 * * *' }"],
    ['app/a.ts', "import { HTTPController } from '@eggjs/tegg';"],
    ['app.js', 'app.beforeStart(async () => {})'],
    ['app/service/a.js', '  *find(id) {'],
    ['config/config.default.js', 'exports.maxProxyCount = 1'],
    ['test/a.test.js', "const { app } = require('egg-mock/bootstrap');"],
  ];
  for (const [index, [file, text]] of samples.entries()) {
    const { what } = ROWS[index]!;
    const found = scanSources([{ file, text: `\n${text}` }]).find((finding) => finding.what === what);
    assert.equal(found?.line, 2, `${what}: ${text}`);
    assert.deepEqual(scanSources([{ file, text: `// ${text}\n/* ${text} */` }]), []);
  }
  assert.equal(samples.length, ROWS.length);
});

test('a plugin that is declared with its package stays in use, and is told so', () => {
  const text = '{\n"dependencies": {\n"@eggjs/session": "4",\n"egg-redis": "2",\n"egg": "npm:koa-clutch" } }';
  const [finding, ...others] = scanPackage(text, `exports.session = { package: '@eggjs/session' };`);
  assert.deepEqual(others, []);
  assert.equal(finding?.line, 3);
  assert.match(finding?.fix ?? '', /^Remove `package: '@eggjs\/session'` from config\/plugin/);
});

test('tools of Egg 4 are named with what Clutch has in their place', () => {
  const text = '{ "devDependencies": { "@eggjs/mock": "^6", "@eggjs/bin": "^7" }, "dependencies": { "egg": "^4" } }';
  const found = scanPackage(text, '').map(({ what }) => what);
  assert.ok(found.includes('Clutch has koa-clutch/mock in the place of @eggjs/mock'), found.join());
  assert.ok(
    found.some((what) => /`clutch dev`.* in the place of @eggjs\/bin/.test(what)),
    found.join(),
  );
});

test('egg-mock asks for a version of Egg, which npm must be told to override', () => {
  const text = '{\n"devDependencies": {\n"egg-mock": "^5" },\n"dependencies": { "egg": "npm:koa-clutch" } }';
  const findings = scanPackage(text, '');
  assert.deepEqual(
    findings.map(({ kind, line, fix }) => ({ kind, line, fix })),
    [
      { kind: 'replaced', line: 3, fix: 'It may stay.' },
      { kind: 'write', line: 3, fix: '"overrides": { "egg": "$egg" } in package.json' },
    ],
  );
  assert.equal(scanPackage(`${text.slice(0, -1)}, "overrides": { "egg": "$egg" } }`, '').length, 1);
});
