import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { start } from 'koa-clutch';
import { type RunningCluster, until } from '../../support/apps.js';
import { SKIP, startMachine, startServer } from '../../support/fleet.js';
import { request } from '../../support/http.js';
import { writeApp } from '../../support/loaded_app.js';

const FILES = {
  'config/config.prod.js': `
    exports.middleware = ['rateLimit'];
    exports.rateLimit = { limit: 50, window: '1m', timeout: 10_000, match: '/limited', key: (ctx) => ctx.get('x-user') || undefined };
    exports.security = { csrf: false };`,
  'app/router.js': `module.exports = (app) => {
    app.get('/limited', (ctx) => { ctx.body = 'fine'; });
    app.get('/free', (ctx) => { ctx.body = 'fine'; });
    app.get('/closed', app.middleware.rateLimit({ name: 'closed', failOpen: false, timeout: 5000 }), (ctx) => { ctx.body = 'fine'; });
    app.get('/login', async (ctx) => { ctx.session.user = 'ada'; ctx.body = 'ok'; });
    app.get('/whoami', (ctx) => { ctx.body = String(ctx.session.user); });
    app.get('/logout', (ctx) => { ctx.session = null; ctx.body = 'bye'; });
  };`,
};

async function machines(t: TestContext, kind: 'redis' | 'nats', count: number) {
  const server = await startServer(t, kind);
  const names = ['a', 'b', 'c', 'd', 'e'].slice(0, count);
  // A busy machine is slow to count; what passes then, since the server seems to be away, is not what is tested.
  const fleet = { adapter: kind, url: server.url, session: true, lease: 20_000, timeout: 9000 };
  const started = names.map((name) => startMachine(t, name, fleet, FILES));
  return { server, all: await Promise.all(started) };
}

for (const kind of ['redis', 'nats'] as const) {
  test(`${kind}: a session is found on every machine, and is gone after logout`, { skip: SKIP[kind] }, async (t) => {
    const { server, all } = await machines(t, kind, 2);
    const [a, b] = all.map(({ cluster }) => cluster) as [RunningCluster, RunningCluster];
    const login = await request(`${a.url}/login`);
    assert.equal(login.status, 200);
    const cookie = String(login.headers['set-cookie']).split(';')[0] as string;
    const who = async ({ url }: { url: string }) => (await request(`${url}/whoami`, { headers: { cookie } })).body;
    assert.equal(await who(b), 'ada');
    let asking = true;
    const statuses = (async () => {
      const found = new Set<string>();
      while (asking) found.add(await who(a));
      return found;
    })();
    await a.reload();
    asking = false;
    assert.deepEqual([...(await statuses)], ['ada'], 'no request fails while the Agent is replaced');
    await request(`${b.url}/logout`, { headers: { cookie } });
    assert.equal(await who(a), 'undefined');
    await server.stop();
    await until('a session that cannot be read is an error', async () => {
      return (await request(`${a.url}/whoami`, { headers: { cookie } })).status === 500;
    });
  });
}

test('redis: five machines with two workers each let 50 of 300 requests pass, and refuse the others with 429', {
  skip: SKIP.redis,
}, async (t) => {
  const { server, all } = await machines(t, 'redis', 5);
  const urls = all.map(({ cluster }) => cluster.url);
  const headers = { 'x-user': 'ada' };
  const ask = (index: number, path: string, more = headers) =>
    request(`${urls[index % 5]}${path}`, { headers: { ...more, accept: 'application/json' } });
  const responses = await Promise.all(Array.from({ length: 300 }, (_, index) => ask(index, '/limited')));
  const passed = responses.filter(({ status }) => status === 200);
  const refused = responses.filter(({ status }) => status === 429);
  const logs = all.map(({ cluster }) => cluster.output()).join('');
  assert.deepEqual([passed.length, refused.length], [50, 250], logs);
  assert.equal(passed[0]?.headers['ratelimit-policy'], '"default";q=50;w=60');
  const remaining = passed.map(({ headers: got }) =>
    Number(/^"default";r=(\d+);t=\d+$/.exec(String(got['ratelimit']))?.[1]),
  );
  assert.deepEqual(
    remaining.sort((x, y) => x - y),
    Array.from({ length: 50 }, (_, index) => index),
  );
  const [one] = refused;
  assert.match(String(one?.headers['ratelimit']), /^"default";r=0;t=(5\d|6[0-3])$/);
  assert.match(String(one?.headers['retry-after']), /^(5\d|6[0-3])$/);
  assert.match(one?.body ?? '', /too many requests/i);
  assert.equal((await ask(1, '/limited', { 'x-user': 'bea' })).status, 200, 'another key');
  assert.equal((await request(`${urls[1]}/limited`)).status, 200, 'no key');
  assert.equal((await ask(1, '/free')).headers['ratelimit'], undefined, 'no match');
  await server.stop();
  await until('it is noticed', async () => (await ask(0, '/closed')).status === 503);
  assert.equal((await ask(0, '/closed')).headers['retry-after'], '1');
  assert.equal((await ask(0, '/limited', { 'x-user': 'cyd' })).status, 200, 'it passes without the server');
});

test('memory: the rate limit counts addresses, of IPv6 networks; a wrong limit stops the boot', async (t) => {
  const { cluster } = await startMachine(
    t,
    'a',
    { adapter: 'memory', url: '' },
    {
      'config/config.prod.js':
        "exports.proxy = true; exports.middleware = ['rateLimit']; exports.rateLimit = { limit: 2 };",
      'app/router.js': "module.exports = (app) => { app.get('/', (ctx) => { ctx.body = 'fine'; }); };",
    },
  );
  const from = async (address: string) =>
    (await request(`${cluster.url}/`, { headers: { 'x-forwarded-for': address } })).status;
  assert.deepEqual(
    [await from('2001:db8::1'), await from('2001:db8::2'), await from('2001:db8:0:0:5::3')],
    [200, 200, 429],
  );
  assert.equal(await from('2001:db8:0:1::1'), 200);
  assert.deepEqual([await from('10.0.0.1'), await from('::ffff:10.0.0.1'), await from('10.0.0.1')], [200, 200, 429]);
  const wrong = writeApp(t, {
    'config/plugin.js': 'exports.fleet = true;',
    'config/config.default.js': `exports.keys = 'k'; exports.middleware = ['rateLimit']; exports.rateLimit = { limit: 0 };`,
  });
  await assert.rejects(start({ baseDir: wrong }), /limit is 0[\s\S]*config.rateLimit/);
});
