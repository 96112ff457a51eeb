import { existsSync } from 'node:fs';
import path from 'node:path';
import type { ClutchCore } from '../../../core/index.js';
import type { Logger } from '../logger/logger.js';

interface Loaded extends Pick<ClutchCore, 'type' | 'plugins' | 'baseDir' | 'loader'> {
  coreLogger: Logger;
}

/** Warns of tasks that nothing runs because plugin `schedule` is off. One process says it: the Agent, which would run them. */
export function warnOfUnusedFiles({ type, plugins, baseDir, coreLogger, loader }: Loaded): void {
  if (type !== 'agent' || plugins['schedule'] || !existsSync(path.join(baseDir, 'app/schedule'))) return;
  const { from } = loader.allPlugins['schedule'] ?? {};
  coreLogger.warn('[clutch] app/schedule is not loaded: plugin "schedule" is off%s', from ? ` in ${from}` : '');
}
