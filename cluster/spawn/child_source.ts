import { fork } from 'node:child_process';
import { Worker as Thread } from 'node:worker_threads';
import type { WorkerLoad } from '../protocol/protocol.js';
import { type Child, ProcessChild, ThreadChild } from './child_handle.js';

/** Starts the children of one kind. The optional methods are for a source that replaces children or gives them connections. */
export interface ChildSource {
  /** Whether two children cannot listen on one port, so that the old one leaves before the new one starts. */
  readonly exclusive: boolean;
  /** @param slot index of the slot that the child fills */
  fork(slot: number): Child;
  /** Has the source itself replace a child that dies: it passes the replacement to `adopt`. Without `adopt` it does not. */
  setRefork?(child: Child, adopt: ((replacement: Child) => void) | undefined): void;
  /** The child gets no more connections. */
  onDraining?(child: Child): void;
  /** The event loop of the child is about to stand still, or runs again. */
  onPaused?(child: Child, isPaused: boolean): void;
  /** The child has reported how busy it is. */
  onLoad?(child: Child, load: WorkerLoad): void;
  /** The child has exited. */
  onExit?(child: Child): void;
  /** No more children will be started. */
  close?(): void;
}

/** Forked processes. */
export class ProcessSource implements ChildSource {
  readonly exclusive = false;
  readonly #entry: string;
  readonly #execArgv: string[];

  constructor(entry: string, execArgv: string[]) {
    this.#entry = entry;
    this.#execArgv = execArgv;
  }

  fork(): Child {
    return new ProcessChild(fork(this.#entry, { execArgv: this.#execArgv }));
  }
}

/** Threads of the Master's process. */
export class ThreadSource implements ChildSource {
  readonly exclusive: boolean;
  readonly #entry: string;
  readonly #execArgv: string[];

  constructor(entry: string, execArgv: string[], { exclusive }: { exclusive: boolean }) {
    this.exclusive = exclusive;
    this.#entry = entry;
    // Node refuses options of the whole process for a thread.
    this.#execArgv = execArgv.filter((option) => !/^--(?:inspect|title|max-|stack-|expose-gc)/.test(option));
  }

  fork(): Child {
    return new ThreadChild(new Thread(this.#entry, { execArgv: this.#execArgv }));
  }
}
