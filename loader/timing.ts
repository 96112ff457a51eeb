import { ClutchError } from '../errors.js';

export interface TimingItem {
  name: string;
  /** Milliseconds since the epoch. */
  start: number;
  end?: number;
  /** Milliseconds. */
  duration?: number;
  pid: number;
  index: number;
}

/** The boot timeline of one process. */
export class Timing {
  #items: TimingItem[] = [];
  #open = new Map<string, TimingItem>();
  #enabled = true;

  constructor() {
    this.start('Process Start', performance.timeOrigin);
    this.end('Process Start');
  }

  start(name: string, at = Date.now()): TimingItem | null {
    if (!this.#enabled) return null;
    if (this.#open.has(name)) this.end(name);
    const item: TimingItem = { name, start: at, pid: process.pid, index: this.#items.length };
    this.#items.push(item);
    this.#open.set(name, item);
    return item;
  }

  /** @throws {ClutchError} ERR_CLUTCH_LIFECYCLE for a name that was not started */
  end(name: string): TimingItem | null {
    if (!this.#enabled) return null;
    const item = this.#open.get(name);
    if (!item) throw new ClutchError('ERR_CLUTCH_LIFECYCLE', `should run timing.start('${name}') first`);
    item.end = Date.now();
    item.duration = item.end - item.start;
    this.#open.delete(name);
    return item;
  }

  /** Times a synchronous step. */
  measure<T>(name: string, step: () => T): T {
    this.start(name);
    try {
      return step();
    } finally {
      if (this.#open.has(name)) this.end(name);
    }
  }

  enable(): void {
    this.#enabled = true;
  }

  disable(): void {
    this.#enabled = false;
  }

  clear(): void {
    this.#items = [];
    this.#open.clear();
  }

  /** Items that were started and have not ended. */
  unfinished(): TimingItem[] {
    return [...this.#open.values()];
  }

  toJSON(): TimingItem[] {
    return this.#items;
  }

  /** A text chart of the timeline, `width` characters wide. */
  toString(prefix = '', width = 50): string {
    const first = this.#items[0]?.start ?? 0;
    const last = Math.max(first + 1, ...this.#items.map((item) => item.end ?? item.start));
    const scale = width / (last - first);
    return this.#items
      .map(({ start, duration = 0, index, name }) => {
        const bar = '▇'.repeat(Math.max(1, Math.ceil(duration * scale)));
        return `${prefix}${' '.repeat(Math.floor((start - first) * scale))}${bar} [${duration}ms] - #${index} ${name}`;
      })
      .join('\n');
  }
}
