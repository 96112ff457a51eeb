import type { Child } from './child_handle.js';

/** Where app workers come from: processes or threads. */
export interface WorkerSource {
  /** Whether two workers cannot listen on one port, so that one has to go before the other comes. */
  readonly exclusive: boolean;
  /** Forks `count` workers. */
  start(count: number, listener: WorkerSourceListener): void;
  /** @param index the slot that it fills */
  fork(index: number): Child;
  /** Whether it is replaced by the source itself when it dies. */
  setReplaced(child: Child, replaced: boolean): void;
  isReplaced(child: Child): boolean;
  /** It takes connections from now on. */
  onReady(child: Child): void;
  /** It has died; `heirs` are those that take connections. */
  onExit(child: Child, heirs: Child[]): void;
  /** No worker will come any more. */
  close(): void;
}

export interface WorkerSourceListener {
  onFork(child: Child): void;
  /** Its channel is broken, and the source replaces it. */
  onLost(child: Child): void;
}
