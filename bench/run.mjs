// npm run bench: Clutch beside its peers, interleaved, as ratios with spread. Linux only: it reads /proc.
// node bench/run.mjs [--rounds 5] [--only throughput,latency,boot,memory,ipc] [--write]
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { chart } from './chart.mjs';
import { load, memoryOf, startSubject } from './http/harness.mjs';
import { installPeers, summarize } from './peers.mjs';

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    only: { type: 'string' },
    write: { type: 'boolean' },
    peers: { type: 'string' },
  },
});
const ROUNDS = Number(values.rounds);
const wanted = (part) => !values.only || values.only.split(',').includes(part);
const root = fileURLToPath(new URL('..', import.meta.url));
const scratch = mkdtempSync(path.join(os.tmpdir(), 'clutch-bench-'));

const PEERS = {
  'node:http': [],
  koa: ['koa@3', '@koa/router@15'],
  'koa + @koa/router': ['koa@3', '@koa/router@15'],
  fastify: ['fastify@5'],
  'nest + fastify': [
    '@nestjs/common@11',
    '@nestjs/core@11',
    '@nestjs/platform-fastify@11',
    'reflect-metadata',
    'rxjs@7',
  ],
  'egg 3': ['egg@3'],
  'egg 4': ['egg@4'],
};
const missing = new Set();

function environment(subject, more) {
  const packages = PEERS[subject];
  const dir = packages?.length ? installPeers(packages.join('+').replaceAll(/[^\w@.+-]/g, '_'), packages) : '';
  return { PEERS: dir, SCRATCH: scratch, EGG_HOME: scratch, HOME: scratch, ...more };
}

/** What is measured, of whom; ratios are to `base` of the same round. */
const HTTP = [
  {
    name: 'one route',
    base: 'koa',
    path: '/api/users/7',
    env: {},
    subjects: [
      'node:http',
      'koa',
      'koa + @koa/router',
      'fastify',
      'nest + fastify',
      'egg 3',
      'egg 4',
      'clutch',
      'clutch, stack off',
    ],
    part: 'throughput',
  },
  {
    name: '1,000 routes',
    base: 'koa',
    path: '/api/users/7',
    env: { ROUTES: '1000' },
    subjects: ['koa', 'koa + @koa/router', 'fastify', 'egg 3', 'clutch', 'clutch, stack off'],
    part: 'throughput',
  },
  {
    name: '10 middlewares',
    base: 'koa',
    path: '/',
    env: { MIDDLEWARES: '10' },
    subjects: ['koa', 'fastify', 'egg 3', 'clutch', 'clutch, stack off'],
    part: 'throughput',
  },
  {
    name: 'short connections',
    base: 'koa',
    path: '/api/users/7',
    env: { CLUSTER: '1' },
    load: { close: true, connections: 8 },
    subjects: ['koa', 'fastify', 'egg 3', 'clutch'],
    part: 'throughput',
  },
  {
    name: '2 workers',
    base: 'koa',
    path: '/api/users/7',
    env: { WORKERS: '2', CLUSTER: '1' },
    subjects: ['koa', 'egg 3', 'clutch'],
    part: 'throughput',
  },
];
const RATE = 15_000;
const LATENCY = ['koa', 'fastify', 'egg 3', 'clutch'];
const BOOTS = [1, 2, 4, 8];
const BOOT = ['koa', 'egg 3', 'egg 4', 'clutch'];

/** Runs `measure` for each subject in turn, `rounds` times; one that cannot be installed or started is left out. */
async function interleave(subjects, rounds, measure) {
  const runs = Object.fromEntries(subjects.map((subject) => [subject, []]));
  for (let round = 0; round < rounds; round += 1) {
    for (const subject of subjects) {
      if (missing.has(subject)) continue;
      try {
        runs[subject].push(await measure(subject).catch(() => measure(subject)));
      } catch (error) {
        console.error(`${subject} is left out: ${error.message.split('\n')[0]}`);
        missing.add(subject);
      }
    }
  }
  return runs;
}

const sections = [];
const round2 = (value) => value.toFixed(2);
const percent = (share) => `± ${Math.round(share * 100)} %`;

