// npm run bench: Clutch beside its peers, interleaved, as ratios with spread. Linux only: it reads /proc.
// node bench/run.mjs [--rounds 2] [--only throughput,plugins,latency,boot,growth,ipc] [--write] [--beside <checkout>]
// --beside measures Clutch of another checkout, which must be built, in the same turns.
// --write keeps the run: its raw data in bench/results/, its tables in docs/benchmarks.md, five rows in the README.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { generator } from './http/clients.mjs';
import { boot } from './parts/boot.mjs';
import { growth } from './parts/growth.mjs';
import { latency } from './parts/latency.mjs';
import { plugins } from './parts/plugins.mjs';
import { throughput } from './parts/throughput.mjs';
import { installPeers } from './peers.mjs';
import { describeRun, recordRun } from './record.mjs';
import { ipcTable } from './report.mjs';
import { BEFORE, BOOT, LATENCY, PEERS, THROUGHPUT } from './scenarios.mjs';

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '2' },
    only: { type: 'string' },
    write: { type: 'boolean' },
    beside: { type: 'string' },
  },
});
const rounds = Number(values.rounds);
const wanted = (part) => !values.only || values.only.split(',').includes(part);
const root = fileURLToPath(new URL('..', import.meta.url));
const scratch = mkdtempSync(path.join(os.tmpdir(), 'clutch-bench-'));
const missing = new Set();

function environment(subject, more) {
  const packages = PEERS[subject];
  const dir = packages?.length ? installPeers(packages.join('+').replaceAll(/[^\w@.+-]/g, '_'), packages) : '';
  return { PEERS: dir, SCRATCH: scratch, EGG_HOME: scratch, HOME: scratch, ...more };
}

/** From now on, and with what was measured before. */
function leaveOut(subject, runs, error) {
  console.error(`${subject} is left out: ${error.message.split('\n')[0]}`);
  missing.add(subject);
  runs[subject].length = 0;
}

/** Runs `measure` for each subject in turn, `times` times; one that cannot be installed or started is left out. */
async function interleave(name, subjects, measure, times = rounds) {
  const runs = Object.fromEntries(subjects.map((subject) => [subject, []]));
  for (let turn = 0; turn < times; turn += 1) {
    for (const subject of subjects) {
      if (missing.has(subject)) continue;
      try {
        runs[subject].push(await measure(subject).catch(() => measure(subject)));
      } catch (error) {
        leaveOut(subject, runs, error);
      }
    }
  }
  console.error(`${name} done`);
  return runs;
}

if (values.beside) {
  process.env.BESIDE = values.beside;
  // An earlier version may have no static files.
  for (const { name, subjects } of THROUGHPUT) {
    if (subjects.includes('clutch') && !name.startsWith('static')) subjects.push(BEFORE);
  }
  THROUGHPUT[0].beside.push(['clutch', BEFORE]);
  LATENCY.push(BEFORE);
  BOOT.push(BEFORE);
}

const bench = { rounds, interleave, environment, missing, leaveOut, scratch };
const PARTS = { throughput, plugins, latency, boot, growth, ipc: measureIpc };
const begun = new Date();
const loadBefore = os.loadavg();
const parts = {};
for (const [name, measure] of Object.entries(PARTS)) if (wanted(name)) parts[name] = await measure(bench);

const run = {
  date: begun.toISOString(),
  node: process.version,
  machine: `${os.cpus()[0]?.model.trim()}, ${os.availableParallelism()} processors, ${Math.round(os.totalmem() / 2 ** 30)} GiB, ${os.type()} ${os.release()}`,
  clutch: JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8')).version,
  commit: execFileSync('git', ['rev-parse', '--short', 'HEAD'], { cwd: root, encoding: 'utf8' }).trim(),
  rounds,
  generator,
  leftOut: [...missing],
  load: { before: loadBefore, after: os.loadavg() },
  minutes: Number(((Date.now() - begun.getTime()) / 60_000).toFixed(1)),
  parts,
};
console.log(describeRun(run));
if (values.write) recordRun(root, run);
rmSync(scratch, { recursive: true, force: true });
process.exit();

/** Leader and Followers are measured in a process of their own. */
async function measureIpc() {
  const args = [path.join(root, 'bench/ipc.mjs'), '--rounds', String(rounds), '--json'];
  const json = execFileSync(process.execPath, args, {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
    maxBuffer: 64 * 1024 * 1024,
  });
  const { rows, results } = JSON.parse(json);
  return { text: ipcTable(rows), data: results };
}
