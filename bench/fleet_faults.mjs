// What a bad night does to a fleet of 5 machines with 2 workers each on one Redis or NATS; needs `npm run build` and the server.
// node bench/fleet_faults.mjs [--adapter nats] [--lease 4000] [--only word] [--write]: --write puts the table into docs/fleet.md
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { cut, hub, joined, runInNamespace } from './fleet/namespaces.mjs';
import { startProxy } from './fleet/proxy.mjs';
import { table } from './report.mjs';

const exitCode = runInNamespace();
if (exitCode !== undefined) process.exit(exitCode);
if (!hub) console.error('network namespaces are not permitted here: the network is cut by a proxy only');

const { values } = parseArgs({
  options: {
    adapter: { type: 'string', default: 'redis' },
    lease: { type: 'string', default: '4000' },
    only: { type: 'string', default: '' },
    write: { type: 'boolean' },
  },
});
const LEASE = Number(values.lease);
const ADAPTER = values.adapter;
const SERVER = { redis: 'Redis', nats: 'NATS' }[ADAPTER];
if (!SERVER) throw new Error(`no adapter ${ADAPTER}`);
const NAMES = ['a', 'b', 'c', 'd', 'e'];
const root = fileURLToPath(new URL('..', import.meta.url));
const scratch = mkdtempSync(path.join(os.tmpdir(), 'clutch-fleet-faults-'));
const notes = path.join(scratch, 'notes.txt');
const children = new Set();

const FILES = (name, address) => ({
  'package.json': JSON.stringify({ name: 'fleet-faults', egg: { framework: 'koa-clutch' } }),
  'config/plugin.js': 'exports.fleet = true;',
  'config/config.default.js': `exports.keys = 'k';
    exports.fleet = { adapter: '${ADAPTER}', url: '${ADAPTER}://${address}', name: 'faults', member: '${name}', lease: ${LEASE}, timeout: 1000 };
    exports.logger = { dir: require('path').join(__dirname, '../logs'), consoleLevel: 'NONE' };`,
  'app/schedule/each_second.js': `exports.schedule = { type: 'fleet', interval: '1s' };
    exports.task = (ctx, { due, attempt }) => require('fs').appendFileSync(${JSON.stringify(notes)}, ['run', Date.now(), '${name}', due, attempt].join(' ') + '\\n');`,
  'agent.js': `module.exports = (agent) => {
    const note = (...cells) => require('fs').appendFileSync(${JSON.stringify(notes)}, cells.join(' ') + '\\n');
    const { fleet } = agent.messenger;
    const last = {};
    let missing = 0, got = 0, number = 0;
    fleet.on('count', ({ from, incarnation, n }) => {
      const before = last[from];
      if (before && before.incarnation === incarnation && n > before.n + 1) missing += n - before.n - 1;
      last[from] = { incarnation, n };
      got += 1;
    });
    const candidate = agent.fleet.lead('work', {});
    setInterval(() => {
      fleet.sendToAgent('count', { from: '${name}', incarnation: agent.fleet.incarnation, n: ++number });
      if (candidate.isLeader) note('leads', Date.now(), '${name}', candidate.token);
    }, 50);
    setInterval(() => note('counts', Date.now(), '${name}', agent.fleet.incarnation, got, missing, fleet.lost, number, Object.keys(last).length), 250);
  };`,
});

