import { hostname } from 'node:os';
import { wantsStack } from '../../../output/error_screen.js';
import { withoutOwnFrames } from '../../../output/frames.js';
import { Masker } from '../../../output/secrets.js';
import { stderr, stdout } from '../../../output/stdio.js';
import { timestamp } from '../../../output/timestamp.js';
import { type LevelName, lineRank, nameOf, rankOf } from './levels.js';
import { formatContext, formatMessage, type LineFormatter, type LineMeta, type LogContext } from './line_format.js';
import type { LogFile } from './log_file.js';
import { closeLogFile, openLogFile } from './log_files.js';

/** What a line carries besides its arguments. */
export interface LogMeta {
  ctx?: LogContext;
  /** Only the message is written, without date and level. */
  raw?: boolean;
  /** What stands in brackets instead of the request. */
  paddingMessage?: string;
  /** Whether subscribers of `clutch:log` have it already. */
  published?: boolean;
  /** What they have added. */
  traceId?: string | undefined;
  spanId?: string | undefined;
}

export interface TransportOptions {
  /** Least level that is written; default INFO. */
  level?: LevelName | number | string;
  formatter?: LineFormatter | null;
  /** For lines inside a request. */
  contextFormatter?: LineFormatter | null;
  /** Makes what stands in brackets in lines inside a request; default user, address, trace, time, method and URL. */
  paddingMessageFormatter?: ((ctx: LogContext) => string) | null;
  /** One JSON object a line. */
  json?: boolean;
  masker?: Masker;
  /** Causes of an error that are printed; default 10. */
  maxCauseChainLength?: number;
}

/** How a logger sees a transport: those of `egg-logger` fit, too. */
export interface TransportLike {
  options?: object;
  shouldLog(level: string): boolean;
  log(level: string, args: unknown[], meta?: LogMeta, message?: string): unknown;
  enable(): void;
  disable(): void;
  reload(): void;
  close(): void;
  level?: unknown;
}

const noMasker = new Masker();

/**
 * A place that lines go to. A subclass overrides `log`; `super.log` gives the text of the line.
 *
 * @example app.getLogger('errorLogger').set('remote', new RemoteTransport({ level: 'ERROR' }));
 */
export class Transport<T extends TransportOptions = TransportOptions> implements TransportLike {
  readonly options: T;
  enabled = true;
  #rank: number;
  readonly #isPlain: boolean;

  constructor(options: T = {} as T) {
    this.options = options;
    this.#rank = rankOf(options.level ?? 'INFO');
    this.#isPlain = !options.json && !options.formatter;
  }

