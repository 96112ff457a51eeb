// The template's app on three "machines" (clusters in directories of their own) and a Redis: a task runs once over all of them at each second, while
// machines are killed and started again. Fails if a time has run twice or, with a machine left, not at all.
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { cli, makeTemplateApp } from './template_app.mjs';

const temporary = mkdtempSync(path.join(tmpdir(), 'clutch-fleet-'));
const notes = path.join(temporary, 'runs.txt');
const redis = ['/usr/bin/redis-server', '/usr/local/bin/redis-server'].find((file) => existsSync(file));
const children = new Set();

if (!redis) {
  console.error('redis-server is not installed: `apt-get install redis-server`');
  process.exit(1);
}

/** What the template's app gets, to be a machine of a fleet. */
const FILES = {
  'config/plugin.fleet.ts': 'export default { fleet: true };',
  'config/config.fleet.ts': `export default {
  fleet: { adapter: 'redis', url: process.env['FLEET_URL'], name: 'demo', member: process.env['MACHINE'], lease: 3000, timeout: 1000 },
};`,
  'app/schedule/count.ts': `import { appendFileSync } from 'node:fs';

export default {
  schedule: { type: 'fleet', interval: '1s' },
  task(_ctx: object, tick: { due: number; attempt: number; token: number }): void {
    const line = JSON.stringify({ machine: process.env['MACHINE'], worker: process.pid, ...tick });
    appendFileSync(process.env['NOTES'] ?? '', line + '\\n');
  },
};`,
};

function freePort() {
  return new Promise((resolve) => {
    const server = net.createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}

function spawnChild(file, args, options) {
  const child = spawn(file, args, options);
  children.add(child);
  child.on('exit', () => children.delete(child));
  return child;
}

function makeApp(dir) {
  makeTemplateApp(dir);
  for (const [file, text] of Object.entries(FILES)) writeFileSync(path.join(dir, file), text);
  const { status, stdout, stderr } = spawnSync(process.execPath, [cli, 'build'], { cwd: dir, encoding: 'utf8' });
  if (status !== 0) throw new Error(stdout + stderr);
}

/** A process group of its own, so that a machine can be killed as a whole. */
function startMachine(name, port) {
  const dir = path.join(temporary, name);
  if (!existsSync(dir)) cpSync(path.join(temporary, 'app'), dir, { recursive: true, verbatimSymlinks: true });
  const env = {
    ...process.env,
    EGG_HOME: dir,
    EGG_SERVER_ENV: 'fleet',
    MACHINE: name,
    FLEET_URL: `redis://127.0.0.1:${port}`,
    NOTES: notes,
  };
  say(`machine ${name} starts`);
  const args = [cli, 'start', dir, '--workers', '1', '--port', '0'];
  return spawnChild(process.execPath, args, { stdio: ['ignore', 'ignore', 'inherit'], env, detached: true });
}

function kill(name, child) {
  say(`machine ${name} is killed (kill -9)`);
  process.kill(-child.pid, 'SIGKILL');
}

function say(text) {
  console.log(`${clock(Date.now())} ${text}`);
}

function clock(at) {
  return new Date(at).toTimeString().slice(0, 8);
}

const runs = () => (existsSync(notes) ? readFileSync(notes, 'utf8').trim().split('\n').filter(Boolean) : []);

let printed = 0;
const printer = setInterval(() => {
  for (const line of runs().slice(printed)) {
    const { machine, worker, due, attempt } = JSON.parse(line);
    const again = attempt > 1 ? `, attempt ${attempt}: the machine that began it has died` : '';
    console.log(`  the run of ${clock(due)} was done by machine ${machine} (app worker with pid ${worker})${again}`);
    printed += 1;
  }
}, 100);

async function end(code) {
  clearInterval(printer);
  for (const child of children) {
    try {
      process.kill(child.spawnargs.includes('start') ? -child.pid : child.pid, 'SIGTERM');
    } catch {
      // It has just ended.
    }
  }
  await Promise.all([...children].map((child) => once(child, 'exit')));
  rmSync(temporary, { recursive: true, force: true, maxRetries: 5 });
  process.exit(code);
}

for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => void end(1));

console.log(`Three machines run the app of \`clutch init\`, with plugin "fleet" and one more file, app/schedule/count.ts:
a schedule of type "fleet" that is due each second. Whichever machine claims a second first runs it; the others do not. Meanwhile
one machine after the other is killed and started again. Nothing should run twice, and no second should be left out.
`);
makeApp(path.join(temporary, 'app'));
const port = await freePort();
spawnChild(redis, ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--dir', temporary], {
  stdio: 'ignore',
});
const machines = new Map();
for (const name of ['a', 'b', 'c']) machines.set(name, startMachine(name, port));
for (const deadline = Date.now() + 30_000; runs().length < 3; await sleep(100)) {
  if (Date.now() > deadline) {
    console.error('the task has not run in 30 s');
    await end(1);
  }
}
for (const name of ['a', 'b', 'c', 'a']) {
  await sleep(3000);
  kill(name, machines.get(name));
  await sleep(3000);
  machines.set(name, startMachine(name, port));
}
await sleep(3000);
const dues = runs().map((line) => JSON.parse(line).due);
const times = new Set(dues);
const expected = (Math.max(...dues) - Math.min(...dues)) / 1000 + 1;
const twice = dues.length - times.size;
const missing = expected - times.size;
console.log(`
In ${expected} seconds four machines were killed: ${times.size} runs, ${missing} seconds left out, ${twice} runs too many.
docs/fleet.md says how it works, and what is guaranteed.`);
await end(missing === 0 && twice === 0 ? 0 : 1);
