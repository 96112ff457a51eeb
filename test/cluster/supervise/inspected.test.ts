import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { WebSocket } from 'ws';
import { startTestCluster, until } from '../../support/apps.js';
import { request } from '../../support/http.js';
import { writeApp } from '../../support/loaded_app.js';

/** Milliseconds. */
const HANG_TIMEOUT = 800;
const PAUSE = 5 * HANG_TIMEOUT;

test('a worker that stops at a breakpoint longer than hangTimeout is not replaced', async (t) => {
  const baseDir = writeApp(t, {
    'app/router.js': `module.exports = (app) => {
  app.get('/', (ctx) => {
    debugger;
    ctx.body = String(process.pid);
  });
};
`,
  });
  const options = { baseDir, workers: 1, hangTimeout: HANG_TIMEOUT, execArgv: ['--inspect=0'] };
  const cluster = await startTestCluster(t, options, { EGG_AGENT_DEBUG_PORT: '0' });
  const { workers } = await cluster.pids();
  const port = await until('the Master says where the inspector is', () => {
    const found = cluster.messages.find(
      ({ action, data }) => action === 'debug' && (data as { pid: number }).pid === workers[0],
    );
    return (found?.data as { debugPort: number } | undefined)?.debugPort;
  });
  const targets = await request(`http://127.0.0.1:${port}/json/list`);
  const [target] = JSON.parse(targets.body) as { webSocketDebuggerUrl: string }[];
  const socket = new WebSocket(target?.webSocketDebuggerUrl as string);
  t.after(() => socket.terminate());
  await once(socket, 'open');
  const events: string[] = [];
  socket.on('message', (text) => events.push((JSON.parse(String(text)) as { method: string }).method));
  socket.send('{"id":1,"method":"Debugger.enable"}');
  const response = request(cluster.url);
  await until('it stops at the breakpoint', () => events.includes('Debugger.paused'));
  // The watchdog acts when time has passed; that it does not can only be seen by waiting for longer.
  await sleep(PAUSE);
  socket.send('{"id":2,"method":"Debugger.resume"}');
  assert.equal((await response).body, String(workers[0]));
  assert.deepEqual((await cluster.pids()).workers, workers);
  assert.doesNotMatch(cluster.output(), /replaced|blocked|hang/);
});
