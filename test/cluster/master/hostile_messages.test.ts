import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { start } from 'koa-clutch';
import { parseEnvelope } from '../../../cluster/protocol/parse_envelope.js';
import { type RunningCluster, startTestCluster, temporaryDirectory, until } from '../../support/apps.js';
import { request } from '../../support/http.js';

/** Agent and workers alike send odd messages when the test asks for it, and count the errors. */
const FUZZ = `
const NAMES = ['hello', 'prepare', 'boot', 'boot-error', 'ready', 'leaving', 'stats', 'prepare-socket', 'undelivered',
  'request', 'reply', 'close', 'connection', 'connection-taken', 'connection-refused'];
const ACTIONS = [...NAMES, ...NAMES.map((name) => 'clutch:' + name), 'egg-ready', 'egg-pids', 'agent-start', 'app-start',
  'agent-exit', 'app-exit', 'realport', 'error', 'queueFull', '__proto__', 'constructor', 'toString', '', ' ', 'x'.repeat(100_000)];
const DATA = [undefined, null, 0, -1, NaN, 'text', [], [[]], {}, { id: 1 }, { __proto__: { a: 1 } }, JSON.parse('{"__proto__":{"polluted":1}}'),
  { id: {}, action: [] }, { sequence: 'x' }, { rss: 'x' }, { routes: { added: [1], changes: 'x' } }, { gc: [[-1]] }, { action: null, reason: 1 }];
const SHAPES = [null, undefined, 0, true, [], [1], {}, '', 'text', '__proto__', { action: 1 }, { action: [] }, { action: {} }, { action: null },
  { clutch: 1 }, { clutch: '__proto__' }, { clutch: 'constructor' }, { clutch: 'stats' }, { clutch: 'stats', data: { rss: null } },
  { clutch: 'ready', data: 1 }, { clutch: 'leaving', data: 1 }, { clutch: 'request' }, { clutch: 'request', data: [] }, { clutch: 'reply' },
  { clutch: 'boot-error', data: 'x' }, { clutch: 'prepare-socket', data: {} }, { clutch: 'undelivered', data: {} }, { clutch: 'close' },
  { clutch: 'leaving' }, { clutch: 'leaving', data: { name: 'Error', message: 'forged' } }, { clutch: 'progress' }, { clutch: 'ready' },
  { clutch: 'boot-error', data: { name: 'Error', message: 'forged' } }, { clutch: 'leaving', token: 'a' }, { clutch: 'cut', data: 1 },
  { action: 'x', to: 'nobody' }, { action: 'x', to: [] }, { action: 'x', receiverPid: {} }, { action: 'x', receiverPid: 'NaN' },
  { action: 'x', one: 'yes', to: 'app' }, { action: 'x', from: 'master', senderPid: 'x', receiverPid: '__proto__' },
  JSON.parse('{"__proto__":{"action":"x"},"action":"egg-ready"}')];
module.exports = (self) => {
  self.messenger.on('fuzz', () => {
    let sent = 0;
    let refused = 0;
    const attempt = (send) => {
      sent += 1;
      try {
        send();
      } catch (error) {
        if (error.code !== 'ERR_CLUTCH_MESSAGE' && !/must be|Received/.test(error.message)) throw error;
        refused += 1;
      }
    };
    for (const action of ACTIONS) {
      for (const data of DATA) attempt(() => self.messenger.send(action, data, ['app', 'agent', 'master', undefined][sent % 4]));
      attempt(() => process.send({ action, to: 'master', data: { code: 1, workerId: process.pid } }));
      attempt(() => process.send({ action, to: 'agent', data: [] }));
      attempt(() => process.send({ action, to: 'app', data: [] }));
    }
    for (const shape of SHAPES) attempt(() => process.send(shape));
    self.messenger.send('fuzzed', { sent, refused, pids: self.messenger.opids }, 'parent');
  });
  for (const event of ['egg-pids', 'agent-start', 'egg-ready']) {
    self.messenger.on(event, (data) => self.messenger.send('got', { event, pid: process.pid, data }, 'parent'));
  }
  if (self.type === 'application') self.use((ctx) => { ctx.body = 'served'; });
};`;

async function startFuzz(t: TestContext, options: object): Promise<RunningCluster> {
  const baseDir = temporaryDirectory(t);
  writeFileSync(path.join(baseDir, 'package.json'), '{ "name": "fuzz" }');
  for (const file of ['app.js', 'agent.js']) writeFileSync(path.join(baseDir, file), FUZZ);
  return startTestCluster(t, { baseDir, ...options });
}

