import assert from 'node:assert/strict';
import { existsSync, rmSync, symlinkSync } from 'node:fs';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { ROOT } from '../support/apps.js';
import { runDev, startDev } from '../support/dev.js';
import { request } from '../support/http.js';
import { type Files, writeApp } from '../support/loaded_app.js';

// `node scripts/egg_packages.mjs` installs a TypeScript that can be called.
const CALLABLE = path.join(ROOT, 'test/fixtures/egg-tools/node_modules/typescript');
const skip = existsSync(CALLABLE) ? false : 'node scripts/egg_packages.mjs has not been run';

const APP: Files = {
  'config/config.default.ts': `export default { keys: 'k' };`,
  'base.json': '{ "compilerOptions": { "emitDecoratorMetadata": true, /* both */ "experimentalDecorators": true } }',
  'tsconfig.json': `{
    // "emitDecoratorMetadata": false,
    "extends": "./base.json",
    "compilerOptions": { "target": "ES2022", "module": "CommonJS", "moduleResolution": "node10" }
  }`,
  'lib/inject.ts': `
    export const injected: unknown[] = [];
    Object.assign(Reflect, { metadata: (key: string, value: unknown) => () => void injected.push([key, String(value)]) });
    export const inject = (_target: object, _key: string): void => undefined;`,
  'lib/store.ts': `export class Store { find() { return 'found'; } }`,
  'app/controller/home.ts': `
    import { Controller } from 'koa-clutch';
    import { inject, injected } from '../../lib/inject';
    import { Store } from '../../lib/store';
    export default class Home extends Controller {
      @inject
      store!: Store;
      async index() {
        this.ctx.body = injected;
      }
    }`,
  'app/router.ts': `export default (app) => app.get('/', app.controller.home.index);`,
};

/** Writes an app whose node_modules have tsx and a TypeScript. */
function appWith(t: TestContext, typescript: string): string {
  const dir = writeApp(t, APP);
  for (const [name, target] of Object.entries({ tsx: path.join(ROOT, 'node_modules/tsx'), typescript })) {
    const link = path.join(dir, 'node_modules', name);
    rmSync(link, { force: true });
    symlinkSync(target, link, 'dir');
  }
  return dir;
}

test('clutch dev honours emitDecoratorMetadata of tsconfig.json and what it extends', { skip }, async (t) => {
  const { url, output } = await startDev(t, appWith(t, CALLABLE));
  const { body } = await request(url);
  assert.match(body, /\["design:type","class Store\b/, output());
});

test('where TypeScript cannot be called, clutch dev says at the start that metadata is lost', async (t) => {
  const { printed, output, stop } = runDev(t, appWith(t, path.join(ROOT, 'node_modules/typescript')));
  await printed(/started on/);
  assert.equal(output().split('emitDecoratorMetadata').length, 2, output());
  assert.match(output(), /tsx does not emit it[\s\S]*typescript@5/);
  await stop();
});
