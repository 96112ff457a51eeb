import assert from 'node:assert/strict';
import { test } from 'node:test';
import { appWithTools, skipEggTools, spawnTool } from '../support/egg_tools.js';
import { freePort } from '../support/http.js';

/** Uses egg-mock in one process and in a cluster, and prints `done` when all was as it should be. */
const kit = (port: number): string => `
  const assert = require('assert');
  const mm = require('egg-mock');
  const inOne = async () => {
    const app = mm.app({ baseDir: process.cwd(), cache: false });
    assert.throws(() => app.config, /before ready/);
    await app.ready();
    await app.httpRequest().get('/').expect(200).expect(/ada/);
    const ctx = app.mockContext({ user: 'x' });
    assert.equal(app.currentContext, ctx);
    assert.equal(app.mockContext(), ctx);
    app.mockHttpclient('http://example.invalid/a', { data: { x: 1 } });
    await app.httpRequest().get('/out').expect({ x: 1 });
    app.mockLog();
    await app.httpRequest().get('/').expect(200);
    app.expectLog('home is asked');
    app.notExpectLog(/home is away/);
    await mm.restore();
    await app.close();
  };
  const inCluster = async () => {
    const app = mm.cluster({ baseDir: process.cwd(), coverage: false, port: ${port} });
    await app.ready();
    await app.httpRequest().get('/').expect(200).expect(/ada/);
    app.mockHttpclient('http://example.invalid/a', { data: { x: 2 } });
    await app.httpRequest().get('/out').expect({ x: 2 });
    app.mockLog();
    await app.httpRequest().get('/').expect(200);
    app.expectLog('home is asked');
    await mm.restore();
    await app.close();
  };
  inOne().then(inCluster).then(() => { console.log('done'); process.exit(0); }, (error) => { console.error(error); process.exit(1); });`;

test('cluster 8.94 the test kit: mm.app and mm.cluster, mockContext, mockHttpclient and expectLog', {
  skip: skipEggTools,
}, async (t) => {
  const baseDir = appWithTools(t, { 'kit.js': kit(await freePort()) });
  const { exited, output } = spawnTool(t, baseDir, '../kit.js', [], { NODE_ENV: 'test' });
  assert.equal(await exited, 0, output());
  assert.match(output(), /done\n$/);
});
