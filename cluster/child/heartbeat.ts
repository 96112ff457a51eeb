import { monitorEventLoopDelay } from 'node:perf_hooks';
import { droppedMessages } from '../../ipc/dropped_messages.js';
import { CONTROL } from '../../ipc/message.js';
import { takeLines } from '../../ipc/recent_lines.js';
import { measureGc } from '../measure/gc_meter.js';
import { heapLimit, residentMemory, usedHeap } from '../protocol/memory.js';
import type { ProcessStats, RequestCounters } from '../protocol/protocol.js';
import type { MasterLink } from './master_link.js';

/** Milliseconds between two samples of the event-loop delay, which each sample includes. */
const RESOLUTION = 20;

/** Reports to the Master at every interval that the event loop runs, and what this process uses. */
export class Heartbeat {
  readonly #link: MasterLink;
  readonly #meter: RequestCounters | undefined;
  readonly #gc = measureGc();
  readonly #delay = monitorEventLoopDelay({ resolution: RESOLUTION });

  readonly #heapLimit = heapLimit();
  #utilised = performance.eventLoopUtilization();

  /** Set once the application is there. */
  lostLines: () => number = () => 0;

  constructor(link: MasterLink, interval: number, meter?: RequestCounters) {
    this.#link = link;
    this.#meter = meter;
    this.#delay.enable();
    setInterval(() => this.beat(), interval).unref();
    this.beat();
  }

  beat(): void {
    this.#link.send({ clutch: CONTROL.stats, data: this.#stats() });
    this.#delay.reset();
  }

  #stats(): ProcessStats {
    const lines = takeLines();
    const before = this.#utilised;
    this.#utilised = performance.eventLoopUtilization();
    const { utilization } = performance.eventLoopUtilization(this.#utilised, before);
    const { user, system } = process.cpuUsage();
    const { requests = 0, errors = 0, inFlight = 0, live = 0, connections = 0 } = this.#meter ?? {};
    const routes = this.#meter?.takeRoutes();
    return {
      rss: residentMemory(),
      heapUsed: usedHeap(),
      heapLimit: this.#heapLimit,
      cpu: (user + system) / 1000,
      utilisation: utilization,
      loopP50: delay(this.#delay.percentile(50)),
      loopP99: delay(this.#delay.percentile(99)),
      requests,
      errors,
      inFlight,
      live,
      connections,
      lostLines: this.lostLines(),
      droppedMessages: droppedMessages(),
      ...(lines.length > 0 ? { lines } : {}),
      ...(routes ? { routes } : {}),
      gc: this.#gc,
    };
  }
}

/** @returns milliseconds, to a tenth */
function delay(nanoseconds: number): number {
  return Math.max(0, Math.round((nanoseconds / 1e6 - RESOLUTION) * 10) / 10);
}
