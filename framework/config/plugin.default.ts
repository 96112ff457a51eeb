import path from 'node:path';
import type { PluginDeclarations } from '../../loader/index.js';

const PLUGINS = path.join(import.meta.dirname, '../../plugins');

/** Built-in plugins, on by default but those of OFF, in Egg's order; an app turns one off, or names a package or path of its own. */
const NAMES: string[] = [
  'onerror',
  'session',
  'i18n',
  'watcher',
  'multipart',
  'security',
  'development',
  'logrotator',
  'schedule',
  'static',
  'jsonp',
  'view',
  'cors',
  'contract',
  'live',
  'fleet',
  'jobs',
];

/** Plugins that an app turns on with `name: true`. */
const OFF = new Set(['cors', 'fleet', 'jobs']);

export default Object.fromEntries(
  NAMES.map((name) => [name, { enable: !OFF.has(name), path: path.join(PLUGINS, name) }]),
) satisfies PluginDeclarations;
