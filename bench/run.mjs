// npm run bench: Clutch beside its peers, interleaved, as ratios with spread. Linux only: it reads /proc.
// node bench/run.mjs [--rounds 5] [--only throughput,latency,boot,growth,ipc] [--write]
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { chart } from './chart.mjs';
import { generator } from './http/clients.mjs';
import { boot } from './parts/boot.mjs';
import { growth } from './parts/growth.mjs';
import { latency } from './parts/latency.mjs';
import { throughput } from './parts/throughput.mjs';
import { installPeers } from './peers.mjs';
import { PEERS } from './scenarios.mjs';

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    only: { type: 'string' },
    write: { type: 'boolean' },
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

const bench = { rounds, interleave, environment, missing, leaveOut, scratch };
const sections = [];
if (wanted('throughput')) {
  const { text, bars } = await throughput(bench);
  sections.push(text);
  if (values.write) {
    writeFileSync(path.join(root, 'docs/bench.svg'), chart('Requests a second with one route, × koa', bars));
  }
}
if (wanted('latency')) sections.push(await latency(bench));
if (wanted('boot')) sections.push(await boot(bench));
if (wanted('growth')) sections.push(await growth(bench));
if (wanted('ipc')) {
  const args = [path.join(root, 'bench/ipc.mjs'), '--rounds', String(rounds)];
  sections.push(execFileSync(process.execPath, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim());
}

const about = `Node ${process.version}, ${os.availableParallelism()} processors, ${rounds} interleaved rounds, medians, requests from ${generator}; made by \`npm run bench\`.`;
const text = `${sections.join('\n\n')}\n\n${about}\n`;
console.log(text);
if (values.write) {
  const readme = path.join(root, 'README.md');
  const [before, , after] = readFileSync(readme, 'utf8').split(/(?<=<!-- bench -->\n)|(?=<!-- \/bench -->)/);
  if (after === undefined) throw new Error('README.md has no place for the table: <!-- bench --> and <!-- /bench -->');
  writeFileSync(readme, `${before}\n${text}\n${after}`);
}
rmSync(scratch, { recursive: true, force: true });
process.exit();
