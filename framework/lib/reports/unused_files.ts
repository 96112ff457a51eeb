import { existsSync } from 'node:fs';
import path from 'node:path';
import type { ClutchCore } from '../../../core/index.js';
import type { Logger } from '../logger/logger.js';

interface Loaded extends Pick<ClutchCore, 'type' | 'plugins' | 'baseDir' | 'loader'> {
  coreLogger: Logger;
}

/** Directories of an app that a plugin loads. */
const LOADED_BY = { 'app/schedule': 'schedule', 'app/job': 'jobs' };

/** Warns of tasks that nothing runs because their plugin is off. One process says it: the Agent, where they come from. */
export function warnOfUnusedFiles({ type, plugins, baseDir, coreLogger, loader }: Loaded): void {
  if (type !== 'agent') return;
  for (const [dir, plugin] of Object.entries(LOADED_BY)) {
    if (plugins[plugin] || !existsSync(path.join(baseDir, dir))) continue;
    const { from } = loader.allPlugins[plugin] ?? {};
    coreLogger.warn('[clutch] %s is not loaded: plugin "%s" is off%s', dir, plugin, from ? ` in ${from}` : '');
  }
}
