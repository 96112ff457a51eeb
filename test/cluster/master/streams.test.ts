import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { type Agent, type Application, start } from 'koa-clutch';
import { parseEnvelope } from '../../../cluster/protocol/parse_envelope.js';
import { isAlive, until } from '../../support/apps.js';
import { writeApp } from '../../support/loaded_app.js';
import { startTalk, type Talk } from '../../support/talk.js';

interface Read {
  values: unknown[];
  error?: { name: string; message: string; code?: string };
}

interface State {
  aborted: unknown[];
  left: number;
  sent: number;
}

const read = async (talk: Talk, pid: number, ...args: unknown[]): Promise<Read> =>
  (await talk.tell(pid, 'read', ...args)).value as Read;
const stateOf = async (talk: Talk, asking: number, pid: number): Promise<State> =>
  (await talk.tell(asking, 'request', pid, 'state')).value as State;

test('a request that is given up frees both sides, and the signal of its handler aborts', async (t) => {
  const talk = await startTalk(t);
  const { agent, workers } = talk;
  const aborted = await talk.tell(workers[0], 'abortedAfter', 50, 'request', 'agent', 'patient', 1);
  assert.equal(aborted.error?.name, 'TimeoutError');
  await until('the handler knows', async () => (await stateOf(talk, workers[0], agent)).aborted.length === 1);
  const late = await talk.tell(workers[0], 'request', 'agent', 'patient', 1, { timeout: 50 });
  assert.equal(late.error?.code, 'ERR_CLUTCH_TIMEOUT');
  await until('a timeout reaches it, too', async () => (await stateOf(talk, workers[0], agent)).aborted.length === 2);
  // One of the workers: the Master knows which.
  const some = await talk.tell(agent, 'request', 'app', 'patient', 1, { timeout: 50 });
  assert.equal(some.error?.code, 'ERR_CLUTCH_TIMEOUT');
  await until('the worker knows', async () => {
    const states = await Promise.all(workers.map((pid) => stateOf(talk, agent, pid)));
    return states.flatMap(({ aborted }) => aborted).length === 1;
  });
  assert.deepEqual((await stateOf(talk, workers[0], agent)).aborted, ['ERR_CLUTCH_CANCELLED', 'ERR_CLUTCH_CANCELLED']);
});

test('the signal of a handler aborts when the process that has asked ends', async (t) => {
  const talk = await startTalk(t);
  const { agent, workers, child } = talk;
  for (const to of ['app', 'agent']) {
    child.send({
      action: 'do',
      to,
      data: { pid: workers[0], method: 'request', args: ['agent', 'patient', 1, { timeout: 60_000 }], id: -1 },
    });
  }
  await talk.tell(workers[0], 'request', 'agent', 'who');
  process.kill(workers[0], 'SIGKILL');
  await until('the handler knows', async () => (await stateOf(talk, workers[1], agent)).aborted.length === 1);
});

test('a stream brings all values in their order, from Agent, worker and pid, one from one of the workers', async (t) => {
  const talk = await startTalk(t);
  const { agent, workers } = talk;
  const numbers = Array.from({ length: 500 }, (_, index) => index);
  for (const [pid, target, options] of [
    [workers[0], 'agent', {}],
    [workers[0], workers[1], { window: 1 }],
    [agent, workers[0], { window: 500 }],
    [agent, 'app', { window: 3 }],
  ] as const) {
    const { values, error } = await read(talk, pid, target, 'numbers', { to: 500 }, options);
    assert.deepEqual([values, error], [numbers, undefined]);
  }
  const kinds = await Promise.all(
    ['bytes', 'web', 'values'].map((kind) => read(talk, workers[0], 'agent', 'odd', { kind })),
  );
  assert.deepEqual(
    kinds.map(({ values }) => values),
    [
      ['bytes 00ff', `bytes ${Buffer.from('more').toString('hex')}`],
      [`bytes ${Buffer.from('of the web').toString('hex')}`],
      [null, 0, '', { a: [1] }],
    ],
  );
});

test('a stream sends no more than is read', async (t) => {
  const talk = await startTalk(t);
  const { agent, workers } = talk;
  const { values } = await read(talk, workers[0], 'agent', 'numbers', {}, { count: 10, window: 4, pause: 20 });
  assert.equal(values.length, 10);
  const { sent, left } = await until('the generator was left', async () => {
    const state = await stateOf(talk, workers[0], agent);
    return state.left === 1 && state;
  });
  assert.ok(sent <= 14, `${sent} were made, for ten that were read`);
  assert.equal(left, 1);
});

