import path from 'node:path';
import type { ClutchCore } from '../../../core/index.js';
import { nearest } from '../../../resolve/nearest.js';
import type { Logger } from '../logger/logger.js';

interface Loaded extends Pick<ClutchCore, 'type' | 'baseDir' | 'loader'> {
  config: { env: string; confusedConfigurations: Record<string, string> };
  coreLogger: Logger;
}

/** Warns of keys that are known to be taken for others. */
export function warnOfConfusedKeys({ config, loader, coreLogger }: Loaded): void {
  for (const [wrong, right] of Object.entries(config.confusedConfigurations)) {
    if (!(wrong in config)) continue;
    const file = loader.explainConfig(wrong)[0]?.sources.at(-1)?.file ?? 'config';
    coreLogger.warn('[clutch] config.%s in %s has no meaning; is it config.%s?', wrong, file, right);
  }
}

/** Keys that Clutch reads and that have no default. */
const WITHOUT_DEFAULT = ['middleware', 'customLoader', 'protocol', 'overrideMethod'];

/**
 * Warns, where an app is developed, of top-level keys that only the app has and that are nearly one of Clutch's or of a plugin's.
 * One process says it: the Agent.
 */
export function warnOfMisspeltKeys({ type, baseDir, config, loader, coreLogger }: Loaded): void {
  if (type !== 'agent' || (config.env !== 'local' && config.env !== 'unittest')) return;
  const ownDir = path.join(baseDir, 'config');
  const own = new Map<string, string>();
  const known = new Set([...WITHOUT_DEFAULT, ...Object.keys(loader.allPlugins)]);
  for (const [leaf, sources] of loader.provenance.explain('')) {
    const [key = ''] = leaf.split('.');
    for (const { file } of sources) {
      if (path.dirname(file) === ownDir) own.set(key, file);
      else if (path.isAbsolute(file)) known.add(key);
    }
  }
  const { middleware, coreMiddleware } = loader.config as Record<string, string[]>;
  const excused = new Set([
    ...(middleware ?? []),
    ...(coreMiddleware ?? []),
    ...Object.keys(config.confusedConfigurations),
  ]);
  for (const [key, file] of own) {
    if (known.has(key) || excused.has(key)) continue;
    const meant = nearest(key, known, editsOf(key));
    if (meant) coreLogger.warn('[clutch] nothing declares config.%s in %s; did you mean %s?', key, file, meant);
  }
}

/** In short names one letter makes another word: `https` and `http`, `status` and `static`. */
function editsOf({ length }: string): number {
  if (length < 6) return 0;
  return length < 7 ? 1 : 2;
}
