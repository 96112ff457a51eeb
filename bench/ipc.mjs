// Leader/Follower and messenger against cluster-client, interleaved; needs `npm run build`.
// node bench/ipc.mjs [--rounds 2] [--json]
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { detect } from 'detect-port';
import { installPeers } from './peers.mjs';
import { ipcTable, ratioOf, summarize } from './report.mjs';

const { values } = parseArgs({ options: { rounds: { type: 'string', default: '2' }, json: { type: 'boolean' } } });
const ROUNDS = Number(values.rounds);
const PROCESS = fileURLToPath(new URL('ipc/process.mjs', import.meta.url));
const MASTER = fileURLToPath(new URL('ipc/master.mjs', import.meta.url));
const FOLLOWERS = 4;
/** Parts of a job in a round, each by all kinds in turn: a phase in which a shared machine is slow meets all of them. */
const PARTS = 10;
/** Parts before these: what a process runs often is compiled then. */
const WARM_UP = 3;
const peers = installPeers('ipc', ['cluster-client@3', 'sdk-base@4']);

const INVOKES = [
  { name: 'invoke 100 B, 1 at a time', size: 100, parallel: 1, count: 3000 },
  { name: 'invoke 100 B, 64 at once', size: 100, parallel: 64, count: 40_000 },
  { name: 'invoke 10 KB, 64 at once', size: 10_240, parallel: 64, count: 3000 },
];
const PUBLISH = { name: `publish 1 KB to ${FOLLOWERS}`, size: 1024, count: 4000 };

/** Waits for a message that has this field. */
async function answer(child, field) {
  for (;;) {
    const [message] = await once(child, 'message');
    if (message[field] !== undefined) return message;
  }
}

const cpuOf = ({ user, system }) => user + system;

/** Leader and Followers as processes, with the library `kind`. */
async function startClients(kind) {
  const port = kind === 'clutch' ? '' : String(await detect());
  const start = async (role, place) => {
    const child = fork(PROCESS, [kind, role, peers, place]);
    await answer(child, 'ready');
    return child;
  };
  const leader = await start('leader', port);
  const followers = [];
  for (let index = 0; index < FOLLOWERS; index += 1)
    followers.push(await start('follower', port || String(leader.pid)));
  const cpu = async (children) => {
    let sum = 0;
    for (const child of children) {
      child.send({ cpu: true });
      sum += cpuOf((await answer(child, 'cpu')).cpu);
    }
    return sum;
  };
  return {
    async invoke(job) {
      const both = [leader, followers[0]];
      const before = await cpu(both);
      followers[0].send({ invoke: job });
      const { invoked } = await answer(followers[0], 'invoked');
      return { ...invoked, cpu: ((await cpu(both)) - before) / invoked.count };
    },
    async publish({ size, count }) {
      for (const follower of followers) {
        const expecting = answer(follower, 'expecting');
        follower.send({ expect: count });
        await expecting;
      }
      const all = [leader, ...followers];
      const before = await cpu(all);
      const received = Promise.all(followers.map((follower) => answer(follower, 'received')));
      const begin = performance.now();
      leader.send({ publish: { size, count } });
      await received;
      const seconds = (performance.now() - begin) / 1000;
      return { perSecond: count / seconds, cpu: ((await cpu(all)) - before) / count };
    },
    async close() {
      for (const child of [...followers, leader]) {
        child.kill('SIGKILL');
        await once(child, 'exit');
      }
    },
  };
}

/** The messenger of a cluster: everything goes through its Master. */
async function startRelay() {
  const master = fork(MASTER, [String(FOLLOWERS)], { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
  const messages = (action, count) =>
    new Promise((resolve) => {
      const found = [];
      const listener = (message) => {
        if (message.action !== action || found.push(message.data) < count) return;
        master.off('message', listener);
        resolve(found);
      };
      master.on('message', listener);
    });
  const ready = messages('egg-ready', 1);
  await ready;
  return {
    async invoke(job) {
      const result = messages('invoked', 1);
      master.send({ action: 'invoke-one', data: job, to: 'master' });
      const [invoked] = await result;
      return { ...invoked, cpu: undefined };
    },
    async publish({ size, count }) {
      const expecting = messages('expecting', FOLLOWERS);
      master.send({ action: 'expect', data: count, to: 'app' });
      await expecting;
      const received = messages('received', FOLLOWERS);
      const begin = performance.now();
      master.send({ action: 'publish', data: { size, count }, to: 'agent' });
      await received;
      return { perSecond: count / ((performance.now() - begin) / 1000) };
    },
    async close() {
      master.kill('SIGTERM');
      await once(master, 'exit');
    },
  };
}

const KINDS = {
  clutch: () => startClients('clutch'),
  'cluster-client': () => startClients('cluster-client'),
  'through the Master': startRelay,
};
const results = {};
for (let round = 0; round < ROUNDS; round += 1) {
  const subjects = [];
  for (const [kind, start] of Object.entries(KINDS)) subjects.push([kind, await start()]);
  const jobs = [...INVOKES.map((job) => ['invoke', job]), ['publish', PUBLISH]];
  for (const [what, job] of jobs) {
    for (let part = -WARM_UP; part < PARTS; part += 1) {
      for (const [kind, subject] of subjects) {
        const result = await subject[what](job);
        if (part >= 0) ((results[job.name] ??= {})[kind] ??= []).push(result);
      }
    }
  }
  for (const [, { close }] of subjects) await close();
  console.error(`round ${round + 1} done`);
}

const rows = Object.entries(results).flatMap(([what, kinds]) =>
  Object.entries(kinds).map(([kind, runs]) => {
    const rates = (of) => of.map(({ perSecond }) => perSecond);
    const { median, spread } = summarize(rates(runs));
    const middle = (key) => (runs[0][key] === undefined ? undefined : summarize(runs.map((run) => run[key])).median);
    return {
      what,
      kind,
      perSecond: Math.round(median),
      spread,
      ratio: ratioOf(rates(runs), rates(kinds['cluster-client'])),
      p50: middle('p50'),
      p99: middle('p99'),
      cpu: middle('cpu'),
    };
  }),
);
console.log(values.json ? JSON.stringify({ rows, results }) : ipcTable(rows));
process.exit();
