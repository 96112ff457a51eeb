import type { ProcessStats } from './protocol.js';

/** Lines that are kept of each process. */
const MOST_LINES = 20;

/** What the heartbeats of one process have said. */
export class Vitals {
  stats: ProcessStats | undefined;
  /** Between the last two heartbeats, of one CPU. */
  cpuPercent = 0;
  /** The last lines that it has written. */
  lines: string[] = [];
  /** When the last heartbeat came; undefined until the process may load the app. */
  lastBeat: number | undefined;

  beat(stats: ProcessStats): void {
    const now = Date.now();
    if (this.stats && this.lastBeat !== undefined && now > this.lastBeat) {
      this.cpuPercent = Math.round((100 * (stats.cpu - this.stats.cpu)) / (now - this.lastBeat));
    }
    this.stats = stats;
    if (stats.lines) this.lines = [...this.lines, ...stats.lines].slice(-MOST_LINES);
    this.lastBeat = now;
  }
}
