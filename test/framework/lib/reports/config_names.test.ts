import assert from 'node:assert/strict';
import { test } from 'node:test';
import { coreLog, loadAgent, loadApp } from '../../../support/loaded_app.js';
import { declare, plugin } from '../../../support/plugin_files.js';

const CONFIG = {
  'config/config.default.js': `exports.keys = 'k';
    exports.securty = { csrf: false };
    exports.bodyparse = { jsonLimit: '1mb' };
    exports.greter = { prefix: 'Hi' };`,
  ...plugin('greeter', {}, { 'config/config.default.js': "exports.greeter = { prefix: 'Hello' };" }),
  ...declare({ greeter: {} }),
};

const warned = (log: string): string[] => [...log.matchAll(/nothing declares (.*)/g)].map(([, rest]) => rest as string);

test('misspelt top-level keys are warned about once, with the file and the key that was meant', async (t) => {
  const agent = loadAgent(t, CONFIG);
  await agent.ready();
  const file = `${agent.baseDir}/config/config.default.js`;
  await agent.close();
  assert.deepEqual(warned(coreLog(agent)), [
    `config.securty in ${file}; did you mean security?`,
    `config.bodyparse in ${file}; did you mean bodyParser?`,
    `config.greter in ${file}; did you mean greeter?`,
  ]);
  const app = loadApp(t, CONFIG);
  await app.ready();
  await app.close();
  assert.deepEqual(warned(coreLog(app)), []);
});

test('keys of the app itself, of its middleware, of plugins that are off, and all keys in env prod are left alone', async (t) => {
  const files = {
    'config/config.default.js': `exports.keys = 'k';
      exports.middleware = ['statics'];
      exports.statics = {}; exports.status = {}; exports.https = {}; exports.shop = {};
      exports.customLoader = {}; exports.contract = {}; exports.bodyparser = {};`,
    'app/middleware/statics.js': 'module.exports = () => (ctx, next) => next();',
  };
  const agents = [loadAgent(t, files), loadAgent(t, CONFIG, { env: 'prod' })];
  for (const agent of agents) {
    await agent.ready();
    await agent.close();
    assert.deepEqual(warned(coreLog(agent)), []);
  }
});