test('errors of a stream cross, and what cannot be sent is one', async (t) => {
  const talk = await startTalk(t);
  const { workers } = talk;
  const thrown = await read(talk, workers[0], 'agent', 'odd', { kind: 'throws' });
  assert.deepEqual([thrown.values, thrown.error], [[1], { name: 'RangeError', message: 'spoilt', code: 'EBAD' }]);
  const circle = await read(talk, workers[0], 'agent', 'odd', { kind: 'circle' });
  assert.deepEqual(circle.values, [1]);
  assert.match(circle.error?.message ?? '', /circular structure/);
  assert.match((await read(talk, workers[0], 'agent', 'odd', {})).error?.message ?? '', /has returned string/);
  assert.match((await read(talk, workers[0], 'agent', 'unheard of')).error?.message ?? '', /have no handler here/);
  assert.match((await read(talk, workers[0], 999_999, 'numbers', {})).error?.message ?? '', /no process has this pid/);
  assert.match(
    (await talk.tell(workers[0], 'stream', 'agent', 'numbers', {}, { window: 0 })).error?.message ?? '',
    /window/,
  );
});

test('a stream ends with an error when its sender dies, and its handler is told when the reader dies', async (t) => {
  const talk = await startTalk(t);
  const { agent, workers, messages, child } = talk;
  const begin = (pid: number, id: number, ...args: unknown[]): void => {
    for (const to of ['app', 'agent']) child.send({ action: 'do', to, data: { pid, method: 'read', args, id } });
  };
  const reads = (pid: number) =>
    messages.some(({ action, data }) => action === 'read' && (data as { pid: number }).pid === pid);
  begin(workers[0], -1, workers[1], 'odd', { kind: 'silent' });
  await until('the first value is there', () => reads(workers[0]));
  process.kill(workers[1], 'SIGKILL');
  const done = await until('it ends', () =>
    messages.find(({ action, data }) => action === 'done' && (data as { data: { id: number } }).data.id === -1),
  );
  assert.match(JSON.stringify(done.data), /"values":\[1\],"error":.*its receiver has ended without a reply/);
  const [other] = (await talk.pids()).workers.filter((pid) => pid !== workers[1]);
  begin(other as number, -2, 'agent', 'numbers', { wait: true });
  await until('values come', () => messages.filter(({ action }) => action === 'read').length > 5);
  process.kill(other as number, 'SIGKILL');
  const worker = await until('there is another one', async () =>
    (await talk.pids()).workers.find((pid) => !workers.includes(pid)),
  );
  const { aborted } = await until('the generator was left', async () => {
    const state = await stateOf(talk, worker, agent);
    return state.left === 1 && state;
  });
  assert.deepEqual(aborted, [true]);
});

test('the signal of a reader ends its stream, also while nothing comes', async (t) => {
  const talk = await startTalk(t);
  const { workers } = talk;
  const { values, error } = (
    await talk.tell(workers[0], 'abortedAfter', 3000, 'read', 'agent', 'odd', { kind: 'silent' })
  ).value as Read;
  assert.deepEqual(values, [1]);
  assert.equal(error?.name, 'TimeoutError');
});

test('a stream whose values are dropped, because its reader stands still, ends with an error on both sides', {
  timeout: 180_000,
}, async (t) => {
  const talk = await startTalk(t, {}, { hangTimeout: 0 });
  const { agent, workers, child, messages } = talk;
  const [reader, other] = workers;
  for (const to of ['app', 'agent']) {
    const args = ['agent', 'numbers', { wait: true }, { window: 10_000 }];
    child.send({ action: 'do', to, data: { pid: reader, method: 'read', args, id: -1 } });
  }
  await until('values come', () => messages.some(({ action }) => action === 'read'));
  process.kill(reader, 'SIGSTOP');
  t.after(() => isAlive(reader) && process.kill(reader, 'SIGCONT'));
  const load = 'x'.repeat(1024 * 1024);
  await until(
    'its queue is full',
    async () => {
      await talk.tell(other, 'sendTo', reader, 'nothing', load);
      return talk.output().includes(`pid ${reader} does not read`);
    },
    90_000,
  );
  await until('the generator was left', async () => (await stateOf(talk, other, agent)).left === 1);
  process.kill(reader, 'SIGCONT');
  const done = await until('the reader knows', () =>
    messages.find(({ action, data }) => action === 'done' && (data as { data: { id: number } }).data.id === -1),
  );
  assert.match(JSON.stringify(done.data), /did not read its messages|lost values/);
});

