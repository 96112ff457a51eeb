import { execFile, spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import http from 'node:http';
import net from 'node:net';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);
const SERVERS = fileURLToPath(new URL('servers.mjs', import.meta.url));
const LOAD = fileURLToPath(new URL('load.mjs', import.meta.url));

// Below the ports that the system gives to clients.
let lastPort = 20_000 + (process.pid % 10_000);

/** Starts a subject; resolves with the milliseconds until it has answered for the first time. */
export async function startSubject(subject, env) {
  lastPort += 1;
  const port = lastPort;
  const begin = performance.now();
  const child = spawn(process.execPath, [SERVERS, subject], {
    env: { ...process.env, NODE_ENV: 'production', PORT: String(port), ...env },
    stdio: ['ignore', 'ignore', process.env.BENCH_DEBUG ? 'inherit' : 'ignore'],
    detached: true,
  });
  const deadline = Date.now() + 60_000;
  // A try to connect takes little of the machine, which is busy with the boot; a request takes more.
  while (!(await listens(port)) || (await status(port)) !== 200) {
    if (Date.now() > deadline || child.exitCode !== null) throw new Error(`${subject} did not start`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
  return {
    port,
    boot: performance.now() - begin,
    pids: () => descendants(child.pid),
    async stop() {
      const pids = descendants(child.pid);
      child.kill('SIGTERM');
      const gone = new Promise((resolve) => child.once('exit', resolve));
      const late = setTimeout(() => child.kill('SIGKILL'), 8000);
      await gone;
      clearTimeout(late);
      for (const pid of pids) {
        try {
          process.kill(pid, 'SIGKILL');
        } catch {
          // It has ended.
        }
      }
    },
  };
}

function listens(port) {
  return new Promise((resolve) => {
    const socket = net.connect({ port, host: '127.0.0.1' });
    socket.on('error', () => resolve(false));
    socket.on('connect', () => {
      socket.destroy();
      resolve(true);
    });
  });
}

function status(port) {
  return new Promise((resolve) => {
    const req = http.get({ port, host: '127.0.0.1', agent: false }, (res) => {
      res.resume();
      resolve(res.statusCode);
    });
    req.on('error', () => resolve(0));
  });
}

function descendants(pid) {
  const found = [pid];
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    try {
      const stat = readFileSync(`/proc/${name}/stat`, 'utf8');
      if (Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]) === pid) found.push(...descendants(Number(name)));
    } catch {
      // It has ended.
    }
  }
  return found;
}

/** Proportional set size of processes in MiB. */
export function memoryOf(pids) {
  const of = (pid) => Number(/^Pss:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'))[1]);
  return pids.reduce((sum, pid) => sum + of(pid), 0) / 1024;
}

/** Processor time of processes so far, in seconds. */
export function processorTime(pids) {
  const ticks = (pid) => {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return Number(fields[11]) + Number(fields[12]);
  };
  return pids.reduce((sum, pid) => sum + ticks(pid), 0) / 100;
}

/** @returns what load.mjs prints */
export async function load(port, options = {}) {
  const { stdout } = await run(process.execPath, [LOAD, JSON.stringify({ port, ...options })]);
  return JSON.parse(stdout);
}
