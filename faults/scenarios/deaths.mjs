// Processes that die, hang or stand still.
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import path from 'node:path';
import { readyWorkers, until } from '../harness.mjs';
import { Load } from '../load.mjs';

const victims = async (c, kind) =>
  (await c.status()).processes.filter((each) => each.kind === kind && each.state === 'ready');

/** Kills a process again and again, each time when its successor is ready. */
async function killMany(run, { target, count, signal, path: where, options }) {
  const c = await run.start(options);
  const load = new Load(c.url, { path: where });
  await until(() => load.requests > 50);
  let slowest = 0;
  for (let index = 0; index < count; index += 1) {
    const kind = target === 'agent' ? 'agent' : 'app worker';
    const ready = await until(async () => (await victims(c, kind))[0]);
    const begin = Date.now();
    if (signal === 'SIGKILL' && kind === 'app worker') load.died(ready.pid);
    await c.kill({ pid: ready.pid }, signal);
    slowest = Math.max(slowest, Date.now() - begin);
    const { requests } = load;
    run.expect(await until(() => load.requests > requests + 50), 'requests do not flow again');
  }
  return { ...(await load.stop()), heal: slowest };
}

export const sigkillWorkers = {
  title: '20 × SIGKILL of a worker',
  modes: 'all',
  go: (run) => killMany(run, { target: 'worker', count: 20, signal: 'SIGKILL' }),
};

export const sigtermWorkers = {
  title: '10 × SIGTERM of a worker',
  modes: 'all',
  go: (run) => killMany(run, { target: 'worker', count: 10, signal: 'SIGTERM' }),
};

export const sigkillAgent = {
  title: '10 × SIGKILL of the Agent, under Leader and Follower traffic',
  go: (run) => killMany(run, { target: 'agent', count: 10, signal: 'SIGKILL', path: '/clock' }),
  // A call that the dead Agent held fails at once: that is a 500 of the app, and counts as lost.
  allows: ({ lost }) => lost <= 10 * 8,
};

export const exceptions = {
  title: '20 × uncaught exception in a worker',
  modes: 'all',
  async go(run) {
    let sum = { requests: 0, lost: 0, avoidable: 0, hung: 0, errors: [], heal: 0 };
    // Four clusters: the seventh exception in one would be followed by a pause, which is for the crash loop below.
    for (let round = 0; round < 4; round += 1) sum = added(sum, await throwMany(run, 5));
    return sum;
  },
};

async function throwMany(run, count) {
  const c = await run.start();
  const load = new Load(c.url);
  await until(() => load.requests > 50);
  let heal = 0;
  for (let index = 0; index < count; index += 1) {
    const begin = Date.now();
    const thrower = new Load(c.url, { connections: 1, path: '/throw', count: 1 });
    await thrower.finished();
    const [pid] = thrower.pids;
    run.expect(pid !== undefined, 'the request that throws has no response');
    const gone = await until(async () => !(await victims(c, 'app worker')).some((each) => each.pid === pid));
    run.expect(gone, `worker ${pid} goes on after an exception`);
    await until(async () => (await readyWorkers(c)) === 2);
    heal = Math.max(heal, Date.now() - begin);
  }
  const result = await load.stop();
  await c.close();
  return { ...result, heal };
}

/** With threads, one port has one thread: what comes while it is replaced is refused. */
export const threads = {
  title: 'threads: 5 × uncaught exception and 3 reloads; refused while a thread is replaced',
  async go(run) {
    const ports = [await freePort(), await freePort()];
    const c = await run.start({ startMode: 'worker_threads', workers: 2, ports, port: undefined });
    const load = new Load(`http://127.0.0.1:${ports[0]}`);
    await until(() => load.requests > 50);
    const begin = Date.now();
    for (let index = 0; index < 5; index += 1) {
      const thrower = new Load(`http://127.0.0.1:${ports[1]}`, { connections: 1, path: '/throw', count: 1 });
      await thrower.finished();
      const [id] = thrower.pids;
      await until(async () => !(await victims(c, 'app worker')).some((each) => each.pid === id));
      await until(async () => (await readyWorkers(c)) === 2);
    }
    run.expect((await load.stop()).lost === 0, 'requests to another thread were lost');
    for (let index = 0; index < 3; index += 1) await c.reload();
    const after = new Load(`http://127.0.0.1:${ports[1]}`, { count: 100 });
    await after.finished();
    return { ...(await after.stop()), heal: Math.round((Date.now() - begin) / 8) };
  },
};

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}

