import { existsSync, mkdirSync } from 'node:fs';
import path from 'node:path';

/**
 * Makes a directory and those above it. Node's `recursive` never returns where a directory cannot be made and says that
 * its parent is missing, as in `/proc`.
 *
 * @throws the error of the directory that cannot be made
 */
export function makeDirectory(dir: string): void {
  if (existsSync(dir)) return;
  const parent = path.dirname(dir);
  if (!existsSync(parent)) makeDirectory(parent);
  try {
    mkdirSync(dir);
  } catch (error) {
    // Another process was faster.
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
}
