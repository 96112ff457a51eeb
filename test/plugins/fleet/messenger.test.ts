import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { start } from 'koa-clutch';
import { temporaryDirectory, until } from '../../support/apps.js';
import { SKIP, startMachine, startServer, type TestMachine } from '../../support/fleet.js';
import { request, requestJson } from '../../support/http.js';
import { writeApp } from '../../support/loaded_app.js';

/** Notes what arrives, and sends what it is asked to send. */
const FILES = {
  'note.js': `
    const file = require('path').join(__dirname, 'notes.txt');
    module.exports = (app, kind) => {
      const { fleet } = app.messenger;
      fleet.on('hello', (data) => require('fs').appendFileSync(file, kind + ' ' + process.pid + ' ' + data + '\\n'));
      fleet.onRequest('who', (data) => {
        if (data === 'fail') throw Object.assign(new TypeError('it failed'), { code: 'E_FAILED' });
        return { kind, data, pid: process.pid, machine: app.config.fleet.member };
      });
    };`,
  'agent.js': `module.exports = (agent) => {
    require('./note')(agent, 'agent');
    agent.messenger.onRequest('send', ({ how, data }) => void agent.messenger.fleet[how]('hello', data));
    agent.messenger.onRequest('members', () => agent.fleet.members());
  };`,
  'app.js': "module.exports = (app) => require('./note')(app, 'app');",
  'app/router.js': `module.exports = (app) => {
    const { messenger } = app;
    app.get('/send/:how/:data', (ctx) => {
      messenger.fleet[ctx.params.how]('hello', ctx.params.data);
      ctx.body = { pid: process.pid };
    });
    messenger.fleet.on('clutch:undelivered', (what) => { app.undelivered = what; });
    app.get('/to/:member/:data', async (ctx) => {
      messenger.fleet.sendTo(ctx.params.member, 'hello', ctx.params.data).sendToApp('hello', 'beside-' + ctx.params.data);
      await messenger.fleet.flush();
      const { sent, lost } = messenger.fleet;
      ctx.body = { sent, lost, undelivered: app.undelivered };
    });
    app.get('/agent/:how/:data', async (ctx) => {
      await messenger.request('agent', 'send', { how: ctx.params.how, data: ctx.params.data });
      ctx.body = {};
    });
    app.get('/burst/:count', async (ctx) => {
      for (let index = 0; index < Number(ctx.params.count); index++) {
        messenger.fleet.sendToAgent('hello', process.pid + '-' + index);
        if (index % 1000 === 999) await messenger.fleet.flush();
      }
      await messenger.fleet.flush();
      const { sent, lost, waiting } = messenger.fleet;
      ctx.body = { pid: process.pid, sent, lost, waiting };
    });
    app.get('/ask/:target/:data', async (ctx) => {
      try {
        ctx.body = await messenger.fleet.request(ctx.params.target, 'who', ctx.params.data, { timeout: 2000 });
      } catch ({ name, message, code }) {
        ctx.body = { name, message, code };
      }
    });
    app.get('/members', async (ctx) => { ctx.body = await messenger.request('agent', 'members'); });
  };`,
};

function notes({ baseDir }: TestMachine): string[] {
  const file = path.join(baseDir, 'notes.txt');
  return existsSync(file) ? readFileSync(file, 'utf8').split('\n').filter(Boolean) : [];
}

/** @returns how many Agents and app workers of a machine have got it */
function count(machine: TestMachine, data: string): { agent: number; app: number } {
  const lines = notes(machine).filter((line) => line.endsWith(` ${data}`));
  const of = (kind: string): number => lines.filter((line) => line.startsWith(`${kind} `)).length;
  return { agent: of('agent'), app: of('app') };
}

async function twoMachines(t: TestContext, kind: 'redis' | 'nats') {
  const server = await startServer(t, kind);
  const fleet = { adapter: kind, url: server.url };
  const a = await startMachine(t, 'a', fleet, FILES);
  const b = await startMachine(t, 'b', fleet, FILES);
  return { server, a, b };
}

const get = (machine: TestMachine, what: string) => requestJson<Record<string, unknown>>(machine.cluster.url + what);

