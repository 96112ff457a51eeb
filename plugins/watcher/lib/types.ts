import type { EventEmitter } from 'node:events';

/** A file or directory that has changed. */
export interface ChangeInfo {
  /** Absolute. */
  path: string;
  /** `change` of the content, or `rename` for what has come or gone. */
  event: 'change' | 'rename';
  /** Undefined for what has gone. */
  stat?: { size: number; mtimeMs: number; mode: number };
  isDirectory: boolean;
  isFile: boolean;
  /** Whether it has gone. */
  remove: boolean;
}

export type ChangeListener = (info: ChangeInfo) => void;

/** Emits `change` for a path that is watched or lies below one, `fuzzy-change` for a directory above; `info`, `warn`, `error`. */
export interface EventSource extends EventEmitter {
  watch(path: string): void;
  unwatch?(path: string): void;
  close?(): unknown;
  ready?(): Promise<unknown>;
}

export type EventSourceClass = new (options: object) => EventSource;

export interface WatcherConfig {
  type: string;
  /** Classes by type; options of a type `x` are in `config.watcherX`. */
  eventSources: Record<string, EventSourceClass>;
}

/** Asks the Agent to have its client ready. */
export const OPEN = 'watcher:open';
