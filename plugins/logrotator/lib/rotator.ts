import { existsSync, promises as fs } from 'node:fs';
import path from 'node:path';
import type { Application } from '../../../framework/index.js';

/** From where to where a log is renamed. */
export interface Rotation {
  srcPath: string;
  targetPath: string;
}

/**
 * Renames logs, and has all processes open them anew. A rotator of the app extends `app.LogRotator`.
 *
 * @example class Hourly extends app.LogRotator { async getRotateFiles() { return new Map([[srcPath, { srcPath, targetPath }]]); } }
 */
export abstract class LogRotator {
  readonly app: Application;
  /** Whether the Agent compresses its logs: their new names stay theirs. */
  protected readonly compresses: boolean = false;

  constructor({ app }: { app: Application }) {
    this.app = app;
  }

  /** @returns what is to be renamed, by path */
  abstract getRotateFiles(): Promise<Map<string, Rotation>> | Map<string, Rotation>;

  get logger(): Application['coreLogger'] {
    return this.app.coreLogger;
  }

  /** Renames the files. One that cannot be renamed, or whose new name is taken, is logged and stays. */
  async rotate(): Promise<void> {
    const files = await this.getRotateFiles();
    const renamed: string[] = [];
    for (const rotation of files.values()) {
      if (await this.#rename(rotation)) renamed.push(rotation.targetPath);
    }
    if (renamed.length === 0) return;
    // A process that is not reached opens the new file with its next lines all the same.
    this.app.messenger.broadcast('log-reload');
    this.logger.info('[logrotator] %s renamed %s of %s logs', this.constructor.name, renamed.length, files.size);
    if (this.compresses && this.app.config.logrotator.gzip) {
      this.app.messenger.sendToAgent('logrotator-rotated', renamed);
    }
  }

  async #rename({ srcPath, targetPath }: Rotation): Promise<boolean> {
    if (!existsSync(srcPath)) return false;
    try {
      if (existsSync(targetPath)) throw new Error(`${targetPath} exists already`);
      await fs.rename(srcPath, targetPath);
      return true;
    } catch (error) {
      this.logger.error(
        new Error(`[logrotator] ${srcPath} is not renamed: ${(error as Error).message}`, { cause: error }),
      );
      return false;
    }
  }
}

/** @returns absolute paths of all log files of workers and Agent */
export function logFiles({ loggers, config }: Application): Set<string> {
  const { dir, agentLogName } = config.logger;
  const files = new Set([path.join(dir, agentLogName)]);
  for (const logger of loggers.values()) {
    for (const { options } of logger.values()) {
      const { file } = (options ?? {}) as { file?: string };
      if (file !== undefined) files.add(file);
    }
  }
  return files;
}
