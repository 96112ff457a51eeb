// Starts clusters for the scenarios, and finds what they leave behind.
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { cluster } from 'koa-clutch/mock';

const here = fileURLToPath(new URL('.', import.meta.url));
const TLS = path.join(here, '../test/fixtures/tls');

/** How the workers get their connections; what a scenario may run under. */
export const MODES = {
  rr: {},
  shared: { scheduling: 'shared' },
  reusePort: { scheduling: 'reusePort' },
  least: { scheduling: 'least' },
  sticky: { sticky: true },
  https: { https: { key: path.join(TLS, 'key.pem'), cert: path.join(TLS, 'cert.pem') } },
  ipv6: { processEnv: { EGG_APP_CONFIG: '{"cluster":{"listen":{"hostname":"::1"}}}' } },
};

/** @returns a copy of the app in a directory of its own */
export function makeApp() {
  const dir = mkdtempSync(path.join(tmpdir(), 'clutch-faults-'));
  cpSync(path.join(here, 'app'), dir, { recursive: true });
  mkdirSync(path.join(dir, 'node_modules'));
  for (const name of ['egg', 'koa-clutch'])
    symlinkSync(path.join(here, '..'), path.join(dir, 'node_modules', name), 'dir');
  return dir;
}

/** One scenario's cluster and what is noted about it. */
export class Run {
  constructor(mode = 'rr') {
    this.mode = mode;
    this.baseDir = makeApp();
    this.clusters = [];
    this.notes = [];
  }

  async start(options = {}) {
    const { processEnv, ...rest } = options;
    const { processEnv: ofMode, ...mode } = MODES[this.mode];
    const started = await cluster({
      baseDir: this.baseDir,
      workers: 2,
      env: 'prod',
      ...mode,
      ...rest,
      processEnv: { EGG_HOME: this.baseDir, ...ofMode, ...processEnv },
    });
    this.clusters.push(started);
    return started;
  }

  /** Checks that something is so, and notes it otherwise. */
  expect(condition, note) {
    if (!condition) this.notes.push(note);
  }

  /** Proportional set size of all processes, in MiB. */
  async memory(c) {
    const { processes } = await c.status();
    const sizes = processes.map(({ pid }) => pssOf(pid));
    return Math.round(sizes.reduce((sum, size) => sum + size, 0) / 1024);
  }

  /** Ends everything. @returns pids that are still there a moment later */
  async end() {
    for (const each of this.clusters) await each.close().catch(() => undefined);
    const left = await until(() => (processesOf(this.baseDir).length === 0 ? 'none' : undefined), 5000);
    const survivors = left ? [] : processesOf(this.baseDir);
    for (const pid of survivors) process.kill(pid, 'SIGKILL');
    rmSync(this.baseDir, { recursive: true, force: true, maxRetries: 3 });
    return survivors;
  }
}

/** @returns what `condition` gives, or undefined after `limit` milliseconds */
export async function until(condition, limit = 30_000) {
  for (const end = Date.now() + limit; Date.now() < end; await new Promise((resolve) => setTimeout(resolve, 20))) {
    const value = await condition();
    if (value) return value;
  }
  return undefined;
}

/** @returns how many workers are ready */
export async function readyWorkers(c) {
  const { processes } = await c.status();
  return processes.filter(({ kind, state }) => kind === 'app worker' && state === 'ready').length;
}

/** @returns processes that work in a directory, which all processes of a cluster do */
export function processesOf(dir) {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .filter((pid) => {
      try {
        const environment = readFileSync(`/proc/${pid}/environ`, 'utf8');
        return (
          (readlinkSync(`/proc/${pid}/cwd`) === dir || environment.includes(`EGG_HOME=${dir}\0`)) &&
          !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'))
        );
      } catch {
        return false; // It has ended, or is another user's.
      }
    })
    .map(Number);
}

function pssOf(pid) {
  try {
    return Number(/^Pss:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'))?.[1] ?? 0);
  } catch {
    return 0; // It has just ended.
  }
}
