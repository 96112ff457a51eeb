import cluster, { type Worker } from 'node:cluster';
import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);

type ExitListener = (worker: Worker, code: number | null, signal: string | null) => void;

/**
 * All that exists only for cfork, which replaces a worker of Node's cluster when it exits:
 * - it leaves a worker alone that carries its mark, `disableRefork`;
 * - it writes each exit to the console, in a format of its own, though the Master's log has it already;
 * - it would also replace a worker whose channel breaks, which the supervisor does for every kind of child.
 */
export class CforkAdapter {
  /** Environment of the replacements; cfork copies it at each fork. */
  readonly #env: Record<string, string> = {};
  #loaded = false;

  /**
   * Loads cfork. It is as large as the rest of the Master's code, so this is done after the first exit: workers that exit
   * from then on are replaced by it.
   *
   * @param onRefork called with each replacement
   * @param environment of the replacement of a worker
   */
  load(onRefork: (replacement: Worker, dead: Worker) => void, environment: (dead: Worker) => object): void {
    if (this.#loaded) return;
    this.#loaded = true;
    const { cfork } = require('cfork') as typeof import('cfork');
    const before = { exit: new Set(cluster.listeners('exit')), disconnect: new Set(cluster.listeners('disconnect')) };
    // The backoff of the slot decides how fast a worker is replaced, not cfork's own limit.
    cfork({ count: 0, limit: Number.MAX_SAFE_INTEGER, env: this.#env });
    cluster.on('unexpectedExit', () => undefined);
    for (const event of ['exit', 'disconnect'] as const) {
      for (const listener of cluster.listeners(event) as ExitListener[]) {
        if (before[event].has(listener)) continue;
        cluster.off(event, listener);
        if (event === 'disconnect') continue;
        cluster.on('exit', (dead, code, signal) => {
          const known = new Set(Object.keys(cluster.workers ?? {}));
          Object.assign(this.#env, environment(dead));
          silently(() => listener(dead, code, signal));
          for (const [id, worker] of Object.entries(cluster.workers ?? {})) {
            if (worker && !known.has(id)) onRefork(worker, dead);
          }
        });
      }
    }
  }

  /** Whether cfork replaces the worker when it exits. */
  setRefork(worker: Worker, refork: boolean): void {
    Reflect.set(worker, 'disableRefork', !refork);
  }
}

function silently(run: () => void): void {
  const { info, error } = console;
  console.info = console.error = () => undefined;
  try {
    run();
  } finally {
    Object.assign(console, { info, error });
  }
}
