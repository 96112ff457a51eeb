import cluster, { type Worker } from 'node:cluster';
import { EventEmitter } from 'node:events';
import { fileURLToPath } from 'node:url';
import { cfork, setDisableRefork } from 'cfork';
import type { ChildSettings } from './agent_pool.js';
import { Backoff } from './backoff.js';
import { type Handoff, Handoffs } from './handoff.js';
import { CONTROL, type ErrorData, type ListenAddress, type Message } from './protocol.js';
import { terminate } from './terminate.js';

const ENTRY = fileURLToPath(new URL('app_worker.js', import.meta.url));

/**
 * `starting → ready → draining → exited`; a worker may exit from each. One that a reload has forked is on `trial`
 * instead of `starting`: its death is for the reload to judge.
 */
type WorkerState = 'starting' | 'trial' | 'ready' | 'draining';

export interface WorkerInfo {
  worker: Worker;
  pid: number;
  state: WorkerState;
  /** Messages that wait until it listens; undefined from then on. */
  early: Message[] | undefined;
  handoffs: Handoffs;
  /** When it was forked, in milliseconds since the epoch. */
  born: number;
  failure?: ErrorData;
}

interface Events {
  message: [message: Message, info: WorkerInfo];
  ready: [info: WorkerInfo, address: ListenAddress];
  /** It died unasked; `delay` is the time until it is replaced, in milliseconds. */
  died: [info: WorkerInfo, reason: string, delay: number];
  exit: [info: WorkerInfo, reason: string];
}

/** Forks app workers through cfork and keeps their number. */
export class WorkerPool extends EventEmitter<Events> {
  readonly #settings: ChildSettings;
  readonly #count: number;
  readonly #workers = new Map<number, WorkerInfo>();
  readonly #backoff = new Backoff();
  readonly #orphans: Handoff[] = [];
  readonly #timers = new Set<NodeJS.Timeout>();
  /** App code may run from the first `agent-start` on. */
  #released = false;
  #closing = false;

  constructor(settings: ChildSettings, count: number) {
    super();
    this.#settings = settings;
    this.#count = count;
  }

