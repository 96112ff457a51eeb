import assert from 'node:assert/strict';
import http from 'node:http';
import { test } from 'node:test';
import { startTestCluster, until } from '../../support/apps.js';
import { writeApp } from '../../support/loaded_app.js';

test('a worker without a free file descriptor goes on and keeps its heartbeat', {
  skip: process.platform !== 'linux',
}, async (t) => {
  const baseDir = writeApp(t, {
    'config/config.default.js': `exports.keys = 'k';`,
    'app/router.js': `const { execFileSync } = require('child_process');
      const { openSync } = require('fs');
      module.exports = (app) => {
        app.get('/', (ctx) => { ctx.body = 'served'; });
        app.get('/use-up', (ctx) => {
          execFileSync('prlimit', ['--pid', String(process.pid), '--nofile=80:']);
          try { for (;;) openSync('/dev/null'); } catch (error) { ctx.body = error.code; }
        });
      };`,
  });
  const cluster = await startTestCluster(t, { baseDir, workers: 1 });
  const before = await cluster.pids();
  const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
  t.after(() => agent.destroy());
  const get = (path: string): Promise<string> =>
    new Promise((resolve, reject) => {
      const request = http.get(cluster.url + path, { agent }, (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (chunk) => (text += chunk));
        response.on('end', () => resolve(text)).on('error', reject);
      });
      request.on('error', reject);
    });
  assert.equal(await get('/use-up'), 'EMFILE');
  for (let count = 2; count < 5; count += 1) {
    assert.equal(await get('/'), 'served');
    await until('a heartbeat has come', async () =>
      (await cluster.status()).processes.some(({ kind, requests = 0 }) => kind === 'app worker' && requests >= count),
    );
  }
  assert.deepEqual(await cluster.pids(), before);
  const worker = (await cluster.status()).processes.find(({ kind }) => kind === 'app worker');
  assert.ok((worker?.memory ?? 0) > 10, 'the last known memory is shown');
});
