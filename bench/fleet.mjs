// Messages of the fleet over 2 and 5 machines on Redis and NATS, against their clients used bare; needs `npm run build` and both servers.
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
const ADAPTERS = {
  redis: {
    client: 'ioredis',
    command: (port) => ['redis-server', '--port', port, '--bind', '127.0.0.1', '--save', '', '--dir', scratch],
  },
  nats: {
    client: '@nats-io/transport-node',
    command: (port) => ['nats-server', '-p', port, '-a', '127.0.0.1', '-js', '-sd', path.join(scratch, `nats-${port}`)],
  },
};

function freePort() {
  return new Promise((resolve) => {
    const server = net.createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}

function writeApp(name, adapter, port) {
  const dir = path.join(scratch, `${name}-${port}`);
  const files = {
    'package.json': '{ "name": "bench-fleet" }',
    'config/plugin.js': 'exports.fleet = true;',
    'config/config.default.js': `exports.keys = 'k';
      exports.fleet = { adapter: '${adapter}', url: '${adapter}://127.0.0.1:${port}', name: 'bench', member: '${name}' };
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

async function startMachines(kind, count, adapter, port) {
  const machines = [];
  for (let index = 0; index < count; index += 1) {
    const name = `m${index}`;
    const dir = kind === 'fleet' ? writeApp(name, adapter, port) : scratch;
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

/** @returns rows of the table: the fleet, and the client used bare */
async function compare(adapter, count) {
  const { client, command } = ADAPTERS[adapter];
  const port = await freePort();
  const [file, ...args] = command(String(port));
  const server = spawn(file, args, { stdio: 'ignore' });
  await sleep(500);
  const kinds = { 'messenger.fleet': 'fleet', [client]: adapter };
  const machines = {};
  for (const [name, kind] of Object.entries(kinds)) machines[name] = await startMachines(kind, count, adapter, port);
  const results = Object.fromEntries(Object.keys(kinds).map((name) => [name, { burst: [], paced: [] }]));
  // The first round warms up.
  for (let round = -1; round < Number(values.rounds); round += 1) {
    for (const name of Object.keys(kinds)) {
      const [burst, paced] = [await run(machines[name], 'burst', BURST), await run(machines[name], 'paced', PACED)];
      if (round < 0) continue;
      results[name].burst.push(burst.perSecond);
      results[name].paced.push(paced);
    }
  }
  for (const child of [...Object.values(machines).flat(), server]) {
    child.kill('SIGKILL');
    await once(child, 'exit');
  }
  return Object.entries(results).map(([name, { burst, paced }]) => {
    const { median, spread } = summarize(burst);
    const middle = (key) => summarize(paced.map((one) => one[key])).median.toFixed(2);
    return [
      `${count} machines, ${adapter}`,
      name,
      `${Math.round(median).toLocaleString('en')} ${percent(spread)}`,
      ratioOf(burst, results[client].burst).toFixed(2),
      middle('p50'),
      middle('p99'),
    ];
  });
}

const before = os.loadavg()[0];
const rows = [];
for (const adapter of Object.keys(ADAPTERS)) for (const count of [2, 5]) rows.push(...(await compare(adapter, count)));
rmSync(scratch, { recursive: true, force: true });

const head = ['over', 'with', 'deliveries a second, 100 B', '× client', 'p50 ms at 500 a second', 'p99 ms'];
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
