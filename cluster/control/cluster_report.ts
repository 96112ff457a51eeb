import type { AgentPool } from '../supervise/agent_pool.js';
import type { WorkerPool } from '../supervise/worker_pool.js';
import type { AdminSource } from './admin.js';
import { addRequests, noRequests } from './metrics.js';
import { type ClusterStatus, childStatus, type MasterState, masterStatus } from './status.js';

interface MasterFacts {
  state: MasterState;
  address: string;
  baseDir: string;
}

/** What can be told about the whole cluster: for `status()`, the control socket and the admin listener. */
export class ClusterReport implements AdminSource {
  readonly #agents: AgentPool;
  readonly #workers: WorkerPool;
  readonly #master: () => MasterFacts;
  readonly #begin = Date.now();
  /** Of workers that have ended. */
  #ended = noRequests();

  constructor(agents: AgentPool, workers: WorkerPool, master: () => MasterFacts) {
    this.#agents = agents;
    this.#workers = workers;
    this.#master = master;
    workers.on('exit', ({ stats }) => {
      this.#ended = addRequests(this.#ended, stats);
    });
  }

  isReady(): boolean {
    return this.#master().state === 'ready' && this.#workers.ready.length > 0;
  }

  status(): ClusterStatus {
    const { state, address, baseDir } = this.#master();
    return {
      state,
      address,
      baseDir,
      workers: this.#workers.slots.length,
      processes: [
        masterStatus(state, this.#begin),
        ...this.#agents.all.map((info) => childStatus('agent', info)),
        ...this.#workers.all.map((info) => childStatus('app worker', info)),
      ],
    };
  }

  requests(): ReturnType<AdminSource['requests']> {
    return this.#workers.all.reduce((sum, { stats }) => addRequests(sum, stats), this.#ended);
  }

  restarts(): ReturnType<AdminSource['restarts']> {
    return {
      agent: this.#agents.slot.restarts,
      worker: this.#workers.slots.reduce((sum, { restarts }) => sum + restarts, 0),
    };
  }

  heapUsed(): ReturnType<AdminSource['heapUsed']> {
    return [
      { kind: 'master', pid: process.pid, bytes: process.memoryUsage().heapUsed },
      ...this.#agents.all.map(({ id, stats }) => ({ kind: 'agent', pid: id, bytes: stats?.heapUsed ?? 0 })),
      ...this.#workers.all.map(({ id, stats }) => ({ kind: 'app worker', pid: id, bytes: stats?.heapUsed ?? 0 })),
    ];
  }
}
