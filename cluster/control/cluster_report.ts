import { usedHeap } from '../protocol/memory.js';
import type { ProcessStats } from '../protocol/protocol.js';
import type { ChildKind } from '../supervise/managed_child.js';
import type { LastReload } from '../supervise/rolling_restart.js';
import type { Supervisor } from '../supervise/supervisor.js';
import { addRequests, type MetricsSource, noRequests } from './metrics.js';
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
export class ClusterReport implements MetricsSource {
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

  /** Whether the service takes requests. */
  isReady(): boolean {
    const { state, needed } = this.#master();
    return state === 'ready' && this.#workers.ready.length >= needed;
  }

  /** Whether the cluster has been ready once. */
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

  /** Of the processes that have sent one. */
  heartbeats(): Heartbeat[] {
    return [...this.#agents.all, ...this.#workers.all].flatMap(({ kind, id, stats, lastBeat = 0, cpuPercent }) =>
      stats ? [{ kind, pid: id, at: lastBeat, stats, cpu: cpuPercent }] : [],
    );
  }

  /** Calls `listener` when a process is started, ready or gone. @returns what stops that */
  onChange(listener: () => void): () => void {
    const supervisors = [this.#agents, this.#workers];
    const events = ['forked', 'ready', 'exit'] as const;
    for (const supervisor of supervisors) for (const event of events) supervisor.on(event, listener);
    return () => {
      for (const supervisor of supervisors) for (const event of events) supervisor.off(event, listener);
    };
  }

  requests(): ReturnType<MetricsSource['requests']> {
    return this.#workers.all.reduce((sum, { stats }) => addRequests(sum, stats), this.#ended);
  }

  restarts(): ReturnType<MetricsSource['restarts']> {
    return {
      agent: this.#agents.restarts,
      worker: this.#workers.restarts,
    };
  }

  deaths(): ReadonlyMap<string, number> {
    return this.#master().deaths;
  }

  heapUsed(): ReturnType<MetricsSource['heapUsed']> {
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

/** What a process has reported last. */
export interface Heartbeat {
  kind: ChildKind;
  pid: number;
  /** When, in milliseconds since the epoch. */
  at: number;
  stats: ProcessStats;
  /** Percent of one CPU between this heartbeat and the one before. */
  cpu: number;
}

function statuses({ kind, all, slots }: Supervisor): ProcessStatus[] {
  const backoffs = slots.flatMap((slot) =>
    slot.retryAt === undefined ? [] : [backoffStatus(kind, slot, slot.retryAt)],
  );
  return [...all.map(childStatus), ...backoffs];
}
