import assert from 'node:assert/strict';
import { request as httpRequest } from 'node:http';
import { test } from 'node:test';
import { readDeaths } from '../../../cluster/deaths/death_file.js';
import { type Limits, overHardLimit, overLimit } from '../../../cluster/supervise/limits.js';
import { isAlive, printed, type RunningCluster, startTestCluster, until } from '../../support/apps.js';
import { request } from '../../support/http.js';
import { writeApp } from '../../support/loaded_app.js';

const NONE: Limits = { maxMemory: 0, maxMemoryHard: 0, maxLoopDelay: 0, maxRequests: 0, maxAge: 0 };
const MIB = 1024 * 1024;
const stats = {
  rss: 300 * MIB,
  heapUsed: 0,
  heapLimit: 0,
  cpu: 0,
  loopP50: 0,
  loopP99: 80,
  inFlight: 0,
  live: 0,
  connections: 0,
  utilisation: 0,
  requests: 110,
  errors: 0,
  lostLines: 0,
  droppedMessages: 0,
};
const at = { age: 110_000, slowFor: 0, jitter: 0 };

test('each limit is off unless it is given', () => {
  assert.equal(overLimit(NONE, stats, { ...at, slowFor: 60_000 }), undefined);
  assert.equal(overHardLimit(NONE, stats), undefined);
});

test('each limit has a reason of its own', () => {
  const reason = (limits: Partial<Limits>, more: object = {}) =>
    overLimit({ ...NONE, ...limits }, stats, { ...at, ...more })?.reason;
  assert.equal(reason({ maxMemory: 299 }), 'max-memory');
  assert.equal(reason({ maxMemory: 300 }), undefined);
  assert.equal(reason({ maxRequests: 100 }), 'max-requests');
  assert.equal(reason({ maxAge: 100_000 }), 'max-age');
  assert.equal(reason({ maxLoopDelay: 50 }, { slowFor: 9_999 }), undefined);
  assert.equal(reason({ maxLoopDelay: 50 }, { slowFor: 10_000 }), 'max-loop-delay');
  assert.equal(overHardLimit({ ...NONE, maxMemoryHard: 299 }, stats)?.reason, 'max-memory-hard');
  assert.equal(overHardLimit({ ...NONE, maxMemoryHard: 300 }, stats), undefined);
});

test('workers go over maxRequests and maxAge by up to a fifth, each by its own share', () => {
  for (const limits of [{ maxRequests: 100 }, { maxAge: 100_000 }]) {
    const leaves = (jitter: number): boolean =>
      overLimit({ ...NONE, ...limits }, stats, { ...at, jitter }) !== undefined;
    assert.deepEqual([leaves(0), leaves(0.4), leaves(0.6), leaves(1)], [true, true, false, false]);
  }
});

const FILES = {
  'package.json': '{ "name": "limited" }',
  'config/config.default.js': 'exports.security = { csrf: false };',
  'app/router.js': `const kept = [];
    module.exports = ({ router }) => {
      router.get('/', (ctx) => { ctx.body = { pid: process.pid }; });
      router.get('/grow', (ctx) => { kept.push(Buffer.alloc(300 * 1024 * 1024, 1)); ctx.body = ''; });
      router.get('/busy', (ctx) => {
        setInterval(() => { const end = Date.now() + 60; while (Date.now() < end); }, 80);
        ctx.body = '';
      });
      router.post('/upload', async (ctx) => { for await (const _ of ctx.req); ctx.body = 'done'; });
      router.get('/never/:id', () => new Promise(() => undefined));
      router.get('/events', (ctx) => { ctx.respond = false; ctx.res.writeHead(200); ctx.res.flushHeaders(); });
    };`,
  'agent.js': `module.exports = (agent) => {
    agent.messenger.on('grow', () => { agent.kept = Buffer.alloc(300 * 1024 * 1024, 1); });
  };`,
  'app.js': `module.exports = (app) => app.messenger.on('egg-ready', () => {
    if (process.env.AGENT_GROWS) app.messenger.sendToAgent('grow');
  });`,
};