for (const kind of ['redis', 'nats'] as const) {
  test(`${kind}: messages reach the processes of both machines that they are for`, { skip: SKIP[kind] }, async (t) => {
    const { a, b } = await twoMachines(t, kind);
    const both = async (data: string, want: object): Promise<void> => {
      await until(`${data} is at a`, () => JSON.stringify(count(a, data)) === JSON.stringify(want));
      await until(`${data} is at b`, () => JSON.stringify(count(b, data)) === JSON.stringify(want));
    };
    await get(a, '/send/broadcast/all');
    await both('all', { agent: 1, app: 2 });
    await get(b, '/send/sendToApp/apps');
    await both('apps', { agent: 0, app: 2 });
    await get(b, '/agent/sendToAgent/agents');
    await both('agents', { agent: 1, app: 0 });
    await get(a, '/to/b/one-machine');
    await until('it is at b', () => count(b, 'one-machine').app === 2);
    for (let times = 0; times < 20; times++) {
      await get(a, '/send/sendRandom/an-agent');
      await get(a, '/agent/sendRandom/an-app');
    }
    const total = (data: string, side: 'agent' | 'app') => count(a, data)[side] + count(b, data)[side];
    await until('each reached one', () => total('an-agent', 'agent') === 20 && total('an-app', 'app') === 20);
    assert.ok(count(b, 'an-agent').agent > 0 && count(b, 'an-app').app > 0);
    assert.deepEqual(count(a, 'one-machine'), { agent: 0, app: 0 });

    assert.equal((await get(a, '/ask/b/1'))['machine'], 'b');
    assert.equal((await get(a, '/ask/app/2'))['kind'], 'app');
    assert.equal((await get(b, '/ask/agent/3'))['data'], '3');
    assert.deepEqual(await get(a, '/ask/b/fail'), {
      name: 'TypeError',
      message: 'it failed',
      code: 'E_FAILED',
    });
    assert.match(
      String((await get(a, '/ask/nowhere/1'))['message']),
      /no machine of the fleet is called "nowhere"[\s\S]*There are: a, b/,
    );
    const members = (await get(a, '/members')) as unknown as { id: string; state: string; workers: string[] }[];
    assert.deepEqual(
      members.map(({ id, state, workers }) => [id, state, workers.length]),
      [
        ['a', 'ready', 2],
        ['b', 'ready', 2],
      ],
    );
  });
}

test('messages arrive in the order of their sender; none is lost while the sender awaits flush()', {
  skip: SKIP.redis,
}, async (t) => {
  const { a, b } = await twoMachines(t, 'redis');
  const [first, second] = await Promise.all([get(a, '/burst/5000'), get(b, '/burst/5000')]);
  for (const burst of [first, second]) {
    assert.deepEqual({ ...burst, pid: 0 }, { pid: 0, sent: 5000, lost: 0, waiting: 0 });
    for (const machine of [a, b]) {
      const mine = () =>
        notes(machine).flatMap((line) => line.match(new RegExp(` ${burst['pid']}-(\\d+)$`))?.[1] ?? []);
      await until('all are there', () => mine().length === 5000);
      assert.deepEqual(
        mine(),
        Array.from({ length: 5000 }, (_, index) => String(index)),
      );
    }
  }
});

test('while the server is away messages are lost and counted, and arrive again when it is back', {
  skip: SKIP.redis,
}, async (t) => {
  const { server, a, b } = await twoMachines(t, 'redis');
  await server.stop();
  const burst = await get(a, '/burst/10');
  assert.deepEqual({ ...burst, pid: 0 }, { pid: 0, sent: 0, lost: 10, waiting: 0 });
  assert.equal((await request(`${a.cluster.url}/send/broadcast/lost`)).status, 200);
  await server.start();
  await until(
    'messages arrive again',
    async () => {
      await get(a, '/send/broadcast/again');
      return count(b, 'again').app > 0;
    },
    20_000,
  );
  assert.match(
    readFileSync(path.join(a.baseDir, 'logs/common-error.log'), 'utf8'),
    /10 messages to the fleet are lost so far/,
  );
});

