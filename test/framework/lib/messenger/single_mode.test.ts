import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { type Agent, type Application, start } from 'koa-clutch';
import { until } from '../../../support/apps.js';
import { type Files, loadApp, writeApp } from '../../../support/loaded_app.js';

async function startSingle(t: TestContext, files: Files = {}): Promise<Application & { agent: Agent }> {
  const app = await start({ baseDir: writeApp(t, files), env: 'unittest' });
  t.after(() => app.close());
  return app;
}

/** Notes who has got what. */
function listen(app: Application & { agent: Agent }, action = 'hello'): string[] {
  const got: string[] = [];
  app.messenger.on(action, (data) => void got.push(`app ${data}`));
  app.agent.messenger.on(action, (data) => void got.push(`agent ${data}`));
  return got;
}

test('single mode: each way to send reaches the side that it means', async (t) => {
  const app = await startSingle(t);
  const got = listen(app);
  const { messenger, agent } = app;
  messenger.send('hello', 1).sendToApp('hello', 2).sendToAgent('hello', 3).sendRandom('hello', 4).broadcast('hello', 5);
  agent.messenger.send('hello', 6).sendToApp('hello', 7).sendToAgent('hello', 8).sendRandom('hello', 9);
  messenger.sendTo(process.pid, 'hello', 10).sendTo(String(process.pid), 'hello', 11);
  await until('all are there', () => got.length === 14);
  // sendRandom waits for egg-pids, so the order is not that of the calls.
  const expected =
    'agent 1,app 2,agent 3,agent 4,app 5,agent 5,app 6,app 7,agent 8,app 9,agent 10,app 10,agent 11,app 11';
  assert.deepEqual(got.sort(), expected.split(',').sort());
});

test('single mode: requests have replies in both directions, and by pid', async (t) => {
  const app = await startSingle(t);
  app.messenger.onRequest('side', () => 'app');
  app.agent.messenger.onRequest('side', () => 'agent');
  assert.equal(await app.messenger.request('agent', 'side'), 'agent');
  assert.equal(await app.agent.messenger.request('app', 'side'), 'app');
  assert.equal(await app.agent.messenger.request(process.pid, 'side'), 'app');
  await assert.rejects(app.messenger.request(1, 'side'), /no process has this pid/);
});

test('single mode: what the Agent sends before there is an app waits for it', async (t) => {
  const app = await startSingle(t, {
    'agent.js': `module.exports = (agent) => {
      agent.messenger.sendToApp('early', 1);
      agent.reply = agent.messenger.request('app', 'question');
    };`,
    'app.js': `module.exports = (app) => {
      app.got = [];
      app.messenger.on('early', (data) => app.got.push(data));
      app.messenger.onRequest('question', () => 42);
    };`,
  });
  assert.deepEqual((app as unknown as { got: number[] }).got, [1]);
  assert.equal(await (app.agent as unknown as { reply: Promise<number> }).reply, 42);
});

test('single mode: a request to a side that has closed fails at once', async (t) => {
  const app = await startSingle(t);
  await app.agent.close();
  await assert.rejects(app.messenger.request('agent', 'side', 1, { timeout: 60_000 }), /its receiver has closed/);
});

test('a request of an app that nobody has started with an Agent fails at once', async (t) => {
  const app = loadApp(t);
  await app.ready();
  const { send } = process;
  process.send = undefined;
  t.after(() => {
    process.send = send;
  });
  await assert.rejects(app.messenger.request('agent', 'any'), {
    code: 'ERR_CLUTCH_MESSAGE',
    message: /no Master has started this process; start\(\) connects Agent and Application/,
  });
});

test('requests pass through a send that was replaced', async (t) => {
  const app = await startSingle(t);
  const sent: string[] = [];
  const { send } = app.messenger;
  app.messenger.send = function (this: typeof app.messenger, ...given: Parameters<typeof send>) {
    sent.push(given[0]);
    return send.apply(this, given);
  };
  app.agent.messenger.onRequest('double', ({ n }: { n: number }) => 2 * n);
  assert.equal(await app.messenger.request('agent', 'double', { n: 4 }), 8);
  assert.equal(sent.length, 1);
});
