import { ClutchError } from '../../../errors.js';

export type Level = 'DEBUG' | 'INFO' | 'WARN' | 'ERROR';

/** A level as config gives it; NONE turns an output off. */
export type LevelName = Level | 'ALL' | 'NONE';

const LEVELS: Readonly<Record<LevelName, number>> = {
  ALL: Number.NEGATIVE_INFINITY,
  DEBUG: 0,
  INFO: 1,
  WARN: 2,
  ERROR: 3,
  NONE: Number.POSITIVE_INFINITY,
};

/**
 * @param level a name in any case, or its number
 * @returns the number that levels are compared by
 * @throws {ClutchError} ERR_CLUTCH_CONFIG for a name that is no level
 */
export function rankOf(level: LevelName | number | string): number {
  if (typeof level === 'number') return level;
  const rank = LEVELS[String(level).toUpperCase() as LevelName];
  if (rank !== undefined) return rank;
  throw new ClutchError('ERR_CLUTCH_CONFIG', `"${level}" is not a log level`, {
    where: 'config.logger, config.customLogger or EGG_LOG',
    fix: `Use one of ${Object.keys(LEVELS).join(', ')}.`,
  });
}

/** @returns the rank of a line's level: as `LEVELS[level]`, with the usual ones compared first; NaN if there is no such level */
export function lineRank(level: string): number {
  if (level === 'INFO') return 1;
  if (level === 'WARN') return 2;
  return LEVELS[level as LevelName] ?? Number.NaN;
}

/** @returns the name of a rank, as `logger.level` gives it back */
export function nameOf(rank: number): LevelName {
  return (Object.keys(LEVELS) as LevelName[]).find((name) => LEVELS[name] === rank) ?? 'NONE';
}

/** A method for each level, over one that takes the level. */
export abstract class LevelLogger {
  abstract log(level: Level, args: unknown[]): void;

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
}
