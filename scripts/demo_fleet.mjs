// Three "machines" (clusters in directories of their own) and a Redis: a task runs once over all of them at each second, while
// machines are killed and started again. Fails if a time has run twice or, with a machine left, not at all.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const temporary = mkdtempSync(path.join(tmpdir(), 'clutch-fleet-'));
const notes = path.join(temporary, 'runs.txt');
const redis = ['/usr/bin/redis-server', '/usr/local/bin/redis-server'].find((file) => existsSync(file));
const children = new Set();

if (!redis) {
  console.error('redis-server is not installed: `apt-get install redis-server`');
  process.exit(1);
}

const FILES = (name, port) => ({
  'package.json': JSON.stringify({ name: 'demo-fleet', egg: { framework: 'koa-clutch' } }),
  'config/plugin.js': 'exports.fleet = true;',
  'config/config.default.js': `exports.keys = 'demo';
    exports.fleet = { adapter: 'redis', url: 'redis://127.0.0.1:${port}', name: 'demo', member: '${name}', lease: 3000, timeout: 1000 };
    exports.logger = { dir: require('path').join(__dirname, '../logs'), consoleLevel: 'NONE' };`,
  'app/schedule/count.js': `exports.schedule = { type: 'fleet', interval: '1s' };
    exports.task = (ctx, { due, attempt, token }) => {
      const line = JSON.stringify({ machine: '${name}', worker: process.pid, due, attempt, token });
      require('fs').appendFileSync(${JSON.stringify(notes)}, line + '\\n');
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

function spawnChild(file, args, options) {
  const child = spawn(file, args, options);
  children.add(child);
  child.on('exit', () => children.delete(child));
  return child;
}

/** A process group of its own, so that a machine can be killed as a whole. */
function startMachine(name, port) {
  const dir = path.join(temporary, name);
  for (const [file, text] of Object.entries(FILES(name, port))) {
    mkdirSync(path.dirname(path.join(dir, file)), { recursive: true });
    writeFileSync(path.join(dir, file), text);
  }
  mkdirSync(path.join(dir, 'node_modules'), { recursive: true });
  const link = path.join(dir, 'node_modules/koa-clutch');
  if (!existsSync(link)) symlinkSync(root, link, 'dir');
  const args = [path.join(root, 'dist/cli/index.js'), 'start', dir, '--workers', '1', '--port', '0'];
  const env = { ...process.env, EGG_HOME: dir };
  console.log(`machine ${name} starts`);
  return spawnChild(process.execPath, args, { stdio: ['ignore', 'ignore', 'inherit'], env, detached: true });
}

function kill(name, child) {
  console.log(`machine ${name} is killed with -9`);
  process.kill(-child.pid, 'SIGKILL');
}

const runs = () => (existsSync(notes) ? readFileSync(notes, 'utf8').trim().split('\n').filter(Boolean) : []);

let printed = 0;
const printer = setInterval(() => {
  for (const line of runs().slice(printed)) {
    const { machine, worker, due, attempt, token } = JSON.parse(line);
    const time = new Date(due).toISOString().slice(11, 19);
    console.log(`  ${time}  ran on machine ${machine} (app worker ${worker}), attempt ${attempt}, token ${token}`);
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
console.log(
  `\n${expected} times, ${times.size} of them ran, ${dues.length - times.size} ran twice; 4 machines were killed`,
);
await end(times.size === expected && dues.length === times.size ? 0 : 1);
