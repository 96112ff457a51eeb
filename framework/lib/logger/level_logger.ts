export type Level = 'DEBUG' | 'INFO' | 'WARN' | 'ERROR';

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
