import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadApp, serve } from '../support/loaded_app.js';
import { filesOf } from '../support/page.js';

test('docs/i18n.md: texts in two languages', async (t) => {
  const ask = await serve(t, loadApp(t, filesOf('docs/i18n.md')));
  const english = ['Welcome back, Ada!', '1 of 2', 'Ada', '1 file', '3 个文件'];
  assert.deepEqual(JSON.parse((await ask('/')).body), english);
  const chinese = ['欢迎回来，Ada！', '1 of 2', 'Ada', '1 个文件', '3 个文件'];
  assert.deepEqual(JSON.parse((await ask('/?locale=zh-CN')).body), chinese);
});

test('docs/cross-origin.md: JSONP and CORS', async (t) => {
  const ask = await serve(t, loadApp(t, filesOf('docs/cross-origin.md')));
  assert.equal((await ask('/price')).body, '{"price":7}');
  assert.match((await ask('/price?callback=show')).body, /&& show\(\{"price":7\}\);$/);
  assert.equal((await ask('/partner?fn=show')).status, 403);
  const headers = { referer: 'https://shop.partner.com/', origin: 'https://www.example.com' };
  const answer = await ask('/partner?fn=show', { headers });
  assert.match(answer.body, /&& show\(\{"price":6\}\);$/);
  assert.equal(answer.headers['access-control-allow-origin'], 'https://www.example.com');
});
