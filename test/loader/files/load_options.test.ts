import assert from 'node:assert/strict';
import path from 'node:path';
import { test } from 'node:test';
import type { Application } from 'koa-clutch';
import { type Files, loadApp, serve } from '../../support/loaded_app.js';

const FILES: Files = {
  'app/controller/home.js': 'module.exports = class { async index(ctx) { ctx.body = "home"; } };',
  'kit/controller/extra.js': 'module.exports = class { async index(ctx) { ctx.body = "extra"; } };',
  'kit/service/Tool.js':
    'module.exports = class { constructor(ctx) { this.ctx = ctx; } at() { return this.ctx.path; } };',
  'kit/middleware/mark.js':
    'module.exports = (options) => (ctx, next) => { ctx.set("x-mark", options.by); return next(); };',
  'kit/plain/one.js': 'module.exports = (given) => ({ given });',
};

const kit = (app: Application, name: string): string => path.join(app.baseDir, 'kit', name);

test('loadController fills the target that it is given, and leaves app.controller alone', (t) => {
  const app = loadApp(t, FILES);
  const target: Record<string, { index?: unknown }> = {};
  app.loader.loadController({ directory: kit(app, 'controller'), target, caseStyle: 'upper' });
  assert.equal(typeof target['Extra']?.index, 'function');
  assert.deepEqual(Object.keys(app.controller), ['home']);
});

test('loadService takes property, fieldClass and caseStyle', async (t) => {
  const app = loadApp(t, FILES);
  app.loader.loadService({
    directory: kit(app, 'service'),
    property: 'tools',
    fieldClass: 'toolClasses',
    caseStyle: 'camel',
  });
  assert.ok('Tool' in (app as unknown as { toolClasses: object }).toolClasses);
  const ctx = app.createAnonymousContext() as unknown as Record<string, Record<string, { at(): string }>>;
  assert.equal(ctx['tools']?.['Tool']?.at(), '/');
  assert.equal(ctx['service']?.['Tool'], undefined);
});

test('loadMiddleware takes a directory, and mounts what config lists of it', async (t) => {
  const app = loadApp(t, { ...FILES, 'app/router.js': 'module.exports = (app) => app.get("/", "home.index");' });
  app.config.coreMiddleware.length = 0;
  app.config.appMiddleware.push('mark');
  app.config['mark'] = { by: 'kit' };
  app.loader.loadMiddleware({ directory: kit(app, 'middleware') });
  const { headers, body } = await (await serve(t, app))('/');
  assert.equal(headers['x-mark'], 'kit');
  assert.equal(body, 'home');
});

test('loadToApp and loadToContext take inject, target, directory and property among the options', (t) => {
  const app = loadApp(t, FILES);
  const target: Record<string, { given: unknown }> = {};
  app.loader.loadToApp('/no/dir', 'plain', { directory: kit(app, 'plain'), target, inject: 'me' });
  assert.equal(target['one']?.given, 'me');
  app.loader.loadToContext(kit(app, 'plain'), 'x', { property: 'y' });
  const ctx = app.createAnonymousContext() as unknown as Record<string, { one: { given: unknown } }>;
  assert.equal(ctx['y']?.one.given, app);
  assert.equal(ctx['x'], undefined);
});

test('a file does not replace what is in the target already, unless override is set', (t) => {
  const app = loadApp(t, FILES);
  const own = { given: 'own' };
  const load = (target: object, override = false): void =>
    app.loader.loadToApp(kit(app, 'plain'), 'plain', { target, override });
  assert.throws(() => load({ one: own }), /can't overwrite property 'one' from a value that has no file by .*one\.js/);
  assert.throws(() => load({ one: 1 }), { code: 'ERR_CLUTCH_DUPLICATE' });
  const target: Record<string, unknown> = { one: own };
  load(target, true);
  assert.notEqual(target['one'], own);
});