async function start(
  t: Parameters<typeof writeApp>[0],
  options: object,
  env: NodeJS.ProcessEnv = {},
): Promise<RunningCluster & { dir: string }> {
  const dir = writeApp(t, FILES);
  return { dir, ...(await startTestCluster(t, { baseDir: dir, workers: 1, ...options }, env)) };
}

async function deathOf(dir: string, pid: number) {
  return until(`the death of ${pid} is recorded`, () => readDeaths(dir).find((record) => record.pid === pid), 30_000);
}

test('a worker over maxMemoryHard is killed', async (t) => {
  const { dir, ...cluster } = await start(t, { maxMemoryHard: 300, hangTimeout: 8000 });
  const [pid] = (await cluster.pids()).workers as [number];
  await request(`${cluster.url}/grow`).catch(() => undefined);
  const { reason, by, killed, signal } = await deathOf(dir, pid);
  assert.deepEqual([reason, by, killed, signal], ['max-memory-hard', 'limit', true, 'SIGKILL']);
  await until('another worker serves', async () => ![pid, undefined].includes((await cluster.pids()).workers[0]));
});

test('a worker whose event loop is slow for long is replaced', async (t) => {
  const { dir, ...cluster } = await start(t, { maxLoopDelay: 30 });
  const [pid] = (await cluster.pids()).workers as [number];
  await request(`${cluster.url}/busy`);
  const { reason, text, code } = await deathOf(dir, pid);
  assert.deepEqual([reason, code], ['max-loop-delay', 0]);
  assert.match(text, /its event-loop delay is [\d.]+ ms, and was more than maxLoopDelay \(30\) for 1\d/);
});

test('workers that are too old are replaced one after the other, and the service goes on', async (t) => {
  const { dir, ...cluster } = await start(t, { workers: 2, maxAge: 4000 });
  const { workers } = await cluster.pids();
  const statuses: number[] = [];
  await until(
    'both have gone',
    async () => {
      statuses.push((await request(cluster.url)).status);
      assert.ok((await cluster.pids()).workers.length >= 1);
      return workers.every((pid) => !isAlive(pid));
    },
    30_000,
  );
  assert.deepEqual(new Set(statuses), new Set([200]));
  for (const pid of workers) assert.equal((await deathOf(dir, pid)).reason, 'max-age');
});

test('requestTimeout names the request and its route, and the worker drains', async (t) => {
  const { dir, ...cluster } = await start(t, { requestTimeout: 500, killTimeout: 1000 });
  const [pid] = (await cluster.pids()).workers as [number];
  const never = request(`${cluster.url}/never/7?token=hunter2`).catch(() => undefined);
  const { reason, text, overdue, resources, code } = await deathOf(dir, pid);
  assert.deepEqual([reason, code], ['request-timeout', 0]);
  assert.match(
    text,
    /^GET \/never\/7\?token=\*\*\* \(route \/never\/:id\) got no response for \d+ ms \(requestTimeout\); it waits for \d+ /,
  );
  assert.equal(overdue?.length, 1);
  assert.deepEqual([overdue?.[0]?.method, overdue?.[0]?.route], ['GET', '/never/:id']);
  assert.ok((overdue?.[0]?.age as number) > 500);
  assert.ok(Object.keys(resources ?? {}).length > 0);
  assert.match(cluster.output(), new RegExp(`app worker ${pid} is being replaced: GET /never/7`));
  await never;
});

