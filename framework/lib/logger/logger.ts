import { createRequire } from 'node:module';
import { hostname } from 'node:os';
import path from 'node:path';
import { format } from 'node:util';
import type { SonicBoom as SonicBoomType } from 'sonic-boom';
import { toError } from '../../../errors.js';
import { type Level, LevelLogger } from './level_logger.js';

const require = createRequire(import.meta.url);

const LEVELS = { DEBUG: 0, INFO: 1, WARN: 2, ERROR: 3, NONE: Number.POSITIVE_INFINITY } as const;
type LevelName = keyof typeof LEVELS;

export interface LoggerOptions {
  /** Where the file is written; relative to `dir`. */
  file: string;
  dir: string;
  /** Least level that goes to the file. */
  level: LevelName;
  /** Least level that goes to the console. */
  consoleLevel: LevelName;
  /** Write to the file once a second or each 4 KiB, not line by line. */
  buffer: boolean;
}

/** The request that a line belongs to, for its bracketed part. */
export interface LogContext {
  method: string;
  originalUrl: string;
  ip?: string;
  starttime: number;
  userId?: unknown;
  traceId?: string;
}

/** A file that lines are appended to; opened at the first line. */
class LogFile {
  readonly #file: string;
  readonly #buffer: boolean;
  #stream: SonicBoomType | undefined;

  constructor(file: string, buffer: boolean) {
    this.#file = file;
    this.#buffer = buffer;
  }

  write(line: string): void {
    if (!this.#stream) {
      // Loaded at the first line that a file gets.
      const { SonicBoom } = require('sonic-boom') as typeof import('sonic-boom');
      const buffered = this.#buffer ? { minLength: 4096, periodicFlush: 1000 } : {};
      this.#stream = new SonicBoom({ dest: this.#file, append: true, mkdir: true, sync: !this.#buffer, ...buffered });
      this.#stream.on('error', (error: Error) => this.#giveUp(error));
    }
    this.#stream.write(line);
  }

  /** A disk that is full or a directory that cannot be written must not take the service down. */
  #giveUp(error: Error): void {
    process.stderr.write(`cannot write log ${this.#file}: ${error.message}\n`);
  }

  reopen(): void {
    this.#stream?.reopen();
  }

  flush(): void {
    try {
      this.#stream?.flushSync();
    } catch {
      // Not open yet: sonic-boom keeps the lines and writes them when it is.
    }
  }

  close(): Promise<void> {
    const stream = this.#stream;
    this.#stream = undefined;
    if (!stream) return Promise.resolve();
    return new Promise((resolve) => {
      stream.once('close', resolve);
      stream.once('error', () => resolve());
      stream.end();
    });
  }
}

/** Writes lines to a file and the console: `2026-01-02 03:04:05,678 INFO 123 [-/ip/-/1ms GET /] message`. */
export class Logger extends LevelLogger {
  readonly options: LoggerOptions;
  readonly #file: LogFile;
  #console: number;
  readonly #context: () => LogContext | undefined;
  /** Gets every line of level ERROR as well. */
  readonly #errors: Logger | undefined;

  constructor(options: LoggerOptions, context: () => LogContext | undefined = () => undefined, errors?: Logger) {
    super();
    this.options = options;
    this.#file = new LogFile(path.resolve(options.dir, options.file), options.buffer);
    this.#console = levelOf(process.env['EGG_LOG'], options.consoleLevel);
    this.#context = context;
    this.#errors = errors;
  }

  log(level: Level, args: unknown[], context: LogContext | undefined = this.#context()): void {
    const rank = LEVELS[level];
    const toFile = rank >= LEVELS[this.options.level];
    const toConsole = rank >= this.#console;
    if (!toFile && !toConsole) return;
    const line = formatLine(level, args, context);
    if (toFile) this.#file.write(line);
    if (level === 'ERROR') this.#errors?.log(level, args, context);
    // The error log prints an error that is logged to both.
    if (toConsole && !(level === 'ERROR' && this.#errors)) {
      (level === 'ERROR' ? process.stderr : process.stdout).write(line);
    }
  }

  disableConsole(): void {
    this.#console = LEVELS.NONE;
  }

  /** Opens the file anew, after it was renamed. */
  reload(): void {
    this.#file.reopen();
  }

  flush(): void {
    this.#file.flush();
  }

  close(): Promise<void> {
    return this.#file.close();
  }
}

/** A logger whose lines tell of one request. */
export class RequestLogger extends LevelLogger {
  readonly #logger: Logger;
  readonly #context: LogContext;

