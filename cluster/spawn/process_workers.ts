import cluster, { type Worker } from 'node:cluster';
import { createRequire } from 'node:module';
import type { Socket } from 'node:net';
import { fileURLToPath } from 'node:url';
import type { Message } from '../../ipc/message.js';
import { type Handoff, Handoffs } from '../listen/handoff.js';
import { ListenKeeper } from '../listen/listen_keeper.js';
import { type Child, ProcessChild } from './child_handle.js';
import type { WorkerSource, WorkerSourceListener } from './worker_source.js';

const require = createRequire(import.meta.url);
const ENTRY = fileURLToPath(new URL('../worker/app_worker.js', import.meta.url));

interface Forked {
  child: Child;
  worker: Worker;
  handoffs: Handoffs;
  replaced: boolean;
}

/** App workers as processes of Node's cluster, forked and replaced through cfork. */
export class ProcessWorkers implements WorkerSource {
  readonly exclusive = false;
  readonly #execArgv: string[];
  readonly #keeper = new ListenKeeper();
  readonly #byWorker = new Map<number, Forked>();
  readonly #byChild = new Map<Child, Forked>();
  readonly #orphans: Handoff[] = [];
  /** Whether cfork is there to replace workers. */
  #replaces = false;
  #closing = false;

  /** @param shared whether the kernel chooses who accepts, instead of the Master in turn */
  constructor(execArgv: string[], shared: boolean) {
    this.#execArgv = execArgv;
    cluster.schedulingPolicy = shared ? cluster.SCHED_NONE : cluster.SCHED_RR;
  }

  start(count: number, { onFork, onLost }: WorkerSourceListener): void {
    cluster.on('fork', (worker) => {
      if (!this.#byWorker.has(worker.id)) onFork(this.#adopt(worker));
    });
    cluster.on('disconnect', (worker) => {
      const forked = this.#byWorker.get(worker.id);
      if (forked?.replaced && !worker.isDead()) onLost(forked.child);
    });
    cluster.setupPrimary({ exec: ENTRY, execArgv: this.#execArgv, args: [], windowsHide: true });
    for (let index = 0; index < count; index += 1) onFork(this.fork(index));
  }

  /**
   * With the first death, since cfork and what it loads is as large as the rest of the Master's code: workers that become ready
   * from then on are replaced by it.
   */
  #loadReplacing(): void {
    if (this.#replaces || this.#closing) return;
    const { cfork } = require('cfork') as typeof import('cfork');
    withoutConsole(['disconnect', 'exit'], () => {
      // How fast a worker is replaced is decided by the backoff of its slot.
      cfork({ count: 0, limit: Number.MAX_SAFE_INTEGER });
    });
    cluster.on('unexpectedExit', () => undefined);
    this.#replaces = true;
  }

  fork(index: number): Child {
    // `fork` is emitted on the next tick; the table must know the worker before.
    return this.#adopt(cluster.fork({ CFORK_WORKER_INDEX: String(index) }));
  }

  #adopt(worker: Worker): Child {
    const child = new ProcessChild(worker.process);
    const forked: Forked = { child, worker, handoffs: new Handoffs(worker), replaced: false };
    this.#byWorker.set(worker.id, forked);
    this.#byChild.set(child, forked);
    setDisableRefork(worker, true);
    worker.on('error', () => undefined);
    return child;
  }

  /** Hands a connection to a worker; this process keeps it open, too, until the worker has told that it has it. */
  sendSocket(child: Child, message: Message, socket: Socket): void {
    const { process } = (this.#byChild.get(child) as Forked).worker;
    if (process.connected) process.send(message, socket, { keepOpen: true }, () => undefined);
  }

  setReplaced(child: Child, replaced: boolean): void {
    const forked = this.#byChild.get(child);
    if (!forked) return;
    forked.replaced = replaced && this.#replaces;
    setDisableRefork(forked.worker, !forked.replaced);
  }

  isReplaced(child: Child): boolean {
    return this.#byChild.get(child)?.replaced ?? false;
  }

  onReady(child: Child): void {
    this.#byChild.get(child)?.handoffs.give(this.#orphans.splice(0));
  }

  /** Connections that the dead worker had not taken go to the others, or wait for the next one. */
  onExit(child: Child, heirs: Child[]): void {
    const forked = this.#byChild.get(child);
    if (!forked) return;
    this.#byChild.delete(child);
    this.#byWorker.delete(forked.worker.id);
    setImmediate(() => this.#loadReplacing());
    for (const [index, handoff] of forked.handoffs.takeBack().entries()) {
      const heir = this.#byChild.get(heirs[index % heirs.length] as Child);
      if (heir) heir.handoffs.give([handoff]);
      else if (this.#closing) handoff.handle.close();
      else this.#orphans.push(handoff);
    }
  }

  close(): void {
    this.#closing = true;
    this.#keeper.release();
    for (const { handle } of this.#orphans.splice(0)) handle.close();
  }
}

type Listener = (...args: unknown[]) => unknown;

/**
 * cfork writes about every death to the console in a format of its own, which the Master's log tells already:
 * the listeners that it adds while `install` runs are given a silent console.
 */
function withoutConsole(events: string[], install: () => void): void {
  const before = new Map(events.map((event) => [event, new Set(cluster.listeners(event))]));
  install();
  for (const event of events) {
    for (const listener of cluster.listeners(event) as Listener[]) {
      if (before.get(event)?.has(listener)) continue;
      cluster.off(event, listener);
      cluster.on(event, (...args) => silently(() => listener(...args)));
    }
  }
}

/** The mark that cfork looks at. */
function setDisableRefork(worker: Worker, disabled: boolean): void {
  Reflect.set(worker, 'disableRefork', disabled);
}

function silently(run: () => void): void {
  const { info, error } = console;
  console.info = console.error = () => undefined;
  try {
    run();
  } finally {
    Object.assign(console, { info, error });
  }
}
