import type { AdminSource, Reading } from '../control/metric.js';
import { type ClusterStatus, type MasterState, vitalsStatus } from '../control/status.js';
import { ChildTotals } from '../metrics/child_totals.js';
import { MessageCounts } from '../metrics/message_counts.js';
import { type RouteTotal, RouteTotals } from '../metrics/route_totals.js';
import { residentMemory, usedHeap } from '../protocol/memory.js';
import type { ProcessStats } from '../protocol/protocol.js';
import type { Vitals } from '../protocol/vitals.js';

interface SingleFacts {
  state: MasterState;
  address: string;
  baseDir: string;
  undeliveredMessages: number;
}

/** The state of an app that is one process, for `status()`, the control socket and the admin listener. */
export class SingleReport implements AdminSource {
  readonly #vitals: Vitals;
  readonly #facts: () => SingleFacts;
  readonly #begin = Date.now();
  readonly #routes = new RouteTotals();
  // Messages go from one side to the other directly, and there are no children.
  readonly messages = new MessageCounts();
  readonly ended = new ChildTotals();
  readonly reloads = { done: 0, failed: 0 };
  readonly lastReload = undefined;
  readonly waitingConnections = 0;
  readonly pendingRequests = 0;

  constructor(vitals: Vitals, facts: () => SingleFacts) {
    this.#vitals = vitals;
    this.#facts = facts;
  }

  /** A heartbeat has come. */
  beat({ routes }: ProcessStats): void {
    this.#routes.add(this, routes);
  }

  isReady(): boolean {
    return this.#facts().state === 'ready';
  }

  hasStarted(): boolean {
    return this.#facts().state !== 'starting';
  }

  status(): ClusterStatus {
    const { state, address, baseDir, undeliveredMessages } = this.#facts();
    const only: ClusterStatus['processes'][number] = {
      kind: 'single',
      pid: process.pid,
      state,
      uptime: Math.round((Date.now() - this.#begin) / 100) / 10,
      restarts: 0,
      memory: Math.round((residentMemory() / 1024 / 1024) * 10) / 10,
      undeliveredMessages: undeliveredMessages + (this.#vitals.stats?.droppedMessages ?? 0),
      ...vitalsStatus(this.#vitals, { serves: true }),
    };
    return { state, address, baseDir, workers: 0, options: {}, served: this.#routes.served, processes: [only] };
  }

  routes(): Iterable<RouteTotal> {
    return this.#routes.all;
  }

  restarts(): ReturnType<AdminSource['restarts']> {
    return { agent: 0, worker: 0 };
  }

  deaths(): ReadonlyMap<string, number> {
    return new Map();
  }

  readings(): Reading[] {
    const { user, system } = process.cpuUsage();
    const { utilisation = 0, gc } = this.#vitals.stats ?? {};
    const cpu = (user + system) / 1000;
    return [{ kind: 'single', pid: process.pid, heapUsed: usedHeap(), cpu, utilisation, ...(gc ? { gc } : {}) }];
  }
}
