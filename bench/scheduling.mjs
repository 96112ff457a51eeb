// How each scheduling spreads requests that take 1 ms and 200 ms of a CPU, each on a connection of its own; needs `npm run build`.
// node bench/scheduling.mjs [--rounds 3] [--seconds 5] [--workers 4] [--rate 100] [--long 0.02] [--json]
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { get } from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { startCluster } from '../dist/index.js';

const POLICIES = ['rr', 'least', 'shared', 'reusePort'];
const SHORT = 1;
const LONG = 200;

if (process.send) await serve(process.argv[2], Number(process.argv[3]));
else await compare();

async function serve(scheduling, workers) {
  const baseDir = fileURLToPath(new URL('scheduling_app', import.meta.url));
  const cluster = await startCluster({ baseDir, workers, scheduling, port: 0 });
  process.send({ url: cluster.address });
}

async function compare() {
  const { values } = parseArgs({
    options: {
      rounds: { type: 'string', default: '3' },
      seconds: { type: 'string', default: '5' },
      workers: { type: 'string', default: '4' },
      rate: { type: 'string', default: '100' },
      long: { type: 'string', default: '0.02' },
      json: { type: 'boolean' },
    },
  });
  const results = Object.fromEntries(POLICIES.map((policy) => [policy, { latencies: [], spreads: [], failed: 0 }]));
  for (let round = 0; round < Number(values.rounds); round += 1) {
    for (const policy of POLICIES) await measure(policy, values, results[policy]);
  }
  const rows = POLICIES.map((policy) => summarize(policy, results[policy]));
  if (values.json) console.log(JSON.stringify(rows));
  else for (const line of table(rows)) console.log(line);
}

/** Sends requests at a fixed rate, whether or not earlier ones have been responded to. */
async function measure(policy, { seconds, workers, rate, long }, result) {
  const home = mkdtempSync(path.join(tmpdir(), 'clutch-bench-'));
  const env = { ...process.env, NODE_ENV: 'production', EGG_HOME: home };
  const child = fork(fileURLToPath(import.meta.url), [policy, workers], { env, silent: true });
  // The Master sends messages of its own as well.
  const url = await new Promise((resolve) => child.on('message', (message) => message.url && resolve(message.url)));
  const served = new Map();
  const every = Math.round(1 / Number(long));
  const count = Number(seconds) * Number(rate);
  const begin = performance.now();
  await Promise.all(
    Array.from({ length: count }, async (_, index) => {
      const due = begin + (index * 1000) / Number(rate);
      await new Promise((resolve) => setTimeout(resolve, due - performance.now()));
      const isLong = index % every === 0;
      const pid = await ask(`${url}/${isLong ? LONG : SHORT}`).catch(() => undefined);
      if (pid === undefined) result.failed += 1;
      else served.set(pid, (served.get(pid) ?? 0) + 1);
      // From the time at which it was to be sent.
      if (!isLong) result.latencies.push(performance.now() - due);
    }),
  );
  const counts = [...served.values()].sort((a, b) => a - b);
  while (counts.length < Number(workers)) counts.unshift(0);
  result.spreads.push(counts);
  if (served.size === 0) throw new Error(`no request to ${url} had a response`);
  child.kill('SIGTERM');
  await once(child, 'exit');
  rmSync(home, { recursive: true, force: true });
}

function ask(url) {
  return new Promise((resolve, reject) => {
    get(url, { agent: false }, (res) => {
      let text = '';
      res.setEncoding('utf8');
      res.on('data', (chunk) => {
        text += chunk;
      });
      res.on('end', () => resolve(text));
    }).on('error', reject);
  });
}

function summarize(policy, { latencies, spreads, failed }) {
  const sorted = latencies.sort((a, b) => a - b);
  const at = (share) => Math.round(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] * 10) / 10;
  return { policy, p50: at(0.5), p90: at(0.9), p99: at(0.99), failed, requestsPerWorker: spreads };
}

function table(rows) {
  return [
    '| scheduling | p50 | p90 | p99 of the short ones, ms | failed | requests of each worker, a list for each round |',
    '|---|---|---|---|---|---|',
    ...rows.map(
      ({ policy, p50, p90, p99, failed, requestsPerWorker }) =>
        `| \`${policy}\` | ${p50} | ${p90} | ${p99} | ${failed} | ${requestsPerWorker.map((counts) => counts.join(' ')).join('; ')} |`,
    ),
  ];
}
