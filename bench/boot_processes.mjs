// What each process of a cluster costs at its start: processor time and memory (PSS), one second after the first answer.
// node bench/boot_processes.mjs [--rounds 7] [--beside <checkout>]
// Beside Koa in Node's cluster, with one worker; --beside adds Clutch of another checkout, which must be built. Processor time
// says more than the time of a boot on a machine that others use. Linux only: it reads /proc.
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { memoryOf, startSubject } from './http/harness.mjs';
import { installPeers } from './peers.mjs';
import { ratio, ratioOf, summarize, table } from './report.mjs';
import { BEFORE, PEERS } from './scenarios.mjs';

const { values } = parseArgs({
  options: { rounds: { type: 'string', default: '7' }, beside: { type: 'string' } },
});
const scratch = mkdtempSync(path.join(os.tmpdir(), 'clutch-bench-'));
const koaPackages = installPeers(PEERS.koa.join('+').replaceAll(/[^\w@.+-]/g, '_'), PEERS.koa);
const env = { PEERS: koaPackages, SCRATCH: scratch, HOME: scratch, EGG_HOME: scratch, WORKERS: '1', CLUSTER: '1' };
if (values.beside) env.BESIDE = path.resolve(values.beside);
const subjects = ['koa', 'clutch', ...(values.beside ? [BEFORE] : [])];

/** Milliseconds of processor time so far: that of all threads, more precise than the ticks of `stat`. */
function processorTime(pid) {
  const threads = readdirSync(`/proc/${pid}/task`);
  const of = (thread) => Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'utf8').split(' ')[0]);
  return threads.reduce((sum, thread) => sum + of(thread), 0) / 1e6;
}

function kindOf(pid, index) {
  if (index === 0) return 'Master';
  return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('agent_worker') ? 'Agent' : 'worker';
}

const runs = Object.fromEntries(subjects.map((subject) => [subject, {}]));
for (let round = 0; round < Number(values.rounds); round += 1) {
  for (const subject of subjects) {
    const server = await startSubject(subject, env);
    await new Promise((resolve) => setTimeout(resolve, 1000));
    const found = {};
    for (const [index, pid] of server.pids().entries()) {
      const measured = { time: processorTime(pid), memory: memoryOf([pid]) };
      for (const kind of [kindOf(pid, index), 'all']) {
        for (const what in measured) found[`${kind} ${what}`] = (found[`${kind} ${what}`] ?? 0) + measured[what];
      }
    }
    await server.stop();
    for (const key in found) (runs[subject][key] ??= []).push(found[key]);
  }
}

const KINDS = ['Master', 'Agent', 'worker', 'all'];
const cell = (subject, key) => {
  const own = runs[subject][key];
  if (!own) return '–';
  const text = summarize(own).median.toFixed(1);
  return key.startsWith('all') ? `${text} (${ratio(ratioOf(own, runs.koa[key]))})` : text;
};
console.log(
  table(
    ['', ...KINDS.map((kind) => `${kind}, ms`), ...KINDS.map((kind) => `${kind}, MiB`)],
    subjects.map((subject) => [
      subject,
      ...['time', 'memory'].flatMap((what) => KINDS.map((kind) => cell(subject, `${kind} ${what}`))),
    ]),
  ),
);
rmSync(scratch, { recursive: true, force: true });
process.exit();
