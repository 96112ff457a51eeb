import { ClutchError, toError } from '../../errors.js';
import { dateTime } from '../../output/timestamp.js';
import type { AppInfo } from '../app_info.js';
import { isAsyncFunction, isPromise } from '../files/export_kind.js';
import { copyPath, readCopy, saveCopy } from './config_copy.js';

/** Milliseconds that an async config function has when `options.configTimeout` does not say otherwise. */
const CONFIG_TIMEOUT = 10_000;

interface Resolved {
  value: unknown;
  warning: string | undefined;
}

/** Results of the async config functions of an app, by file. They are awaited before the app is constructed, and handed to it. */
export class ResolvedConfig {
  readonly #results = new Map<string, Resolved>();

  get(file: string): Resolved | undefined {
    return this.#results.get(file);
  }

  /** Waits for functions that an attempt to load has met; each one that fails is replaced by its copy on disk. */
  async add(pending: PendingConfig, timeout = CONFIG_TIMEOUT): Promise<void> {
    await Promise.all(
      pending.functions.map(async ([file, call]) =>
        this.#results.set(file, await resolve(file, call, pending, timeout)),
      ),
    );
  }
}

/** Async config functions that have to be awaited before loading can go on. */
export interface PendingConfig {
  appInfo: AppInfo;
  /** Where copies of the results lie. */
  rundir: string;
  functions: [file: string, call: () => unknown][];
}

/** Loading has met async config functions. `Application.create()` awaits them and loads again. */
export class AsyncConfigError extends ClutchError {
  readonly #pending: PendingConfig;

  constructor(pending: PendingConfig) {
    const files = pending.functions.map(([file]) => file);
    super('ERR_CLUTCH_CONFIG_ASYNC', `the function of ${files[0]} is async`, {
      where: files.slice(1).map((file) => `and that of ${file}`),
      fix: 'A constructor cannot wait for it: use start(), or await Application.create(options) and Agent.create(options).',
    });
    this.#pending = pending;
  }

  get pending(): PendingConfig {
    return this.#pending;
  }
}

/**
 * Calls a config function, but not yet when it is async.
 *
 * @param defer gets the call of an async function
 * @returns what the function returns; undefined when it is async
 */
export function callOrDefer(fn: unknown, call: () => unknown, defer: (call: () => unknown) => void): unknown {
  if (isAsyncFunction(fn)) return defer(call);
  const result = call();
  if (!isPromise(result)) return result;
  // Nobody awaits it if the app is constructed directly.
  result.then(undefined, () => undefined);
  return defer(() => result);
}

async function resolve(
  file: string,
  call: () => unknown,
  { appInfo, rundir }: PendingConfig,
  timeout: number,
): Promise<Resolved> {
  const copy = copyPath(rundir, file, appInfo);
  let value: unknown;
  try {
    value = await withinTimeout(call, timeout);
  } catch (thrown) {
    const last = readCopy(copy);
    const failure = `the async function of ${file} failed: ${toError(thrown).message}`;
    if (last) {
      const saved = dateTime(last.savedAt);
      const warning = `${failure}; its last result is used, which is ${age(Date.now() - last.savedAt)} old (${saved}, ${copy})`;
      return { value: last.config, warning };
    }
    throw new ClutchError('ERR_CLUTCH_CONFIG', failure, {
      where: `no earlier result is in ${copy}`,
      fix: `Let it resolve with an object within ${timeout} ms (option configTimeout); it is called with (appInfo, appConfig).`,
      cause: thrown,
    });
  }
  if (value === undefined || value === null) return { value, warning: undefined };
  const reason = saveCopy(copy, file, value);
  const warning = reason && `no copy of the result of ${file} is kept for when it fails: ${reason}`;
  return { value, warning };
}

async function withinTimeout(call: () => unknown, timeout: number): Promise<unknown> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`it has not resolved within ${timeout} ms`)), timeout);
  });
  try {
    return await Promise.race([call(), late]);
  } finally {
    clearTimeout(timer);
  }
}

const UNITS = [
  ['day', 86_400_000],
  ['hour', 3_600_000],
  ['minute', 60_000],
  ['second', 1000],
] as const;

/** @returns a duration in its largest unit, such as `3 hours` */
function age(elapsed: number): string {
  const [unit, length] = UNITS.find(([, size]) => elapsed >= size) ?? UNITS[3];
  const count = Math.max(0, Math.floor(elapsed / length));
  return `${count} ${unit}${count === 1 ? '' : 's'}`;
}
