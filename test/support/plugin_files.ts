import path from 'node:path';
import type { Application } from 'koa-clutch';
import { ROOT } from './apps.js';
import type { Files } from './loaded_app.js';

/** Files of a plugin that lives in the app's own directory. */
export function plugin(name: string, eggPlugin: object = {}, files: Files = {}): Files {
  const own = Object.entries(files).map(([file, text]) => [`plugins/${name}/${file}`, text]);
  return {
    [`plugins/${name}/package.json`]: JSON.stringify({
      name: `egg-${name}`,
      version: '1.0.0',
      eggPlugin: { name, ...eggPlugin },
    }),
    ...Object.fromEntries(own),
  };
}

/** `config/plugin.js`, or another file of its kind, with a path for each of the names. */
export function declare(entries: Record<string, object | boolean>, file = 'config/plugin.js'): Files {
  const lines = Object.entries(entries).map(([name, entry]) => {
    if (typeof entry === 'boolean') return `${name}: ${entry}`;
    return `${name}: { path: path.join(__dirname, '../plugins/${name}'), ...${JSON.stringify(entry)} }`;
  });
  return { [file]: `const path = require('path'); module.exports = { ${lines.join(', ')} };` };
}

/** Names of the app's plugins in load order, without the built-in ones. */
export function pluginNames(app: Application): string[] {
  return Object.values(app.plugins).flatMap(({ name, path: dir }) =>
    dir?.startsWith(path.join(ROOT, 'dist')) ? [] : [name],
  );
}
