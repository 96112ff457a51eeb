import { createRequire } from 'node:module';
import path from 'node:path';
import type { DevelopmentConfig } from './types.js';

const require = createRequire(import.meta.url);

const WATCHED = ['app', 'config', 'mocks', 'mocks_proxy', 'app.js', 'app.ts', 'agent.js', 'agent.ts'];
const IGNORED = ['app/views', 'app/view', 'app/assets', 'app/public', 'app/web'];

/** Files that the Agent loads, too. */
const OF_AGENT = /^(?:config\/|agent\.|app\/(?:extend|schedule)\/)/;

/** @returns absolute paths */
export function watchedPaths(baseDir: string, { watchDirs, overrideDefault }: DevelopmentConfig): string[] {
  return [...(overrideDefault ? [] : WATCHED), ...watchDirs].map((file) => path.resolve(baseDir, file));
}

/** @returns whether a change of this file is a reason to reload */
export function changeFilter(baseDir: string, config: DevelopmentConfig): (file: string) => boolean {
  const { ignoreDirs, overrideIgnore, reloadPattern } = config;
  const ignored = [...(overrideIgnore ? [] : IGNORED), ...ignoreDirs].map((dir) => path.resolve(baseDir, dir));
  const matches = reloadPattern === undefined ? () => true : globFilter([reloadPattern].flat(), baseDir);
  return (file) =>
    // Declarations are for the editor, and are written after a reload.
    !file.endsWith('.d.ts') && !ignored.some((dir) => file.startsWith(dir)) && matches(file);
}

/** The last pattern that matches decides, as with multimatch. */
function globFilter(patterns: string[], baseDir: string): (file: string) => boolean {
  const picomatch = require('picomatch') as (glob: string) => (file: string) => boolean;
  const rules = patterns.map((pattern) => {
    const negated = pattern.startsWith('!');
    return { takes: !negated, matches: picomatch(negated ? pattern.slice(1) : pattern) };
  });
  return (file) => {
    const relative = path.relative(baseDir, file);
    // Egg matches absolute paths; patterns are usually written for those below the app.
    const last = rules.findLast(({ matches }) => matches(file) || matches(relative));
    return last?.takes === true;
  };
}

export function concernsAgent(baseDir: string, file: string): boolean {
  return OF_AGENT.test(path.relative(baseDir, file).replaceAll(path.sep, '/'));
}
