import path from 'node:path';

const plugins = {
  sqlite: { enable: true, path: path.join(import.meta.dirname, '../lib/plugin/sqlite') },
};

export default plugins;
