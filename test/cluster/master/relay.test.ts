import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { isAlive, printed, until } from '../../support/apps.js';
import { startTalk } from '../../support/talk.js';

test('broadcast, sendToApp, sendToAgent, sendTo and sendRandom reach whom they name, each once', async (t) => {
  const { agent, workers, tell, seen } = await startTalk(t);
  const all = [agent, ...workers];
  for (const pid of all) {
    assert.equal((await tell(pid, 'broadcast', 'note', 'to all')).value, 'this');
    await tell(pid, 'sendToApp', 'note', 'to apps');
    await tell(pid, 'sendToAgent', 'note', 'to agent');
    await tell(pid, 'send', 'note', 'to the other side');
  }
  await tell(agent, 'sendTo', workers[1], 'note', 'to one');
  for (let index = 0; index < 20; index += 1) await tell(agent, 'sendRandom', 'note', 'at random');
  await until('all have come', () => seen('at random').length === 20 && seen('to all').length === 9);
  assert.deepEqual(seen('to all').sort(), [...all, ...all, ...all].sort());
  assert.deepEqual(seen('to apps').sort(), [...workers, ...workers, ...workers].sort());
  assert.deepEqual(seen('to agent'), [agent, agent, agent]);
  assert.deepEqual(seen('to the other side').sort(), [agent, agent, ...workers].sort());
  assert.deepEqual(seen('to one'), [workers[1]]);
  assert.equal(new Set(seen('at random')).size, 2);
});

test('W10: messages that are sent while processes boot reach those who listen later, and egg-ready comes once', async (t) => {
  const { agent, workers, seen, tell } = await startTalk(t);
  await until(
    'early messages have come',
    () => seen('early from agent').length === 2 && seen('early at random').length === 1,
  );
  await until('the Agent has heard both', () => seen('early from app').length === 2);
  assert.deepEqual(seen('early from agent').sort(), [...workers].sort());
  assert.deepEqual(seen('early from app'), [agent, agent]);
  // Each of the two has told both, itself included.
  await until('workers have heard each other', () => seen('early to apps').length === 4);
  await tell(agent, 'sendToApp', 'note', 'last');
  await until('it has come', () => seen('last').length === 2);
  assert.equal(seen('early from agent').length, 2);
});

test('a request is answered, with errors carried over', async (t) => {
  const { agent, workers, tell } = await startTalk(t);
  assert.equal((await tell(workers[0], 'request', 'agent', 'add', { a: 1, b: 2 })).value, 3);
  assert.equal((await tell(workers[0], 'request', workers[1], 'who')).value, workers[1]);
  assert.ok(workers.includes((await tell(agent, 'request', 'app', 'who')).value as number));
  const { error } = await tell(workers[0], 'request', 'agent', 'fail');
  assert.equal(error?.name, 'RangeError');
  assert.equal(error?.message, 'out of range');
  assert.equal(error?.code, 'EFAR');
  assert.match(error?.stack ?? '', /talk\.js/);
});

test('a request that nobody answers is an error that says why', async (t) => {
  const { agent, workers, tell, child } = await startTalk(t);
  const late = await tell(workers[0], 'request', 'agent', 'never', null, { timeout: 100 });
  assert.equal(late.error?.code, 'ERR_CLUTCH_TIMEOUT');
  assert.match(late.error?.message ?? '', /request "never" got no reply within 100 ms\n {2}sent to agent/);
  const unknown = await tell(agent, 'request', 'app', 'unheard of');
  assert.match(unknown.error?.message ?? '', /requests "unheard of" have no handler here/);
  const dead = await tell(agent, 'request', 999_999, 'who');
  assert.match(dead.error?.message ?? '', /request "who" is not delivered: no process has this pid/);
  const circle = await tell(agent, 'request', 'app', 'unsendable');
  assert.match(circle.error?.message ?? '', /is not sent: Converting circular structure/);
  assert.ok(isAlive(child.pid as number));
});

