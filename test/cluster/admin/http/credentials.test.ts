import assert from 'node:assert/strict';
import { statSync } from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import { test } from 'node:test';
import { FILES, readEvents, startPage } from '../../../support/admin.js';
import { launch, printed } from '../../../support/apps.js';
import { type HttpResponse, request } from '../../../support/http.js';
import { writeApp } from '../../../support/loaded_app.js';

const TOKEN = 'a-token-that-nobody-guesses';

test('on another host than the loopback the page needs a token, and the start says so', async (t) => {
  const start = (admin: object, env: NodeJS.ProcessEnv = {}) =>
    launch(t, { baseDir: writeApp(t, FILES), workers: 1, admin: { port: 0, page: true, ...admin } }, env);
  const open = start({ host: '0.0.0.0' });
  assert.equal(await open.exited, 1);
  assert.match(open.output(), /the admin page would be open to everybody who reaches 0\.0\.0\.0/);
  assert.match(
    open.output(),
    /Give admin\.token, or set CLUTCH_ADMIN_TOKEN; or listen on 127\.0\.0\.1 or a unix socket\./,
  );
  const short = start({ host: '0.0.0.0', token: 'hunter2' });
  assert.equal(await short.exited, 1);
  assert.match(short.output(), /the token of the admin page is too short/);
  assert.doesNotMatch(short.output(), /hunter2/);
  await printed(start({ host: '0.0.0.0' }, { CLUTCH_ADMIN_TOKEN: TOKEN }), /started on/);
});

test('with a token, nothing is shown without it: not in a URL, not after guesses', async (t) => {
  const cluster = await startPage(t, { admin: { host: '0.0.0.0', token: TOKEN } });
  const { output } = cluster;
  const page = cluster.page.replace('0.0.0.0', '127.0.0.1');
  const get = (at: string, headers: Record<string, string> = {}) => request(page, { path: at, headers });
  const logIn = (token: string, headers: Record<string, string> = {}): Promise<HttpResponse> =>
    request(`${page}/login`, {
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded', ...headers },
      body: new URLSearchParams({ token }).toString(),
    });

  for (const at of ['/', '/assets/app.js']) {
    const { status, headers, body } = await get(at);
    assert.deepEqual([status, headers['www-authenticate']], [401, 'Bearer']);
    assert.match(body, /<form method="post" action="login">/);
  }
  for (const at of ['/api/views/now', '/api/events?views=now', `/api/views/now?token=${TOKEN}`, '/nothing']) {
    const { status, body } = await get(at);
    assert.equal(status, 401, at);
    assert.match(JSON.parse(body).error, /as a bearer token in the header Authorization/);
  }
  const action = await request(`${page}/api/actions/reload`, { method: 'POST', body: '{}' });
  assert.equal(action.status, 401);
  for (const probe of ['/livez', '/readyz', '/metrics']) assert.equal((await get(probe)).status, 200);

  assert.equal((await get('/api/views/now', { authorization: `Bearer ${TOKEN}` })).status, 200);
  for (const wrong of [`Bearer ${TOKEN}x`, `Bearer ${TOKEN.slice(1)}`, `Basic ${TOKEN}`, 'Bearer', TOKEN]) {
    assert.equal((await get('/api/views/now', { authorization: wrong })).status, 401, wrong);
  }

  const wrong = await logIn('not-the-token-at-all');
  assert.deepEqual([wrong.status, wrong.headers['set-cookie']], [401, undefined]);
  assert.match(wrong.body, /role="alert"/);
  assert.equal((await logIn(TOKEN, { origin: 'http://evil.example' })).status, 403);
  assert.equal((await logIn(TOKEN, { 'content-type': 'text/plain' })).status, 415);
  const { status, headers } = await logIn(TOKEN);
  assert.deepEqual([status, headers.location], [303, './']);
  const [setCookie = ''] = headers['set-cookie'] ?? [];
  assert.match(setCookie, /^clutch_admin=\d+\.[\w-]+; Path=\/; Max-Age=43200; HttpOnly; SameSite=Strict$/);
  assert.doesNotMatch(setCookie, new RegExp(TOKEN));
  const secure = await logIn(TOKEN, { origin: `https://${new URL(page).host}` });
  assert.match(String(secure.headers['set-cookie']), /; SameSite=Strict; Secure$/);
  const [cookie = ''] = setCookie.split(';');
  assert.equal((await get('/api/views/now', { cookie: `other=1; ${cookie}` })).status, 200);
  assert.equal((await get('/', { cookie })).status, 200);
  const stream = await readEvents(t, `${page}/api/events?views=now`, { headers: { cookie } });
  await stream.find('now', () => true);
  const [expires = '', signature = ''] = cookie.split('=')[1]?.split('.') ?? [];
  for (const forged of [`${Number(expires) + 1}.${signature}`, `${expires}.`, `${expires}.x`, `.${signature}`, TOKEN]) {
    assert.equal((await get('/api/views/now', { cookie: `clutch_admin=${forged}` })).status, 401, forged);
  }

  let refused = 0;
  for (let guess = 0; guess < 12; guess += 1) {
    if ((await logIn(`guess number ${guess} of many`)).status === 429) refused += 1;
  }
  assert.ok(refused > 0, 'guesses are limited');
  assert.equal((await logIn(TOKEN)).status, 429);
  assert.equal((await get('/api/views/now', { authorization: `Bearer ${TOKEN}` })).status, 429);
  // Who is there already stays.
  assert.equal((await get('/api/views/now', { cookie })).status, 200);
  assert.doesNotMatch(output(), new RegExp(TOKEN));
});

test('a read-only page shows everything and changes nothing', async (t) => {
  const { view, act, pids } = await startPage(t, { admin: { readOnly: true } });
  const before = await pids();
  assert.equal((await view('now')).readOnly, true);
  for (const name of ['reload', 'restart', 'scale', 'runSchedule', 'profile', 'retryJob'] as const) {
    const { status, body } = await act(name, { pid: before.workers[0], workers: 2 } as never);
    assert.deepEqual([status, JSON.parse(body)], [403, { error: 'the page is read-only (option admin.readOnly)' }]);
  }
  assert.deepEqual(await pids(), before);
});

test('the page on a unix socket is for the user of the Master, without a token', async (t) => {
  const cluster = await startPage(t, { admin: { port: undefined, path: 'run/admin.sock' } });
  const socketPath = path.join(cluster.baseDir, 'run/admin.sock');
  assert.equal(cluster.page, socketPath);
  assert.equal(statSync(socketPath).mode & 0o777, 0o600);
  const get = (at: string, host: string): Promise<number> =>
    new Promise((resolve, reject) => {
      http
        .get({ socketPath, path: at, headers: { host }, agent: false }, (response) => {
          response.resume();
          resolve(response.statusCode as number);
        })
        .on('error', reject);
    });
  // As with `ssh -L 9000:/app/run/admin.sock`.
  assert.equal(await get('/api/views/now', 'localhost:9000'), 200);
  assert.equal(await get('/api/views/now', 'evil.example'), 403);
  assert.equal(await get('/livez', 'anything'), 200);
});
