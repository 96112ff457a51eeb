import path from 'node:path';
import type { PluginDeclarations } from 'koa-clutch';

const plugins: PluginDeclarations = {
  sqlite: { enable: true, path: path.join(import.meta.dirname, '../lib/plugin/sqlite') },
};

export default plugins;