test('W11: what cannot be delivered is an error to its sender, and the Master goes on', async (t) => {
  const cluster = await startTalk(t, { EGG_APP_CONFIG: '{"logger":{"disableConsoleAfterReady":false}}' });
  const { agent, workers, tell, messages } = cluster;
  const circle = await tell(workers[0], 'sendToAgent', 'note', '<circle>');
  assert.equal(circle.error?.code, 'ERR_CLUTCH_MESSAGE');
  await tell(workers[0], 'sendTo', 999_999, 'note', 'to nobody');
  const back = await until('it comes back', () => messages.find(({ action }) => action === 'undelivered'));
  assert.deepEqual(back.data, { pid: workers[0], data: { action: 'note', reason: 'no process has this pid' } });
  await until('it is logged', () =>
    cluster.output().includes('message "note" is not delivered: no process has this pid'),
  );
  const counts = new Map((await cluster.status()).processes.map((one) => [one.pid, one.undeliveredMessages]));
  assert.equal(counts.get(workers[0]), 1, 'the status counts it for its sender');
  assert.deepEqual([counts.get(workers[1]), counts.get(agent)], [0, 0]);
  process.kill(agent, 'SIGSTOP');
  process.kill(agent, 'SIGKILL');
  await until('there is another Agent', async () => ![undefined, agent].includes((await cluster.pids()).agent));
  assert.equal((await tell(workers[0], 'request', 'agent', 'add', { a: 2, b: 2 })).value, 4);
  assert.equal((await tell(workers[1], 'sendToApp', 'x', 'no listener')).value, 'this');
});

test('W11: nobody can play the Master: its events are not reached by name', async (t) => {
  const { agent, workers, tell, pids } = await startTalk(t);
  for (const action of ['app-exit', 'agent-exit', 'agent-start', 'clutch:leaving-all', 'egg-ready', 'error']) {
    await tell(agent, 'send', action, { workerId: workers[0] }, 'master');
  }
  assert.deepEqual(await pids(), { ...(await pids()), agent, workers });
});

test('W11: a receiver that does not read is told of once, and the Master stays small', {
  timeout: 90_000,
}, async (t) => {
  const cluster = await startTalk(t, {}, { hangTimeout: 0 });
  const { agent, workers, tell, messages, child } = cluster;
  process.kill(workers[1], 'SIGSTOP');
  t.after(() => isAlive(workers[1]) && process.kill(workers[1], 'SIGCONT'));
  const load = 'x'.repeat(1024 * 1024);
  for (let index = 0; index < 120; index += 1) await tell(agent, 'sendTo', workers[1], 'nothing', load);
  await until('the Master tells', () => cluster.output().includes(`pid ${workers[1]} does not read its messages`));
  assert.equal(cluster.output().match(/does not read its messages/g)?.length, 1);
  const back = await until('the sender is told', () => messages.find(({ action }) => action === 'undelivered'));
  assert.match(JSON.stringify(back.data), /the queue is full/);
  const rss = Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8'))?.[1]) / 1024;
  assert.ok(rss < 400, `${rss} MiB`);
  process.kill(workers[1], 'SIGCONT');
  const answered = await until('it reads again', async () => {
    const { value } = await tell(agent, 'request', workers[1], 'who', null, { timeout: 3000 });
    return value;
  });
  assert.equal(answered, workers[1]);
});

test('100,000 messages from one process to another arrive in order', { timeout: 60_000 }, async (t) => {
  const { agent, workers, child, messages } = await startTalk(t);
  const COUNT = 100_000;
  for (const to of ['app', 'agent'])
    child.send({ action: 'burst', to, data: { pid: agent, count: COUNT, to: workers[0] } });
  const last = await until(
    'all are counted',
    () =>
      messages.find(
        ({ action, data }) => action === 'counted' && (data as { data: { next: number } }).data.next === COUNT,
      ),
    50_000,
  );
  assert.deepEqual(last.data, { pid: workers[0], data: { next: COUNT, disorder: 0 } });
});

test('a message of the parent without a receiver is for the Master, which reloads when it is asked to', async (t) => {
  const { child, workers, output, pids } = await startTalk(t);
  child.send({ action: 'reload-worker' });
  await printed({ output }, /\] reloaded/);
  for (const pid of (await pids()).workers) assert.ok(!workers.includes(pid));
});

for (const victim of ['agent', 'worker'] as const) {
  test(`a request to the ${victim} that dies before it has replied is an error at once`, async (t) => {
    const talk = await startTalk(t);
    const { agent, workers } = talk;
    const [asking, asked] = workers;
    const pid = victim === 'agent' ? agent : asked;
    const target = victim === 'agent' ? 'agent' : pid;
    const { error } = await talk.tell(asking, 'request', target, 'die', undefined, { timeout: 60_000 });
    assert.match(error?.message ?? '', /request "die" may have been handled: its receiver has ended without a reply/);
  });
}
