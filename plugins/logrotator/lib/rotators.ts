import { existsSync, promises as fs } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import type { Application } from '../../../framework/index.js';
import { expiredLogs, GZIP_DELAY, nameOfDay, nameOfHour } from './log_names.js';
import { LogRotator, logFiles, type Rotation } from './rotator.js';

const require = createRequire(import.meta.url);

/** `config.logrotator`. Files are absolute, or relative to `config.logger.dir`. */
export interface LogrotatorConfig {
  /** Whether the other logs stay as they are at midnight. */
  disableRotateByDay: boolean;
  filesRotateByHour: string[] | null;
  /** Between day and hour in a name. */
  hourDelimiter: string;
  filesRotateBySize: string[] | null;
  /** Bytes. */
  maxFileSize: number;
  /** How many files of `filesRotateBySize` are kept of each log. */
  maxFiles: number;
  /** Milliseconds between two looks at the sizes. */
  rotateDuration: number;
  /** Days after which logs that were rotated by day or hour are removed; 0 keeps all. */
  maxDays: number;
  /** Whether rotated logs are compressed. */
  gzip: boolean;
  /** Milliseconds from the rotation until then; default 10,000. */
  gzipDelay?: number;
}

declare module '../../../core/types.js' {
  interface KnownConfig {
    logrotator: LogrotatorConfig;
  }

  interface ApplicationExtension {
    /** The base of rotators that an app writes itself. */
    LogRotator: typeof LogRotator;
  }
}

function absolute(app: Application, files: string[] | null): string[] {
  return (files ?? []).map((file) => path.resolve(app.config.logger.dir, file));
}

function rotations(files: Iterable<string>, target: (file: string) => string): Map<string, Rotation> {
  return new Map([...files].map((srcPath) => [srcPath, { srcPath, targetPath: target(srcPath) }]));
}

/** Each log but those with a rotator of their own, once a day. */
export class DayRotator extends LogRotator {
  protected override readonly compresses = true;

  override getRotateFiles(): Map<string, Rotation> {
    const { filesRotateByHour, filesRotateBySize } = this.app.config.logrotator;
    const files = logFiles(this.app);
    for (const file of [...absolute(this.app, filesRotateByHour), ...absolute(this.app, filesRotateBySize)]) {
      files.delete(file);
    }
    const now = Date.now();
    return rotations(files, (file) => nameOfDay(file, now));
  }
}

export class HourRotator extends LogRotator {
  protected override readonly compresses = true;

  override getRotateFiles(): Map<string, Rotation> {
    const { filesRotateByHour, hourDelimiter } = this.app.config.logrotator;
    const now = Date.now();
    return rotations(absolute(this.app, filesRotateByHour), (file) => nameOfHour(file, hourDelimiter, now));
  }
}

/**
 * Logs that have become too large: `a.log` becomes `a.log.1`, that `a.log.2`, and the oldest is removed. It compresses them itself,
 * before it renames the next: while the Agent did so, their names could change.
 */
export class SizeRotator extends LogRotator {
  override async rotate(): Promise<void> {
    if (this.app.config.logrotator.gzip) await this.#compress();
    await super.rotate();
  }

  async #compress(): Promise<void> {
    const { filesRotateBySize, maxFiles, gzipDelay = GZIP_DELAY } = this.app.config.logrotator;
    const { compressLog, uncompressedNumbers } = require('../lazy/compress.js') as typeof import('../lazy/compress.js');
    for (const log of absolute(this.app, filesRotateBySize)) {
      try {
        for (const file of await uncompressedNumbers(log, maxFiles, gzipDelay)) {
          if (await compressLog(file)) this.logger.info('[logrotator] compressed %s', file);
        }
      } catch (error) {
        this.logger.error(
          new Error(`[logrotator] ${log} is not compressed: ${(error as Error).message}`, { cause: error }),
        );
      }
    }
  }

  override async getRotateFiles(): Promise<Map<string, Rotation>> {
    const { filesRotateBySize, maxFileSize, maxFiles } = this.app.config.logrotator;
    const large: string[] = [];
    for (const file of absolute(this.app, filesRotateBySize)) {
      if (!existsSync(file) || (await fs.stat(file)).size < maxFileSize) continue;
      try {
        await shift(file, maxFiles);
        large.push(file);
      } catch (error) {
        this.logger.error(
          new Error(`[logrotator] the files before ${file} are not renamed: ${(error as Error).message}`, {
            cause: error,
          }),
        );
      }
    }
    return rotations(large, (file) => `${file}.1`);
  }
}

/** Makes room for `file.1`. */
async function shift(file: string, maxFiles: number): Promise<void> {
  for (const end of ['', '.gz']) {
    await fs.rm(`${file}.${maxFiles}${end}`, { force: true });
    for (let number = maxFiles - 1; number >= 1; number -= 1) {
      const name = `${file}.${number}${end}`;
      if (existsSync(name)) await fs.rename(name, `${file}.${number + 1}${end}`);
    }
  }
}

/** Removes logs that were rotated by day or hour more than `maxDays` ago, in all directories that hold logs. */
export async function removeExpired(app: Application): Promise<void> {
  const { maxDays } = app.config.logrotator;
  const byDirectory = new Map<string, Set<string>>();
  for (const file of logFiles(app)) {
    const dir = path.dirname(file);
    byDirectory.set(dir, (byDirectory.get(dir) ?? new Set()).add(path.basename(file)));
  }
  for (const [dir, logs] of byDirectory) {
    if (!existsSync(dir)) continue;
    for (const name of expiredLogs(await fs.readdir(dir), logs, maxDays, Date.now())) {
      try {
        await fs.unlink(path.join(dir, name));
        app.coreLogger.info('[logrotator] removed %s', path.join(dir, name));
      } catch (error) {
        app.coreLogger.error(error);
      }
    }
  }
}