test('requestTimeout says where the next request of the route waits: file, line, and who waits for that', async (t) => {
  const files = {
    'package.json': '{ "name": "waits" }',
    'config/config.default.js': `exports.keys = 'k';`,
    'app/service/stock.js': `module.exports = (app) => class extends app.Service {
  async find() {
    await new Promise((resolve) => setTimeout(resolve, 10));
    return await this.lock();
  }
  lock() {
    return new Promise(() => {});
  }
};`,
    'app/router.js': `module.exports = ({ router }) => {
  router.get('/fine', (ctx) => { ctx.body = 'fine'; });
  router.get('/stock/:id', async (ctx) => {
    ctx.body = await ctx.service.stock.find();
  });
};`,
  };
  for (const workers of [1, 0]) {
    const baseDir = writeApp(t, files);
    const cluster = await startTestCluster(t, { baseDir, workers, requestTimeout: 300, killTimeout: 500 });
    const ask = (): void => void request(`${cluster.url}/stock/7`).catch(() => undefined);
    ask();
    await printed(cluster, /\(route \/stock\/:id\) got no response[\s\S]+ the next requests of this route are traced/);
    if (workers === 1) await printed(cluster, /app worker \d+ is ready/);
    ask();
    await printed(
      cluster,
      /GET \/stock\/7 waits here:\n +at \S+\.lock \(\S+stock\.js:7:\d+\)\n +at \S+\.find \(\S+stock\.js:4:\d+\)\n(?: +at .*\n)*? +at async \S+ \(?\S+router\.js:4:\d+\)?/,
    );
    assert.equal((await request(`${cluster.url}/fine`)).body, 'fine');
    if (workers === 0) continue;
    const death = await until('there is a record', () =>
      readDeaths(baseDir).find(({ overdue }) => overdue?.some(({ stack }) => stack)),
    );
    assert.match(death.overdue?.[0]?.stack ?? '', /^at \S+\.lock .*stock\.js:7/);
    assert.doesNotMatch(death.overdue?.[0]?.stack ?? '', /node:|dist\//);
  }
});

test('a middleware that awaits the controller is not where a request waits', async (t) => {
  const baseDir = writeApp(t, {
    'package.json': '{ "name": "surrounded" }',
    'config/config.default.js': `exports.keys = 'k'; exports.middleware = ['outer'];`,
    'app/middleware/outer.js': `module.exports = () => async (ctx, next) => {
  await next();
};`,
    'app/service/stock.js': `module.exports = (app) => class extends app.Service {
  async find(id) {
    return await this.query(id);
  }
  async query() {
    await new Promise((resolve) => setTimeout(resolve, 60_000));
  }
};`,
    'app/controller/stock.js': `module.exports = (app) => class extends app.Controller {
  async show() {
    this.ctx.body = await this.service.stock.find(this.ctx.params.id);
  }
};`,
    'app/router.js': `module.exports = (app) => void app.get('/stock/:id', 'stock.show');`,
  });
  const cluster = await startTestCluster(t, { baseDir, workers: 0, requestTimeout: 300, killTimeout: 500 });
  const ask = (): void => void request(`${cluster.url}/stock/7`).catch(() => undefined);
  ask();
  await printed(cluster, /the next requests of this route are traced/);
  ask();
  const stack = ['\\S+\\.query .*stock\\.js:6', '\\S+\\.find .*stock\\.js:3', '\\S+\\.show .*stock\\.js:3'];
  await printed(cluster, new RegExp(`waits here:\\n +at ${stack.join('.*\\n +at ')}`));
});

test('requestTimeout leaves alone a stream that has begun and an upload that comes', async (t) => {
  const cluster = await start(t, { requestTimeout: 300, killTimeout: 1000 });
  const { workers } = await cluster.pids();
  const events = httpRequest(`${cluster.url}/events`).end();
  events.on('error', () => undefined);
  const upload = httpRequest(`${cluster.url}/upload`, { method: 'POST' });
  const done = new Promise<number>((resolve) => upload.on('response', (res) => resolve(res.statusCode as number)));
  for (let sent = 0; sent < 40; sent += 1) {
    upload.write('x');
    await new Promise((resolve) => setTimeout(resolve, 30));
  }
  upload.end();
  assert.equal(await done, 200);
  events.destroy();
  assert.deepEqual((await cluster.pids()).workers, workers);
  assert.doesNotMatch(cluster.output(), /requestTimeout/);
});

test('an Agent over maxMemory does not make an app worker', async (t) => {
  const cluster = await start(t, { maxMemory: 300 }, { AGENT_GROWS: '1' });
  await until('the Agent is over the limit', async () =>
    (await cluster.status()).processes.some(({ kind, memory = 0 }) => kind === 'agent' && memory > 300),
  );
  const { uptime } = (await cluster.status()).processes[0] as { uptime: number };
  await until('some heartbeats', async () => ((await cluster.status()).processes[0]?.uptime as number) > uptime + 2.5);
  assert.equal((await cluster.status()).processes.length, 3);
  assert.doesNotMatch(cluster.output(), /is being replaced/);
});
