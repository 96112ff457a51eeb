import { ClutchError } from '../../errors.js';
import { nearest } from '../../resolve/nearest.js';
import { optionError, type WorkerRange, workerRange } from './option_kinds.js';
import { CHANGEABLE, OPTIONS } from './option_table.js';
import { type ClusterOptions, checkMemory } from './options.js';

type ChangeableName = keyof typeof CHANGEABLE;

export type ChangeableValues = Record<ChangeableName, number>;

/** When a change takes effect; a process that is debugged may stop at a breakpoint for any time. */
type Effect = (typeof CHANGEABLE)[ChangeableName] | 'never while it is debugged';

export interface OptionChange {
  name: ChangeableName;
  from: number | string;
  /** A string for the bounds of the number of app workers. */
  to: number | string;
  effect: Effect;
}

const NAMES = Object.keys(CHANGEABLE) as ChangeableName[];

/** Children send heartbeats as often as a longer limit needs them. */
const LEAST_HANG_TIMEOUT = 4000;

/** @returns the options of a cluster that it can change while it runs; `values` is what it has now, and changes in place */
export function changeableValues(options: ClusterOptions): ChangeableValues {
  return Object.fromEntries(NAMES.map((name) => [name, options[name]])) as ChangeableValues;
}

/**
 * Checks changes of options together, before any of them is made.
 *
 * @param given names and values, as one would give them to `clutch start`
 * @throws {ClutchError} ERR_CLUTCH_OPTION when one cannot be changed, is given twice, or has a value that does not fit
 */
export function parseChanges(
  given: readonly (readonly [name: string, value: string])[],
  values: ChangeableValues,
  { isInspected, bounds }: { isInspected: boolean; bounds: WorkerRange | undefined },
): OptionChange[] {
  const changes = given.map(([name, value]): OptionChange => {
    const known = NAMES.find((each) => each === name);
    if (!known) throw notChangeable(name);
    const isIdle = known === 'hangTimeout' && isInspected;
    const effect = isIdle ? 'never while it is debugged' : CHANGEABLE[known];
    const from = known === 'workers' && bounds ? boundsText(bounds) : values[known];
    return { name: known, from, to: parseValue(known, value), effect };
  });
  const twice = changes.find(({ name }, index) => changes.findIndex((other) => other.name === name) !== index);
  if (twice) throw optionError(twice.name, twice.to, 'It is given twice.');
  checkMemory({ ...values, ...Object.fromEntries(changes.map(({ name, to }) => [name, to])) });
  return changes;
}

/** @returns how many app workers there shall be: `min` and `max` differ if they are to follow the need */
export function parseWorkerBounds(given: number | string): WorkerRange {
  const [, min, max = min] = /^(\d+)(?:[-:](\d+))?$/.exec(String(given)) ?? [];
  if (Number(min) > 0) return workerRange.parse('workers', { min, max }, '') as WorkerRange;
  throw optionError('workers', given, 'While the app runs, give a whole number from 1 to 1024, or min-max.');
}

function boundsText({ min, max }: WorkerRange): string {
  return `${min}-${max}`;
}

function notChangeable(name: string): ClutchError {
  const isOption = name in OPTIONS;
  const what = isOption ? `option ${name} cannot be changed while the app runs` : `there is no option ${name}`;
  const meant = isOption ? undefined : nearest(name, NAMES);
  const fix = `${meant ? `Perhaps ${meant} is meant. ` : ''}While the app runs, ${NAMES.join(', ')} can be changed.`;
  return new ClutchError('ERR_CLUTCH_OPTION', what, { fix });
}

function parseValue(name: ChangeableName, given: string): number | string {
  if (given.trim() === '') throw optionError(name, given, 'Give a value after the equals sign.');
  if (name === 'workers') {
    const range = parseWorkerBounds(given);
    return range.min === range.max ? range.min : boundsText(range);
  }
  const value = OPTIONS[name].kind.parse(name, given, '') ?? OPTIONS[name].fallback();
  if (name === 'hangTimeout' && value > 0 && value < LEAST_HANG_TIMEOUT) {
    throw optionError(name, given, `While the app runs, give 0 or at least ${LEAST_HANG_TIMEOUT}.`);
  }
  return value;
}
