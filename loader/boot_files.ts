import path from 'node:path';
import { isClass } from './files/export_kind.js';
import { toAsyncFunction } from './files/generators.js';
import { loadIfExists } from './files/module_loader.js';
import type { LoadUnit } from './load_unit.js';
import type { LoaderHost } from './loader_host.js';

/**
 * Loads `app.js` or `agent.js` of each unit and registers what it exports as a boot hook.
 *
 * @param warn is called with a sentence about a file that exports neither a class nor a function
 */
export function loadBootFiles(
  name: 'app' | 'agent',
  units: LoadUnit[],
  lifecycle: LoaderHost['lifecycle'],
  warn: (message: string) => void,
): void {
  for (const unit of units) {
    const loaded = loadIfExists(path.join(unit.path, name));
    if (!loaded) continue;
    const { file, exports } = loaded;
    if (isClass(exports)) {
      Object.assign(exports.prototype, { fullPath: file });
      lifecycle.addBootHook(exports);
    } else if (typeof exports === 'function') {
      const run = toAsyncFunction(exports);
      lifecycle.addFunctionAsBootHook((app) => run(app), file);
    } else {
      warn(`${file} must export a class or a function and is ignored`);
    }
  }
}