test('a flood of small messages to a worker that stands still are dropped and counted, and the Master stays small', {
  timeout: 120_000,
}, async (t) => {
  const talk = await startTalk(t, {}, { hangTimeout: 0 });
  const { agent, workers, child } = talk;
  const rss = async (): Promise<number> =>
    (await talk.status()).processes.find(({ kind }) => kind === 'master')?.memory as number;
  const before = await rss();
  process.kill(workers[1], 'SIGSTOP');
  t.after(() => isAlive(workers[1]) && process.kill(workers[1], 'SIGCONT'));
  const COUNT = 200_000;
  for (const to of ['app', 'agent']) {
    child.send({ action: 'burst', to, data: { pid: agent, count: COUNT, to: workers[1], size: 800 } });
  }
  let most = 0;
  await until(
    'all are dropped or kept',
    async () => {
      const status = await talk.status();
      most = Math.max(most, (await rss()) - before);
      const { undeliveredMessages = 0 } = status.processes.find(({ pid }) => pid === agent) ?? {};
      return undeliveredMessages > COUNT - 100_000 && undeliveredMessages;
    },
    100_000,
  );
  assert.ok(most < 250, `it has grown by ${most} MiB`);
  t.diagnostic(`the Master has grown by ${most} MiB at most`);
});

async function startSingle(t: TestContext): Promise<Application & { agent: Agent }> {
  const app = await start({ baseDir: writeApp(t), env: 'unittest' });
  t.after(() => app.close());
  return app;
}

test('single mode: streams and signals', async (t) => {
  const { messenger, agent } = await startSingle(t);
  let left = 0;
  agent.messenger.onStream('count', async function* ({ to }: { to: number }) {
    try {
      for (let number = 0; number < to; number += 1) yield number;
    } finally {
      left += 1;
    }
  });
  messenger.onStream('back', () => ['a', 'b']);
  const values: unknown[] = [];
  for await (const value of messenger.stream('agent', 'count', { to: 100 }, { window: 2 })) values.push(value);
  assert.deepEqual(values, [...Array(100).keys()]);
  const back: unknown[] = [];
  for await (const value of agent.messenger.stream('app', 'back')) back.push(value);
  assert.deepEqual(back, ['a', 'b']);
  for await (const value of messenger.stream('agent', 'count', { to: 100 })) if (value === 3) break;
  await until('the generator was left', () => left === 2);

  const reasons: unknown[] = [];
  agent.messenger.onRequest('patient', (_data, { signal }) => {
    signal.addEventListener('abort', () => reasons.push((signal.reason as { code: string }).code));
    return new Promise(() => undefined);
  });
  const controller = new AbortController();
  const asked = messenger.request('agent', 'patient', 1, { signal: controller.signal });
  setImmediate(() => controller.abort(new Error('enough')));
  await assert.rejects(asked, /enough/);
  await until('the handler knows', () => reasons.length === 1);
  await assert.rejects(
    messenger.request('agent', 'patient', 1, { signal: AbortSignal.abort(new Error('never')) }),
    /never/,
  );
  const dead = messenger.stream('agent', 'count', { to: 1 }, { signal: AbortSignal.abort(new Error('never')) });
  await assert.rejects(dead.next(), /never/);
  assert.deepEqual(await dead.next(), { done: true, value: undefined });
  assert.deepEqual(reasons, ['ERR_CLUTCH_CANCELLED']);
});

test('single mode: a stream of a side that closes ends with an error', async (t) => {
  const app = await startSingle(t);
  app.agent.messenger.onStream('silent', async function* () {
    yield 1;
    await new Promise(() => undefined);
  });
  const stream = app.messenger.stream('agent', 'silent');
  assert.deepEqual(await stream.next(), { done: false, value: 1 });
  const next = stream.next();
  await app.agent.close();
  await assert.rejects(next, /was closed before it replied/);
});

test('what a process may send of streams is checked', () => {
  const id = 'a:1';
  for (const right of [
    { clutch: 'request', data: { id, action: 'x', window: 16 } },
    { clutch: 'chunk', data: { id, seq: 0, value: null } },
    { clutch: 'credit', data: { id, count: 3 } },
    { clutch: 'cancel', data: { id } },
  ]) {
    assert.ok(parseEnvelope(right), JSON.stringify(right));
  }
  for (const wrong of [
    { clutch: 'request', data: { id, action: 'x', window: 0 } },
    { clutch: 'request', data: { id, action: 'x', window: 1e9 } },
    { clutch: 'request', data: { id: 'x'.repeat(1000), action: 'x' } },
    { clutch: 'chunk', data: { id, seq: -1 } },
    { clutch: 'chunk', data: { id, seq: 0, bytes: {} } },
    { clutch: 'credit', data: { id, count: 0.5 } },
    { clutch: 'credit', data: { id, count: Number.MAX_SAFE_INTEGER } },
    { clutch: 'cancel', data: { id: {} } },
    { clutch: 'cancel' },
  ]) {
    assert.equal(parseEnvelope(wrong), undefined, JSON.stringify(wrong));
  }
});
