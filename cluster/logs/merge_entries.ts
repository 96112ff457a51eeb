import { identityOf, type LogEntry } from './log_line.js';

/** How often an entry was in each log, and how often it has been taken. */
interface Seen {
  taken: number;
  byLog: Map<string, number>;
}

/** Identities that are remembered. */
const MOST = 20_000;

/** Leaves out what another log has had already. What one log has twice was written twice. */
export class Duplicates {
  #recent = new Map<string, Seen>();
  #older = new Map<string, Seen>();

  isNew(entry: LogEntry): boolean {
    const identity = identityOf(entry);
    const seen = this.#recent.get(identity) ?? this.#older.get(identity) ?? { taken: 0, byLog: new Map() };
    this.#recent.set(identity, seen);
    if (this.#recent.size > MOST) {
      this.#older = this.#recent;
      this.#recent = new Map();
    }
    const count = (seen.byLog.get(entry.log) ?? 0) + 1;
    seen.byLog.set(entry.log, count);
    if (count <= seen.taken) return false;
    seen.taken = count;
    return true;
  }
}

/** @returns entries of several logs in the order of their times; those of one log and one time stay in their order */
export function mergeEntries(entries: LogEntry[], duplicates: Duplicates): LogEntry[] {
  return entries.filter((entry) => duplicates.isNew(entry)).sort((a, b) => a.time - b.time);
}
