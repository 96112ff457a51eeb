import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RoutesView } from '../../../cluster/admin/page_data.js';
import { startPage } from '../../support/admin.js';
import { until } from '../../support/apps.js';
import { request } from '../../support/http.js';

const FILES = {
  'package.json': '{ "name": "slow" }',
  'config/config.default.js': `exports.keys = 'k';`,
  'app/controller/user.js': `module.exports = (app) => class extends app.Controller {
    async show() {
      const { service, params } = this.ctx;
      const [user, friends] = await Promise.all([service.user.find(params.id), service.user.friends()]);
      app.messenger.sendToAgent('seen', user);
      this.ctx.body = { user, friends };
    }
  };`,
  'app/service/user.js': `module.exports = (app) => class extends app.Service {
    async find(id) { await new Promise((done) => setTimeout(done, 60)); return this.cached(id); }
    async cached(id) { return { id }; }
    async friends() { throw new Error('no friends, password=hunter2'); }
  };`,
  'app/router.js': `module.exports = (app) => {
    app.get('/', (ctx) => { ctx.body = 'home'; });
    app.get('/users/:id', 'user.show');
  };`,
};

test('the slowest requests are recorded with their timelines while somebody looks, in workers that come later as well', async (t) => {
  const cluster = await startPage(t, { files: FILES });
  await request(`${cluster.url}/users/0`);
  assert.deepEqual((await cluster.view('routes')).slowest, [], 'nobody has looked');
  const find = (id: number): Promise<RoutesView['slowest'][number]> =>
    until(`the request of ${id} is recorded`, async () => {
      await request(`${cluster.url}/users/${id}?token=secret-of-${id}`);
      const { slowest } = await cluster.view('routes');
      return slowest.find(({ url, spans }) => url.startsWith(`/users/${id}?`) && spans.length > 0);
    });
  const slow = await find(1);
  assert.equal(slow.url, '/users/1?token=***');
  assert.equal(slow.route, '/users/:id');
  assert.equal(slow.status, 500);
  const at = (kind: string, name: string): number =>
    slow.spans.findIndex((span) => span.kind === kind && span.name === name);
  const controller = at('controller', 'user.show');
  const friends = slow.spans[at('service', 'user.friends')];
  assert.equal(slow.spans[controller]?.parent, at('middleware', 'router'));
  assert.equal(friends?.parent, controller, 'calls side by side have the same parent');
  assert.match(friends?.error ?? '', /^no friends, password=\*\*\*/);
  assert.equal(slow.spans[at('service', 'user.find')]?.parent, controller);
  const [pid] = (await cluster.pids()).workers;
  assert.equal(slow.pid, pid);

  await cluster.reload();
  const later = await find(2);
  assert.notEqual(later.pid, pid);
  const { routes } = await cluster.view('routes');
  const row = routes.find(({ route }) => route === '/users/:id');
  assert.equal(row?.file, 'app/controller/user.js');
  assert.ok(row.errors >= 3 && row.requests === row.errors && row.p50 > 0 && row.rate > 0);
});

test('of a slow route that is asked for seldom a timeline is recorded, however many the others would take', async (t) => {
  const files = {
    'package.json': '{ "name": "shared" }',
    'app/router.js': `module.exports = (app) => {
      const wait = async (ctx) => { await new Promise((done) => setTimeout(done, 20)); ctx.body = 'waited'; };
      app.get('/often', wait);
      app.get('/seldom', wait);
    };`,
  };
  const cluster = await startPage(t, { files });
  const timelines = async (path: string): Promise<number> =>
    (await cluster.view('routes')).slowest.filter(({ url, spans }) => url.startsWith(path) && spans.length > 0).length;
  await until('the worker looks', async () => {
    await request(`${cluster.url}/often`);
    return (await timelines('/often')) > 0;
  });
  for (let n = 0; n < 30; n += 1) await request(`${cluster.url}/often`);
  await request(`${cluster.url}/seldom`);
  await until('its timeline is reported', async () => (await timelines('/seldom')) === 1);
});

test('of many requests at once as many timelines are recorded as the ration allows; the others are listed without', async (t) => {
  const files = {
    'package.json': '{ "name": "rationed" }',
    'app/router.js': `module.exports = (app) => {
      app.get('/slow', async (ctx) => { await new Promise((done) => setTimeout(done, 20)); ctx.body = 'waited'; });
    };`,
  };
  const cluster = await startPage(t, { files });
  const slowest = async () => (await cluster.view('routes')).slowest;
  const lookedAt = Date.now();
  await until('the worker looks', async () => {
    await request(`${cluster.url}/slow`);
    return (await slowest()).some(({ spans }) => spans.length > 0);
  });
  for (let round = 0; round < 5; round += 1) {
    await Promise.all(Array.from({ length: 30 }, () => request(`${cluster.url}/slow`)));
  }
  const seconds = (Date.now() - lookedAt) / 1000;
  const listed = await until('the list is full', async () => {
    const all = await slowest();
    return all.length === 50 && all;
  });
  const timelines = listed.filter(({ spans }) => spans.length > 0).length;
  assert.ok(timelines <= 10 + 2 * seconds, `${timelines} in ${seconds} s`);
});

test('of a route that is known to be fast no timeline is recorded', async (t) => {
  const files = {
    'package.json': '{ "name": "fast" }',
    'app/router.js': `module.exports = (app) => {
      app.get('/fast', (ctx) => { ctx.body = 'fast'; });
      // Each one takes longer than the one before, so that it is among the slowest.
      let took = 20;
      app.get('/slow', async (ctx) => { await new Promise((done) => setTimeout(done, took += 2)); ctx.body = 'waited'; });
    };`,
  };
  const cluster = await startPage(t, { files });
  const timelines = async (route: string): Promise<number> =>
    (await cluster.view('routes')).slowest.filter((slow) => slow.route === route && slow.spans.length > 0).length;
  const ask = async (): Promise<void> => {
    for (let n = 0; n < 20; n += 1) await request(`${cluster.url}/fast`);
    await request(`${cluster.url}/slow`);
  };
  await until('one of the slow route is recorded', async () => {
    await ask();
    return (await timelines('/slow')) > 0;
  });
  // On a busy machine some requests take long: their share has to become small.
  await until(
    'three of the slow route are, and none of the fast one meanwhile',
    async () => {
      const [fast, slow] = [await timelines('/fast'), await timelines('/slow')];
      await until('three are', async () => {
        await ask();
        return (await timelines('/slow')) >= slow + 3;
      });
      return (await timelines('/fast')) === fast;
    },
    30_000,
  );
});

test('messages are counted by action and direction; the last that were lost say why', async (t) => {
  const cluster = await startPage(t, {
    files: {
      ...FILES,
      'app/router.js': `module.exports = (app) => app.get('/', (ctx) => {
        app.messenger.sendToAgent('hello');
        app.messenger.sendTo(1, 'into-the-void');
        ctx.body = 'sent';
      });`,
    },
  });
  await request(cluster.url);
  const view = await until('both are counted', async () => {
    const messages = await cluster.view('messages');
    return messages.lastUndelivered.length > 0 && messages;
  });
  assert.equal(
    view.actions.find(({ action, from, to }) => action === 'hello' && from === 'app' && to === 'agent')?.count,
    1,
  );
  assert.equal(view.undelivered, 1);
  const [lost] = view.lastUndelivered;
  assert.equal(lost?.action, 'into-the-void');
  assert.equal(lost.reason, 'no process has this pid');
});
