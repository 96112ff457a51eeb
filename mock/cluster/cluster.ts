import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import type { ClusterStatus, ProcessStatus, StartClusterOptions } from '../../cluster/index.js';
import { ClutchError } from '../../errors.js';
import { Load, type LoadOptions, type Losses } from './load.js';

export interface MockClusterOptions extends StartClusterOptions {
  /** Environment variables of the Master, besides those of this process. */
  processEnv?: NodeJS.ProcessEnv;
}

/** Who is meant: the Agent, some worker, the worker of a slot, or the process of a pid. */
export type Target = 'agent' | 'worker' | { slot: number } | { pid: number };

/** Milliseconds until a cluster must have healed from a fault, besides what the fault itself takes. */
const HEAL_LIMIT = 30_000;
const POLL = 20;

/**
 * Starts a real cluster, in processes of its own, to test an app under faults. Port 0 and env `unittest` unless given.
 *
 * @returns the cluster, when all of its processes are ready; it ends with this process, or by `close()`
 * @throws {ClutchError} ERR_CLUTCH_MOCK if it does not start, with what it has printed
 */
export async function cluster({ processEnv, ...options }: MockClusterOptions = {}): Promise<MockCluster> {
  const faults = fileURLToPath(new URL('./faults.js', import.meta.url));
  const given = {
    port: 0,
    workers: 1,
    env: 'unittest',
    ...options,
    baseDir: path.resolve(options.baseDir ?? '.'),
    require: [faults, ...[options.require ?? []].flat()],
  };
  // A runner of tests gives its own options to child processes, such as a loader.
  const { NODE_TEST_CONTEXT: _, ...env } = process.env;
  const child = fork(fileURLToPath(new URL('./master_process.js', import.meta.url)), [JSON.stringify(given)], {
    env: { ...env, ...processEnv },
    execArgv: [],
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  const cluster = new MockCluster(child);
  await cluster.ready();
  return cluster;
}

interface Reply {
  id?: number;
  value?: unknown;
  error?: string;
  ready?: { address: string; adminAddress?: string };
}

/** A running cluster, and the faults that a test can do to it. */
export class MockCluster {
  /** For example `http://127.0.0.1:41234`. */
  url = '';
  readonly process: ChildProcess;
  readonly #exited: Promise<number | null>;
  readonly #replies = new Map<number, (reply: Reply) => void>();
  #started: (() => void) | undefined;
  #output = '';
  #load: Load | undefined;
  #lastId = 0;

  constructor(child: ChildProcess) {
    this.process = child;
    for (const stream of [child.stdout, child.stderr]) {
      stream?.on('data', (chunk: Buffer) => {
        this.#output += String(chunk);
      });
    }
    this.#exited = once(child, 'close').then(([code]) => code as number | null);
    child.on('message', (message: Reply) => this.#onMessage(message));
  }

  #onMessage(message: Reply): void {
    if (message.ready) {
      this.url = message.ready.address;
      this.#started?.();
    } else if (message.id !== undefined) {
      this.#replies.get(message.id)?.(message);
      this.#replies.delete(message.id);
    }
  }

  /** Everything that its processes have printed. */
  get output(): string {
    return this.#output;
  }

  /** @throws {ClutchError} ERR_CLUTCH_MOCK if it ends instead */
  async ready(): Promise<void> {
    if (this.url) return;
    const started = new Promise<'started'>((resolve) => {
      this.#started = () => resolve('started');
    });
    const result = await Promise.race([started, this.#exited]);
    if (result === 'started') return;
    throw new ClutchError('ERR_CLUTCH_MOCK', `the cluster has not started (exit code ${result})`, {
      where: this.#output,
    });
  }

  async #ask<T>(name: string, data?: unknown): Promise<T> {
    const id = ++this.#lastId;
    const reply = new Promise<Reply>((resolve) => this.#replies.set(id, resolve));
    if (!this.process.connected)
      throw new ClutchError('ERR_CLUTCH_MOCK', 'the cluster has ended', { where: this.#output });
    this.process.send({ id, name, data });
    const gone = this.#exited.then((): Reply => ({ error: `the cluster has ended:\n${this.#output}` }));
    const { error, value } = await Promise.race([reply, gone]);
    if (error !== undefined) throw new ClutchError('ERR_CLUTCH_MOCK', `${name}: ${error}`);
    return value as T;
  }

  status(): Promise<ClusterStatus> {
    return this.#ask('status');
  }

  /** Replaces the Agent and all workers, one after the other. */
  async reload(): Promise<void> {
    await this.#ask('reload');
  }

  async scale(workers: number): Promise<void> {
    await this.#ask('scale', workers);
  }

  /**
   * Sends a signal to a process, and waits until another one is ready in its place.
   *
   * @param signal default `SIGKILL`
   * @returns the pid that has ended and the one in its place
   */
  async kill(target: Target, signal: NodeJS.Signals = 'SIGKILL'): Promise<{ pid: number; successor: number }> {
    const victim = await this.#find(target);
    process.kill(victim.pid, signal);
    return { pid: victim.pid, successor: await this.#successorOf(victim) };
  }

  /**
   * Blocks the event loop of a worker, which is replaced if that is longer than option `hangTimeout`.
   *
   * @param duration milliseconds
   */
  async blockLoop(target: Target = 'worker', duration = 1000): Promise<{ pid: number }> {
    const { pid } = await this.#find(target);
    if (!(await this.#ask<boolean>('block', { pid, duration }))) {
      throw new ClutchError('ERR_CLUTCH_MOCK', `process ${pid} is no worker whose event loop can be blocked`);
    }
    return { pid };
  }

  /** Begins to send requests, whose losses `losses()` counts. */
  startLoad(options?: LoadOptions): void {
    if (this.#load)
      throw new ClutchError('ERR_CLUTCH_MOCK', 'a load is running already', { fix: 'Call losses() first.' });
    this.#load = new Load(this.url, options);
  }

  /** Ends the load: how many of its requests were lost. */
  async losses(): Promise<Losses> {
    const load = this.#load;
    this.#load = undefined;
    if (!load) throw new ClutchError('ERR_CLUTCH_MOCK', 'no load is running', { fix: 'Call startLoad() first.' });
    return load.stop();
  }

  /** Waits until a text is printed. */
  async printed(text: string | RegExp): Promise<void> {
    await this.#until(`it prints ${text}`, () => this.#output.search(text) !== -1);
  }

  /** Drains and ends all processes. @returns the exit code of the Master */
  async close(signal: NodeJS.Signals = 'SIGTERM'): Promise<number | null> {
    await this.#load?.stop();
    if (this.process.exitCode === null && this.process.signalCode === null) this.process.kill(signal);
    return this.#exited;
  }

  async #find(target: Target): Promise<ProcessStatus & { pid: number }> {
    const { processes } = await this.status();
    const found = processes.find(({ kind, pid, slot, state }) => {
      if (pid === undefined || state !== 'ready') return false;
      if (target === 'agent') return kind === 'agent';
      if (target === 'worker') return kind === 'app worker';
      return 'pid' in target ? pid === target.pid : slot === target.slot;
    });
    if (found) return found as ProcessStatus & { pid: number };
    throw new ClutchError('ERR_CLUTCH_MOCK', `no such process is ready: ${JSON.stringify(target)}`);
  }

  async #successorOf(victim: ProcessStatus & { pid: number }): Promise<number> {
    return this.#until(`process ${victim.pid} is replaced`, async () => {
      const { processes } = await this.status();
      if (processes.some(({ pid }) => pid === victim.pid)) return undefined;
      return processes.find(
        ({ kind, slot, state }) => kind === victim.kind && slot === victim.slot && state === 'ready',
      )?.pid;
    });
  }

  async #until<T>(what: string, condition: () => T | Promise<T>): Promise<NonNullable<T>> {
    for (const deadline = Date.now() + HEAL_LIMIT; ; ) {
      const value = await condition();
      if (value) return value as NonNullable<T>;
      if (Date.now() > deadline) {
        throw new ClutchError('ERR_CLUTCH_MOCK', `still not so after ${HEAL_LIMIT} ms: ${what}`, {
          where: this.#output,
        });
      }
      await new Promise((resolve) => setTimeout(resolve, POLL));
    }
  }
}
