import { maskText } from '../../output/secrets.js';
import { type Output, stderr, stdout } from '../../output/stdio.js';
import { timestamp } from '../../output/timestamp.js';
import type { MasterLine } from '../admin/page_source.js';

/** What the Master prints: one line for each event, to stdout or stderr. */
export interface MasterLog {
  info(message: string): void;
  warn(message: string): void;
  error(message: string): void;
}

const LEVELS = ['DEBUG', 'INFO', 'WARN', 'ERROR', 'NONE'];

/** Lines that are kept for the admin page. */
const MOST_LINES = 200;

const lines: MasterLine[] = [];
let count = 0;

/** @returns what the Masters of this process have printed last, the newest last */
export function masterLines(): readonly MasterLine[] {
  return lines;
}

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
  const print = redirected ?? printer();
  const write = (level: MasterLine['level'], text: string): void => {
    count += 1;
    lines.push({ number: count, at: Date.now(), level, text });
    if (lines.length > MOST_LINES) lines.shift();
    print[METHODS[level]](text);
  };
  return {
    info: (message) => write('INFO', message),
    warn: (message) => write('WARN', message),
    error: (message) => write('ERROR', message),
  };
}

const METHODS = { INFO: 'info', WARN: 'warn', ERROR: 'error' } as const;

function printer(): MasterLog {
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
