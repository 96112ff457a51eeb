import { heartbeatInterval } from '../protocol/heartbeat_interval.js';
import type { ProcessStats } from '../protocol/protocol.js';
import type { ManagedChild } from './managed_child.js';

export interface WatchdogLimits {
  /** Milliseconds without a heartbeat; 0 turns it off. */
  hangTimeout: number;
  /** MiB; 0 turns it off. */
  maxMemory: number;
  /** 0 turns it off. */
  maxRequests: number;
}

export interface WatchdogListener {
  onHang(process: ManagedChild, silent: number): void;
  onLimit(worker: ManagedChild, reason: string): void;
  onTick(): void;
}

/** Loading an app is one long block of the event loop: a process that boots may be silent for so much longer. */
const BOOT_FACTOR = 4;
/** A process that could not be replaced for its size is looked at again after so many milliseconds. */
const LIMIT_PAUSE = 60_000;

/** Looks at the heartbeats: finds processes that are silent, and workers that have grown too big or old. */
export class Watchdog {
  readonly #limits: WatchdogLimits;
  readonly #processes: () => ManagedChild[];
  readonly #listener: WatchdogListener;
  readonly #told = new WeakMap<ManagedChild, number>();
  #timer: NodeJS.Timeout | undefined;
  #lastTick = Date.now();

  constructor(limits: WatchdogLimits, processes: () => ManagedChild[], listener: WatchdogListener) {
    this.#limits = limits;
    this.#processes = processes;
    this.#listener = listener;
  }

  start(): void {
    this.#timer = setInterval(() => this.#tick(), heartbeatInterval(this.#limits.hangTimeout));
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #tick(): void {
    const now = Date.now();
    const interval = heartbeatInterval(this.#limits.hangTimeout);
    // The Master itself was not running, as when a machine sleeps: the heartbeats of that time could not come.
    const pause = now - this.#lastTick - interval;
    this.#lastTick = now;
    for (const process of this.#processes()) {
      if (pause > interval && process.lastBeat !== undefined) process.lastBeat += pause;
      this.#look(process, now);
    }
    this.#listener.onTick();
  }

  #look(process: ManagedChild, now: number): void {
    const { lastBeat, state, stats } = process;
    const { hangTimeout } = this.#limits;
    if (hangTimeout > 0 && lastBeat !== undefined && !process.killReason) {
      const limit = state === 'starting' || state === 'candidate' ? hangTimeout * BOOT_FACTOR : hangTimeout;
      if (now - lastBeat > limit) {
        process.killReason = `its event loop was blocked for more than ${limit} ms (hangTimeout)`;
        this.#listener.onHang(process, now - lastBeat);
        return;
      }
    }
    const reason = state === 'ready' && stats && this.#overLimit(stats);
    if (!reason || now - (this.#told.get(process) ?? 0) < LIMIT_PAUSE) return;
    this.#told.set(process, now);
    this.#listener.onLimit(process, reason);
  }

  #overLimit({ rss, requests }: ProcessStats): string | undefined {
    const { maxMemory, maxRequests } = this.#limits;
    const mebibytes = Math.round(rss / 1024 / 1024);
    if (maxMemory > 0 && mebibytes > maxMemory) return `it uses ${mebibytes} MiB, more than maxMemory (${maxMemory})`;
    if (maxRequests > 0 && requests >= maxRequests) return `it has served maxRequests (${requests})`;
    return undefined;
  }
}
