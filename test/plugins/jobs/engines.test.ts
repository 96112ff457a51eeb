import assert from 'node:assert/strict';
import { getEventListeners } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { Kvm } from '@nats-io/kv';
import { connect } from '@nats-io/transport-node';
import { Redis } from 'ioredis';
import type { TakenJob } from '../../../plugins/jobs/lib/engine/attempt.js';
import { backoffDelay } from '../../../plugins/jobs/lib/engine/backoff.js';
import type { EngineOptions, JobEngine } from '../../../plugins/jobs/lib/engine/engine.js';
import { MemoryTable } from '../../../plugins/jobs/lib/engine/memory_table.js';
import { MAX_LOSSES, newRecord } from '../../../plugins/jobs/lib/engine/record.js';
import { TableEngine } from '../../../plugins/jobs/lib/engine/table_engine.js';
import { ROOT, temporaryDirectory, until } from '../../support/apps.js';
import { startServer } from '../../support/fleet.js';
import { ENGINES, type Engine, engineConfig, skipOf } from '../../support/jobs.js';

const OPTIONS: EngineOptions = {
  name: 'test',
  url: undefined,
  source: 'config.jobs',
  client: {},
  file: ':memory:',
  lease: 1000,
  timeout: 4000,
  keep: { completed: 10, failed: 10 },
  baseDir: ROOT,
  onError: (error) => console.error(error.message),
};

async function openEngine(t: TestContext, kind: Engine): Promise<JobEngine & { url?: string }> {
  const opened: { engine?: JobEngine } = {};
  t.after(() => opened.engine?.close());
  const { config } = await engineConfig(t, kind);
  const url = config['url'] as string | undefined;
  const options = { ...OPTIONS, url, file: path.join(temporaryDirectory(t), 'jobs.db') };
  const engine = await makeEngine(kind, options);
  opened.engine = engine;
  await engine.open(['work']);
  return Object.assign(engine, options.url === undefined ? {} : { url: options.url });
}

async function makeEngine(kind: Engine, options: EngineOptions): Promise<JobEngine> {
  if (kind === 'memory') return new TableEngine(new MemoryTable(), options);
  if (kind === 'sqlite') return (await import('../../../plugins/jobs/lazy/sqlite.js')).sqliteEngine(options);
  if (kind === 'redis') return new (await import('../../../plugins/jobs/lazy/redis.js')).RedisEngine(options);
  return new (await import('../../../plugins/jobs/lazy/nats.js')).NatsEngine(options);
}

const BACKOFF = { type: 'fixed' as const, delay: 10, max: 10, jitter: 0 };
const JOB = { key: undefined, data: '{"n":1}', delay: 0, attempts: 2, backoff: BACKOFF };

function take(engine: JobEngine): Promise<TakenJob> {
  return until('a job is taken', () => engine.take('work', new AbortController().signal), 20_000);
}