  get level(): LevelName {
    return nameOf(this.#rank);
  }

  set level(level: LevelName | number) {
    this.#rank = rankOf(level);
  }

  enable(): void {
    this.enabled = true;
  }

  disable(): void {
    this.enabled = false;
  }

  shouldLog(level: string): boolean {
    // A line of level NONE goes everywhere, but not where nothing goes.
    return this.enabled && lineRank(level) >= this.#rank && this.#rank !== Number.POSITIVE_INFINITY;
  }

  /**
   * @param message the text of `args` when it is known already
   * @returns the line, with its line feed
   */
  log(level: string, args: unknown[], meta?: LogMeta, message = this.message(args)): unknown {
    return this.line(level, message, meta);
  }

  /** @returns the text of a log call, secrets masked */
  protected message(args: unknown[]): string {
    const { masker = noMasker, maxCauseChainLength = 10 } = this.options;
    return formatMessage(args, masker, maxCauseChainLength);
  }

  protected line(level: string, message: string, meta: LogMeta | undefined): string {
    if (meta === undefined && this.#isPlain) return `${headOf(level)}${message}\n`;
    if (meta?.raw) return `${message}\n`;
    const { formatter, contextFormatter, json, masker = noMasker } = this.options;
    const ctx = meta?.ctx;
    const padding = meta?.paddingMessage ?? (ctx ? this.#padding(ctx, masker) : traceOf(meta));
    const isOfRequest = ctx !== undefined || meta?.paddingMessage !== undefined;
    const format = json ? toJsonLine : isOfRequest ? contextFormatter : formatter;
    if (format) {
      const text = format(lineMeta(level, message, padding, meta));
      // A formatter of the app may print `ctx.url` as it came.
      return `${padding === undefined || json ? text : masker.maskText(text)}\n`;
    }
    return padding === undefined ? `${headOf(level)}${message}\n` : `${headOf(level)}${padding} ${message}\n`;
  }

  #padding(ctx: LogContext, masker: Masker): string {
    const { paddingMessageFormatter } = this.options;
    return paddingMessageFormatter ? masker.maskText(paddingMessageFormatter(ctx)) : formatContext(ctx, masker);
  }

  reload(): void {}

  close(): void {}

  end(): void {
    this.close();
  }
}

let headTime = '';
let headLevel = '';
let head = '';

/** @returns what stands before the message: made once for all lines of a millisecond and level */
function headOf(level: string): string {
  const time = timestamp();
  if (time === headTime && level === headLevel) return head;
  headTime = time;
  headLevel = level;
  head = `${time} ${level} ${process.pid} `;
  return head;
}

function lineMeta(level: string, message: string, padding: string | undefined, meta: LogMeta | undefined): LineMeta {
  const line: LineMeta = { level, date: timestamp(), pid: process.pid, hostname: hostname(), message };
  if (meta?.traceId !== undefined) Object.assign(line, { trace_id: meta.traceId, span_id: meta.spanId });
  return padding === undefined ? line : { paddingMessage: padding, ctx: meta?.ctx, ...line };
}

/** What stands in brackets of a line that belongs to a trace and to no request. */
function traceOf({ traceId, spanId }: LogMeta = {}): string | undefined {
  return traceId === undefined ? undefined : `[trace_id=${traceId} span_id=${spanId}]`;
}

function toJsonLine({ ctx: _, ...line }: LineMeta): string {
  return JSON.stringify(line);
}

export interface FileTransportOptions extends TransportOptions {
  /** Absolute path. */
  file: string;
  encoding?: string;
  /** Write in batches; default true. */
  buffer?: boolean;
}

/** Writes lines to a file. */
export class FileTransport extends Transport<FileTransportOptions> {
  readonly #log: LogFile;
  readonly #buffer: boolean;

  constructor(options: FileTransportOptions) {
    super(options);
    this.#log = openLogFile(options.file, options.encoding ?? 'utf8');
    this.#buffer = options.buffer ?? true;
  }

  override log(level: string, args: unknown[], meta?: LogMeta, message = this.message(args)): void {
    this.#log.write(this.line(level, message, meta), this.#buffer);
  }

  /** Opens the file anew, after it was renamed. */
  override reload(): void {
    this.#log.reopen();
  }

  flush(): void {
    this.#log.flush();
  }

  override close(): void {
    closeLogFile(this.#log);
  }
}

/**
 * Writes errors to stderr and other lines to stdout; `EGG_LOG` overrides its level. Under `clutch dev`, stacks have the frames of the
 * app and its packages only, unless `--stack` asks for all; files have all of them.
 */
export class ConsoleTransport extends Transport {
  readonly #shortens = process.env['CLUTCH_DEV'] === '1' && !wantsStack();

  constructor(options: TransportOptions) {
    super({ ...options, level: process.env['EGG_LOG'] || options.level });
  }

  override log(level: string, args: unknown[], meta?: LogMeta, message = this.message(args)): void {
    const output = level === 'ERROR' ? stderr() : stdout();
    const text = this.#shortens && message.includes('\n    at ') ? withoutOwnFrames(message) : message;
    output.writeLog(level, this.line(level, text, meta));
  }
}
