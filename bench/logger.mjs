// Lines per second to a file against egg-logger and pino, interleaved; needs `npm run build`.
// node bench/logger.mjs [--rounds 2] [--json]
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { installPeers } from './peers.mjs';
import { ratioOf, summarize } from './report.mjs';

const { values } = parseArgs({ options: { rounds: { type: 'string', default: '2' }, json: { type: 'boolean' } } });
const PROCESS = fileURLToPath(new URL('logger/process.mjs', import.meta.url));
const KINDS = ['clutch', 'egg-logger', 'pino', 'pino, asynchronous'];
const JOBS = { text: 'a text as it is', format: 'a text with %d and %s' };
/** Lines in a part. */
const COUNT = 100_000;
/** Parts of a job in a round, each by all kinds in turn. */
const PARTS = 5;
/** Until V8 has compiled all that a line runs through, which takes about half a million lines. */
const WARM_UP = 6;
const peers = installPeers('logger', ['egg-logger@3', 'pino@10']);

const results = {};
for (let round = 0; round < Number(values.rounds); round += 1) {
  const dir = mkdtempSync(path.join(os.tmpdir(), 'clutch-bench-logger-'));
  const children = KINDS.map((kind, index) => fork(PROCESS, [kind, peers, path.join(dir, String(index))]));
  await Promise.all(children.map((child) => once(child, 'message')));
  for (const [what, name] of Object.entries(JOBS)) {
    for (let part = -WARM_UP; part < PARTS; part += 1) {
      for (const [index, child] of children.entries()) {
        child.send({ what, count: COUNT });
        const [result] = await once(child, 'message');
        if (part >= 0) ((results[name] ??= {})[KINDS[index]] ??= []).push(result);
      }
    }
  }
  for (const child of children) child.kill('SIGKILL');
  await Promise.all(children.map((child) => once(child, 'exit')));
  rmSync(dir, { recursive: true });
  console.error(`round ${round + 1} done`);
}

const rates = (runs) => runs.map(({ perSecond }) => perSecond);
const rows = Object.entries(results).flatMap(([what, kinds]) =>
  Object.entries(kinds).map(([kind, runs]) => ({
    what,
    kind,
    perSecond: Math.round(summarize(rates(runs)).median),
    spread: summarize(rates(runs)).spread,
    cpu: summarize(runs.map(({ cpu }) => cpu)).median,
    overEgg: ratioOf(rates(runs), rates(kinds['egg-logger'])),
    overPino: ratioOf(rates(runs), rates(kinds.pino)),
  })),
);
if (values.json) console.log(JSON.stringify({ rows, results }));
else {
  console.log('| line | logger | lines/s | processor µs/line | × egg-logger | × pino |\n|---|---|---|---|---|---|');
  for (const { what, kind, perSecond, cpu, overEgg, overPino } of rows) {
    const cells = [what, kind, perSecond.toLocaleString('en'), cpu.toFixed(2), ratio(overEgg), ratio(overPino)];
    console.log(`| ${cells.join(' | ')} |`);
  }
}

function ratio(value) {
  return `×${(value.median ?? value).toFixed(2)}`;
}