for (const kind of ENGINES) {
  const testOn = (name: string, run: (t: TestContext) => Promise<void>): void => {
    test(`${kind}: ${name}`, { skip: skipOf(kind) }, run);
  };

  testOn(
    'an attempt that nobody renews is lost: the job can be taken again, and reports of the first are refused',
    async (t) => {
      const engine = await openEngine(t, kind);
      await engine.add('work', { id: 'j1', ...JOB });
      const first = await take(engine);
      assert.deepEqual([first.data, first.attempt, first.attempts], ['{"n":1}', 1, 2]);
      // As long as it is renewed, nobody else gets it.
      for (let renewals = 0; renewals < 6; renewals++) {
        await new Promise((resolve) => setTimeout(resolve, 300));
        assert.equal(await engine.renew(first), true);
      }
      assert.equal((await engine.get('work', 'j1'))?.state, 'active');
      const second = await take(engine);
      assert.equal(second.id, 'j1');
      assert.notEqual(second.token, first.token);
      assert.equal(second.attempt, 1);
      assert.equal(await engine.renew(first), false);
      assert.equal(await engine.complete(first, '"late"'), false);
      assert.equal(await engine.fail(first, { name: 'Error', message: 'late' }, undefined), false);
      assert.equal(await engine.giveBack(first, false), false);
      assert.equal(await engine.complete(second, '"in time"'), true);
      assert.equal((await engine.get('work', 'j1'))?.result, '"in time"');
    },
  );

  testOn(
    'a job that is given back runs again as the same attempt; one that kills its processes is kept as failed',
    async (t) => {
      const engine = await openEngine(t, kind);
      await engine.add('work', { id: 'j1', ...JOB });
      for (let times = 0; times < MAX_LOSSES + 2; times++) {
        const job = await take(engine);
        assert.equal(job.attempt, 1);
        assert.equal(await engine.giveBack(job, false), true);
      }
      for (let times = 0; times <= MAX_LOSSES; times++) {
        const job = await take(engine);
        assert.equal(await engine.giveBack(job, true), true);
      }
      const job = await until('it has failed', async () => {
        await engine.take('work', AbortSignal.timeout(50));
        const found = await engine.get('work', 'j1');
        return found?.state === 'failed' && found;
      });
      assert.match(job.error?.message ?? '', /died 4 times/);
      assert.equal(await engine.retry('work', 'j1'), true);
      const again = await take(engine);
      assert.equal(again.attempt, 1);
      assert.equal(await engine.giveBack(again, true), true);
      assert.equal((await take(engine)).id, 'j1');
    },
  );

  testOn('jobs are taken in the order in which they were added, each once', async (t) => {
    const engine = await openEngine(t, kind);
    const ids = Array.from({ length: 10 }, (_, index) => `j${index}`);
    for (const id of ids) assert.equal(await engine.add('work', { id, ...JOB }), true);
    assert.equal(await engine.add('work', { id: 'j3', ...JOB }), false);
    const taken: string[] = [];
    for (const _ of ids) taken.push((await take(engine)).id);
    assert.deepEqual(taken, ids);
    const counts = await until('all are active', async () => {
      const found = await engine.counts('work');
      return found.active === 10 && found;
    });
    assert.deepEqual(counts, { waiting: 0, delayed: 0, active: 10, completed: 0, failed: 0 });
  });

  testOn('calls that have ended leave no listener on the signal, which lives as long as the Agent', async (t) => {
    const engine = await openEngine(t, kind);
    const { signal } = new AbortController();
    for (const id of ['j1', 'j2', 'j3']) {
      await engine.add('work', { id, ...JOB });
      await until('a job is taken', () => engine.take('work', signal), 20_000);
    }
    assert.equal(getEventListeners(signal, 'abort').length, 0);
  });

  if (kind === 'memory' || kind === 'sqlite') continue;

  testOn('what was refused while the server was away is not done when it is back', async (t) => {
    const server = await startServer(t, kind);
    const engine = await makeEngine(kind, { ...OPTIONS, url: server.url, timeout: 1000, onError: () => {} });
    t.after(() => engine.close());
    await engine.open(['work']);
    await server.stop();
    // What is called before the loss is noticed may be done.
    await assert.rejects(engine.counts('work'));
    await Promise.all([
      assert.rejects(engine.pause('work', true), /no connection|NATS|timeout/),
      assert.rejects(engine.add('work', { id: 'j1', ...JOB }), /no connection|NATS|timeout/),
    ]);
    await server.start();
    // This reply comes after those to calls that the client has kept.
    const { waiting } = await until('it is reached', () => engine.counts('work').catch(() => undefined), 20_000);
    assert.equal(waiting, 0);
    assert.equal(await engine.isPaused('work'), false);
  });

  testOn('a call that the server does not reply to has a code, and says that it may still be done', async (t) => {
    const server = await startServer(t, kind);
    const engine = await makeEngine(kind, { ...OPTIONS, url: server.url, timeout: 500, onError: () => {} });
    t.after(() => engine.close());
    await engine.open(['work']);
    await server.freeze();
    const error = await engine.add('work', { id: 'j1', ...JOB }).catch((reason: unknown) => reason);
    server.thaw();
    const { name, code, message } = error as NodeJS.ErrnoException;
    assert.deepEqual([name, code], ['ClutchError', 'ERR_CLUTCH_TIMEOUT']);
    assert.match(
      message,
      /sent no reply in 500 ms\n +config.jobs.url is \w+:\/\/127[\s\S]*may have been done, or be done when/,
    );
    // Added again under its id there is one job, whether the first call was done or not.
    await until(
      'it is added or found',
      () =>
        engine.add('work', { id: 'j1', ...JOB }).then(
          () => true,
          () => false,
        ),
      20_000,
    );
    await until('it is there', async () => (await engine.counts('work')).waiting === 1);
  });
}

