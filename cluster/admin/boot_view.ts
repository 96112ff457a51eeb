import { statSync } from 'node:fs';
import path from 'node:path';
import type { ProcessStatus } from '../control/status.js';
import { criticalChain, placeOf, readTimings, spanOf, type TimedStep } from './boot_timeline.js';
import type { BootView } from './page_data.js';

const TYPES = { agent: 'agent', 'app worker': 'application' } as const;

type Booted = Pick<BootView, 'kind' | 'pid'>;

/** Milliseconds: uptimes are rounded. */
const TOLERANCE = 1000;

/** The boots of the processes that run, as they have written them to their `rundir`. */
export class BootViews {
  readonly #baseDir: string;
  /** By file; read again when it has changed. */
  readonly #read = new Map<string, { modified: number; view: BootView }>();

  constructor(baseDir: string) {
    this.#baseDir = baseDir;
  }

  /** @returns the Agent's, then those of the app workers; none of a process that has written none yet */
  of(processes: readonly ProcessStatus[], rundir: string): BootView[] {
    const files = new Map<string, BootView>();
    for (const { kind, pid, uptime } of processes) {
      if (kind === 'master' || kind === 'single' || pid === undefined) continue;
      const since = Date.now() - uptime * 1000 - TOLERANCE;
      // Threads write files with the pid of their process.
      for (const id of [pid, process.pid]) {
        const file = path.join(rundir, `${TYPES[kind]}_timing_${id}.json`);
        const view = files.has(file) ? undefined : this.#viewOf(file, { kind, pid, since });
        if (view) files.set(file, view);
      }
    }
    for (const file of this.#read.keys()) if (!files.has(file)) this.#read.delete(file);
    return [...files.values()];
  }

  /** @param since files that are older are of another process that had this pid */
  #viewOf(file: string, { since, ...process }: Booted & { since: number }): BootView | undefined {
    const modified = statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0;
    if (modified < since) return undefined;
    const known = this.#read.get(file);
    if (known?.modified === modified) return known.view;
    try {
      const view = toView(readTimings(file), process, this.#baseDir);
      this.#read.set(file, { modified, view });
      return view;
    } catch {
      // It is being written: the next look has it.
      return known?.view;
    }
  }
}

function toView(steps: TimedStep[], process: Booted, baseDir: string): BootView {
  const { begin, end } = spanOf(steps);
  const chain = new Set(criticalChain(steps));
  return {
    ...process,
    at: new Date(begin).toISOString(),
    took: Math.round(end - begin),
    steps: steps.map((step) => {
      const { name, where } = placeOf(step.name, baseDir);
      return {
        name,
        start: Math.round(step.start - begin),
        took: Math.round(step.duration ?? 0),
        ...(where === '' ? {} : { file: where }),
        critical: chain.has(step),
      };
    }),
  };
}
