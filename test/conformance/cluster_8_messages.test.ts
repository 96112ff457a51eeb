import assert from 'node:assert/strict';
import { test } from 'node:test';
import { start } from 'koa-clutch';
import { isAlive, printed, startTestCluster, until } from '../support/apps.js';
import { writeApp } from '../support/loaded_app.js';
import { startTalk } from '../support/talk.js';

test('messages between the processes of a cluster', async (t) => {
  const talk = await startTalk(t);
  const { agent, workers, tell, seen, child } = talk;

  await t.test('cluster 8.51 the parent reaches app workers and the Agent', async () => {
    child.send({ action: 'note', to: 'app', data: 'parent to app' });
    child.send({ action: 'note', to: 'agent', data: 'parent to agent' });
    await until('all have it', () => seen('parent to app').length === 2 && seen('parent to agent').length === 1);
    assert.deepEqual(seen('parent to app').sort(), workers.toSorted());
    assert.deepEqual(seen('parent to agent'), [agent]);
  });

  await t.test('cluster 8.52 app workers and the Agent reach the parent, with from', async () => {
    await tell(workers[0], 'send', 'from-app', 1, 'parent');
    await tell(agent, 'send', 'from-agent', 2, 'parent');
    for (const [action, from] of [
      ['from-app', 'app'],
      ['from-agent', 'agent'],
    ]) {
      const message = await until(`${action} is there`, () => talk.messages.find((each) => each.action === action));
      assert.equal(Reflect.get(message, 'from'), from);
    }
  });

  await t.test('cluster 8.54 a broadcast of each of three processes is delivered nine times', async () => {
    for (const pid of [agent, ...workers]) await tell(pid, 'broadcast', 'note', 'to all');
    await until('all have it', () => seen('to all').length >= 9);
    assert.equal(seen('to all').length, 9);
  });

  await t.test('cluster 8.55 sendToApp and sendToAgent reach exactly these', async () => {
    await tell(agent, 'sendToApp', 'note', 'agent to apps');
    for (const pid of workers) await tell(pid, 'sendToApp', 'note', 'app to apps');
    await tell(agent, 'sendToAgent', 'note', 'agent to agent');
    for (const pid of workers) await tell(pid, 'sendToAgent', 'note', 'app to agent');
    await until('the last ones are there', () => seen('app to agent').length >= 2 && seen('app to apps').length >= 4);
    const counts = ['agent to apps', 'app to apps', 'agent to agent', 'app to agent'].map((each) => seen(each).length);
    assert.deepEqual(counts, [2, 4, 1, 2]);
  });

  await t.test('cluster 8.56 sendTo reaches the process with this pid only', async () => {
    await tell(workers[0], 'sendTo', workers[1], 'note', 'to one');
    await until('it is there', () => seen('to one').length > 0);
    assert.deepEqual(seen('to one'), [workers[1]]);
  });

  await t.test('cluster 8.57 sendRandom of the Agent reaches one worker each, and not always the same', async () => {
    for (let index = 0; index < 20; index += 1) await tell(agent, 'sendRandom', 'note', 'at random');
    await until('all are there', () => seen('at random').length === 20);
    assert.equal(new Set(seen('at random')).size, 2);
  });

  await t.test('cluster 8.58 messages of the Agent before egg-ready need no warning, since none is lost', () => {
    assert.doesNotMatch(talk.output(), /WARN.*egg-ready/);
  });

  await t.test('cluster 8.59 they are delivered after ready', async () => {
    await until('both workers have it', () => seen('early from agent').length === 2);
    assert.deepEqual(seen('early from agent').sort(), workers.toSorted());
  });
});

test('cluster 8.53 a string that an app sends arrives at the Agent as action and data', async (t) => {
  const cluster = await startTestCluster(t, {
    workers: 1,
    baseDir: writeApp(t, {
      'agent.js': "module.exports = (agent) => agent.messenger.on('str', (data) => console.log('got %j', data));",
      'app.js': "module.exports = (app) => app.messenger.once('egg-ready', () => process.send('str'));",
    }),
  });
  await printed(cluster, /got "str"/);
});

test('cluster 8.60 a message to an Agent that is down is reported to its sender, and the Master goes on', async (t) => {
  const talk = await startTalk(t, { EGG_APP_CONFIG: '{"logger":{"disableConsoleAfterReady":false}}' });
  const { agent, workers } = talk;
  await until('its early message has come', () => talk.seen('early at random').length === 1);
  process.kill(agent, 'SIGKILL');
  await until('there is another Agent', async () => ![undefined, agent].includes((await talk.pids()).agent));
  await talk.tell(workers[0], 'sendTo', agent, 'note', 'to nobody');
  const { data } = await until('it is reported', () => talk.messages.find(({ action }) => action === 'undelivered'));
  assert.deepEqual(data, { pid: workers[0], data: { action: 'note', reason: 'no process has this pid' } });
  assert.ok(isAlive(talk.child.pid as number));
  assert.doesNotMatch(talk.output(), /TypeError/);
  // The new Agent sends at random while it boots; it does not know the workers before it is ready.
  await until('that has come', () => talk.seen('early at random').length === 2);
});

test('cluster 8.61 a listener that throws is logged, and its process lives on', async (t) => {
  const listener = `module.exports = ({ messenger }) => {
    messenger.on('fail', () => { throw new Error('listener of ' + process.pid); }); };`;
  const cluster = await startTestCluster(
    t,
    { workers: 1, baseDir: writeApp(t, { 'agent.js': listener, 'app.js': listener }) },
    { EGG_APP_CONFIG: '{"logger":{"disableConsoleAfterReady":false}}' },
  );
  const before = await cluster.pids();
  for (const to of ['agent', 'app']) cluster.child.send({ action: 'fail', to });
  for (const pid of [before.agent, ...before.workers]) await printed(cluster, new RegExp(`listener of ${pid}`));
  assert.deepEqual(await cluster.pids(), before);
});

test('cluster 8.62 start() runs both in one process', async (t) => {
  const note = (who: string): string => `module.exports = class {
    async serverDidReady() { (globalThis.singleReady ??= []).push('${who}'); } };`;
  const app = await start({
    baseDir: writeApp(t, { 'app.js': note('app'), 'agent.js': note('agent') }),
    env: 'unittest',
  });
  assert.equal(app.agent.type, 'agent');
  const ready = await until('both are ready', () => {
    const list = Reflect.get(globalThis, 'singleReady') as string[] | undefined;
    return list?.length === 2 && list;
  });
  assert.deepEqual(ready.toSorted(), ['agent', 'app']);
  const got: unknown[] = [];
  for (const { messenger } of [app, app.agent]) messenger.on('hello', (data) => void got.push(data));
  app.messenger.sendTo(process.pid + 1, 'hello', 'nobody').sendTo(process.pid, 'hello', 'both');
  await until('it is there', () => got.length === 2);
  assert.deepEqual(got, ['both', 'both']);
  const closed: string[] = [];
  app.on('close', () => closed.push('app'));
  app.agent.on('close', () => closed.push('agent'));
  await app.close();
  assert.deepEqual(closed, ['agent', 'app']);
});
