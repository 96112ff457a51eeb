import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { detect } from 'detect-port';
import { AgentPool, type ChildSettings } from './agent_pool.js';
import { ListenKeeper } from './listen_keeper.js';
import { createMasterLog } from './master_log.js';
import type { ClusterOptions } from './options.js';
import type { ListenAddress } from './protocol.js';
import { Relay } from './relay.js';
import { closeTimeout } from './terminate.js';
import { type WorkerInfo, WorkerPool } from './worker_pool.js';

type MasterState = 'starting' | 'ready' | 'closing' | 'closed';

export interface ReloadOptions {
  /** Whether the Agent is replaced too; default true. */
  agent?: boolean;
}

interface Reload {
  agent: boolean;
  done: Promise<void>;
}

/** What `startCluster` resolves with. */
export interface ClusterHandle {
  /** e.g. `http://127.0.0.1:7001`, or the path of a unix socket. */
  readonly address: string;
  /** Pids of all processes. */
  readonly pids: { master: number; agent: number | undefined; workers: number[] };
  /**
   * Replaces the Agent, unless `agent` is false, and all app workers without an interruption; rejects when the new
   * code does not boot. A call during a reload is answered by one more reload after it.
   */
  reload(options?: ReloadOptions): Promise<void>;
  /** Ends app workers, then the Agent. */
  close(): Promise<void>;
}

/** The first process: forks and supervises the others and passes messages on. Loads no code of the app. */
export class Master implements ClusterHandle {
  readonly #options: ClusterOptions;
  readonly #log = createMasterLog();
  readonly #keeper = new ListenKeeper();
  readonly #begin = Date.now();
  readonly #agents: AgentPool;
  readonly #workers: WorkerPool;
  readonly #relay: Relay;
  readonly #frameworkName: string;
  #state: MasterState = 'starting';
  #listening: ListenAddress | undefined;
  #running: Promise<void> | undefined;
  #queued: Reload | undefined;
  #closing: Promise<void> | undefined;
  readonly #onReady: () => void;
  /** Resolves when every process is ready. */
  readonly ready: Promise<void>;

  constructor(options: ClusterOptions, framework: { name: string; entry: string }, clusterPort: number) {
    this.#options = options;
    this.#frameworkName = framework.name;
    const { execArgv = process.execArgv, require, pidFile, ...rest } = options;
    const settings = (kind: 'app' | 'agent'): ChildSettings => ({
      execArgv,
      prepare: { framework: framework.entry, require },
      boot: { options: { ...rest, require, clusterPort }, closeTimeout: closeTimeout(kind) },
    });
    this.#agents = new AgentPool(settings('agent'));
    this.#workers = new WorkerPool(settings('app'), options.workers);
    this.#relay = new Relay(this.#agents, this.#workers, this.#log);
    let onReady = (): void => undefined;
    this.ready = new Promise((resolve) => {
      onReady = resolve;
    });
    this.#onReady = onReady;
  }

  /** Picks the port for Leader and Followers, then forks. */
  static async start(options: ClusterOptions, framework: { name: string; entry: string }): Promise<Master> {
    const clusterPort = await detect();
    // Port 0 is chosen here once, so that a replacement listens where the first worker did.
    const port = options.port === 0 ? await detect(clusterPort + 1) : options.port;
    const master = new Master({ ...options, port }, framework, clusterPort);
    master.#start();
    await master.ready;
    return master;
  }

