import type { ProcessStats } from '../protocol/protocol.js';
import { heartbeatInterval } from '../protocol/protocol.js';
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
  /** @param silent milliseconds since the last heartbeat */
  onHang(child: ManagedChild, silent: number): void;
  onLimit(worker: ManagedChild, reason: string): void;
  onTick(): void;
}

/** Loading an app blocks the event loop for long: a child that boots may be silent for so many times the limit. */
const BOOT_FACTOR = 4;
/** Milliseconds between two reports of the same worker, which stays over a limit if its replacement does not boot. */
const REPORT_PAUSE = 60_000;

/** Looks at the heartbeats: finds children that have stopped sending them, and workers that are over a limit. */
export class Watchdog {
  readonly #limits: WatchdogLimits;
  readonly #children: () => ManagedChild[];
  readonly #listener: WatchdogListener;
  /** When a worker was last reported to be over a limit. */
  readonly #reported = new WeakMap<ManagedChild, number>();
  #timer: NodeJS.Timeout | undefined;
  #lastTick = Date.now();

  constructor(limits: WatchdogLimits, children: () => ManagedChild[], listener: WatchdogListener) {
    this.#limits = limits;
    this.#children = children;
    this.#listener = listener;
  }

  /** @returns the value that it had */
  setLimit(name: keyof WatchdogLimits, value: number): number {
    const before = this.#limits[name];
    this.#limits[name] = value;
    return before;
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
    // If the Master itself did not run, as when the machine slept, no heartbeat could come meanwhile.
    const pause = now - this.#lastTick - interval;
    this.#lastTick = now;
    for (const child of this.#children()) {
      if (pause > interval && child.lastBeat !== undefined) child.lastBeat += pause;
      if (!this.#checkHeartbeat(child, now)) this.#checkLimits(child, now);
    }
    this.#listener.onTick();
  }

  /** @returns whether the child is to be killed */
  #checkHeartbeat(child: ManagedChild, now: number): boolean {
    const { hangTimeout } = this.#limits;
    if (hangTimeout === 0 || child.lastBeat === undefined || child.killReason) return false;
    const boots = child.state === 'starting' || child.state === 'candidate';
    const limit = boots ? hangTimeout * BOOT_FACTOR : hangTimeout;
    const silent = now - child.lastBeat;
    if (silent <= limit) return false;
    child.killReason = `its event loop was blocked for more than ${limit} ms (hangTimeout)`;
    this.#listener.onHang(child, silent);
    return true;
  }

  #checkLimits(child: ManagedChild, now: number): void {
    const reason = child.state === 'ready' && child.stats && this.#overLimit(child.stats);
    if (!reason || now - (this.#reported.get(child) ?? 0) < REPORT_PAUSE) return;
    this.#reported.set(child, now);
    this.#listener.onLimit(child, reason);
  }

  #overLimit({ rss, requests }: ProcessStats): string | undefined {
    const { maxMemory, maxRequests } = this.#limits;
    const mebibytes = Math.round(rss / 1024 / 1024);
    if (maxMemory > 0 && mebibytes > maxMemory) return `it uses ${mebibytes} MiB, more than maxMemory (${maxMemory})`;
    if (maxRequests > 0 && requests >= maxRequests) return `it has served maxRequests (${requests})`;
    return undefined;
  }
}
