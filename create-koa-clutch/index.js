#!/usr/bin/env node
// `npm create koa-clutch my-app -- --js` is `clutch init my-app --js`.
import { createRequire } from 'node:module';
import path from 'node:path';
import { pathToFileURL } from 'node:url';

const require = createRequire(import.meta.url);
const file = require.resolve('koa-clutch/package.json');
process.argv.splice(2, 0, 'init');
await import(pathToFileURL(path.join(path.dirname(file), require(file).bin.clutch)).href);