function freePort() {
  return new Promise((resolve) => {
    const server = net.createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}

function track(child) {
  children.add(child);
  child.on('exit', () => children.delete(child));
  return child;
}

const serverPort = await freePort();
// In a namespace of the script's own all addresses are its own.
const ADDRESS = hub ? '0.0.0.0' : '127.0.0.1';
const COMMAND = {
  redis: [
    'redis-server',
    `--port ${serverPort} --bind ${ADDRESS} --protected-mode no --save`.split(' '),
    ['', '--appendonly', 'yes', '--dir', scratch],
  ],
  nats: ['nats-server', ['-p', String(serverPort), '-a', ADDRESS], ['-js', '-sd', scratch]],
};
let server;
async function startServer() {
  const [file, ...args] = COMMAND[ADAPTER];
  server = track(spawn(file, args.flat(), { stdio: 'ignore' }));
  await sleep(300);
}

const machines = new Map();
/** @param namespace whether the machine has a network of its own, instead of a proxy before the server */
async function startMachine(name, { namespace = false } = {}) {
  const proxy = machines.get(name)?.proxy ?? (await startProxy(serverPort));
  const dir = path.join(scratch, name);
  const address = namespace ? `${hub}:${serverPort}` : `127.0.0.1:${proxy.port}`;
  for (const [file, text] of Object.entries(FILES(name, address))) {
    mkdirSync(path.dirname(path.join(dir, file)), { recursive: true });
    writeFileSync(path.join(dir, file), text);
  }
  mkdirSync(path.join(dir, 'node_modules'), { recursive: true });
  const koaClutch = path.join(dir, 'node_modules/koa-clutch');
  if (!existsSync(koaClutch)) symlinkSync(root, koaClutch, 'dir');
  const start = [process.execPath, path.join(root, 'dist/cli/index.js'), 'start', dir, '--workers', '2', '--port', '0'];
  const { command, link } = namespace ? joined(start) : { command: start };
  const env = { ...process.env, EGG_HOME: dir };
  // A process group of its own, so that a machine can be killed as a whole.
  const options = { stdio: ['ignore', 'ignore', 'inherit'], env, detached: true };
  const child = track(spawn(command[0], command.slice(1), options));
  machines.set(name, { child, proxy, dir, link });
}

/** Starts all machines anew, each in a network namespace. */
async function moveToNamespaces() {
  for (const { child } of machines.values()) {
    process.kill(-child.pid, 'SIGKILL');
    await once(child, 'exit');
  }
  await Promise.all(NAMES.map((name) => startMachine(name, { namespace: true })));
  await healthy(Date.now());
}

const read = () =>
  (existsSync(notes) ? readFileSync(notes, 'utf8').trim().split('\n') : []).map((line) => line.split(' '));
const leads = (since = 0) => read().filter(([what, at]) => what === 'leads' && Number(at) >= since);
const leader = () => leads().at(-1)?.[2];
/** @returns the last counts of each machine */
const counts = () => {
  const found = new Map();
  for (const [what, at, name, incarnation, got, missing, lost, sent, known] of read()) {
    if (what === 'counts')
      found.set(name, {
        at: Number(at),
        incarnation,
        got: Number(got),
        missing: Number(missing),
        lost: Number(lost),
        sent: Number(sent),
        known: Number(known),
      });
  }
  return found;
};

async function until(what, condition, limit = 60_000) {
  for (const deadline = Date.now() + limit; ; await sleep(100)) {
    if (await condition()) return;
    if (Date.now() > deadline) throw new Error(`still not true: ${what}`);
  }
}

/** All machines hear all, one leads, and the task runs. */
async function healthy(since) {
  await until('all is well', async () => {
    const first = counts();
    const [before] = [[...first.values()].map(({ got }) => got)];
    if (first.size < NAMES.length || [...first.values()].some(({ known }) => known < NAMES.length)) return false;
    await sleep(600);
    const now = [...counts().values()];
    const hears = now.every(({ got }, index) => got - before[index] >= 20);
    const runs = read().some(([what, at]) => what === 'run' && Number(at) > Math.max(since, Date.now() - 2500));
    return hears && runs && leads(Date.now() - 500).length > 0;
  });
}

const agentOf = (name) => {
  const pid = machines.get(name).child.pid;
  for (const each of readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ')) {
    if (/agent/.test(readFileSync(`/proc/${each}/cmdline`, 'utf8'))) return Number(each);
  }
  throw new Error(`no Agent of ${name}`);
};

const SCENARIOS = {
  'the leading machine is killed with -9': async () => {
    const name = leader();
    process.kill(-machines.get(name).child.pid, 'SIGKILL');
    await sleep(3 * LEASE);
    await startMachine(name);
  },
  [`${SERVER} is killed and is away for 20 s`]: async () => {
    server.kill('SIGKILL');
    await once(server, 'exit');
    await sleep(20_000);
    await startServer();
  },
  'the leading machine is cut off for 3 leases': async () => {
    const { proxy } = machines.get(leader());
    proxy.set({ up: false, down: false });
    await sleep(3 * LEASE);
    proxy.set({ up: true, down: true });
  },
  'what the leading machine sends is lost for 3 leases': async () => {
    const { proxy } = machines.get(leader());
    proxy.set({ up: false });
    await sleep(3 * LEASE);
    proxy.set({ up: true });
  },
  'what the server sends it is lost for 3 leases': async () => {
    const { proxy } = machines.get(leader());
    proxy.set({ down: false });
    await sleep(3 * LEASE);
    proxy.set({ down: true });
  },
  'each packet takes 200 ms more, for all': async () => {
    for (const { proxy } of machines.values()) proxy.set({ delay: 100 });
    await sleep(10_000);
    for (const { proxy } of machines.values()) proxy.set({ delay: 0 });
  },
  'the leading Agent stands still for 15 s (SIGSTOP)': async () => {
    const pid = agentOf(leader());
    process.kill(pid, 'SIGSTOP');
    await sleep(15_000);
    process.kill(pid, 'SIGCONT');
  },
};

const IN_NAMESPACES = {
  'the link of the leading machine is down for 3 leases (network namespaces)': async () => {
    await cut(machines.get(leader()).link, 3 * LEASE);
  },
};

function figures(from, recovered, before) {
  const after = counts();
  const lines = leads(from - 1000).map(([, at, name, token]) => ({ at: Number(at), name, token: Number(token) }));
  let gap = 0;
  for (const [index, { at }] of lines.entries()) if (index > 0) gap = Math.max(gap, at - lines[index - 1].at);
  const terms = new Map();
  for (const { at, name, token } of lines) {
    const term = terms.get(token) ?? { name, from: at, to: at };
    term.to = at;
    terms.set(token, term);
  }
  const sorted = [...terms].sort(([x], [y]) => x - y).map(([, term]) => term);
  const two = sorted.filter((term, index) => index > 0 && term.from <= sorted[index - 1].to).length;
  const runs = read().filter(([what, , , due]) => what === 'run' && Number(due) >= from - 1000);
  const firsts = runs.filter(([, , , , attempt]) => attempt === '1').map(([, , , due]) => due);
  const twice = firsts.length - new Set(firsts).size;
  for (const due of new Set(firsts.filter((each, index) => firsts.indexOf(each) !== index))) {
    const lines = runs
      .filter((line) => line[3] === due)
      .map(([, at, name, , attempt]) => `${name} at ${at}, attempt ${attempt}`);
    console.error(`the run of ${due}: ${lines.join('; ')}`);
  }
  const sum = (key) =>
    [...after].reduce((total, [name, now]) => {
      const was = before.get(name);
      return total + now[key] - (was?.incarnation === now.incarnation ? was[key] : 0);
    }, 0);
  return { missing: sum('missing'), lost: sum('lost'), got: sum('got'), twice, two, gap, recovered };
}

const rows = [];
let failed = false;
async function measure(title, go) {
  const [from, before] = [Date.now(), counts()];
  await go();
  const healed = Date.now();
  await healthy(healed);
  const { missing, lost, got, twice, two, gap, recovered } = figures(from, Date.now() - healed, before);
  failed ||= twice > 0 || two > 0;
  const row = [
    title,
    `${missing} of ${got + missing}`,
    lost,
    twice,
    two,
    (gap / LEASE).toFixed(2),
    (recovered / 1000).toFixed(1),
  ];
  console.error(row.join(' | '));
  rows.push(row.map(String));
}

const loadBefore = os.loadavg()[0];
try {
  await startServer();
  await Promise.all(NAMES.map((name) => startMachine(name)));
  await healthy(0);
  for (const [title, go] of Object.entries(SCENARIOS)) if (title.includes(values.only)) await measure(title, go);
  const linked = hub ? Object.entries(IN_NAMESPACES).filter(([title]) => title.includes(values.only)) : [];
  if (linked.length > 0) await moveToNamespaces();
  for (const [title, go] of linked) await measure(title, go);
} finally {
  for (const { proxy } of machines.values()) proxy.close();
  for (const child of [...children]) {
    try {
      process.kill(child === server ? child.pid : -child.pid, 'SIGKILL');
    } catch {
      // It has just ended.
    }
  }
  rmSync(scratch, { recursive: true, force: true, maxRetries: 5 });
}
const head = [
  '5 machines × 2 workers, messages 20 a second from each Agent to all',
  'deliveries missed',
  'messages that may not have left',
  'runs twice',
  'two leaders',
  'longest time without a leader, leases',
  'all well again after, s',
];
const text = [
  table(head, rows),
  '',
  `${SERVER}, lease ${LEASE} ms, Node ${process.version}, ${os.availableParallelism()} processors, ${new Date().toISOString().slice(0, 10)}; load average ${loadBefore.toFixed(2)} before and ${os.loadavg()[0].toFixed(2)} after.`,
].join('\n');
console.log(text);
if (values.write) {
  const file = path.join(root, 'docs/fleet.md');
  const [opening, closing] = [`<!-- faults ${ADAPTER} -->`, `<!-- /faults ${ADAPTER} -->`];
  const [begin, rest] = readFileSync(file, 'utf8').split(opening);
  const [, end] = rest.split(closing);
  writeFileSync(file, `${begin}${opening}\n\n${text}\n\n${closing}${end}`);
}
process.exit(failed ? 1 : 0);
