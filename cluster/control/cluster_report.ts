import { usedHeap } from '../protocol/memory.js';
import type { LastReload } from '../supervise/rolling_restart.js';
import type { Supervisor } from '../supervise/supervisor.js';
import type { AdminSource } from './admin.js';
import { addRequests, noRequests } from './metrics.js';
import {
  backoffStatus,
  type ClusterStatus,
  childStatus,
  type Losses,
  type MasterState,
  masterStatus,
  type ProcessStatus,
} from './status.js';

interface MasterFacts {
  state: MasterState;
  address: string;
  baseDir: string;
  /** Messages that could not be delivered and that no living process has sent. */
  undeliveredMessages: number;
  /** App workers below which the service is not ready. */
  needed: number;
  deaths: ReadonlyMap<string, number>;
  lastReload: LastReload | undefined;
}

/** The state of the whole cluster, for `status()`, the control socket and the admin listener. */
export class ClusterReport implements AdminSource {
  readonly #agents: Supervisor;
  readonly #workers: Supervisor;
  readonly #master: () => MasterFacts;
  readonly #begin = Date.now();
  /** Of processes that have ended. */
  readonly #losses: Losses = { lines: 0, messages: 0 };
  /** Of workers that have ended. */
  #ended = noRequests();

  constructor(agents: Supervisor, workers: Supervisor, master: () => MasterFacts) {
    this.#agents = agents;
    this.#workers = workers;
    this.#master = master;
    for (const supervisor of [agents, workers]) {
      supervisor.on('exit', ({ stats, undeliveredMessages }) => {
        this.#losses.lines += stats?.lostLines ?? 0;
        this.#losses.messages += undeliveredMessages + (stats?.droppedMessages ?? 0);
      });
    }
    workers.on('exit', ({ stats }) => {
      this.#ended = addRequests(this.#ended, stats);
    });
  }

  isReady(): boolean {
    const { state, needed } = this.#master();
    return state === 'ready' && this.#workers.ready.length >= needed;
  }

  hasStarted(): boolean {
    return this.#master().state !== 'starting';
  }

  status(): ClusterStatus {
    const { state, address, baseDir, undeliveredMessages, lastReload } = this.#master();
    const { requests, errors } = this.requests();
    const { lines, messages } = this.#losses;
    return {
      state,
      address,
      baseDir,
      workers: this.#workers.slots.length,
      served: { requests, errors },
      ...(lastReload && { lastReload }),
      processes: [
        masterStatus(state, this.#begin, { lines, messages: messages + undeliveredMessages }),
        ...statuses(this.#agents),
        ...statuses(this.#workers),
      ],
    };
  }

  requests(): ReturnType<AdminSource['requests']> {
    return this.#workers.all.reduce((sum, { stats }) => addRequests(sum, stats), this.#ended);
  }

  restarts(): ReturnType<AdminSource['restarts']> {
    return {
      agent: this.#agents.restarts,
      worker: this.#workers.restarts,
    };
  }

  deaths(): ReadonlyMap<string, number> {
    return this.#master().deaths;
  }

  heapUsed(): ReturnType<AdminSource['heapUsed']> {
    return [
      { kind: 'master', pid: process.pid, bytes: usedHeap() },
      ...[...this.#agents.all, ...this.#workers.all].map(({ kind, id, stats }) => ({
        kind,
        pid: id,
        bytes: stats?.heapUsed ?? 0,
      })),
    ];
  }
}

function statuses({ kind, all, slots }: Supervisor): ProcessStatus[] {
  const backoffs = slots.flatMap((slot) =>
    slot.retryAt === undefined ? [] : [backoffStatus(kind, slot, slot.retryAt)],
  );
  return [...all.map(childStatus), ...backoffs];
}
