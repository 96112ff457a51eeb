import { heartbeatInterval } from '../protocol/protocol.js';
import { type Limits, overHardLimit, overLimit } from './limits.js';
import type { Ending, ManagedChild } from './managed_child.js';

export interface WatchdogLimits extends Limits {
  /** Milliseconds without a heartbeat; 0 turns it off. */
  hangTimeout: number;
}

export interface WatchdogListener {
  /** Whether the children are debugged: one that stops at a breakpoint does not hang. */
  readonly isInspected: boolean;
  /** @param silent milliseconds since the last heartbeat */
  onHang(child: ManagedChild, silent: number): void;
  /** Whether a worker that is over a limit may be replaced now. */
  mayReplace(): boolean;
  /** Replaces a worker. */
  onLimit(worker: ManagedChild, ending: Ending): Promise<void>;
  /** Kills a worker. */
  onHardLimit(worker: ManagedChild, ending: Ending): void;
  onTick(): void;
}

/** Loading an app blocks the event loop for long: a child that boots may be silent for so many times the limit. */
const BOOT_FACTOR = 4;
/** Milliseconds between two reports of the same worker, which stays over a limit if its replacement does not boot. */
const REPORT_PAUSE = 60_000;

/** Looks at the heartbeats: finds children that have stopped sending them, and workers that are over a limit. */
export class Watchdog {
  readonly #limits: Readonly<WatchdogLimits>;
  readonly #children: () => ManagedChild[];
  readonly #listener: WatchdogListener;
  /** When a worker was last reported to be over a limit. */
  readonly #reported = new WeakMap<ManagedChild, number>();
  /** Since when the event-loop delay of a worker has been over the limit. */
  readonly #slowSince = new WeakMap<ManagedChild, number>();
  #isReplacing = false;
  #timer: NodeJS.Timeout | undefined;
  #lastTick = Date.now();

  /** @param limits may change while it runs */
  constructor(limits: Readonly<WatchdogLimits>, children: () => ManagedChild[], listener: WatchdogListener) {
    this.#limits = limits;
    this.#children = children;
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
    if (
      hangTimeout === 0 ||
      this.#listener.isInspected ||
      child.lastBeat === undefined ||
      child.ending?.reason === 'hang'
    )
      return false;
    if (child.pausedUntil > now) {
      child.lastBeat = now;
      return false;
    }
    const boots = child.state === 'starting' || child.state === 'candidate';
    const limit = boots ? hangTimeout * BOOT_FACTOR : hangTimeout;
    const silent = now - child.lastBeat;
    if (silent <= limit) return false;
    child.killFor({ reason: 'hang', text: `its event loop was blocked for more than ${limit} ms (hangTimeout)` });
    this.#listener.onHang(child, silent);
    return true;
  }

  #checkLimits(child: ManagedChild, now: number): void {
    const { stats, state } = child;
    // An Agent cannot be replaced without an interruption.
    if (child.kind !== 'app worker' || !stats) return;
    const hard = child.handle.killed ? undefined : overHardLimit(this.#limits, stats);
    if (hard) {
      this.#listener.onHardLimit(child, hard);
      return;
    }
    if (state !== 'ready') return;
    const { jitter } = child;
    const age = now - child.bootedAt;
    const ending = overLimit(this.#limits, stats, { age, slowFor: this.#slowFor(child, stats.loopP99, now), jitter });
    if (ending) this.replace(child, ending);
  }

  /** @returns for how many milliseconds the event-loop delay of a worker has been over the limit */
  #slowFor(child: ManagedChild, delay: number, now: number): number {
    if (this.#limits.maxLoopDelay === 0 || delay <= this.#limits.maxLoopDelay) {
      this.#slowSince.delete(child);
      return 0;
    }
    const since = this.#slowSince.get(child) ?? now;
    this.#slowSince.set(child, since);
    return now - since;
  }

  /** Has a worker replaced that is over a limit, unless another one is being replaced for the same sort of reason. */
  replace(child: ManagedChild, ending: Ending): void {
    const now = Date.now();
    // Requests may be overdue for a pause that the Master has asked for.
    if (child.pausedUntil > now || this.#isReplacing || !this.#listener.mayReplace()) return;
    if (now - (this.#reported.get(child) ?? 0) < REPORT_PAUSE) return;
    this.#reported.set(child, now);
    this.#isReplacing = true;
    void this.#listener.onLimit(child, ending).finally(() => {
      this.#isReplacing = false;
    });
  }
}
