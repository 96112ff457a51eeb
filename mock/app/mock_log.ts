import { AssertionError } from 'node:assert';
import { readFileSync } from 'node:fs';
import { ClutchError } from '../../errors.js';
import type { Application } from '../../framework/index.js';

/** A logger, or its name: `'logger'`, `'coreLogger'` or one of `config.customLogger`. */
export type LoggerReference = string | object;

type LoggerLike = NonNullable<ReturnType<Application['getLogger']>>;

const TRANSPORT = 'mock';
/** Lines of each logger since `mockLog`, and where the file of others was when the test began. */
const recorded = new Map<LoggerLike, string[]>();

/** Records what a logger is given, for `expectLog` and `notExpectLog`; it is written as before. */
export function mockLog(app: Application, reference: LoggerReference = 'logger'): void {
  const logger = loggerOf(app, reference);
  if (recorded.has(logger)) return;
  const lines: string[] = [];
  recorded.set(logger, lines);
  logger.set(TRANSPORT, {
    level: 'ALL',
    shouldLog: () => true,
    log: (_level: string, _args: unknown[], _meta?: unknown, message?: string) => void lines.push(message ?? ''),
    enable() {},
    disable() {},
    reload() {},
    flush() {},
    close() {},
  } as never);
}

export function restoreLogs(): void {
  for (const logger of recorded.keys()) logger.delete(TRANSPORT);
  recorded.clear();
}

/** @throws {AssertionError} if no line of the logger has the text */
export function expectLog(app: Application, expected: string | RegExp, reference?: LoggerReference): void {
  check(app, { expected, reference, isWanted: true });
}

/** @throws {AssertionError} if a line of the logger has the text */
export function notExpectLog(app: Application, expected: string | RegExp, reference?: LoggerReference): void {
  check(app, { expected, reference, isWanted: false });
}

interface Expectation {
  expected: string | RegExp;
  reference: LoggerReference | undefined;
  isWanted: boolean;
}

function check(app: Application, { expected, reference = 'logger', isWanted }: Expectation): void {
  const logger = loggerOf(app, reference);
  const text = recorded.get(logger)?.join('\n') ?? fileOf(logger);
  const isThere = typeof expected === 'string' ? text.includes(expected) : text.search(expected) !== -1;
  if (isThere === isWanted) return;
  const name = typeof reference === 'string' ? reference : 'the logger';
  throw new AssertionError({
    message: `${name} should ${isWanted ? '' : 'not '}have logged ${String(expected)}, but has:\n${text.slice(-2000) || '(nothing)'}`,
    actual: text,
    expected,
    operator: isWanted ? 'expectLog' : 'notExpectLog',
    stackStartFn: isWanted ? expectLog : notExpectLog,
  });
}

/** What the logger's file has: all of it, also from before the test. */
function fileOf(logger: LoggerLike): string {
  logger.flush();
  return readFileSync(logger.options.file, 'utf8');
}

function loggerOf(app: Application, reference: LoggerReference): LoggerLike {
  if (typeof reference !== 'string') return reference as LoggerLike;
  const found = app.getLogger(reference);
  if (found) return found;
  throw new ClutchError('ERR_CLUTCH_MOCK', `the app has no logger ${reference}`, {
    fix: 'Add it to config.customLogger.',
  });
}
