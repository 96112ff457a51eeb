// Messages of 1 KB through the Master, Clutch's and egg-cluster's, interleaved; needs `npm run build`.
// node bench/relay.mjs [--rounds 2] [--workers 4] [--json]
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { installPeers } from './peers.mjs';
import { percent, ratio, ratioOf, summarize, table } from './report.mjs';

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '2' },
    workers: { type: 'string', default: '4' },
    json: { type: 'boolean' },
  },
});
const WORKERS = Number(values.workers);
const MASTER = fileURLToPath(new URL('relay/master.mjs', import.meta.url));
const JOBS = [
  { name: `1 KB from the Agent to ${WORKERS} workers`, size: 1024, count: 4000 },
  { name: `100 B from the Agent to ${WORKERS} workers`, size: 100, count: 8000 },
];
/** Parts of a job in a round, each by both in turn, and parts before these, in which the code is compiled. */
const PARTS = 8;
const WARM_UP = 3;
const peers = installPeers('egg', ['egg@3']);

/** @returns processor time of a process, in milliseconds */
function cpuOf(pid) {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ');
  return (Number(fields[11]) + Number(fields[12])) * 10;
}

/** @returns that of a process and of those that it has started */
function cpuOfAll(pid) {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean);
  return children.reduce((sum, child) => sum + cpuOf(child), cpuOf(pid));
}

async function start(kind) {
  const home = mkdtempSync(path.join(tmpdir(), 'clutch-bench-'));
  const env = { ...process.env, NODE_ENV: 'production', EGG_SERVER_ENV: 'prod', EGG_HOME: home, HOME: home };
  const master = fork(MASTER, [kind, String(WORKERS), peers], { env, stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
  const messages = (action, count) =>
    new Promise((resolve) => {
      let found = 0;
      const listener = (message) => {
        if (message.action !== action) return;
        found += 1;
        if (found < count) return;
        master.off('message', listener);
        resolve();
      };
      master.on('message', listener);
    });
  const failed = once(master, 'exit').then(([code]) => {
    throw new Error(`${kind} has ended with code ${code}`);
  });
  await Promise.race([messages('egg-ready', 1), failed]);
  // It is ended below.
  failed.catch(() => undefined);
  return {
    async publish({ size, count }) {
      const expecting = messages('expecting', WORKERS);
      master.send({ action: 'expect', data: count, to: 'app' });
      await expecting;
      const received = messages('received', WORKERS);
      const begin = performance.now();
      const cpu = cpuOf(master.pid);
      const cpuAll = cpuOfAll(master.pid);
      master.send({ action: 'publish', data: { size, count }, to: 'agent' });
      await received;
      const seconds = (performance.now() - begin) / 1000;
      const each = (now, then) => ((now - then) * 1000) / count;
      return {
        perSecond: count / seconds,
        masterCpu: each(cpuOf(master.pid), cpu),
        allCpu: each(cpuOfAll(master.pid), cpuAll),
      };
    },
    async close() {
      master.kill('SIGTERM');
      await once(master, 'exit');
      rmSync(home, { recursive: true, force: true });
    },
  };
}

const results = Object.fromEntries(JOBS.map(({ name }) => [name, { clutch: [], 'egg-cluster': [] }]));
for (let round = 0; round < Number(values.rounds); round += 1) {
  const subjects = [];
  for (const kind of ['clutch', 'egg-cluster']) subjects.push([kind, await start(kind)]);
  for (const job of JOBS) {
    for (let part = -WARM_UP; part < PARTS; part += 1) {
      for (const [kind, subject] of subjects) {
        const result = await subject.publish(job);
        if (part >= 0) results[job.name][kind].push(result);
      }
    }
  }
  for (const [, { close }] of subjects) await close();
  console.error(`round ${round + 1} done`);
}

const rates = (runs) => runs.map(({ perSecond }) => perSecond);
const rows = Object.entries(results).flatMap(([what, kinds]) =>
  Object.entries(kinds).map(([kind, runs]) => ({
    what,
    kind,
    ...summarize(rates(runs)),
    ratio: ratioOf(rates(runs), rates(kinds['egg-cluster'])),
    masterCpu: summarize(runs.map(({ masterCpu }) => masterCpu)).median,
    allCpu: summarize(runs.map(({ allCpu }) => allCpu)).median,
  })),
);
if (values.json) console.log(JSON.stringify({ rows, results }));
else {
  const cells = rows.map(({ what, kind, median, spread, ratio: times, masterCpu, allCpu }) => [
    what,
    kind,
    `${Math.round(median).toLocaleString('en')} ${percent(spread)}`,
    ratio(times),
    masterCpu.toFixed(0),
    allCpu.toFixed(0),
  ]);
  console.log(
    table(['what', 'Master', 'per second', '× egg-cluster', 'CPU µs of the Master each', 'of all processes'], cells),
  );
}
process.exit();
