// The same faults on others: `node faults/peers.mjs [--only pm2] [--write]`.
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { until } from './harness.mjs';
import { Load } from './load.mjs';
import { PEERS, startPeer } from './peers/servers.mjs';

const { values } = parseArgs({ options: { only: { type: 'string' }, write: { type: 'boolean', default: false } } });

/** What is done → how; a fault that cannot be done to a peer has no `go` for it. */
const FAULTS = {
  '20 × SIGKILL of a worker': {
    applies: ({ hasProcesses }) => hasProcesses,
    async go({ url }, load) {
      for (let index = 0; index < 20; index += 1) {
        const pid = await someWorker(url);
        if (!pid) continue;
        load.died(pid);
        kill(pid, 'SIGKILL');
        await replaced(url, pid);
      }
    },
  },
  '20 × uncaught exception in a worker': {
    async go({ url }) {
      for (let index = 0; index < 20; index += 1) {
        const thrower = new Load(url, { connections: 1, path: '/throw', count: 1 });
        await thrower.stop();
        const [pid] = thrower.pids;
        if (pid) await replaced(url, pid);
      }
    },
  },
  '5 reloads': {
    applies: ({ reload }) => reload !== undefined,
    async go({ reload }) {
      for (let index = 0; index < 5; index += 1) await reload();
    },
  },
};

const rows = [];
for (const name of Object.keys(PEERS)) {
  if (values.only && values.only !== name) continue;
  for (const [fault, { applies, go }] of Object.entries(FAULTS)) {
    await onPeer(name, fault, async (server) => {
      if (applies && !applies(server)) return { cannot: true };
      const load = new Load(server.url);
      await until(() => load.requests > 50);
      await go(server, load);
      return load.stop();
    });
  }
  await onPeer(name, 'SIGTERM with 100 slow requests in flight', async ({ url, child }) => {
    const load = new Load(url, { connections: 100, path: '/slow?ms=1500', count: 1 });
    await new Promise((resolve) => setTimeout(resolve, 700));
    child.kill('SIGTERM');
    await load.finished();
    return load.stop();
  });
}
if (values.write) write();

async function onPeer(name, fault, go) {
  const dir = mkdtempSync(path.join(tmpdir(), `faults-${name}-`));
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const server = { url, ...startPeer(name, { dir, port }) };
  let result;
  try {
    if (!(await until(() => someWorker(url), 60_000))) throw new Error('it has not started');
    result = await go(server);
  } catch (error) {
    result = { note: String(error.message).split('\n')[0] };
  }
  server.child.kill('SIGTERM');
  await until(() => processesOf(dir).length === 0, 15_000);
  const survivors = processesOf(dir);
  for (const pid of survivors) kill(pid, 'SIGKILL');
  await until(() => processesOf(dir).length === 0, 5000);
  rmSync(dir, { recursive: true, force: true, maxRetries: 3 });
  const row = { name, fault, ...result, survivors: survivors.length };
  rows.push(row);
  const { requests, lost, avoidable, hung, cannot, note } = row;
  const facts = cannot
    ? 'cannot be done'
    : (note ?? `${requests} requests, ${lost} lost, ${avoidable} need not be, ${hung} hung`);
  console.log(
    `${name}: ${fault}: ${facts}, ${survivors.length} survivors${row.errors?.length ? ` (${row.errors})` : ''}`,
  );
}

/** @returns the id of a worker that responds; 0 when none does */
async function someWorker(url) {
  try {
    const response = await fetch(url, { headers: { connection: 'close' } });
    return response.ok ? Number(response.headers.get('x-pid')) : 0;
  } catch {
    return 0; // Nobody listens, or it is just being replaced.
  }
}

/** Waits until the worker responds no more, and others do. */
async function replaced(url, pid) {
  await until(async () => {
    for (let index = 0; index < 4; index += 1) {
      const found = await someWorker(url);
      if (!found || found === pid) return false;
    }
    return true;
  }, 30_000);
}

function kill(pid, signal) {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if (error.code !== 'ESRCH') throw error;
  }
}

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}

function processesOf(dir) {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .filter((pid) => {
      try {
        const isOurs = readFileSync(`/proc/${pid}/environ`, 'utf8').includes(`FAULTS_DIR=${dir}\0`);
        return isOurs && !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
      } catch {
        return false; // It has ended, or is another user's.
      }
    })
    .map(Number);
}

function write() {
  const cell = (row) =>
    row.cannot ? '–' : (row.note ?? `${row.lost} of ${row.requests}; ${row.avoidable}; ${row.hung}`);
  const faults = [...new Set(rows.map(({ fault }) => fault))];
  const names = [...new Set(rows.map(({ name }) => name))];
  const at = (name, fault) => cell(rows.find((row) => row.name === name && row.fault === fault));
  const table = [
    `| fault | ${names.join(' | ')} |`,
    `|---|${names.map(() => '---').join('|')}|`,
    ...faults.map((fault) => `| ${fault} | ${names.map((name) => at(name, fault)).join(' | ')} |`),
    `| survivors after SIGTERM | ${names.map((name) => Math.max(...rows.filter((row) => row.name === name).map(({ survivors }) => survivors))).join(' | ')} |`,
  ].join('\n');
  const page = fileURLToPath(new URL('../docs/reliability.md', import.meta.url));
  const text = readFileSync(page, 'utf8');
  writeFileSync(
    page,
    text.replace(/<!-- peers -->[\s\S]*<!-- \/peers -->/, `<!-- peers -->\n\n${table}\n\n<!-- /peers -->`),
  );
}
