import { ClutchError } from '../../../errors.js';
import type { Logger } from '../../../framework/index.js';
import type { ChangeInfo, ChangeListener, EventSource, EventSourceClass, WatcherConfig } from '../lib/types.js';
import { FileEvents } from './file_events.js';

/** The real client, in the Agent: subscriptions are paths. */
export class WatchClient {
  readonly #source: EventSource | undefined;
  readonly #subscriptions = new Map<string, Set<ChangeListener>>();
  readonly #logger: Logger;

  /** @throws {ClutchError} ERR_CLUTCH_CONFIG for a type that has no event source */
  constructor(config: Record<string, unknown>, logger: Logger) {
    this.#logger = logger;
    const { type, eventSources } = config['watcher'] as WatcherConfig;
    const Source = sourceOf(type, eventSources);
    if (!Source) return;
    const options = config[`watcher${type.charAt(0).toUpperCase()}${type.slice(1)}`];
    const source = new Source((options ?? {}) as object);
    source.on('change', (info: ChangeInfo) => this.#onChange(info));
    source.on('fuzzy-change', (info: ChangeInfo) => this.#onFuzzyChange(info));
    for (const level of ['info', 'warn', 'error'] as const) {
      source.on(level, (...args: unknown[]) => logger[level](...args));
    }
    this.#source = source;
  }

  async ready(): Promise<void> {
    await this.#source?.ready?.();
  }

  subscribe({ path }: { path: string }, listener: ChangeListener): void {
    if (!this.#source) {
      this.#logger.warn('[watcher] %s is not watched: config.watcher.type is "default"', path);
      return;
    }
    const listeners = this.#subscriptions.get(path) ?? new Set();
    if (listeners.size === 0) this.#source.watch(path);
    this.#subscriptions.set(path, listeners.add(listener));
  }

  /** Makes the clients of all processes have it. The Leader itself keeps watching, for the next listener. */
  unSubscribe(): void {}

  #onChange(info: ChangeInfo): void {
    this.#notify(info, (watched) => isSameOrBelow(info.path, watched));
  }

  #onFuzzyChange(info: ChangeInfo): void {
    this.#notify(info, (watched) => isSameOrBelow(watched, info.path));
  }

  #notify(info: ChangeInfo, isMeant: (watched: string) => boolean): void {
    for (const [watched, listeners] of this.#subscriptions) {
      if (isMeant(watched)) for (const listener of listeners) listener(info);
    }
  }

  async close(): Promise<void> {
    await this.#source?.close?.();
  }
}

function sourceOf(type: string, eventSources: Record<string, EventSourceClass>): EventSourceClass | undefined {
  if (Object.hasOwn(eventSources, type)) return eventSources[type];
  if (type === 'development') return FileEvents;
  if (type === 'default') return undefined;
  throw new ClutchError('ERR_CLUTCH_CONFIG', `there is no event source "${type}"`, {
    where: 'config.watcher.type',
    fix: `There are: ${['default', 'development', ...Object.keys(eventSources)].join(', ')}.`,
  });
}

function isSameOrBelow(file: string, dir: string): boolean {
  return file === dir || file.startsWith(dir.endsWith('/') ? dir : `${dir}/`);
}