  get all(): WorkerInfo[] {
    return [...this.#workers.values()];
  }

  get ready(): WorkerInfo[] {
    return this.all.filter(({ state }) => state === 'ready');
  }

  /** Forks all workers; they import the framework and wait until `release`. */
  start(): void {
    cluster.on('fork', (worker) => {
      if (!this.#workers.has(worker.id)) this.#onFork(worker);
    });
    cluster.on('exit', (worker, code, signal) => this.#onExit(worker, code, signal));
    // cfork replaces a worker that was ready at once; how fast others are replaced is decided here.
    cfork({
      exec: ENTRY,
      execArgv: this.#settings.execArgv,
      args: [],
      count: this.#count,
      limit: Number.MAX_SAFE_INTEGER,
      windowsHide: true,
    });
    cluster.on('unexpectedExit', () => undefined);
  }

  /** Lets the workers load the app. */
  release(): void {
    if (this.#released) return;
    this.#released = true;
    for (const info of this.all) this.#boot(info);
  }

  #onFork(worker: Worker): void {
    const info: WorkerInfo = {
      worker,
      pid: worker.process.pid as number,
      state: 'starting',
      early: [],
      handoffs: new Handoffs(worker),
      born: Date.now(),
    };
    this.#workers.set(worker.id, info);
    setDisableRefork(worker, true);
    worker.on('error', () => undefined);
    worker.on('message', (message: Message) => this.#onMessage(info, message));
    this.post(info, { action: CONTROL.prepare, data: this.#settings.prepare });
    if (this.#released) this.#boot(info);
  }

  #boot(info: WorkerInfo): void {
    this.post(info, { action: CONTROL.boot, data: this.#settings.boot });
  }

  /** Sends a message to a worker; one that does not listen yet gets it when it does. */
  post(info: WorkerInfo, message: Message): void {
    if (info.early) info.early.push(message);
    // A channel that has just closed is no error of the Master: the exit of the worker is handled on its own.
    else if (info.worker.isConnected()) info.worker.process.send(message, undefined, undefined, () => undefined);
  }

  #onMessage(info: WorkerInfo, message: Message): void {
    if (message?.action === CONTROL.hello) {
      const early = info.early ?? [];
      info.early = undefined;
      for (const kept of early) this.post(info, kept);
    } else if (message?.action === CONTROL.bootError) {
      info.failure = message.data as ErrorData;
    } else if (message?.action === CONTROL.leaving) {
      this.#replaceLeaving(info, message.data as ErrorData);
    } else if (message?.action === 'app-start') {
      info.state = 'ready';
      info.handoffs.give(this.#orphans.splice(0));
      setDisableRefork(info.worker, this.#closing || this.#backoff.active);
      this.emit('ready', info, message.data as ListenAddress);
    } else {
      this.emit('message', message, info);
    }
  }

  /** A worker that threw drains by itself; its replacement starts now. */
  #replaceLeaving(info: WorkerInfo, error: ErrorData): void {
    if (info.state !== 'ready') return;
    info.failure = error;
    info.state = 'draining';
    setDisableRefork(info.worker, true);
    this.#replace(info, `uncaughtException: ${error.message}`, false);
  }

  #onExit(worker: Worker, code: number | null, signal: string | null): void {
    const info = this.#workers.get(worker.id);
    if (!info) return;
    this.#workers.delete(worker.id);
    this.#rescue(info);
    const reason = info.failure?.stack ?? `exited with code ${code}, signal ${signal}`;
    this.emit('exit', info, reason);
    // A draining worker was asked to leave, or is replaced already.
    if (info.state === 'draining' || info.state === 'trial') return;
    const cforkReplacesIt = info.state === 'ready' && !this.#backoff.active;
    this.#replace(info, reason, cforkReplacesIt);
  }

  /** Connections that the dead worker had not taken go to the others, or wait for the next one. */
  #rescue({ handoffs }: WorkerInfo): void {
    const others = this.ready;
    for (const [index, handoff] of handoffs.takeBack().entries()) {
      const heir = others[index % others.length];
      if (heir) heir.handoffs.give([handoff]);
      else if (this.#closing) handoff.handle.close();
      else this.#orphans.push(handoff);
    }
  }

  #replace(info: WorkerInfo, reason: string, cforkReplacesIt: boolean): void {
    if (this.#closing) return;
    const delay = this.#backoff.delayAfter(Date.now() - info.born);
    // From now on deaths are answered here and not by cfork, which knows no delay.
    if (this.#backoff.active) for (const { worker } of this.all) setDisableRefork(worker, true);
    this.emit('died', info, reason, delay);
    if (cforkReplacesIt || this.#closing) return;
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      if (!this.#closing) cluster.fork();
    }, delay);
    this.#timers.add(timer);
  }

  /**
   * Replaces every worker, one after the other: the new one is ready before the old one drains.
   *
   * @throws when a new worker fails to boot; the old ones stay
   */
  async reload(): Promise<void> {
    for (const old of this.ready) {
      if (this.#closing) return;
      await this.#forkOne();
      this.#retire(old);
    }
  }

  #forkOne(): Promise<WorkerInfo> {
    const worker = cluster.fork();
    const info = this.#workers.get(worker.id) ?? this.#adopt(worker);
    info.state = 'trial';
    return new Promise((resolve, reject) => {
      const onReady = (ready: WorkerInfo): void => {
        if (ready === info) settle(() => resolve(info));
      };
      const onExit = (exited: WorkerInfo, reason: string): void => {
        if (exited === info) settle(() => reject(new Error(reason)));
      };
      const settle = (finish: () => void): void => {
        this.off('ready', onReady);
        this.off('exit', onExit);
        finish();
      };
      this.on('ready', onReady);
      this.on('exit', onExit);
    });
  }

  /** `fork` is emitted on the next tick; the table must know the worker before. */
  #adopt(worker: Worker): WorkerInfo {
    this.#onFork(worker);
    return this.#workers.get(worker.id) as WorkerInfo;
  }

  #retire(info: WorkerInfo): void {
    info.state = 'draining';
    setDisableRefork(info.worker, true);
    void terminate(info.worker.process, this.#settings.boot.closeTimeout);
  }

  /** Ends every worker. */
  async close(): Promise<void> {
    this.#closing = true;
    for (const timer of this.#timers) clearTimeout(timer);
    const leaving = this.all.map((info) => {
      info.state = 'draining';
      setDisableRefork(info.worker, true);
      return terminate(info.worker.process, this.#settings.boot.closeTimeout);
    });
    await Promise.all(leaving);
  }
}
