import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compile } from '../../support/compile.js';

test('keys of the framework keep their types whatever the app sets of them, those of the app are inferred', (t) => {
  const controller = `
    import { Controller } from 'koa-clutch';
    export default class Home extends Controller {
      async index(): Promise<void> {
        const { own, bodyParser, onerror, keys } = this.config;
        const limit: string | number | undefined = bodyParser.jsonLimit;
        const page: string | undefined = onerror?.templatePath;
        const count: number = own.count;
        this.ctx.body = [limit, page, count, keys, this.ctx.cookies.get('a', { encrypt: true }), this.ctx.request.rawBody];
      }
    }`;
  const config = `export default {
    keys: 'k', logger: { level: 'DEBUG' }, bodyParser: { jsonLimit: '5mb' }, onerror: { errorPageUrl: '/x' }, own: { count: 1 },
  };`;
  const files = { 'app/controller/home.ts': controller, 'config/config.default.ts': config };
  assert.equal(compile(t, files), '');
  const wrong = { ...files, 'app/controller/home.ts': controller.replace('own.count', 'own.cuont') };
  assert.match(compile(t, wrong), /Property 'cuont' does not exist/);
});
