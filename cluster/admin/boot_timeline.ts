import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { withPosition } from '../../output/hook_position.js';
import { shortPath } from '../../resolve/short_path.js';

/** A step of a boot, as an app writes it to `run/<type>_timing_<pid>.json`. */
export interface TimedStep {
  name: string;
  /** Milliseconds since the epoch. */
  start: number;
  /** Milliseconds; undefined if it has not ended. */
  duration?: number;
  pid: number;
}

/** Times are in whole milliseconds: a step may seem to begin before the one that it waited for has ended. */
const TOLERANCE = 1;
/** It spans all others. */
const WHOLE = /^(?:Application|Agent) Start$/;

/** `configDidLoad in FILE`, `Did Load in FILE:didLoad`. */
const HOOK = /^(?:[\w ]+) in (.+?)(?::\w+)?$/;
const NAMES: Record<string, string> = {
  'Did Load': 'didLoad',
  'Will Ready': 'willReady',
  'Did Ready': 'didReady',
  'Server Did Ready': 'serverDidReady',
  'Before Start': 'beforeStart',
};
const LOADED = /^(?:Load|Require) (\S+\.\w+)$/;

/** @returns the steps of the last boot of a kind of process; undefined if there was none */
export function lastTimings(directory: string, type: string): TimedStep[] | undefined {
  const dir = path.join(directory, 'run');
  const [last] = namesIn(dir)
    .filter((name) => name.startsWith(`${type}_timing_`))
    .map((name) => path.join(dir, name))
    .sort((a, b) => statSync(b).mtimeMs - statSync(a).mtimeMs);
  return last === undefined ? undefined : readTimings(last);
}

export function readTimings(file: string): TimedStep[] {
  return JSON.parse(readFileSync(file, 'utf8')) as TimedStep[];
}

function namesIn(dir: string): string[] {
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

/** @returns when the first step began and the last one ended, in milliseconds since the epoch */
export function spanOf(steps: readonly TimedStep[]): { begin: number; end: number } {
  return { begin: Math.min(...steps.map(({ start }) => start)), end: Math.max(...steps.map(endOf)) };
}

/** Hooks and loaded files are named with their place: a file, and its line if it is known. */
export function placeOf(step: string, baseDir: string): { name: string; where: string } {
  const [, file] = HOOK.exec(step) ?? [];
  if (file !== undefined) {
    const [title = ''] = step.split(' in ');
    const name = NAMES[title] ?? title;
    const [, line] = /:(\d+):\d+$/.exec(withPosition(`${file}:${name}`)) ?? [];
    return { name, where: `${shortPath(file, baseDir)}${line === undefined ? '' : `:${line}`}` };
  }
  const [, loaded] = LOADED.exec(step) ?? [];
  if (loaded === undefined) return { name: step, where: '' };
  const source = sourceOf(loaded, baseDir);
  return { name: step.replace(loaded, source), where: source };
}

/** Steps have the names of compiled files, which Egg gives them. */
function sourceOf(file: string, baseDir: string): string {
  const source = file.replace(/\.js$/, '.ts');
  const isThere = (name: string): boolean => ['', 'app'].some((dir) => existsSync(path.join(baseDir, dir, name)));
  return !isThere(file) && isThere(source) ? source : file;
}