  #start(): void {
    this.#handleSignals();
    this.#writePidFile();
    process.on('message', (message) => this.#relay.route(message, 'parent'));
    this.#agents.on('message', (message) => this.#relay.route(message, 'agent'));
    this.#agents.on('ready', (agent) => this.#onAgentReady(agent.pid as number));
    this.#agents.on('died', (_agent, reason, delay) => this.#onAgentDeath(reason, delay));
    this.#workers.on('message', (message) => this.#relay.route(message, 'app'));
    this.#workers.on('ready', (info, address) => this.#onWorkerReady(info, address));
    this.#workers.on('died', (info, reason, delay) => this.#onWorkerDeath(info, reason, delay));
    this.#workers.on('exit', () => this.#sendPids());
    this.#agents.start().catch((error: Error) => {
      if (this.#state === 'starting') this.#failBoot(`the Agent did not start: ${error.message}`);
    });
    this.#workers.start();
  }

  #onAgentReady(pid: number): void {
    if (this.#state === 'starting') {
      this.#workers.release();
      return;
    }
    this.#log.info(`Agent ${pid} is ready`);
    this.#relay.send({ action: 'egg-pids', data: [pid], to: 'app', from: 'master' });
    this.#relay.send({ action: 'agent-start', to: 'app', from: 'master' });
    this.#sendReady({ receiverPid: String(pid) });
    this.#sendPids();
  }

  #onAgentDeath(reason: string, delay: number): void {
    if (this.#state === 'starting') {
      this.#failBoot(`the Agent died: ${reason}`);
      return;
    }
    this.#log.error(`the Agent died and is replaced in ${delay} ms: ${reason}`);
    this.#relay.send({ action: 'egg-pids', data: [], to: 'app', from: 'master' });
    this.#relay.send({ action: 'agent-worker-died', to: 'parent', from: 'master' });
  }

  #onWorkerReady(info: WorkerInfo, address: ListenAddress): void {
    this.#listening = address;
    this.#relay.send({
      action: 'egg-pids',
      data: [this.#agents.current?.pid],
      receiverPid: String(info.pid),
      from: 'master',
    });
    this.#sendPids();
    if (this.#state === 'ready') {
      this.#log.info(`app worker ${info.pid} is ready`);
      this.#sendReady({ receiverPid: String(info.pid) });
      return;
    }
    if (this.#state === 'starting' && this.#workers.ready.length === this.#options.workers) this.#becomeReady();
  }

  #becomeReady(): void {
    this.#state = 'ready';
    const { address, port, protocol } = this.#listening as ListenAddress;
    this.#log.info(`${this.#frameworkName} started on ${this.address} (${Date.now() - this.#begin} ms)`);
    this.#relay.send({
      action: 'egg-ready',
      data: { port, address: this.address, protocol, host: address },
      to: 'parent',
      from: 'master',
    });
    this.#sendReady({ to: 'app' });
    this.#sendReady({ to: 'agent' });
    this.#onReady();
  }

  #sendReady(target: { to?: string; receiverPid?: string }): void {
    const { https: _, ...options } = this.#options;
    this.#relay.send({ action: 'egg-ready', data: options, from: 'master', ...target });
  }

  #sendPids(): void {
    if (!this.#agents.current) return;
    const data = this.#workers.ready.map(({ pid }) => pid);
    this.#relay.send({ action: 'egg-pids', data, to: 'agent', from: 'master' });
  }

  #onWorkerDeath(info: WorkerInfo, reason: string, delay: number): void {
    if (this.#state === 'starting') {
      this.#failBoot(`app worker ${info.pid} did not start: ${reason}`);
      return;
    }
    this.#log.error(`app worker ${info.pid} died and is replaced in ${delay} ms: ${reason}`);
    this.#relay.send({ action: 'app-worker-died', to: 'parent', from: 'master' });
  }

  #failBoot(reason: string): void {
    if (this.#state !== 'starting') return;
    this.#log.error(`start failed: ${reason}`);
    void this.close().then(() => process.exit(1));
  }

  #handleSignals(): void {
    for (const signal of ['SIGTERM', 'SIGINT', 'SIGQUIT'] as const) {
      process.on(signal, () => {
        if (this.#state === 'closing') return;
        this.#log.info(`received ${signal}, closing`);
        void this.close().then(() => process.exit(0));
      });
    }
    process.on('SIGHUP', () => {
      this.#log.info('received SIGHUP, reloading');
      // The outcome is logged by reload itself.
      this.reload().catch(() => undefined);
    });
    process.on('uncaughtException', (error) => this.#log.error(`uncaughtException: ${error.stack}`));
  }

  #writePidFile(): void {
    const { pidFile } = this.#options;
    if (!pidFile) return;
    mkdirSync(path.dirname(pidFile), { recursive: true });
    writeFileSync(pidFile, String(process.pid), { mode: 0o600 });
    process.once('exit', () => rmSync(pidFile, { force: true }));
  }

  get address(): string {
    if (!this.#listening) return '';
    const { address, port, protocol } = this.#listening;
    return port === undefined ? address : `${protocol}://${displayHost(address)}:${port}`;
  }

  get pids(): ClusterHandle['pids'] {
    return {
      master: process.pid,
      agent: this.#agents.current?.pid,
      workers: this.#workers.ready.map(({ pid }) => pid),
    };
  }

  reload({ agent = true }: ReloadOptions = {}): Promise<void> {
    if (this.#queued) {
      this.#queued.agent ||= agent;
      return this.#queued.done;
    }
    const next: Reload = { agent, done: Promise.resolve() };
    next.done = (this.#running ?? Promise.resolve())
      .catch(() => undefined)
      .then(() => {
        this.#queued = undefined;
        this.#running = this.#reload(next.agent);
        return this.#running;
      });
    this.#queued = next;
    return next.done;
  }

  async #reload(agent: boolean): Promise<void> {
    const begin = Date.now();
    try {
      if (agent) await this.#agents.start();
      await this.#workers.reload();
      this.#log.info(`reloaded (${Date.now() - begin} ms)`);
    } catch (error) {
      this.#log.error(`reload failed, the old processes stay: ${(error as Error).message}`);
      throw error;
    }
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    this.#state = 'closing';
    this.#keeper.release();
    this.#agents.stopReplacing();
    await this.#workers.close();
    await this.#agents.close();
    this.#state = 'closed';
    this.#log.info('closed');
  }
}

function displayHost(address: string): string {
  const host = process.env['HOST'];
  if (host && host !== '0.0.0.0') return host;
  if (address === '::' || address === '0.0.0.0') return '127.0.0.1';
  return address.includes(':') ? `[${address}]` : address;
}
