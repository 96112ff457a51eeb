import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { ClutchError, toError } from '../../errors.js';

/**
 * Writes the Master's pid to a file that is removed when it ends.
 *
 * @throws {ClutchError} ERR_CLUTCH_OPTION when it cannot be written
 */
export function writePidFile(pidFile: string): void {
  try {
    mkdirSync(path.dirname(pidFile), { recursive: true });
    writeFileSync(pidFile, String(process.pid), { mode: 0o600 });
  } catch (cause) {
    throw new ClutchError('ERR_CLUTCH_OPTION', `the pid file cannot be written: ${toError(cause).message}`, {
      where: `option pidFile: ${pidFile}`,
      fix: 'Choose another path, or let this user write there.',
      cause,
    });
  }
  process.once('exit', () => rmSync(pidFile, { force: true }));
}
