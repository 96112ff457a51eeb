import { accessSync, constants, existsSync, statfsSync, statSync } from 'node:fs';
import path from 'node:path';
import type { Finding } from '../finding.js';

export interface DirectoryFacts {
  dir: string;
  /** Config key that names it. */
  key: string;
  problem?: { code: string; at: string };
  /** Free bytes of its disk. */
  free?: number;
}

/** Free bytes below which logs soon fill the disk. */
const LOW_SPACE = 200 * 1024 * 1024;

/** Looks at a directory that the app writes to, or at the nearest one above it that exists. */
export function gatherDirectory(key: string, dir: string): DirectoryFacts {
  let at = dir;
  while (!existsSync(at) && path.dirname(at) !== at) at = path.dirname(at);
  if (!statSync(at).isDirectory()) return { dir, key, problem: { code: 'ENOTDIR', at } };
  try {
    accessSync(at, constants.W_OK | constants.X_OK);
    const { bavail, bsize } = statfsSync(at);
    return { dir, key, free: bavail * bsize };
  } catch (error) {
    return { dir, key, problem: { code: (error as NodeJS.ErrnoException).code ?? String(error), at } };
  }
}

export function checkDirectory({ dir, key, problem, free }: DirectoryFacts): Finding[] {
  if (problem) {
    return [
      {
        level: 'error',
        what: `${dir} cannot be written: ${problem.code}`,
        where: `config.${key}; at ${problem.at}`,
        fix:
          problem.code === 'ENOTDIR'
            ? `Remove the file ${problem.at}, or set config.${key} to another directory.`
            : `sudo chown $(id -u) ${problem.at}, or set config.${key} to another directory.`,
      },
    ];
  }
  if (free === undefined || free >= LOW_SPACE) return [];
  return [
    {
      level: 'warning',
      what: `${Math.floor(free / 1024 / 1024)} MiB are free on the disk of ${dir}`,
      where: `config.${key}`,
      fix: 'Remove old files there, or lower config.logrotator.maxDays.',
    },
  ];
}
