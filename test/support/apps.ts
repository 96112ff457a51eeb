import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { TestContext } from 'node:test';
import type { ClusterStatus } from 'koa-clutch/cluster';

export const ROOT = process.cwd();
export const CLI = path.join(ROOT, 'dist/cli/index.js');
const MASTER = path.join(ROOT, '.test/test/support/master.js');

/** @returns the directory of a fixture app */
export function fixture(name: string): string {
  return path.join(ROOT, 'test/fixtures/apps', name);
}

/** @returns a directory of the test's own, removed after it */
export function temporaryDirectory(t: TestContext): string {
  const dir = mkdtempSync(path.join(tmpdir(), 'clutch-test-'));
  t.after(() => {
    try {
      rmSync(dir, { recursive: true, force: true });
    } catch {
      // Processes of a cluster, which is stopped after this, still write there.
      process.once('exit', () => rmSync(dir, { recursive: true, force: true, maxRetries: 5 }));
    }
  });
  return dir;
}

/** @returns a copy of a fixture app, whose pid file and control socket are its own */
export function copyFixture(t: TestContext, name: string): string {
  const dir = path.join(temporaryDirectory(t), name);
  cpSync(fixture(name), dir, { recursive: true, filter: (file) => !/\/(?:run|logs)$/.test(file) });
  mkdirSync(path.join(dir, 'node_modules'));
  symlinkSync(ROOT, path.join(dir, 'node_modules/egg'), 'dir');
  return dir;
}

/** Waits until `condition` gives something truthy, and gives it back; fails after `timeout` milliseconds, which a busy machine needs. */
export async function until<T>(
  what: string,
  condition: () => T | Promise<T>,
  timeout = 30_000,
): Promise<Exclude<T, false | 0 | '' | null | undefined>> {
  const deadline = Date.now() + timeout;
  for (;;) {
    const value = await condition();
    if (value) return value as Exclude<T, false | 0 | '' | null | undefined>;
    if (Date.now() > deadline) throw new Error(`still not true after ${timeout} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** A process that has ended but was not yet reaped by init does not count. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH' && existsSync(`/proc/${pid}`);
  }
}

/** Waits until a cluster has printed something: its output comes on another way than its answers. */
export async function printed(cluster: { output(): string }, text: RegExp): Promise<void> {
  try {
    await until(`it prints ${text}`, () => text.test(cluster.output()));
  } catch (error) {
    throw new Error(`${(error as Error).message}, but:\n${cluster.output()}`);
  }
}

interface ClusterPids {
  master: number;
  agent: number | undefined;
  workers: number[];
}

/** A cluster in a process of its own, as a user has one. */
export interface RunningCluster {
  url: string;
  child: ChildProcess;
  /** Everything that its processes have printed. */
  output(): string;
  /** Messages that the Master has sent to this process. */
  messages: { action: string; data?: unknown }[];
  pids(): Promise<ClusterPids>;
  reload(): Promise<void>;
  status(): Promise<ClusterStatus>;
  scale(workers: number): Promise<void>;
  /** Address of the admin listener. */
  admin(): Promise<string>;
  throwInMaster(): Promise<void>;
  /** Sends a signal to the Master and waits until it has ended. */
  stop(signal?: NodeJS.Signals): Promise<number | null>;
}

interface Launch {
  child: ChildProcess;
  output(): string;
  messages: { action: string; data?: unknown }[];
  exited: Promise<number | null>;
}

/** Starts a Master and does not wait for it to be ready. */
export function launch(t: TestContext, options: Record<string, unknown>, env: NodeJS.ProcessEnv = {}): Launch {
  let output = '';
  const messages: Launch['messages'] = [];
  const home = temporaryDirectory(t);
  const child = spawn(process.execPath, [MASTER, JSON.stringify({ port: 0, workers: 2, ...options })], {
    env: { ...process.env, NODE_ENV: 'production', EGG_HOME: home, NODE_TEST_CONTEXT: undefined, ...env },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk: Buffer) => (output += String(chunk)));
  child.on('message', (message: Launch['messages'][number]) => messages.push(message));
  const closed = once(child, 'close');
  const exited = once(child, 'exit').then(async ([code]) => {
    // What was printed last is read after the exit; a killed Master leaves children that hold the pipes.
    if (code !== null) await closed;
    return code as number | null;
  });
  t.after(async () => {
    if (child.exitCode === null && child.signalCode === null) child.kill('SIGTERM');
    await exited;
  });
  return { child, output: () => output, messages, exited };
}

/** Starts a cluster and waits until it is ready. */
export async function startTestCluster(
  t: TestContext,
  options: Record<string, unknown>,
  env: NodeJS.ProcessEnv = {},
): Promise<RunningCluster> {
  const { child, output, messages, exited } = launch(t, options, env);
  const find = (action: string) => messages.find((message) => message.action === action);
  const hasEnded = (): boolean => child.exitCode !== null || child.signalCode !== null;
  await until('the cluster is ready', () => find('egg-ready') ?? hasEnded(), 60_000).catch((error: Error) => {
    throw new Error(`${error.message}:\n${output()}`);
  });
  const ready = find('egg-ready');
  if (!ready) throw new Error(`the cluster did not start (${child.exitCode ?? child.signalCode}):\n${output()}`);
  let questions = 0;
  const ask = async (action: string, data?: unknown): Promise<unknown> => {
    const reply = `test:${action}:${questions++}`;
    if (!child.connected) throw new Error(`the Master has ended (${child.exitCode ?? child.signalCode}):\n${output()}`);
    child.send({ action: `test:${action}`, to: 'test', data: { reply, data } });
    const answer = await until(`the Master answers ${action}`, () => find(reply), 30_000);
    const { error, value } = answer.data as { error?: string; value?: unknown };
    if (error) throw new Error(error);
    return value;
  };
  return {
    url: (ready.data as { address: string }).address,
    child,
    output,
    messages,
    pids: async () => (await ask('pids')) as ClusterPids,
    reload: async () => void (await ask('reload')),
    status: async () => (await ask('status')) as ClusterStatus,
    scale: async (workers) => void (await ask('scale', workers)),
    admin: async () => (await ask('admin')) as string,
    throwInMaster: async () => void (await ask('throw')),
    stop: async (signal = 'SIGTERM') => {
      child.kill(signal);
      return exited;
    },
  };
}
