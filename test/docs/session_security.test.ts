import assert from 'node:assert/strict';
import { test } from 'node:test';
import { browser } from '../support/client.js';
import { loadApp, serve } from '../support/loaded_app.js';
import { filesOf } from '../support/page.js';

const form = { 'content-type': 'application/x-www-form-urlencoded' };

test('docs/session.md: one logs in, is greeted once, and logs out', async (t) => {
  const app = loadApp(t, filesOf('docs/session.md'));
  const { ask, jar } = browser(await serve(t, app));
  assert.equal((await ask('/account')).status, 401);
  assert.equal((await ask('/login', { method: 'POST', headers: form, body: 'name=ada' })).headers.location, '/account');
  assert.deepEqual(JSON.parse((await ask('/account')).body), { user: 'ada', visits: 1, messages: ['Welcome'] });
  assert.deepEqual(JSON.parse((await ask('/account')).body), { user: 'ada', visits: 2, messages: [] });
  const [line] = (await ask('/remember', { method: 'POST' })).headers['set-cookie'] as string[];
  assert.match(line as string, /max-age=2592000;.*samesite=lax/);
  await ask('/logout', { method: 'POST' });
  assert.deepEqual(jar, {});
});

test('docs/security.md: a form, a hook, a redirect and a preview', async (t) => {
  const { ask } = browser(await serve(t, loadApp(t, filesOf('docs/security.md'))));
  const page = await ask('/form?name=%3C/script%3E');
  const nonce = page.headers['x-csp-nonce'];
  assert.equal(page.headers['content-security-policy'], `default-src 'self';script-src 'self' 'nonce-${nonce}'`);
  assert.match(
    page.body,
    new RegExp(`<script nonce="${nonce}">const user = {"name":"\\\\u003c\\\\u002fscript\\\\u003e"};`),
  );
  const action = /action="([^"]+)"/.exec(page.body)?.[1] as string;
  const sent = { method: 'POST', headers: form, body: 'name=%3Cb%3E' };
  assert.equal((await ask(action, sent)).body, '<p>Hello &lt;b&gt;</p>');
  assert.equal((await ask('/form', sent)).status, 403);
  assert.equal((await ask('/hooks/paid', { method: 'POST' })).body, 'ok');
  assert.equal((await ask('/leave?to=https://shop.example.com/x')).status, 302);
  assert.equal((await ask('/leave?to=https://evil.test')).status, 403);
  assert.notEqual((await ask('/preview?url=http://127.0.0.1:1/')).status, 200);
});
