import path from 'node:path';
import { Masker } from '../../../output/secrets.js';
import { type LogTrace, logChannel } from '../../../tracing/log_channel.js';
import { type Level, LevelLogger, type LevelName } from './levels.js';
import { formatMessage, type LineFormatter, type LogContext } from './line_format.js';
import { ConsoleTransport, FileTransport, type LogMeta, type TransportLike } from './transport.js';

export interface LoggerOptions {
  /** Where the file is written; relative to `dir`. */
  file: string;
  dir: string;
  encoding: string;
  /** Least level that goes to the file. */
  level: LevelName;
  /** Least level that goes to the console. */
  consoleLevel: LevelName;
  /** Write the file in batches, at most a tenth of a second late, not line by line. */
  buffer: boolean;
  /** Also write one JSON object a line, to a file that ends in `.json.log`. */
  outputJSON: boolean;
  /** Write the JSON file only. */
  outputJSONOnly: boolean;
  formatter?: LineFormatter;
  /** The formatter of lines inside a request. */
  contextFormatter?: LineFormatter;
  /** Makes what stands in brackets in lines inside a request. */
  paddingMessageFormatter?: ((ctx: LogContext) => string) | null;
  /** What becomes of errors: written to the error log as well, only there, or only here. */
  concentrateError: 'duplicate' | 'redirect' | 'ignore';
  /** Causes of an error that are printed. */
  maxCauseChainLength: number;
}

interface Concentration {
  logger: Logger;
  /** Transports of this logger that do not get the line as well; all of them when it is redirected. */
  excludes: readonly string[] | 'all';
}

/** Gives lines to its transports: by default `file`, `jsonFile` when asked for, and `console`. */
export class Logger extends Map<string, TransportLike> {
  readonly options: LoggerOptions;
  readonly #context: () => LogContext | undefined;
  readonly #masker: Masker;
  readonly #concentrated = new Map<string, Concentration>();
  /** The values of this map: reading an array takes less than walking a map, line by line. */
  #transports: TransportLike[] = [];

  constructor(
    options: LoggerOptions,
    context: () => LogContext | undefined = () => undefined,
    masker: Masker = new Masker(),
  ) {
    super();
    const file = path.resolve(options.dir, options.file);
    this.options = { ...options, file };
    this.#context = context;
    this.#masker = masker;
    const { level, consoleLevel, encoding, buffer, formatter, contextFormatter } = options;
    const { maxCauseChainLength, paddingMessageFormatter } = options;
    const shared = { masker, maxCauseChainLength, paddingMessageFormatter };
    const common = { ...shared, level, encoding, buffer };
    if (!options.outputJSONOnly) this.set('file', new FileTransport({ ...common, file, formatter, contextFormatter }));
    if (options.outputJSON || options.outputJSONOnly) {
      const jsonFile = `${file.replace(/\.log$/, '')}.json.log`;
      this.set('jsonFile', new FileTransport({ ...common, file: jsonFile, json: true }));
    }
    this.set('console', new ConsoleTransport({ ...shared, level: consoleLevel }));
  }

  debug(...args: unknown[]): void {
    this.log('DEBUG', args);
  }

  info(...args: unknown[]): void {
    this.log('INFO', args);
  }

  warn(...args: unknown[]): void {
    this.log('WARN', args);
  }

  error(...args: unknown[]): void {
    this.log('ERROR', args);
  }

  /** Writes a line without date and level, to all transports. */
  write(...args: unknown[]): void {
    this.log('NONE', args, { raw: true });
  }

  log(level: Level | 'NONE', args: unknown[], meta?: LogMeta): void {
    const concentrated = this.#concentrated.get(level);
    const transports = concentrated ? this.#without(concentrated.excludes) : this.#transports;
    let message: string | undefined;
    let carried = meta;
    for (let index = 0; index < transports.length; index += 1) {
      const transport = transports[index] as TransportLike;
      if (!transport.shouldLog(level)) continue;
      if (message === undefined) {
        message = formatMessage(args, this.#masker, this.options.maxCauseChainLength);
        if (meta === undefined) {
          const ctx = this.#context();
          if (ctx !== undefined) carried = { ctx };
        }
        if (logChannel.hasSubscribers && !carried?.published) carried = this.#publish(level, message, carried);
      }
      transport.log(level, args, carried, message);
    }
    concentrated?.logger.log(level, args, message === undefined ? meta : carried);
  }

  /** @returns `meta` with what subscribers have added */
  #publish(level: string, message: string, meta: LogMeta | undefined): LogMeta {
    const ctx = meta?.ctx as LogTrace['ctx'];
    const line: LogTrace = { level, message, file: this.options.file, ctx };
    logChannel.publish(line);
    const { traceId, spanId } = line;
    return { ...meta, published: true, traceId, spanId };
  }

  #without(excludes: Concentration['excludes']): TransportLike[] {
    if (excludes === 'all') return [];
    return [...this].filter(([name]) => !excludes.includes(name)).map(([, transport]) => transport);
  }

  override set(name: string, transport: TransportLike): this {
    super.set(name, transport);
    this.#transports = [...this.values()];
    return this;
  }

  override delete(name: string): boolean {
    const isDeleted = super.delete(name);
    this.#transports = [...this.values()];
    return isDeleted;
  }

  /** Lines of a level go to another logger instead. */
  redirect(level: Level, logger: Logger): void {
    if (logger !== this) this.#concentrated.set(level, { logger, excludes: 'all' });
  }

  /** Lines of a level go to another logger as well; transports in `excludes` leave them to it. */
  duplicate(level: Level, logger: Logger, { excludes = [] }: { excludes?: string[] } = {}): void {
    if (logger !== this) this.#concentrated.set(level, { logger, excludes });
  }

  /** Ends what `redirect` or `duplicate` began. */
  unredirect(level: Level): void {
    this.#concentrated.delete(level);
  }

  get level(): LevelName {
    return (this.get('file') ?? this.get('jsonFile'))?.level as LevelName;
  }

  set level(level: LevelName) {
    for (const name of ['file', 'jsonFile']) Object.assign(this.get(name) ?? {}, { level });
  }

  get consoleLevel(): LevelName {
    return this.get('console')?.level as LevelName;
  }

  set consoleLevel(level: LevelName) {
    Object.assign(this.get('console') ?? {}, { level });
  }

  enable(name: string): void {
    this.get(name)?.enable();
  }

  disable(name: string): void {
    this.get(name)?.disable();
  }

  /** Opens the files anew, after they were renamed. */
  reload(): void {
    for (const transport of this.values()) transport.reload();
  }

  flush(): void {
    for (const transport of this.values()) if (transport instanceof FileTransport) transport.flush();
  }

  close(): void {
    for (const transport of this.values()) transport.close();
  }
}

/** A logger whose lines name one request. */
export class RequestLogger extends LevelLogger {
  readonly #logger: Logger;
  readonly #meta: LogMeta;

  constructor(ctx: LogContext, logger: Logger) {
    super();
    this.#logger = logger;
    this.#meta = { ctx };
  }

  get options(): LoggerOptions {
    return this.#logger.options;
  }

  log(level: Level, args: unknown[]): void {
    this.#logger.log(level, args, this.#meta);
  }

  /** Writes a line without date, level and request. */
  write(...args: unknown[]): void {
    this.#logger.write(...args);
  }
}