if (wanted('throughput')) {
  const columns = [];
  for (const { name, base, path: target, env, subjects, load: how } of HTTP) {
    const runs = await interleave(subjects, ROUNDS, async (subject) => {
      const server = await startSubject(subject, environment(subject, env));
      try {
        const { perSecond, errors } = await load(server.port, { path: target, ...how });
        if (errors > 0) throw new Error(`${errors} errors`);
        return perSecond;
      } finally {
        await server.stop();
      }
    });
    console.error(`${name} done`);
    columns.push({ name, base, runs });
  }
  const names = [...new Set(HTTP.flatMap(({ subjects }) => subjects))].filter((name) => !missing.has(name));
  const cell = ({ base, runs }, name) => {
    const own = runs[name];
    if (!own?.length) return undefined;
    const { median, spread } = summarize(own);
    return { perSecond: median, spread, ratio: summarize(own.map((value, round) => value / runs[base][round])).median };
  };
  sections.push(
    [
      `| requests a second, × koa in the same round | ${columns.map(({ name }) => name).join(' | ')} |`,
      `|---|${columns.map(() => '---').join('|')}|`,
      ...names.map(
        (name) =>
          `| ${name} | ${columns
            .map((column) => {
              const value = cell(column, name);
              return value
                ? `${Math.round(value.perSecond).toLocaleString('en')} (×${round2(value.ratio)} ${percent(value.spread)})`
                : '–';
            })
            .join(' | ')} |`,
      ),
    ].join('\n'),
  );
  if (values.write) {
    const bars = names.map((name) => ({ name, value: cell(columns[0], name)?.ratio })).filter(({ value }) => value);
    writeFileSync(path.join(root, 'docs/bench.svg'), chart('Requests a second with one route, × koa', bars));
  }
}

if (wanted('latency')) {
  const runs = await interleave(LATENCY, ROUNDS, async (subject) => {
    const server = await startSubject(subject, environment(subject, {}));
    try {
      return await load(server.port, { path: '/api/users/7', rate: RATE, duration: 2000 });
    } finally {
      await server.stop();
    }
  });
  console.error('latency done');
  sections.push(
    [
      `| latency at ${RATE.toLocaleString('en')} requests a second | p50 ms | p99 ms |`,
      '|---|---|---|',
      ...LATENCY.filter((name) => runs[name].length).map(
        (name) =>
          `| ${name} | ${round2(summarize(runs[name].map(({ p50 }) => p50)).median)} | ${round2(summarize(runs[name].map(({ p99 }) => p99)).median)} |`,
      ),
    ].join('\n'),
  );
}

if (wanted('boot') || wanted('memory')) {
  const table = {};
  const memory = {};
  for (const workers of BOOTS) {
    const runs = await interleave(BOOT, ROUNDS, async (subject) => {
      const server = await startSubject(subject, environment(subject, { WORKERS: String(workers), CLUSTER: '1' }));
      if (workers === 1) {
        await new Promise((resolve) => setTimeout(resolve, 1000));
        (memory[subject] ??= []).push(memoryOf(server.pids()));
      }
      await server.stop();
      return server.boot;
    });
    console.error(`boot of ${workers} done`);
    table[workers] = runs;
  }
  const cell = (name, workers) => {
    const own = table[workers][name];
    if (!own.length) return '–';
    return `${Math.round(summarize(own).median)} (×${round2(summarize(own.map((value, round) => value / table[workers].koa[round])).median)})`;
  };
  sections.push(
    [
      `| start to first answer, ms (× koa in Node's cluster) | ${BOOTS.map((workers) => `${workers} worker${workers > 1 ? 's' : ''}`).join(' | ')} | memory (PSS) of all processes, 1 worker, MiB |`,
      `|---|${BOOTS.map(() => '---|').join('')}---|`,
      ...BOOT.filter((name) => memory[name]).map(
        (name) =>
          `| ${name} | ${BOOTS.map((workers) => cell(name, workers)).join(' | ')} | ${Math.round(summarize(memory[name]).median)} (×${round2(summarize(memory[name]).median / summarize(memory.koa).median)}) |`,
      ),
    ].join('\n'),
  );
}

if (wanted('ipc')) {
  sections.push(
    execFileSync(process.execPath, [path.join(root, 'bench/ipc.mjs'), '--rounds', String(ROUNDS)], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim(),
  );
}

const about = `Node ${process.version}, ${os.availableParallelism()} processors, ${ROUNDS} interleaved rounds, medians; made by \`npm run bench\`.`;
const text = `${sections.join('\n\n')}\n\n${about}\n`;
console.log(text);
if (values.write) {
  const readme = path.join(root, 'README.md');
  const [before, , after] = readFileSync(readme, 'utf8').split(/(?<=<!-- bench -->\n)|(?=<!-- \/bench -->)/);
  writeFileSync(readme, `${before}\n${text}\n${after}`);
}
rmSync(scratch, { recursive: true, force: true });
process.exit();
