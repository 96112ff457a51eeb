import type { ErrorData } from '../../ipc/error_data.js';
import type { ProcessStats } from '../protocol/protocol.js';
import type { Child } from '../spawn/child_handle.js';
import type { Slot } from './slot.js';

/**
 * `starting → ready → draining → exited`; a process may exit from each. One that a reload has forked is on `trial`
 * instead of `starting`: its death is for the reload to judge. `lost` is one whose channel has broken and that is
 * replaced already, while its exit is still to come.
 */
export type ProcessState = 'starting' | 'candidate' | 'ready' | 'draining' | 'disconnected';

/** What the Master knows of an Agent or app worker. */
export class ManagedChild {
  readonly child: Child;
  readonly slot: Slot;
  state: ProcessState;
  stats: ProcessStats | undefined;
  /** Between the last two heartbeats, of one processor. */
  cpuPercent = 0;
  /** The error that it has told of. */
  failure: ErrorData | undefined;
  /** Why the Master kills it. */
  killReason: string | undefined;
  /** When it was last heard of; undefined until it may load the app. */
  lastBeat: number | undefined;

  constructor(child: Child, slot: Slot, state: ProcessState = 'starting') {
    this.child = child;
    this.slot = slot;
    this.state = state;
  }

  get id(): number {
    return this.child.id;
  }

  /** Whether it serves or will: it fills its slot. */
  get fillsSlot(): boolean {
    return this.state === 'starting' || this.state === 'candidate' || this.state === 'ready';
  }

  beat(stats: ProcessStats): void {
    const now = Date.now();
    if (this.stats && this.lastBeat !== undefined && now > this.lastBeat) {
      this.cpuPercent = Math.round((100 * (stats.cpu - this.stats.cpu)) / (now - this.lastBeat));
    }
    this.stats = stats;
    this.lastBeat = now;
  }

  /** The sentence for the log about its death. */
  exitReason(code: number | null, signal: string | null): string {
    if (this.killReason) return this.killReason;
    if (this.failure) return this.failure.stack ?? this.failure.message;
    return signal === null ? `exited with code ${code}` : `ended by ${signal}`;
  }
}
