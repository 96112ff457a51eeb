import { maskText } from '../../output/secrets.js';
import { type Output, stderr, stdout } from '../../output/stdio.js';
import { timestamp } from '../../output/timestamp.js';

/** What the Master prints: one line for each event, to stdout or stderr. */
export interface MasterLog {
  info(message: string): void;
  warn(message: string): void;
  error(message: string): void;
}

const LEVELS = ['DEBUG', 'INFO', 'WARN', 'ERROR', 'NONE'];

let redirected: MasterLog | undefined;

/** For `clutch dev`, which has a way of its own to print: from now on every Master of this process logs there. */
export function redirectMasterLog(log: MasterLog): void {
  redirected = log;
}

/**
 * Output that cannot be written, or is not read, is dropped and counted: it never stops or fills the Master.
 * `EGG_MASTER_LOGGER_LEVEL` is the least level.
 */
export function createMasterLog(): MasterLog {
  if (redirected) return redirected;
  const least = LEVELS.indexOf((process.env['EGG_MASTER_LOGGER_LEVEL'] ?? 'INFO').toUpperCase());
  const write = (output: Output, level: string, message: string): void => {
    if (LEVELS.indexOf(level) < least) return;
    output.writeLog(level, `${timestamp()} ${level} ${process.pid} [master] ${maskText(message)}\n`);
  };
  return {
    info: (message) => write(stdout(), 'INFO', message),
    warn: (message) => write(stderr(), 'WARN', message),
    error: (message) => write(stderr(), 'ERROR', message),
  };
}
