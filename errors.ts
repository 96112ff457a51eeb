import { inspect } from 'node:util';

/** Every error code of Clutch with the sentence that `docs/errors.md` prints for it. */
export const ERROR_CODES = {
  ERR_CLUTCH_OPTION: 'An option given to Clutch has a wrong value.',
  ERR_CLUTCH_NOT_FOUND: 'A directory or file that Clutch was told to use does not exist.',
  ERR_CLUTCH_PACKAGE: 'A package.json is missing, is not valid JSON or lacks a field.',
  ERR_CLUTCH_FRAMEWORK: 'The framework cannot be found or does not export what a framework must.',
  ERR_CLUTCH_MODULE: 'A file threw while it was loaded.',
  ERR_CLUTCH_TOP_LEVEL_AWAIT: 'A file uses top-level await, which cannot be loaded synchronously.',
  ERR_CLUTCH_NOT_COMPILED: 'Only a TypeScript source exists and this process cannot load TypeScript.',
  ERR_CLUTCH_PLUGIN_CONFIG: 'A plugin is declared with wrong or contradicting fields.',
  ERR_CLUTCH_PLUGIN_NOT_FOUND: 'A declared plugin cannot be found in any node_modules directory.',
  ERR_CLUTCH_PLUGIN_MISSING: 'A plugin is needed by another one and is not there.',
  ERR_CLUTCH_PLUGIN_CYCLE: 'Plugins depend on each other in a circle.',
  ERR_CLUTCH_CONFIG: 'A config file or value is not usable.',
  ERR_CLUTCH_CONFIG_ASYNC:
    'A config function is async, and the app is constructed by something that cannot wait for it.',
  ERR_CLUTCH_DUPLICATE: 'Two files define the same property.',
  ERR_CLUTCH_FILE_NAME: 'A file or directory name cannot become a property name.',
  ERR_CLUTCH_EXTEND: 'An extend file cannot be applied.',
  ERR_CLUTCH_MIDDLEWARE: 'A middleware is missing, listed twice or not usable.',
  ERR_CLUTCH_CONTROLLER: 'A controller is missing or not usable.',
  ERR_CLUTCH_CONTRACT: 'A response does not meet the contract of its route, or data not that of its job.',
  ERR_CLUTCH_CUSTOM_LOADER: 'An entry of config.customLoader is not usable.',
  ERR_CLUTCH_LIFECYCLE: 'A lifecycle method was called at a time or with a value that it does not take.',
  ERR_CLUTCH_COOKIE: 'A cookie cannot be set.',
  ERR_CLUTCH_BOOT: 'A process or an app failed to start, or to become ready.',
  ERR_CLUTCH_MESSAGE: 'A message cannot be sent.',
  ERR_CLUTCH_NO_REPLY: 'A request may have been handled, but its reply cannot come any more.',
  ERR_CLUTCH_CANCELLED: 'Nobody waits for the reply to a request any more, so its handler may stop.',
  ERR_CLUTCH_TIMEOUT: 'A message, or a call of the Leader, was not answered in time.',
  ERR_CLUTCH_CLIENT: 'A client of app.cluster() is used in a way that it does not have.',
  ERR_CLUTCH_LEADER_GONE: 'The Leader has gone before it answered.',
  ERR_CLUTCH_FLEET: 'The fleet cannot be reached, or cannot do what was asked of it.',
  ERR_CLUTCH_JOBS: 'Jobs cannot be kept or run, or cannot be reached.',
  ERR_CLUTCH_NOT_RUNNING: 'A command speaks to a running app, and there is none.',
  ERR_CLUTCH_RUNNING: 'A command would start an app that is running already.',
  ERR_CLUTCH_CONTROL: 'A running app refuses what a command asks of it.',
  ERR_CLUTCH_PROFILE: 'A process cannot be profiled.',
  ERR_CLUTCH_MOCK: 'The test kit cannot do what a test asks of it.',
  ERR_CLUTCH_CLI: 'The command line is not usable.',
} as const;

export type ErrorCode = keyof typeof ERROR_CODES;

export interface ErrorDetail {
  /** Lines that say where: files, keys, who asked. */
  where?: string | string[];
  /** What the reader can do about it. */
  fix?: string;
  cause?: unknown;
}

/** An error of Clutch itself: what happened, where, and the way out, under a stable `code`. */
export class ClutchError extends Error {
  readonly code: ErrorCode;

  constructor(code: ErrorCode, what: string, { where = [], fix, cause }: ErrorDetail = {}) {
    const lines = [`${code}: ${what}`, ...[where].flat().map((line) => `  ${line}`)];
    if (fix !== undefined) lines.push(`  ${fix}`);
    super(lines.join('\n'), cause === undefined ? undefined : { cause });
    this.name = 'ClutchError';
    this.code = code;
  }
}

// A registered symbol: built-in plugins are bundled apart from the framework.
const REFUSAL = Symbol.for('clutch#refusal');

/**
 * Marks an error of built-in code about what a client has sent, or that it has left. Anyone can cause it, as often as they like: it is counted and
 * logged a few times a minute, without its stack, which leads to no fault of the app.
 */
export function refusal<E extends Error>(error: E): E {
  return Object.defineProperty(error, REFUSAL, { value: true, configurable: true });
}

/** @returns whether built-in code made the error because of what a client has sent, or since it has left */
export function isRefusal(error: Error & { [REFUSAL]?: unknown }): boolean {
  return error[REFUSAL] === true;
}

/** What loggers and error responses read of an error. */
const FIELDS = [
  'name',
  'message',
  'stack',
  'code',
  'status',
  'headers',
  'expose',
  'type',
  'errors',
  'cause',
  'errno',
  'syscall',
];

/**
 * @returns `value`, or an Error that stands for it if reading it throws: a getter or a Proxy may throw whatever it likes, and
 * whoever reports the error must not fail because of it
 */
export function readable(value: unknown): unknown {
  if ((typeof value !== 'object' && typeof value !== 'function') || value === null) return value;
  try {
    void (value instanceof Error);
    Object.prototype.toString.call(value);
    for (const field of FIELDS) void (value as Record<string, unknown>)[field];
    return value;
  } catch (cause) {
    return new Error(`an error that cannot be read was thrown: ${describe(value)}`, { cause: readable(cause) });
  }
}

/** @returns `value` when it is an Error that can be read, otherwise an Error that describes it */
export function toError(thrown: unknown): Error {
  const value = readable(thrown);
  if (value instanceof Error) return value;
  if (Object.prototype.toString.call(value) === '[object Error]') return value as Error;
  const error = new Error(`non-error thrown: ${describe(value)}`);
  if (typeof value === 'object' && value !== null) {
    const { name, message, stack, status, headers, code } = value as Record<string, unknown>;
    for (const [key, own] of Object.entries({ name, message, stack, status, headers, code })) {
      if (own !== undefined) Object.defineProperty(error, key, { value: own, writable: true, configurable: true });
    }
  }
  return error;
}

function describe(value: unknown): string {
  try {
    return typeof value === 'object' ? JSON.stringify(value) : String(value);
  } catch {
    // A circle of references, a BigInt, or a getter that throws.
    return inspect(value, { depth: 2, customInspect: false });
  }
}
