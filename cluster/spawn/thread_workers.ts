import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { type Child, ThreadChild } from './child_handle.js';
import { threadExecArgv } from './exec_argv.js';
import type { WorkerSource, WorkerSourceListener } from './worker_source.js';

const ENTRY = fileURLToPath(new URL('../worker/app_worker.js', import.meta.url));

/** App workers as threads of the Master's process. */
export class ThreadWorkers implements WorkerSource {
  readonly exclusive: boolean;
  readonly #execArgv: string[];

  constructor(execArgv: string[], reusePort: boolean) {
    this.exclusive = !reusePort;
    this.#execArgv = threadExecArgv(execArgv);
  }

  start(count: number, { onFork }: WorkerSourceListener): void {
    for (let index = 0; index < count; index += 1) onFork(this.fork());
  }

  fork(): Child {
    return new ThreadChild(new Worker(ENTRY, { execArgv: this.#execArgv }));
  }

  setReplaced(): void {}

  isReplaced(): boolean {
    return false;
  }

  onReady(): void {}

  onExit(): void {}

  close(): void {}
}
