// `npm run faults`: does to real clusters what a bad night does, and prints what was lost.
//   node faults/run.mjs [--only word] [--mode rr] [--soak seconds] [--write]
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { MODES, Run } from './harness.mjs';
import { Load } from './load.mjs';
import * as changes from './scenarios/changes.mjs';
import * as deaths from './scenarios/deaths.mjs';
import * as soaks from './scenarios/soak.mjs';
import * as surroundings from './scenarios/surroundings.mjs';

const { values } = parseArgs({
  options: {
    only: { type: 'string' },
    mode: { type: 'string' },
    soak: { type: 'string', default: '60' },
    write: { type: 'boolean', default: false },
  },
});
const root = fileURLToPath(new URL('..', import.meta.url));
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
const hasReusePort = process.platform === 'linux' && (major > 22 || (major === 22 && minor >= 12));

const scenarios = Object.entries({ ...deaths, ...changes, ...surroundings, ...soaks }).filter(
  ([name, { title }]) => !values.only || name.includes(values.only) || title.includes(values.only),
);
const rows = [];
const begin = Date.now();
for (const [name, scenario] of scenarios) {
  for (const mode of scenario.modes === 'all' ? Object.keys(MODES) : ['rr']) {
    if (values.mode && mode !== values.mode) continue;
    if (mode === 'reusePort' && !hasReusePort) continue;
    const row = await runOne(name, scenario, mode);
    rows.push(row);
    print(row);
  }
}
const failed = rows.filter((row) => !row.good);
console.log(
  `${rows.length} runs in ${Math.round((Date.now() - begin) / 1000)} s, ${failed.length} with losses that need not be`,
);
if (values.write) write();
process.exitCode = failed.length === 0 ? 0 : 1;

async function runOne(name, scenario, mode) {
  const run = new Run(mode);
  let result;
  try {
    result = await scenario.go(run, { soak: Number(values.soak) });
  } catch (error) {
    run.notes.push(
      String(error.message ?? error)
        .split('\n')
        .slice(0, 3)
        .join(' / '),
    );
    result = { requests: 0, lost: 0, avoidable: 0, hung: 0 };
  }
  await Load.endAll();
  const survivors = (await run.end()).length;
  const avoidable = scenario.allows?.(result) ? 0 : result.avoidable;
  const good = avoidable === 0 && result.hung === 0 && survivors === 0 && run.notes.length === 0;
  return { name, title: scenario.title, mode, ...result, avoidable, survivors, notes: run.notes, good };
}

function print(row) {
  const { good, title, mode, requests, lost, avoidable, hung, survivors, heal = 0, errors = [], notes } = row;
  const facts = `${requests} requests, ${lost} lost, ${avoidable} need not be, ${hung} hung, ${survivors} survivors, healed in ${heal} ms`;
  const more = [...errors, ...notes].map((note) => `\n    ${note}`).join('');
  console.log(`${good ? 'good' : 'BAD '} ${title} (${mode}): ${facts}${more}`);
}

/** Keeps the raw data, and puts the table into docs/reliability.md. */
function write() {
  const at = new Date();
  const facts = {
    at: at.toISOString(),
    node: process.version,
    cpus: os.availableParallelism(),
    load: os.loadavg()[0],
    rows,
  };
  mkdirSync(path.join(root, 'faults/results'), { recursive: true });
  writeFileSync(
    path.join(root, `faults/results/${at.toISOString().slice(0, 16).replace(':', '-')}.json`),
    `${JSON.stringify(facts, null, 1)}\n`,
  );
  const cells = rows.map((row) =>
    [row.title, row.mode, row.requests, row.lost, row.avoidable, row.hung, row.survivors, row.heal ?? '–'].join(' | '),
  );
  const table = [
    '| fault | connections | requests | lost | need not be | hung | survivors | healed in, ms |',
    '|---|---|---|---|---|---|---|---|',
    ...cells.map((cell) => `| ${cell} |`),
    '',
    `Node ${process.version}, ${facts.cpus} processors, ${facts.at.slice(0, 10)}, load ${facts.load.toFixed(1)}.`,
  ].join('\n');
  const page = path.join(root, 'docs/reliability.md');
  const text = readFileSync(page, 'utf8');
  writeFileSync(
    page,
    text.replace(/<!-- faults -->[\s\S]*<!-- \/faults -->/, `<!-- faults -->\n\n${table}\n\n<!-- /faults -->`),
  );
}
