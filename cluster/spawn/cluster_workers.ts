import cluster, { type Worker } from 'node:cluster';
import type { Socket } from 'node:net';
import type { Envelope } from '../../ipc/message.js';
import { leastBusy } from '../listen/choose_worker.js';
import { Dispatcher } from '../listen/dispatcher.js';
import type { InheritedSockets, ListeningSocket } from '../listen/inherited_sockets.js';
import { onNotReceived } from '../listen/node_cluster.js';
import { SharedSockets } from '../listen/shared_sockets.js';
import type { WorkerLoad } from '../protocol/protocol.js';
import { CforkAdapter } from './cfork_adapter.js';
import { type Child, ProcessChild } from './child_handle.js';
import type { ChildSource } from './child_source.js';

interface Forked {
  child: Child;
  worker: Worker;
  slot: number;
  /** Takes its replacement, when cfork is to replace it. */
  adopt: ((replacement: Child) => void) | undefined;
}

interface ClusterWorkersOptions {
  entry: string;
  execArgv: string[];
  /** Whether the kernel chooses which worker accepts a connection, instead of the Master in turn. */
  shared: boolean;
  /** Whether the least busy worker gets a connection, instead of the next one. */
  least: boolean;
  /** How many workers are wanted at first. */
  count: number;
  inherited: InheritedSockets;
}

/** App workers as processes of Node's cluster. */
export class ClusterWorkers implements ChildSource {
  readonly exclusive = false;
  readonly #dispatcher: Dispatcher;
  readonly #shared: SharedSockets | undefined;
  readonly #cfork = new CforkAdapter();
  readonly #count: string;
  readonly #byWorker = new Map<number, Forked>();
  readonly #byChild = new Map<Child, Forked>();
  #closing = false;

  constructor({ entry, execArgv, shared, least, count, inherited }: ClusterWorkersOptions) {
    this.#dispatcher = new Dispatcher(inherited, least ? leastBusy : undefined);
    this.#shared = shared ? new SharedSockets(inherited) : undefined;
    this.#count = String(count);
    cluster.schedulingPolicy = shared ? cluster.SCHED_NONE : cluster.SCHED_RR;
    cluster.setupPrimary({ exec: entry, execArgv, args: [], windowsHide: true });
  }

  fork(slot: number): Child {
    return this.#adopt(cluster.fork(this.#environment(slot)), slot).child;
  }

  /** The names are those that cfork has. */
  #environment(slot: number): object {
    return { CFORK_WORKER_INDEX: String(slot), CFORK_WORKER_COUNT: this.#count };
  }

  #adopt(worker: Worker, slot: number): Forked {
    const child = new ProcessChild(worker.process);
    const forked: Forked = { child, worker, slot, adopt: undefined };
    this.#dispatcher.add(worker);
    onNotReceived(worker.process, () => child.emit('socketLost'));
    this.#byWorker.set(worker.id, forked);
    this.#byChild.set(child, forked);
    this.#cfork.setRefork(worker, false);
    worker.on('error', () => undefined);
    return forked;
  }

  setRefork(child: Child, adopt: Forked['adopt']): void {
    const forked = this.#byChild.get(child);
    if (!forked) return;
    forked.adopt = adopt;
    this.#cfork.setRefork(forked.worker, adopt !== undefined);
  }

  /** Sends a connection to a worker. The Master keeps it open as well, until the worker has confirmed that it has it. */
  sendSocket(child: Child, message: Envelope, socket: Socket): void {
    const process = this.#byChild.get(child)?.worker.process;
    if (process?.connected) process.send(message, socket, { keepOpen: true }, () => undefined);
  }

  onDraining(child: Child): void {
    const worker = this.#byChild.get(child)?.worker;
    if (worker) this.#dispatcher.remove(worker);
  }

  onPaused(child: Child, isPaused: boolean): void {
    const worker = this.#byChild.get(child)?.worker;
    if (worker) this.#dispatcher.setPaused(worker, isPaused);
  }

  onLoad(child: Child, load: WorkerLoad): void {
    const worker = this.#byChild.get(child)?.worker;
    if (worker) this.#dispatcher.setLoad(worker, load);
  }

  onExit(child: Child): void {
    const forked = this.#byChild.get(child);
    if (!forked) return;
    this.#byChild.delete(child);
    this.#byWorker.delete(forked.worker.id);
    setImmediate(() => this.#loadCfork());
  }

  #loadCfork(): void {
    if (this.#closing) return;
    this.#cfork.load(
      (replacement, dead) => {
        const forked = this.#byWorker.get(dead.id);
        if (forked) forked.adopt?.(this.#adopt(replacement, forked.slot).child);
      },
      (dead) => this.#environment(this.#byWorker.get(dead.id)?.slot ?? 0),
    );
  }

  /** The listening sockets of the Master. */
  get sockets(): ListeningSocket[] {
    return [...this.#dispatcher.sockets, ...(this.#shared?.sockets ?? [])];
  }

  /** How many connections the Master has accepted and no worker has taken. */
  get waiting(): number {
    return this.#dispatcher.waiting;
  }

  /** Leaves the sockets to another process; resolves when workers have taken what was accepted. */
  async release(): Promise<void> {
    await Promise.all([this.#dispatcher.release(), this.#shared?.release()]);
  }

  close(): void {
    this.#closing = true;
    this.#dispatcher.close();
    this.#shared?.close();
  }
}
