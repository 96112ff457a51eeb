// Messages of the fleet over 2 and 5 machines on a Redis, against its client used bare; needs `npm run build` and redis-server.
// node bench/fleet.mjs [--rounds 3] [--write]: --write puts the table into docs/fleet.md
import { fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { percent, ratioOf, summarize, table } from './report.mjs';

const { values } = parseArgs({ options: { rounds: { type: 'string', default: '3' }, write: { type: 'boolean' } } });
const root = fileURLToPath(new URL('..', import.meta.url));
const scratch = mkdtempSync(path.join(os.tmpdir(), 'clutch-bench-fleet-'));
const BURST = 20_000;
const PACED = 1000;
const KINDS = ['fleet', 'bare'];

function freePort() {
  return new Promise((resolve) => {
    const server = net.createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}

function writeApp(name, port) {
  const dir = path.join(scratch, `${name}-${port}`);
  const files = {
    'package.json': '{ "name": "bench-fleet" }',
    'config/plugin.js': 'exports.fleet = true;',
    'config/config.default.js': `exports.keys = 'k';
      exports.fleet = { adapter: 'redis', url: 'redis://127.0.0.1:${port}', name: 'bench', member: '${name}' };
      exports.logger = { dir: require('path').join(__dirname, '../logs'), consoleLevel: 'NONE' };`,
  };
  for (const [file, text] of Object.entries(files)) {
    mkdirSync(path.dirname(path.join(dir, file)), { recursive: true });
    writeFileSync(path.join(dir, file), text);
  }
  mkdirSync(path.join(dir, 'node_modules'), { recursive: true });
  symlinkSync(root, path.join(dir, 'node_modules/koa-clutch'), 'dir');
  return dir;
}

async function message(child, field) {
  for (;;) {
    const [found] = await once(child, 'message');
    if (found[field] !== undefined) return found[field];
  }
}

async function startMachines(kind, count, port) {
  const machines = [];
  for (let index = 0; index < count; index += 1) {
    const name = `m${index}`;
    const dir = kind === 'fleet' ? writeApp(`${name}-${count}`, port) : scratch;
    const args = [kind, name, String(port), dir];
    const env = { ...process.env, EGG_HOME: scratch };
    const child = fork(path.join(root, 'bench/fleet/process.mjs'), args, {
      env,
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
    await message(child, 'ready');
    machines.push(child);
  }
  return machines;
}

/** The first machine sends; it is over when all have all. */
async function run(machines, what, count) {
  for (const machine of machines) {
    const expecting = message(machine, 'expecting');
    machine.send({ expect: count });
    await expecting;
  }
  const begin = performance.now();
  const received = Promise.all(machines.map((machine) => message(machine, 'received')));
  machines[0].send({ [what]: count });
  const latencies = (await received).flat().sort((a, b) => a - b);
  const perSecond = (count * machines.length) / ((performance.now() - begin) / 1000);
  const at = (share) => latencies[Math.floor(latencies.length * share)];
  return { perSecond, p50: at(0.5), p99: at(0.99) };
}

const before = os.loadavg()[0];
const rows = [];
for (const count of [2, 5]) {
  const port = await freePort();
  const redis = spawn('redis-server', ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--dir', scratch], {
    stdio: 'ignore',
  });
  await sleep(500);
  const machines = {};
  for (const kind of KINDS) machines[kind] = await startMachines(kind, count, port);
  const results = Object.fromEntries(KINDS.map((kind) => [kind, { burst: [], paced: [] }]));
  // The first round warms up.
  for (let round = -1; round < Number(values.rounds); round += 1) {
    for (const kind of KINDS) {
      const [burst, paced] = [await run(machines[kind], 'burst', BURST), await run(machines[kind], 'paced', PACED)];
      if (round < 0) continue;
      results[kind].burst.push(burst.perSecond);
      results[kind].paced.push(paced);
    }
  }
  for (const kind of KINDS) {
    const { median, spread } = summarize(results[kind].burst);
    const middle = (key) => summarize(results[kind].paced.map((one) => one[key])).median.toFixed(2);
    const ratio = ratioOf(results[kind].burst, results.bare.burst).toFixed(2);
    const name = kind === 'fleet' ? 'messenger.fleet' : 'ioredis';
    rows.push([
      `${count} machines`,
      name,
      `${Math.round(median).toLocaleString('en')} ${percent(spread)}`,
      ratio,
      middle('p50'),
      middle('p99'),
    ]);
  }
  for (const child of Object.values(machines).flat()) {
    child.kill('SIGKILL');
    await once(child, 'exit');
  }
  redis.kill('SIGKILL');
  await once(redis, 'exit');
}
rmSync(scratch, { recursive: true, force: true });

const head = ['over', 'with', 'deliveries a second, 100 B', '× ioredis', 'p50 ms at 500 a second', 'p99 ms'];
const text = [
  table(head, rows),
  '',
  `Node ${process.version}, ${os.availableParallelism()} processors, ${values.rounds} interleaved rounds, ${new Date().toISOString().slice(0, 10)}; load average ${before.toFixed(2)} before and ${os.loadavg()[0].toFixed(2)} after.`,
].join('\n');
console.log(text);
if (values.write) {
  const file = path.join(root, 'docs/fleet.md');
  const [begin, rest] = readFileSync(file, 'utf8').split('<!-- bench -->\n');
  const [, end] = rest.split('<!-- /bench -->');
  writeFileSync(file, `${begin}<!-- bench -->\n\n${text}\n\n<!-- /bench -->${end}`);
}
process.exit();
