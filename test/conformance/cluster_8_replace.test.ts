import assert from 'node:assert/strict';
import { rmSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import {
  fixture,
  isAlive,
  printed,
  type RunningCluster,
  startTestCluster,
  temporaryDirectory,
  until,
} from '../support/apps.js';
import { request, requestJson } from '../support/http.js';
import { writeApp } from '../support/loaded_app.js';

const baseDir = fixture('faulty');
const LOG_TO_CONSOLE = { EGG_APP_CONFIG: '{"logger":{"disableConsoleAfterReady":false}}' };
const ask = (cluster: RunningCluster, where: string): Promise<{ pid: number }> => requestJson(`${cluster.url}${where}`);

/** Waits until the cluster has `count` workers again, without `old`. */
function replaced(cluster: RunningCluster, old: number, count = 2): Promise<number[]> {
  return until(`${old} is replaced`, async () => {
    const { workers } = await cluster.pids();
    return workers.length === count && !workers.includes(old) && workers;
  });
}

const firstWorker = async (cluster: RunningCluster): Promise<number> => (await cluster.pids()).workers[0] as number;

interface Seen {
  pid: number;
  action: string;
  data: unknown;
}

/** A cluster whose processes report to the parent which messages of the Master they get. */
async function startReporting(t: TestContext) {
  const report = `module.exports = class {
    constructor(self) {
      this.self = self;
      for (const action of ['egg-ready', 'egg-pids', 'agent-start']) self.messenger.on(action, (data) => this.tell(action, data));
      self.messenger.on('exit', (pid) => pid === process.pid && process.exit(1));
    }
    tell(action, data) { this.self.messenger.send('saw', { pid: process.pid, action, data }, 'parent'); }
    async serverDidReady() { this.tell('serverDidReady'); }
  };`;
  const cluster = await startTestCluster(t, { baseDir: writeApp(t, { 'agent.js': report, 'app.js': report }) });
  const seen = (pid: number, action: string): unknown[] =>
    cluster.messages
      .filter((message) => message.action === 'saw')
      .map(({ data }) => data as Seen)
      .filter((each) => each.pid === pid && each.action === action)
      .map(({ data }) => data);
  const parentGot = (action: string): number => cluster.messages.filter((each) => each.action === action).length;
  return { cluster, seen, parentGot };
}

test('messages of the Master', async (t) => {
  const { cluster, seen, parentGot } = await startReporting(t);
  const first = await cluster.pids();
  const agent = first.agent as number;

  await t.test('cluster 8.22 egg-ready comes once to each process, with the options of the cluster', async () => {
    for (const pid of [agent, ...first.workers]) {
      await until(`${pid} has egg-ready`, () => seen(pid, 'egg-ready').length > 0);
      const [options] = seen(pid, 'egg-ready') as [{ workers: number; clusterPort: number }];
      assert.equal(options.workers, 2);
      assert.ok(options.clusterPort > 0);
      assert.equal(seen(pid, 'egg-ready').length, 1);
    }
  });

  await t.test('cluster 8.26 a worker that exits is replaced, and the parent hears of it', async () => {
    const [victim] = first.workers as [number];
    cluster.child.send({ action: 'exit', to: 'app', data: victim });
    await replaced(cluster, victim);
    await until('the parent has heard', () => parentGot('app-worker-died') === 1);
  });

  await t.test('cluster 8.23 the new worker gets egg-ready, the Agent egg-pids of N-1 and of N', async () => {
    const { workers } = await cluster.pids();
    const added = workers.find((pid) => !first.workers.includes(pid)) as number;
    await until('the new worker has egg-ready', () => seen(added, 'egg-ready').length === 1);
    const lists = await until('the Agent knows the new one', () => {
      const all = seen(agent, 'egg-pids') as number[][];
      return all.at(-1)?.includes(added) && all;
    });
    assert.equal(lists.at(-2)?.length, 1);
    assert.deepEqual(lists.at(-1)?.toSorted(), workers.toSorted());
  });

  await t.test(
    'cluster 8.24 when the Agent exits, workers and the parent hear of it, and no worker restarts',
    async () => {
      const { workers } = await cluster.pids();
      cluster.child.send({ action: 'exit', to: 'agent', data: agent });
      const next = await until('there is another Agent', async () => {
        const now = await cluster.pids();
        return ![undefined, agent].includes(now.agent) && now.agent;
      });
      for (const pid of workers) {
        await until(`${pid} knows the new Agent`, () => seen(pid, 'agent-start').length > 0);
        assert.deepEqual(seen(pid, 'egg-pids').slice(-2), [[], [next]]);
      }
      assert.deepEqual((await cluster.pids()).workers, workers);
      await until('the parent has heard', () => parentGot('agent-worker-died') === 1);
    },
  );

  await t.test('cluster 8.25 the new Agent gets egg-ready and the workers, and serverDidReady runs', async () => {
    const { agent: next, workers } = await cluster.pids();
    const pid = next as number;
    await until('serverDidReady ran', () => seen(pid, 'serverDidReady').length === 1);
    assert.equal(seen(pid, 'egg-ready').length, 1);
    await until('it knows the workers', () => {
      const list = seen(pid, 'egg-pids').at(-1) as number[] | undefined;
      return list?.length === 2 && list.every((each) => workers.includes(each));
    });
  });
});

test('cluster 8.27 in local a worker that exits is replaced, too', async (t) => {
  const cluster = await startTestCluster(t, { baseDir, workers: 1, env: 'local' }, { NODE_ENV: 'development' });
  const pid = await firstWorker(cluster);
  await request(`${cluster.url}/exit`).catch(() => undefined);
  await replaced(cluster, pid, 1);
});

test('a worker and an Agent that fail', async (t) => {
  const cluster = await startTestCluster(t, { baseDir, hangTimeout: 800 }, LOG_TO_CONSOLE);

  await t.test('cluster 8.28 a worker that gets SIGKILL is replaced, and the signal is logged', async () => {
    const pid = await firstWorker(cluster);
    process.kill(pid, 'SIGKILL');
    await replaced(cluster, pid);
    await printed(cluster, new RegExp(`app worker ${pid} died and is replaced at once: ended by SIGKILL`));
  });

  await t.test('cluster 8.32 an exception with a code of serverGracefulIgnoreCode is only logged', async () => {
    const before = await cluster.pids();
    await ask(cluster, '/throw?code=EIGNORED');
    await printed(cluster, /worker boom/);
    assert.deepEqual(await cluster.pids(), before);
  });

  await t.test('cluster 8.33 unhandled rejections are logged, in a worker and in the Agent', async () => {
    const before = await cluster.pids();
    await ask(cluster, '/reject');
    await ask(cluster, '/tell?what=agent:reject');
    await printed(cluster, /worker rejection/);
    await printed(cluster, /agent rejection/);
    assert.deepEqual(await cluster.pids(), before);
  });

  await t.test('cluster 8.34 an exception in the Agent is logged, and it lives on', async () => {
    const { agent } = await cluster.pids();
    await ask(cluster, '/tell?what=agent:throw');
    await printed(cluster, /agent boom/);
    assert.equal((await cluster.pids()).agent, agent);
  });

  await t.test('cluster 8.40 a worker that is stopped is found and replaced', async () => {
    const pid = await firstWorker(cluster);
    process.kill(pid, 'SIGSTOP');
    await replaced(cluster, pid);
    await until('it is gone', () => !isAlive(pid));
  });

  await t.test('cluster 8.41 so is one that blocks its event loop', async () => {
    const { pid } = await ask(cluster, '/block');
    await replaced(cluster, pid);
  });
});

test('a worker that throws', async (t) => {
  const cluster = await startTestCluster(t, { baseDir }, LOG_TO_CONSOLE);

  await t.test('cluster 8.29 finishes its request while a replacement serves', async () => {
    const slow = ask(cluster, '/throw?ms=3000');
    const old = await until('a worker is leaving', () => /app worker (\d+) is leaving/.exec(cluster.output())?.[1]);
    const { workers } = await until('the replacement is there while the old one lives', async () => {
      const now = await cluster.pids();
      return now.workers.length === 2 && !now.workers.includes(Number(old)) && now;
    });
    assert.ok(isAlive(Number(old)));
    for (let index = 0; index < 4; index += 1) assert.ok(workers.includes((await ask(cluster, '/')).pid));
    assert.equal((await slow).pid, Number(old));
  });

  await t.test('cluster 8.30 says Connection: close on its keep-alive connections', async () => {
    const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
    t.after(() => agent.destroy());
    assert.equal((await request(cluster.url, { agent })).headers.connection, 'keep-alive');
    assert.equal((await request(`${cluster.url}/throw?ms=200`, { agent })).headers.connection, 'close');
  });

  await t.test('cluster 8.31 throws again: that is logged, and nothing else is forked', async () => {
    const { pid } = await ask(cluster, '/throw?twice=1&ms=500');
    await printed(cluster, /second boom/);
    await until('it is gone', () => !isAlive(pid));
    await replaced(cluster, pid);
    // The output of the Master may come later than its reply.
    await printed(cluster, new RegExp(`app worker ${pid} is leaving`));
    assert.equal(cluster.output().match(new RegExp(`app worker ${pid} is leaving`, 'g'))?.length, 1);
    assert.equal((await cluster.pids()).workers.length, 2);
  });

  await t.test('cluster 8.35 is gone at once when it has nothing to finish', async () => {
    const { pid } = await ask(cluster, '/throw');
    await until('it is gone', () => !isAlive(pid), 3000);
  });
});

test('workers that do not boot any more', async (t) => {
  const faults = temporaryDirectory(t);
  const cluster = await startTestCluster(t, { baseDir, workers: 1, env: 'local' }, { FAULT_DIR: faults });
  const broken = path.join(faults, 'broken');
  const deaths = (): number => cluster.output().match(/died and is replaced/g)?.length ?? 0;

  await t.test('cluster 8.37 a replacement that crashes twice at boot is tried again', async () => {
    writeFileSync(broken, 'yes');
    const pid = await firstWorker(cluster);
    process.kill(pid, 'SIGKILL');
    await until('two replacements have died', () => deaths() >= 3);
    rmSync(broken);
    await until('capacity is back', async () => (await cluster.pids()).workers.length === 1, 20_000);
  });

  await t.test('cluster 8.36 a crash loop is slowed down and ends by itself', async () => {
    writeFileSync(broken, 'yes');
    process.kill(await firstWorker(cluster), 'SIGKILL');
    await printed(cluster, /backing off/);
    assert.ok(isAlive(cluster.child.pid as number));
  });

  await t.test('cluster 8.39 without a worker the Master goes on, in local', async () => {
    assert.equal((await cluster.pids()).workers.length, 0);
    rmSync(broken);
    await until('it serves again', async () => (await cluster.pids()).workers.length === 1, 20_000);
    assert.equal((await request(cluster.url)).status, 200);
  });
});

test('cluster 8.38 without a worker the Master goes on in prod, too, and tries again', async (t) => {
  const faults = temporaryDirectory(t);
  const cluster = await startTestCluster(t, { baseDir, workers: 1, env: 'prod' }, { FAULT_DIR: faults });
  writeFileSync(path.join(faults, 'broken'), 'yes');
  process.kill(await firstWorker(cluster), 'SIGKILL');
  await printed(cluster, /backing off/);
  assert.equal((await cluster.pids()).workers.length, 0);
  rmSync(path.join(faults, 'broken'));
  await until('it serves again', async () => (await cluster.pids()).workers.length === 1, 20_000);
});
