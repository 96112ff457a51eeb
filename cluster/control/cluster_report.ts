import { CONTROL } from '../../ipc/message.js';
import { ChildTotals } from '../metrics/child_totals.js';
import type { MessageCounts } from '../metrics/message_counts.js';
import { type RouteTotal, RouteTotals } from '../metrics/route_totals.js';
import { SlowRequests } from '../metrics/slow_requests.js';
import { usedHeap } from '../protocol/memory.js';
import type { ProcessStats } from '../protocol/protocol.js';
import type { ChildKind, ManagedChild } from '../supervise/managed_child.js';
import type { LastReload, RollingRestart } from '../supervise/rolling_restart.js';
import type { Supervisor } from '../supervise/supervisor.js';
import type { MetricsSource, Reading } from './metric.js';
import {
  backoffStatus,
  type ClusterStatus,
  childStatus,
  type MasterState,
  masterStatus,
  type ProcessStatus,
} from './status.js';

/** What is read of the Master's relay. */
interface MessageRelay {
  counts: MessageCounts;
  pendingRequests: number;
  /** Messages that could not be delivered and that no living process has sent. */
  undeliveredMessages: number;
}

interface MasterFacts {
  state: MasterState;
  address: string;
  baseDir: string;
  /** App workers below which the service is not ready. */
  needed: number;
  deaths: ReadonlyMap<string, number>;
  relay: MessageRelay;
  restarts: RollingRestart;
  waitingConnections: number;
  /** Those that can be changed, as they are now. */
  options: Readonly<Record<string, number>>;
}

/** The state of the whole cluster, for `status()`, the control socket and the admin listener. */
export class ClusterReport implements MetricsSource {
  readonly #agents: Supervisor;
  readonly #workers: Supervisor;
  readonly #master: () => MasterFacts;
  readonly #begin = Date.now();
  readonly ended = new ChildTotals();
  readonly #routes = new RouteTotals();
  readonly slowRequests: SlowRequests;
  /** Of the requests that ended between the last two heartbeats of a worker: how many took how long, by bucket. */
  readonly #latency = new WeakMap<ManagedChild, number[]>();

  constructor(agents: Supervisor, workers: Supervisor, master: () => MasterFacts) {
    this.#agents = agents;
    this.#workers = workers;
    this.#master = master;
    for (const supervisor of [agents, workers]) {
      supervisor.on('exit', (child) => this.ended.add(child));
    }
    this.slowRequests = new SlowRequests((isWatched) => {
      for (const { handle } of workers.all) handle.send({ clutch: CONTROL.watch, data: isWatched });
    });
    workers.on('ready', ({ handle }) => {
      if (this.slowRequests.isWatched) handle.send({ clutch: CONTROL.watch, data: true });
    });
    workers.on('beat', (worker) => {
      this.#latency.set(worker, this.#routes.add(worker, worker.stats?.routes));
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
    const { state, address, baseDir, relay, options } = this.#master();
    const { lines, messages } = this.ended;
    const { lastReload } = this;
    return {
      state,
      address,
      baseDir,
      workers: this.#workers.slots.length,
      served: this.#routes.served,
      ...(lastReload && { lastReload }),
      options: { ...options, workers: this.#workers.slots.length },
      processes: [
        masterStatus(state, this.#begin, { lines, messages: messages + relay.undeliveredMessages }),
        ...statuses(this.#agents, options),
        ...statuses(this.#workers, options),
      ],
    };
  }

  /** Of the processes that have sent one. */
  heartbeats(): Heartbeat[] {
    return [...this.#agents.all, ...this.#workers.all].flatMap((child) => {
      const { kind, id, stats, lastBeat = 0, cpuPercent } = child;
      const latency = this.#latency.get(child) ?? [];
      return stats ? [{ kind, pid: id, at: lastBeat, stats, latency, cpu: cpuPercent }] : [];
    });
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

  routes(): Iterable<RouteTotal> {
    return this.#routes.all;
  }

  get messages(): MessageCounts {
    return this.#master().relay.counts;
  }

  get pendingRequests(): number {
    return this.#master().relay.pendingRequests;
  }

  get waitingConnections(): number {
    return this.#master().waitingConnections;
  }

  get reloads(): RollingRestart['reloads'] {
    return this.#master().restarts.reloads;
  }

  get lastReload(): LastReload | undefined {
    return this.#master().restarts.last;
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

  readings(): Reading[] {
    const { user, system } = process.cpuUsage();
    return [
      { kind: 'master', pid: process.pid, heapUsed: usedHeap(), cpu: (user + system) / 1000 },
      ...[...this.#agents.all, ...this.#workers.all].map(({ kind, id, stats, handle }) => ({
        kind,
        pid: id,
        heapUsed: stats?.heapUsed ?? 0,
        cpu: stats?.cpu ?? 0,
        utilisation: stats?.utilisation ?? 0,
        queued: handle.queuedBytes,
        dropped: stats?.droppedMessages ?? 0,
        ...(stats?.gc ? { gc: stats.gc } : {}),
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
  /** Of the requests that ended between this heartbeat and the one before: how many took how long, by bucket. */
  latency: readonly number[];
  /** Percent of one CPU between this heartbeat and the one before. */
  cpu: number;
}

function statuses({ kind, all, slots }: Supervisor, options: Readonly<Record<string, number>>): ProcessStatus[] {
  const backoffs = slots.flatMap((slot) =>
    slot.retryAt === undefined ? [] : [backoffStatus(kind, slot, slot.retryAt)],
  );
  return [...all.map((child) => childStatus(child, options)), ...backoffs];
}
