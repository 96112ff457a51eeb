import { addGc, type GcCounts, noGc } from '../protocol/gc.js';
import type { ChildKind, ManagedChild } from '../supervise/managed_child.js';

/** Children that have left in good order, by kind. */
export interface Drains {
  count: number;
  /** Milliseconds from the beginning of their draining to their exit, in all. */
  took: number;
}

/** What is left of children that have ended: sums that must not fall with them. */
export class ChildTotals {
  /** Lines that could not be written, and messages that could not be delivered. */
  lines = 0;
  messages = 0;
  /** Messages for them that they could not keep; part of `messages`. */
  dropped = 0;
  /** Connections that were cut when the time to drain was over. */
  cut = 0;
  readonly drains: Record<ChildKind, Drains> = { agent: { count: 0, took: 0 }, 'app worker': { count: 0, took: 0 } };
  readonly gc: Record<ChildKind, GcCounts> = { agent: noGc(), 'app worker': noGc() };

  add({ kind, stats, undeliveredMessages, cutConnections, drainingSince }: ManagedChild): void {
    this.lines += stats?.lostLines ?? 0;
    this.dropped += stats?.droppedMessages ?? 0;
    this.messages += undeliveredMessages + (stats?.droppedMessages ?? 0);
    this.cut += cutConnections;
    if (stats?.gc) addGc(this.gc[kind], stats.gc);
    if (drainingSince === undefined) return;
    this.drains[kind].count += 1;
    this.drains[kind].took += Date.now() - drainingSince;
  }
}
