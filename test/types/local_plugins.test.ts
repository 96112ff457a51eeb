import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { CLI } from '../support/apps.js';
import { compile } from '../support/compile.js';
import { writeApp } from '../support/loaded_app.js';

const PLUGIN = {
  'config/plugin.ts': `import path from 'node:path';
    export default { greeter: { enable: true, path: path.join(import.meta.dirname, '../lib/plugin/greeter') } };`,
  'lib/plugin/greeter/package.json': '{ "name": "greeter", "type": "module", "eggPlugin": { "name": "greeter" } }',
  'lib/plugin/greeter/config/config.default.ts':
    "export default { greeter: { prefix: 'Hello', times: 1 }, bodyParser: { jsonLimit: '2mb' } };",
  'lib/plugin/greeter/app/extend/context.ts': `import type { Context } from 'koa-clutch';
    export default {
      greet(this: Context, name: string): string { return this.app.config.greeter.prefix + name; },
    };`,
  'lib/plugin/greeter/app/extend/helper.ts': 'export default { wave: (times: number): string => "o/".repeat(times) };',
  'lib/plugin/greeter/app/middleware/polite.ts': `import type { Middleware } from 'koa-clutch';
    export default (_options: { bow: boolean }): Middleware => (_ctx, next) => next();`,
  'lib/plugin/greeter/app/service/guest.ts': `import { Service } from 'koa-clutch';
    export default class Guest extends Service { last(): string { return this.ctx.greet('Ada'); } }`,
  // It belongs to another app.
  'test/fixtures/other/package.json': '{ "eggPlugin": { "name": "other" } }',
  'test/fixtures/other/app/service/other.ts': 'export default class {}',
};

const use = (body: string): Record<string, string> => ({
  'app/controller/home.ts': `import { Controller } from 'koa-clutch';
    export default class Home extends Controller {
      async index(): Promise<unknown> {
        const { ctx, app } = this;
        return ${body};
      }
    }`,
});

const APP = {
  ...PLUGIN,
  'config/config.default.ts': `import { defineConfig } from 'koa-clutch';
    export default defineConfig({ keys: 'k', greeter: { prefix: 'Hi' }, shop: { limit: 1 } });`,
  'app/service/user.ts': `import { Service } from 'koa-clutch';
    export default class User extends Service { find(): number { return this.config.shop.limit; } }`,
};

test('an app compiles against the extends, config, services and middleware of a plugin in its own directory', (t) => {
  const uses = [
    "ctx.greet('Ada').trim()",
    'app.config.greeter.prefix.trim()',
    'app.config.greeter.times.toFixed()',
    // A key of Clutch that the plugin sets a part of keeps its type.
    'app.config.bodyParser.formLimit',
    'ctx.helper.wave(2).trim()',
    'ctx.service.guest.last().trim()',
    'ctx.service.user.find().toFixed()',
    'app.middleware.polite({ bow: true })',
  ];
  assert.equal(compile(t, { ...APP, ...use(`[${uses.join(', ')}]`) }), '');
});

test('what such a plugin does not have is refused, also in the config of the app', (t) => {
  const files = {
    ...APP,
    ...use(
      '[ctx.greet(1), app.config.greeter.prefx, ctx.service.guest.lst(), ctx.helper.wave("2"), ctx.service.other]',
    ),
    'config/config.prod.ts':
      "import { defineConfig } from 'koa-clutch'; export default defineConfig({ greeter: { prefx: 'Hi' } });",
  };
  const errors = compile(t, files);
  for (const error of [
    /home\.ts.*'number' is not assignable to parameter of type 'string'/,
    /home\.ts.*Property 'prefx' does not exist/,
    /home\.ts.*Property 'lst' does not exist/,
    /home\.ts.*'string' is not assignable to parameter of type 'number'/,
    /home\.ts.*Property 'other' does not exist/,
    /config\.prod\.ts.*'prefx' does not exist/,
  ]) {
    assert.match(errors, error);
  }
});

test('types --check notices a file of a local plugin that is new or gone', (t) => {
  const dir = writeApp(t, { ...APP, 'tsconfig.json': '{}' });
  const types = (...flags: string[]) =>
    spawnSync(process.execPath, [CLI, 'types', ...flags], { cwd: dir, encoding: 'utf8' });
  types();
  assert.equal(types('--check').status, 0);
  rmSync(path.join(dir, 'lib/plugin/greeter/app/extend/helper.ts'));
  const old = types('--check');
  assert.equal(old.status, 1);
  assert.match(old.stdout, /- lib\/plugin\/greeter\/app\/extend\/helper\n/);
});
