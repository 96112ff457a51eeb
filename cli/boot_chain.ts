import { readdirSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';

/** A step of a boot, as an app writes it to `run/<type>_timing_<pid>.json`. */
export interface TimedStep {
  name: string;
  /** Milliseconds since the epoch. */
  start: number;
  /** Milliseconds; undefined if it has not ended. */
  duration?: number;
  pid: number;
}

export interface BootStep {
  name: string;
  /** File, and line if it is known. */
  where: string;
  /** Milliseconds since the process began. */
  at: number;
  /** Milliseconds. */
  duration: number;
}

/** Times are in whole milliseconds: a step may seem to begin before the one that it waited for has ended. */
const TOLERANCE = 1;
/** It spans all others. */
const WHOLE = /^(?:Application|Agent) Start$/;

/** @returns the steps of the last boot of a kind of process; undefined if there was none */
export function lastTimings(directory: string, type: string): TimedStep[] | undefined {
  const dir = path.join(directory, 'run');
  const [last] = names(dir)
    .filter((name) => name.startsWith(`${type}_timing_`))
    .map((name) => path.join(dir, name))
    .sort((a, b) => statSync(b).mtimeMs - statSync(a).mtimeMs);
  return last === undefined ? undefined : (JSON.parse(readFileSync(last, 'utf8')) as TimedStep[]);
}

function names(dir: string): string[] {
  try {
    return readdirSync(dir);
  } catch {
    return [];
  }
}

/** @returns the steps of which each began when the next one ended, last first; of steps within each other the outermost */
export function criticalChain(steps: readonly TimedStep[]): TimedStep[] {
  const ended = steps.filter(({ name, duration }) => !WHOLE.test(name) && duration !== undefined && duration > 0);
  const chain: TimedStep[] = [];
  for (let limit = Number.POSITIVE_INFINITY; ; ) {
    const next = ended
      .filter((step) => endOf(step) <= limit + TOLERANCE && !chain.includes(step) && step.start < limit)
      .sort((a, b) => endOf(b) - endOf(a) || a.start - b.start)[0];
    if (!next) return chain;
    // Of steps that ended together, the one that began first contains the others.
    const outermost = ended
      .filter((step) => Math.abs(endOf(step) - endOf(next)) <= TOLERANCE && step.start <= next.start)
      .sort((a, b) => a.start - b.start)[0] as TimedStep;
    chain.push(outermost);
    limit = outermost.start;
  }
}

function endOf({ start, duration = 0 }: TimedStep): number {
  return start + duration;
}
