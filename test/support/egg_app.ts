import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import path from 'node:path';

// Starts an app in this process, with the `egg` that is in its node_modules, and reports the port.
const [baseDir = ''] = process.argv.slice(2);
const require = createRequire(path.join(baseDir, 'package.json'));
const { egg } = require('./package.json') as { egg?: { framework: string } };
// Egg would look for it from its own directory, which is a link here.
const framework = egg && path.dirname(require.resolve(egg.framework));
const { start } = require('egg') as typeof import('koa-clutch');
const app = await start({ baseDir, env: 'prod', ignoreWarning: true, ...(framework && { framework }) });
const server = app.listen(0, () => process.send?.((server.address() as AddressInfo).port));
process.on('disconnect', () => process.exit());
