import assert from 'node:assert/strict';
import { test } from 'node:test';
import { writeApp } from '../support/loaded_app.js';
import { runScript } from '../support/script.js';

const SCRIPT = `import { Application } from 'koa-clutch';
  import { once } from 'node:events';
  const app = new Application({ mode: 'single' });
  await app.ready();
  const server = app.listen(0);
  await (await fetch('http://127.0.0.1:' + server.address().port + '/a')).text();
  server.close();
  await app.close();`;

test('NODE_DEBUG=clutch:* tells plugins, config files, hooks and routes; nothing is told without it', async (t) => {
  const baseDir = writeApp(t, {
    'config/plugin.js': 'exports.onerror = false;',
    'config/config.default.js': 'exports.keys = "k";',
    'app.js': 'module.exports = class { async didLoad() {} };',
    'app/router.js': 'module.exports = (app) => { app.get("/a", async () => {}); };',
  });
  const { code, output } = await runScript(t, baseDir, SCRIPT, { NODE_DEBUG: 'clutch:*' });
  assert.equal(code, 0, output);
  for (const line of [
    /CLUTCH:LOADER \d+: plugin onerror: off in .*config\/plugin\.js/,
    /CLUTCH:LOADER \d+: config of .*config\.default\.js: keys/,
    /CLUTCH:LIFECYCLE \d+: Did Load in .*app\.js:didLoad\n/,
    /CLUTCH:LIFECYCLE \d+: Did Load in .*app\.js:didLoad has ended/,
    /CLUTCH:LIFECYCLE \d+: initialized → closing/,
    /CLUTCH:ROUTER \d+: HEAD,GET \/a/,
  ]) {
    assert.match(output, line);
  }
  const quiet = await runScript(t, baseDir, SCRIPT);
  assert.doesNotMatch(quiet.output, /CLUTCH/);
});
