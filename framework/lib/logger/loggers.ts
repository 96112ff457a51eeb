import { ClutchError } from '../../../errors.js';
import type { Masker } from '../../../output/secrets.js';
import { lostOutput, stderr, stdout } from '../../../output/stdio.js';
import { isEncoding } from './encoding.js';
import type { LogContext } from './line_format.js';
import { lostLogLines, reportLostLines } from './log_files.js';
import { Logger, type LoggerOptions } from './logger.js';

/** `config.logger`. */
export interface LoggerConfig extends Omit<LoggerOptions, 'file'> {
  disableConsoleAfterReady: boolean;
  allowDebugAtProd: boolean;
  /** Have `ctx.performanceStarttime`: times in logs and in `x-readtime` have fractions of a millisecond. */
  enablePerformanceTimer: boolean;
  /** `ctx.getLogger` gives the loggers of the app. */
  enableFastContextLogger: boolean;
  appLogName: string;
  coreLogName: string;
  agentLogName: string;
  errorLogName: string;
  coreLogger: Partial<LoggerOptions>;
}

interface LoggersConfig {
  env: string;
  logger: LoggerConfig;
  customLogger?: Record<string, Partial<LoggerOptions>>;
}

/** The loggers of one process, by name and as properties. */
export class Loggers extends Map<string, Logger> {
  declare readonly errorLogger: Logger;
  declare readonly logger: Logger;
  declare readonly coreLogger: Logger;

  /** @throws {ClutchError} ERR_CLUTCH_CONFIG for a level or an encoding that there is not */
  constructor(
    { env, logger: config, customLogger = {} }: LoggersConfig,
    type: 'application' | 'agent',
    context: () => LogContext | undefined,
    masker: Masker,
  ) {
    super();
    // From here on, output that nobody reads is no error.
    stdout();
    stderr();
    const isQuiet = env === 'prod' && config.level === 'DEBUG' && !config.allowDebugAtProd;
    const base: Omit<LoggerOptions, 'file'> = { ...config, level: isQuiet ? 'INFO' : config.level };
    const make = (options: Partial<LoggerOptions> & { file: string }): Logger =>
      new Logger(checked({ ...base, ...options }), context, masker);
    const isAgent = type === 'agent';
    this.set('errorLogger', make({ file: config.errorLogName, level: 'ERROR' }));
    this.set('logger', make({ file: isAgent ? config.agentLogName : config.appLogName }));
    this.set('coreLogger', make({ file: isAgent ? config.agentLogName : config.coreLogName, ...config.coreLogger }));
    for (const [name, options] of Object.entries(customLogger))
      this.set(name, make({ file: `${name}.log`, ...options }));
  }

  /** Adds a logger; its errors go to the error log, too, as its `concentrateError` says. */
  override set(name: string, logger: Logger): this {
    if (this.has(name)) return this;
    Object.assign(this, { [name]: logger });
    const { concentrateError = 'duplicate' } = logger.options;
    if (name !== 'errorLogger' && concentrateError !== 'ignore') {
      if (concentrateError === 'redirect') logger.redirect('ERROR', this.errorLogger);
      else logger.duplicate('ERROR', this.errorLogger, { excludes: ['console'] });
    }
    return super.set(name, logger);
  }

  disableConsole(): void {
    for (const logger of this.values()) logger.disable('console');
  }

  reload(): void {
    for (const logger of this.values()) logger.reload();
  }

  flush(): void {
    for (const logger of this.values()) logger.flush();
  }

  /** Lines that this process could not write to logs, stdout and stderr. */
  get lostLines(): number {
    return lostLogLines() + lostOutput();
  }

  close(): void {
    for (const logger of this.values()) logger.close();
    reportLostLines();
  }
}

function checked(options: LoggerOptions): LoggerOptions {
  if (isEncoding(options.encoding)) return options;
  throw new ClutchError('ERR_CLUTCH_CONFIG', `logs cannot be written in encoding "${options.encoding}"`, {
    where: 'config.logger.encoding or config.customLogger',
    fix: 'Use one that Buffer or iconv-lite has, such as utf8 or gbk.',
  });
}