for (const workers of [1, 2]) {
  test(`over a thousand odd messages of Agent and ${workers} workers disturb nothing`, async (t) => {
    const cluster = await startFuzz(t, { workers });
    const { messages, child, output } = cluster;
    const before = await cluster.pids();
    const events = () => messages.filter(({ action }) => action === 'got').length;
    // Each worker gets egg-pids and egg-ready; the Agent gets egg-pids with each worker, and egg-ready.
    const known = 3 * workers + 1;
    await until('the events of the boot are there', () => events() === known);
    for (const to of ['agent', 'app']) child.send({ action: 'fuzz', to });
    await until(
      'all have sent',
      () => messages.filter(({ action }) => action === 'fuzzed').length === workers + 1,
      30_000,
    );
    for (const { action, data } of messages) {
      if (action !== 'fuzzed') continue;
      const { sent, refused } = data as { sent: number; refused: number };
      assert.ok(sent > 900, `${sent} messages`);
      assert.ok(refused > 300, `${refused} are refused at the sender`);
    }
    // A round trip through every process: what was sent before has been handled.
    assert.equal((await request(cluster.url)).body, 'served');
    assert.deepEqual(await cluster.pids(), before);
    const { state, processes } = await cluster.status();
    assert.equal(state, 'ready');
    assert.ok(processes.every(({ restarts }) => restarts === 0));
    assert.equal(events(), known, 'nobody has got a forged event');
    assert.doesNotMatch(output(), /uncaughtException|TypeError|is replaced/);
    assert.doesNotMatch(output(), /x{200}/);
    await cluster.reload();
    assert.equal((await request(cluster.url)).body, 'served');
  });
}

test('an app cannot say that it is ready before it is', async (t) => {
  const baseDir = temporaryDirectory(t);
  writeFileSync(path.join(baseDir, 'package.json'), '{ "name": "early" }');
  writeFileSync(
    path.join(baseDir, 'app.js'),
    `module.exports = (app) => {
       process.send({ action: 'app-start', to: 'master', data: { address: '127.0.0.1', port: 1, protocol: 'http' } });
       app.use((ctx) => { ctx.body = 'served'; });
     };`,
  );
  writeFileSync(
    path.join(baseDir, 'agent.js'),
    "module.exports = () => process.send({ action: 'agent-start', to: 'master' });",
  );
  const cluster = await startTestCluster(t, { baseDir, workers: 1 });
  assert.notEqual(new URL(cluster.url).port, '1');
  assert.equal((await request(cluster.url)).body, 'served');
});

test('what Egg plugins send by process.send arrives: strings, log-reload, egg-schedule', async (t) => {
  const baseDir = temporaryDirectory(t);
  writeFileSync(path.join(baseDir, 'package.json'), '{ "name": "plugins" }');
  writeFileSync(
    path.join(baseDir, 'agent.js'),
    `module.exports = (agent) => {
       for (const action of ['plain', 'egg-schedule', 'log-reload']) {
         agent.messenger.on(action, (data) => agent.messenger.send('arrived', { action, data }, 'parent'));
       }
     };`,
  );
  writeFileSync(
    path.join(baseDir, 'app.js'),
    `module.exports = (app) => app.messenger.once('egg-ready', () => {
       process.send('plain');
       process.send({ action: 'egg-schedule', data: { key: 'a', success: true }, to: 'agent' });
       process.send({ action: 'log-reload', to: 'agent' });
     });`,
  );
  const { messages } = await startTestCluster(t, { baseDir, workers: 1 });
  const arrived = () => messages.filter(({ action }) => action === 'arrived').map(({ data }) => data);
  await until('all three are there', () => arrived().length === 3);
  assert.deepEqual(arrived(), [
    { action: 'plain', data: 'plain' },
    { action: 'egg-schedule', data: { key: 'a', success: true } },
    { action: 'log-reload' },
  ]);
});

test('single mode: reserved names are refused at the sender as well', async (t) => {
  const baseDir = temporaryDirectory(t);
  writeFileSync(path.join(baseDir, 'package.json'), '{ "name": "single" }');
  const app = await start({ baseDir, env: 'unittest' });
  t.after(() => app.close());
  for (const action of ['clutch:leaving', 'egg-ready', 'egg-pids', 'agent-start']) {
    assert.throws(() => app.messenger.broadcast(action), {
      code: 'ERR_CLUTCH_MESSAGE',
      message: /reserved for Clutch/,
    });
  }
});

test('of a message only the known fields are kept, and no sender is believed', () => {
  const given = {
    action: 'x',
    data: 1,
    to: 'agent',
    receiverPid: 7,
    one: true,
    from: 'master',
    senderPid: 1,
    extra: 1,
  };
  assert.deepEqual(parseEnvelope(given), { action: 'x', data: 1, to: 'agent', receiverPid: '7', one: true });
  assert.deepEqual(parseEnvelope({ action: 'x', clutch: 'leaving' }), { action: 'x', data: undefined });
  for (const wrong of [undefined, null, 1, [], { clutch: 'boot' }, { clutch: 'toString' }, { action: 'x', to: 'y' }]) {
    assert.equal(parseEnvelope(wrong), undefined);
  }
});
