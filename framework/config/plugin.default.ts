import path from 'node:path';
import type { PluginDeclarations } from '../../loader/index.js';

const PLUGINS = path.join(import.meta.dirname, '../../plugins');

const NAMES: string[] = [
  'onerror',
  'session',
  'i18n',
  'multipart',
  'security',
  'logrotator',
  'schedule',
  'static',
  'jsonp',
  'view',
  'cors',
  'contract',
  'live',
];

export default Object.fromEntries(
  NAMES.map((name) => [name, { enable: !OFF.has(name), path: path.join(PLUGINS, name) }]),
) satisfies PluginDeclarations;