  constructor(logger: Logger, context: LogContext) {
    super();
    this.#logger = logger;
    this.#context = context;
  }

  get options(): LoggerOptions {
    return this.#logger.options;
  }

  log(level: Level, args: unknown[]): void {
    this.#logger.log(level, args, this.#context);
  }
}

function levelOf(name: string | undefined, fallback: LevelName): number {
  return LEVELS[name?.toUpperCase() as LevelName] ?? LEVELS[fallback];
}

function formatLine(level: string, args: unknown[], context: LogContext | undefined): string {
  const message = args[0] instanceof Error ? formatError(args[0]) : format(...args);
  const request = context ? ` ${formatContext(context)}` : '';
  return `${timestamp(new Date())} ${level} ${process.pid}${request} ${message}\n`;
}

function formatContext({ userId, ip, traceId, starttime, method, originalUrl }: LogContext): string {
  return `[${userId ?? '-'}/${ip ?? '-'}/${traceId ?? '-'}/${Date.now() - starttime}ms ${method} ${originalUrl}]`;
}

function timestamp(date: Date): string {
  const two = (value: number): string => String(value).padStart(2, '0');
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
  const time = `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
  return `${day} ${time},${String(date.getMilliseconds()).padStart(3, '0')}`;
}

/** Name, stack, the error's own properties and up to ten causes. */
function formatError(error: Error, depth = 0): string {
  const { name, message, stack, cause, ...own } = error as Error & Record<string, unknown>;
  const code = typeof own['code'] === 'string' ? own['code'] : '';
  const frames = error.stack?.split('\n').filter((line) => /^\s+at /.test(line)) ?? [];
  const lines = [
    `nodejs.${code && !error.message.startsWith(code) ? `${code} ` : ''}${error.name}: ${error.message}`,
    ...frames,
  ];
  for (const [key, value] of Object.entries(own)) lines.push(`${key}: ${format('%j', value)}`);
  if (error.cause !== undefined && depth < 10) lines.push(`cause: ${formatError(toError(error.cause), depth + 1)}`);
  if (depth === 0) lines.push(`pid: ${process.pid}`, `hostname: ${hostname()}`);
  return lines.join('\n');
}

export interface LoggerConfig {
  dir: string;
  level: LevelName;
  consoleLevel: LevelName;
  buffer: boolean;
  disableConsoleAfterReady: boolean;
  allowDebugAtProd: boolean;
  appLogName: string;
  coreLogName: string;
  agentLogName: string;
  errorLogName: string;
  coreLogger: Partial<LoggerOptions>;
}

/** The loggers of one process by name. */
export class Loggers extends Map<string, Logger> {
  readonly errorLogger: Logger;
  readonly logger: Logger;
  readonly coreLogger: Logger;

  constructor(
    config: { env: string; logger: LoggerConfig; customLogger?: Record<string, Partial<LoggerOptions>> },
    type: 'application' | 'agent',
    context: () => LogContext | undefined,
  ) {
    super();
    const { logger } = config;
    const { dir, consoleLevel, buffer } = logger;
    const quiet = config.env === 'prod' && logger.level === 'DEBUG' && !logger.allowDebugAtProd;
    const base = { dir, level: quiet ? ('INFO' as const) : logger.level, consoleLevel, buffer };
    const isAgent = type === 'agent';
    this.errorLogger = new Logger({ ...base, file: logger.errorLogName, level: 'ERROR' }, context);
    const make = (options: Partial<LoggerOptions> & { file: string }): Logger =>
      new Logger({ ...base, ...options }, context, this.errorLogger);
    this.coreLogger = make({ ...logger.coreLogger, file: isAgent ? logger.agentLogName : logger.coreLogName });
    this.logger = isAgent ? make({ file: logger.agentLogName }) : make({ file: logger.appLogName });
    this.set('errorLogger', this.errorLogger).set('logger', this.logger).set('coreLogger', this.coreLogger);
    for (const [name, options] of Object.entries(config.customLogger ?? {})) {
      this.set(name, make({ file: `${name}.log`, ...options }));
    }
  }

  disableConsole(): void {
    for (const logger of this.values()) logger.disableConsole();
  }

  reload(): void {
    for (const logger of this.values()) logger.reload();
  }

  flush(): void {
    for (const logger of this.values()) logger.flush();
  }

  async close(): Promise<void> {
    await Promise.all([...this.values()].map((logger) => logger.close()));
  }
}