test('backoff doubles up to its maximum, and leaves a share to chance', () => {
  const times = { type: 'exponential' as const, delay: 100, max: 1000, jitter: 0.5 };
  const delays = (random: number) => [1, 2, 3, 4, 5, 99].map((failures) => backoffDelay(times, failures, () => random));
  assert.deepEqual(delays(0), [100, 200, 400, 800, 1000, 1000]);
  assert.deepEqual(delays(1), [50, 100, 200, 400, 500, 500]);
  assert.equal(
    backoffDelay({ ...times, type: 'fixed' }, 7, () => 0),
    100,
  );
});

test('nats: a job whose message was never sent is found', { skip: skipOf('nats') }, async (t) => {
  const engine = await openEngine(t, 'nats');
  await engine.add('work', { id: 'j1', ...JOB });
  await engine.complete(await take(engine), undefined);
  // What `add` leaves when the process dies in its middle.
  const connection = await connect({ servers: engine.url as string });
  const bucket = await new Kvm(connection).open('clutch-test-jobs');
  await bucket.create('work.j2', JSON.stringify(newRecord({ id: 'j2', ...JOB }, Date.now())));
  await connection.close();
  assert.equal((await take(engine)).id, 'j2');
});

test('redis: a Redis Cluster keeps all of an app on one node', { skip: skipOf('redis') }, async (t) => {
  const opened: { engine?: JobEngine } = {};
  t.after(() => opened.engine?.close());
  const server = await startServer(t, 'redis', ['--cluster-enabled', 'yes', '--cluster-announce-ip', '127.0.0.1']);
  const bare = new Redis(server.url);
  await bare.call('CLUSTER', 'ADDSLOTSRANGE', '0', '16383');
  await until('the cluster is up', async () => /cluster_state:ok/.test(String(await bare.call('CLUSTER', 'INFO'))));
  bare.disconnect();
  const engine = await makeEngine('redis', { ...OPTIONS, client: { nodes: [server.url] } });
  opened.engine = engine;
  await engine.open(['work']);
  await engine.add('work', { id: 'j1', ...JOB });
  assert.equal(await engine.complete(await take(engine), '1'), true);
  assert.equal((await engine.get('work', 'j1'))?.state, 'completed');
});

// What Node before 22.13 has without a compiler.
test('sqlite: node-sqlite3-wasm refuses a file in WAL mode with a way out, and takes one of its own', async (t) => {
  const { sqliteEngine } = await import('../../../plugins/jobs/lazy/sqlite.js');
  const file = path.join(temporaryDirectory(t), 'jobs.db');
  t.mock.method(process, 'getBuiltinModule', () => undefined);
  const open = (): JobEngine => sqliteEngine({ ...OPTIONS, file });
  await open().close();
  await open().close();
  const header = readFileSync(file);
  header.fill(2, 18, 20);
  writeFileSync(file, header);
  assert.throws(open, {
    code: 'ERR_CLUTCH_JOBS',
    message: /node-sqlite3-wasm cannot open[\s\S]*in WAL mode[\s\S]*22\.13/,
  });
});
