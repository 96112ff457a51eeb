import type { ProcessStatus } from '../control/status.js';
import type { PageSource } from './page_source.js';

/** Milliseconds. */
const LIMIT = 5000;

/** What an app worker says of the app: it is asked once for each generation of workers, when somebody looks. */
export class AppReport {
  readonly #source: PageSource;
  #generation = '';
  readonly #asked = new Map<string, Promise<unknown>>();

  constructor(source: PageSource) {
    this.#source = source;
  }

  /**
   * @param toView makes what is kept of the report
   * @returns undefined while no worker is ready, or when it has no such report
   */
  async ask<Rows, View>(
    topic: 'config' | 'plugins',
    toView: (rows: Rows) => View,
    key?: string,
  ): Promise<View | undefined> {
    const ready = this.#readyWorkers();
    const [youngest] = ready;
    if (!youngest) return undefined;
    const generation = ready.map(({ pid }) => pid).join();
    if (generation !== this.#generation) this.#asked.clear();
    this.#generation = generation;
    const question = `${topic} ${key ?? ''}`;
    try {
      let asked = this.#asked.get(question);
      if (!asked) {
        const { messenger } = this.#source.cluster;
        asked = messenger
          .request(youngest.pid as number, 'clutch-report', { topic, key }, { timeout: LIMIT })
          .then((rows) => toView(rows as Rows));
        this.#asked.set(question, asked);
      }
      return (await asked) as View;
    } catch {
      // The worker has ended meanwhile, or its framework has no report: the next look asks again.
      this.#asked.delete(question);
      return undefined;
    }
  }

  /** @returns the value of one config leaf; undefined if it is no text */
  async text(key: string): Promise<string | undefined> {
    const find = (rows: { key: string; value: unknown }[]): unknown => rows.find((row) => row.key === key)?.value;
    const value = await this.ask('config', find, key);
    return typeof value === 'string' ? value : undefined;
  }

  /** The youngest first: it has the newest code. */
  #readyWorkers(): ProcessStatus[] {
    return this.#source.cluster
      .status()
      .processes.filter(({ kind, state }) => kind === 'app worker' && state === 'ready')
      .sort((a, b) => a.uptime - b.uptime);
  }
}