test('a message for a machine that does not exist is counted, reported, and keeps no other one from leaving', {
  skip: SKIP.redis,
}, async (t) => {
  const server = await startServer(t, 'redis');
  const a = await startMachine(t, 'a', { adapter: 'redis', url: server.url }, FILES, { workers: 1 });
  const { sent, lost, undelivered } = await get(a, '/to/nowhere/1');
  assert.deepEqual([sent, lost], [1, 1]);
  assert.match(
    JSON.stringify(undelivered),
    /"action":"hello","reason":.*no machine of the fleet is called .*nowhere.*There are: a\./,
  );
  await until('the other one has come', () => count(a, 'beside-1').app === 1);
  await until('the heartbeat has it', async () => {
    const { processes } = await a.cluster.status();
    return processes.some((one) => one.kind === 'app worker' && one.undeliveredMessages === 1);
  });
  // One that has just joined is not on the list that is at hand.
  const b = await startMachine(t, 'b', { adapter: 'redis', url: server.url }, FILES, { workers: 1 });
  assert.equal((await get(a, '/to/b/2'))['lost'], 1);
  await until('it has come', () => count(b, '2').app === 1);
});

test('messages beyond those that are kept until the cluster is ready are counted in its status', {
  skip: SKIP.redis,
}, async (t) => {
  const server = await startServer(t, 'redis');
  const fleet = { adapter: 'redis', url: server.url };
  const router = `module.exports = (app) => {
    app.get('/flood', async (ctx) => {
      for (let index = 0; index < 10500; index++) {
        app.messenger.fleet.sendToApp('nobody-listens', index);
        if (index % 1000 === 0) await app.messenger.fleet.flush();
      }
      app.messenger.fleet.sendToApp('end');
      ctx.body = {};
    });
  };`;
  const boots = path.join(temporaryDirectory(t), 'boots');
  const app = `module.exports = class {
    constructor(app) { this.app = app; }
    async willReady() {
      const ended = new Promise((resolve) => this.app.messenger.fleet.on('end', resolve));
      require('fs').writeFileSync(${JSON.stringify(boots)}, '');
      await ended;
    }
  };`;
  const b = await startMachine(t, 'b', fleet, { 'app/router.js': router }, { workers: 1 });
  const booting = startMachine(t, 'a', fleet, { 'app.js': app }, { workers: 1 });
  await until('the worker of machine a boots', () => existsSync(boots));
  await get(b, '/flood');
  const a = await booting;
  await until('the heartbeat has all of them', async () => {
    const { processes } = await a.cluster.status();
    return processes.some((one) => one.kind === 'app worker' && one.undeliveredMessages === 500);
  });
  assert.match(
    readFileSync(path.join(a.baseDir, 'logs/common-error.log'), 'utf8'),
    /messages of the fleet are dropped so far: too many wait for egg-ready/,
  );
});

test('with the memory adapter one process has it all', async (t) => {
  const baseDir = writeApp(t, {
    'config/plugin.js': 'exports.fleet = true;',
    'config/config.default.js': "exports.keys = 'k';",
  });
  const app = await start({ baseDir });
  t.after(() => app.close());
  const got: unknown[] = [];
  app.messenger.fleet.on('hello', (data) => got.push(['app', data]));
  app.agent.messenger.fleet.on('hello', (data) => got.push(['agent', data]));
  app.messenger.fleet.broadcast('hello', 1);
  await until('both have it', () => got.length === 2);
  app.agent.messenger.fleet.onRequest('double', (data) => (data as number) * 2);
  assert.equal(await app.messenger.fleet.request('agent', 'double', 21), 42);
  assert.throws(() => app.messenger.fleet.broadcast('clutch:x'), { code: 'ERR_CLUTCH_MESSAGE' });
  const circle: { self?: unknown } = {};
  circle.self = circle;
  assert.throws(() => app.messenger.fleet.broadcast('hello', circle), { code: 'ERR_CLUTCH_MESSAGE' });
});

test('a wrong config stops the boot and says what to give', async (t) => {
  for (const [fleet, message] of [
    ["{ adapter: 'etcd' }", /config.fleet.adapter is "etcd"[\s\S]*memory, redis, nats/],
    ["{ adapter: 'redis', url: 'http://127.0.0.1:1' }", /config.fleet.url is no url of redis[\s\S]*redis:\/\/host/],
    ["{ adapter: 'nats', url: 'redis://:pw@127.0.0.1:1' }", /config.fleet.url is no url of nats(?![\s\S]*pw)/],
    ["{ name: 'a b' }", /config.fleet.name is "a b"/],
    ['{ lease: 3000 }', /config.fleet.timeout is 2000, more than half of lease/],
  ] as const) {
    const baseDir = writeApp(t, {
      'config/plugin.js': 'exports.fleet = true;',
      'config/config.default.js': `exports.keys = 'k'; exports.fleet = ${fleet};`,
    });
    await assert.rejects(start({ baseDir }), message);
  }
});
