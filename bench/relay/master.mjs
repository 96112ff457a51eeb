// The Master of the comparison: Clutch's, or that of Egg in a directory with `egg` installed.
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { startCluster } from '../../dist/index.js';

const [kind, workers, peers] = process.argv.slice(2);
const options = {
  baseDir: fileURLToPath(new URL('app', import.meta.url)),
  workers: Number(workers),
  port: 0,
};

if (kind === 'clutch') await startCluster({ ...options, hangTimeout: 0 });
else {
  const require = createRequire(path.join(peers, 'package.json'));
  const framework = path.dirname(require.resolve('egg/package.json'));
  require('egg').startCluster({ ...options, framework });
}
