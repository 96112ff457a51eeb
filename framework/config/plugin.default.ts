import path from 'node:path';
import type { PluginDeclarations } from '../../loader/index.js';

const PLUGINS = path.join(import.meta.dirname, '../../plugins');

/** Built-in plugins, all on by default, in Egg's order; an app turns one off, or names a package or path of its own. */
const NAMES: string[] = ['onerror', 'session', 'security', 'schedule', 'static', 'contract', 'live'];

export default Object.fromEntries(
  NAMES.map((name) => [name, { enable: true, path: path.join(PLUGINS, name) }]),
) satisfies PluginDeclarations;