function added(a, b) {
  return {
    requests: a.requests + b.requests,
    lost: a.lost + b.lost,
    avoidable: a.avoidable + b.avoidable,
    hung: a.hung + b.hung,
    errors: [...new Set([...a.errors, ...b.errors])],
    heal: Math.max(a.heal, b.heal),
  };
}

export const blockedWorker = {
  title: 'a blocked event loop in a worker',
  async go(run) {
    const c = await run.start({ hangTimeout: 1000 });
    const load = new Load(c.url);
    await until(() => load.requests > 50);
    const begin = Date.now();
    const { pid } = await c.blockLoop('worker', 60_000);
    load.died(pid);
    await until(async () => !(await c.status()).processes.some((each) => each.pid === pid));
    load.died(pid);
    await until(async () => (await readyWorkers(c)) === 2);
    return { ...(await load.stop()), heal: Date.now() - begin };
  },
};

export const blockedAgent = {
  title: 'a blocked event loop in the Agent',
  async go(run) {
    const c = await run.start({ hangTimeout: 1000 });
    const [agent] = await victims(c, 'agent');
    const load = new Load(c.url);
    const begin = Date.now();
    const blocker = new Load(c.url, { connections: 1, path: '/block-agent?ms=60000' });
    await until(() => blocker.requests > 1);
    await blocker.stop();
    await until(async () => (await victims(c, 'agent')).some(({ pid }) => pid !== agent.pid));
    return { ...(await load.stop()), heal: Date.now() - begin };
  },
};

export const stopped = {
  title: 'SIGSTOP of a worker, SIGCONT after 3 s',
  async go(run) {
    const c = await run.start({ hangTimeout: 30_000 });
    const load = new Load(c.url);
    await until(() => load.requests > 50);
    const [{ pid }] = await victims(c, 'app worker');
    const begin = Date.now();
    process.kill(pid, 'SIGSTOP');
    await new Promise((resolve) => setTimeout(resolve, 3000));
    process.kill(pid, 'SIGCONT');
    await until(async () => (await readyWorkers(c)) === 2);
    return { ...(await load.stop()), heal: Date.now() - begin };
  },
};

export const outOfHeap = {
  title: 'heap out of memory in a worker',
  async go(run) {
    const c = await run.start({ execArgv: ['--max-old-space-size=128'] });
    const load = new Load(c.url);
    await until(() => load.requests > 50);
    const before = new Set((await victims(c, 'app worker')).map(({ pid }) => pid));
    const begin = Date.now();
    const eater = new Load(c.url, { connections: 1, path: '/heap' });
    const gone = await until(async () => {
      const now = await victims(c, 'app worker');
      return [...before].find((pid) => !now.some((each) => each.pid === pid));
    });
    load.died(gone);
    await until(() => eater.requests > 0 && eater.stop());
    await until(async () => (await readyWorkers(c)) === 2);
    load.died(gone);
    return { ...(await load.stop()), heal: Date.now() - begin };
  },
};

export const crashLoop = {
  title: 'a crash loop after a reload: backoff, no storm, healed by a reload',
  async go(run) {
    const c = await run.start();
    // The fault is in the environment of new processes: a file that the app reads would be the same.
    const file = path.join(run.baseDir, 'app.js');
    const source = readFileSync(file, 'utf8');
    const { writeFileSync } = await import('node:fs');
    writeFileSync(file, source.replace('const { FAULTS_BOOT: fault } = process.env', "const fault = 'crash'"));
    await c.reload().catch(() => undefined);
    await new Promise((resolve) => setTimeout(resolve, 5000));
    const { processes } = await c.status();
    const restarts = processes.reduce((sum, each) => sum + (each.restarts ?? 0), 0);
    run.expect(restarts <= 20, `${restarts} restarts in 5 s`);
    writeFileSync(file, source);
    const begin = Date.now();
    const healed = await until(async () => (await readyWorkers(c)) === 2, 60_000);
    run.expect(healed, 'not healed within 60 s');
    const load = new Load(c.url);
    await until(() => load.requests > 50);
    return { ...(await load.stop()), heal: Date.now() - begin };
  },
};

export const masterKilled = {
  title: 'SIGKILL of the Master while a worker is blocked: nobody is left',
  async go(run) {
    const c = await run.start();
    const load = new Load(c.url);
    await until(() => load.requests > 50);
    const { requests } = await load.stop();
    await c.blockLoop('worker', 60_000);
    await c.close('SIGKILL');
    return { requests, lost: 0, avoidable: 0, hung: 0 };
  },
};
