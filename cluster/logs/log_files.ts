import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';

/** @returns where the processes of an app that ran last have their logs; undefined when none has been ready yet */
export function dumpedLogDirectory(baseDir: string): string | undefined {
  for (const type of ['application', 'agent']) {
    const file = path.join(baseDir, `run/${type}_config.json`);
    if (!existsSync(file)) continue;
    const { config } = JSON.parse(readFileSync(file, 'utf8')) as { config?: { logger?: { dir?: unknown } } };
    const dir = config?.logger?.dir;
    if (typeof dir === 'string') return dir;
  }
  return undefined;
}

/** @returns the logs in a directory, without those that were rotated; only one if it is named */
export function logFiles(dir: string, name?: string): string[] {
  let names: string[];
  try {
    names = readdirSync(dir).filter((each) => each.endsWith('.log'));
  } catch {
    return [];
  }
  const wanted = name === undefined ? undefined : `${name.replace(/\.log$/, '')}.log`;
  return names.filter((each) => wanted === undefined || each === wanted).map((each) => path.join(dir, each));
}

/** @returns the file that a log was renamed to last; undefined when there is none, or it is compressed */
export function rotatedFile(file: string): string | undefined {
  const dir = path.dirname(file);
  const begin = `${path.basename(file)}.`;
  let last: { name: string; at: number } | undefined;
  for (const name of readdirSync(dir)) {
    if (!name.startsWith(begin) || !/^\d[\d.-]*$/.test(name.slice(begin.length))) continue;
    const at = statSync(path.join(dir, name), { throwIfNoEntry: false })?.mtimeMs ?? 0;
    if (!last || at > last.at) last = { name, at };
  }
  return last && path.join(dir, last.name);
}
