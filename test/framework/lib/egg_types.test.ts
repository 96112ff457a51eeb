import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compile } from '../../support/compile.js';

/** An app with the types that apps of Egg import, a plugin with typings of its own, and middleware by name. */
const APP = {
  'config/config.default.ts': `
    import type { EggAppConfig, EggAppInfo, PowerPartial } from 'egg';
    export default (appInfo: EggAppInfo) => {
      const config = {} as PowerPartial<EggAppConfig>;
      config.keys = appInfo.name;
      config.news = { pageSize: 5 };
      config.bodyParser = { jsonLimit: '2mb' };
      return config;
    };`,
  'config/config.prod.ts': `
    import { defineConfig } from 'egg';
    export default defineConfig({ security: { csrf: { enable: false } }, news: { pageSize: 10 }, anything: 1 });`,
  'config/plugin.ts': `
    import type { EggPlugin } from 'egg';
    const plugin: EggPlugin = { static: true, news: { enable: true, package: 'egg-news' } };
    export default plugin;`,
  'app/plugin_typings.ts': `
    import 'egg';
    declare module 'egg' {
      interface EggAppConfig { news: { pageSize: number } }
      interface Application { news: { list(size: number): string[] } }
      interface Context { newsOf(user: string): string[] }
    }`,
  'app/middleware/gzip.ts': `
    import type { Context, EggApplication, MiddlewareFunc } from 'egg';
    export default (options: { threshold: number }, _app: EggApplication): MiddlewareFunc<Context> =>
      async (ctx, next) => { await next(); ctx.set('x-threshold', String(options.threshold)); };`,
  'app/router.ts': `
    import type { Application, Context, FileStream, Router } from 'egg';
    import { Singleton } from 'egg';
    export default (app: Application) => {
      const router: Router = app.router;
      const gzip = app.middleware.gzip({ threshold: 1024 }, app);
      router.get('/', gzip, async (ctx: Context) => {
        const size: number = app.config.news.pageSize;
        ctx.body = [...app.news.list(size), ...ctx.newsOf('ada')];
      });
      router.post('/', async (ctx) => {
        const stream: FileStream = await ctx.getFileStream();
        ctx.body = [stream.filename, Singleton.name];
      });
    };`,
  'app/types.ts': `
    import type { DefaultConfig, EggAppConfig, EggAppInfo, EggContext, EggEnvType, EggLogger, EggPluginItem, IBoot, ILifecycleBoot,
      LoggerLevel, Next, RequestOptions, Request, Response, SingleModeApplication, StartEggOptions } from 'egg';
    export type All = [DefaultConfig, EggAppConfig, EggAppInfo, EggContext, EggEnvType, EggLogger, EggPluginItem, ILifecycleBoot,
      LoggerLevel, Next, RequestOptions, Request, Response, SingleModeApplication, StartEggOptions];
    export class AppBoot implements IBoot { async didLoad(): Promise<void> {} }`,
};

test('an app with the type names of Egg compiles, and sees what a plugin declares for module egg', (t) => {
  assert.equal(compile(t, APP), '');
});

test('a misspelt key of a declared config, and what no plugin declares, are errors', (t) => {
  const wrong = (file: keyof typeof APP, from: string, to: string): string =>
    compile(t, { ...APP, [file]: APP[file].replace(from, to) });
  assert.match(wrong('config/config.prod.ts', 'enable: false', 'enabel: false'), /'enabel' does not exist/);
  assert.match(wrong('app/router.ts', 'news.pageSize', 'news.pagesize'), /Property 'pagesize' does not exist/);
  assert.match(wrong('app/router.ts', 'threshold: 1024', 'treshold: 1024'), /'treshold' does not exist/);
});
