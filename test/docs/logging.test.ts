import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { loadApp, serve } from '../support/loaded_app.js';
import { filesOf } from '../support/page.js';

const PAGE = 'docs/logging.md';
const { 'config/config.local.js': local, 'config/config.prod.js': prod, ...files } = filesOf(PAGE);

test('docs/logging.md: loggers, custom loggers, transports and secrets do what the page says', async (t) => {
  const app = loadApp(t, {
    ...files,
    'config/config.unittest.js': local as string,
    'app/router.js': `module.exports = (app) => {
      app.get('/user/:id', 'user.show');
      app.get('/account', async (ctx) => { ctx.body = ctx.service.payment.account(); });
    };`,
  }) as ReturnType<typeof loadApp> & { alarms: string[] };
  const ask = await serve(t, app);
  assert.equal((await ask('/user/7')).body, 'ok');
  assert.equal((await ask('/account')).body, 'acct-4711');
  app.loggers.flush();
  const read = (name: string): string => readFileSync(path.join(app.baseDir, 'logs/demo', name), 'utf8');
  const web = read('demo-web.log');
  assert.match(web, /GET \/user\/7\] \[controller\.user\] by the controller\n/);
  assert.match(web, /WARN \d+ \[-\/\S+\/-\/[\d.]+ms GET \/user\/7\] user 7 is slow, \{"ms":120\}\n/);
  assert.match(web, /account <Secret>/);
  assert.doesNotMatch(web, /acct-4711/);
  assert.match(read('audit.log'), /^\S+ \S+ GET \/user\/7 shown\n$/);
  assert.match(JSON.parse(read('demo-web.json.log').split('\n')[0] as string).message, /by the controller/);
  assert.match(read('common-error.log'), /for the log of the framework/);
  assert.equal(app.alarms.length, 1);
  assert.match(app.alarms[0] as string, /nodejs\.Error: for the log of the framework/);
});

test('docs/logging.md: the config of the rotation is taken', (t) => {
  const app = loadApp(t, { 'config/config.unittest.js': prod as string });
  assert.equal(app.config.logrotator.maxDays, 31);
  assert.deepEqual(app.config.logrotator.filesRotateBySize, ['audit.log']);
});
