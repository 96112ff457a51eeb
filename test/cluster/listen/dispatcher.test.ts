import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import net from 'node:net';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { type RunningCluster, startTestCluster, temporaryDirectory, until } from '../../support/apps.js';

const tls = { key: path.resolve('test/fixtures/tls/key.pem'), cert: path.resolve('test/fixtures/tls/cert.pem') };

/**
 * An app whose worker holds its event loop for a while, so that the connection of the next client waits in its channel, and
 * then stops taking connections in one of the ways there are.
 */
const APP = `
const fs = require('node:fs');
const path = require('node:path');
module.exports = (app) => {
  const mark = (name) => fs.writeFileSync(path.join(app.baseDir, name), '');
  const block = () => {
    mark('blocked');
    const end = Date.now() + 700;
    while (Date.now() < end);
  };
  const leave = {
    '/close': () => process.emit('message', { clutch: 'close' }),
    '/throw': () => setTimeout(() => { throw new Error('thrown'); }),
    '/term': () => process.kill(process.pid, 'SIGTERM'),
    '/kill': () => process.kill(process.pid, 'SIGKILL'),
    '/disconnect': () => process.disconnect(),
  };
  app.on('server', (server) => {
    if (fs.existsSync(path.join(app.baseDir, 'one'))) server.maxConnections = 1;
  });
  app.use((ctx) => {
    ctx.body = { pid: process.pid };
    if (ctx.path in leave) {
      block();
      leave[ctx.path]();
    } else if (ctx.path === '/mute') {
      // The worker takes connections and dies before its replies are on their way.
      const { send } = process;
      process.send = (message, ...rest) =>
        message.accepted !== undefined || message.clutch === 'connection-taken' || send.call(process, message, ...rest);
    } else if (ctx.path === '/die') {
      process.kill(process.pid, 'SIGKILL');
    }
  });
};`;

function writeApp(t: TestContext): string {
  const dir = temporaryDirectory(t);
  writeFileSync(path.join(dir, 'package.json'), '{ "name": "leaving" }');
  writeFileSync(path.join(dir, 'app.js'), APP);
  return dir;
}

/** Sends a request on a connection of its own; @returns the pid that has responded, or the code of the error */
function ask(cluster: RunningCluster, url: string): Promise<number | string> {
  const { url: address } = cluster;
  const isPath = !address.startsWith('http');
  const from = address.startsWith('https') ? https : http;
  const { hostname, port } = isPath ? { hostname: '', port: '' } : new URL(address);
  const where = isPath ? { socketPath: address } : { hostname, port };
  return new Promise((resolve) => {
    const req = from.request({ ...where, path: url, agent: false, rejectUnauthorized: false } as https.RequestOptions);
    req.on('error', ({ code, message }: NodeJS.ErrnoException) => resolve(code ?? message));
    req.on('response', (res) => {
      let body = '';
      res.on('data', (chunk) => {
        body += String(chunk);
      });
      res.on('end', () => resolve(JSON.parse(body).pid));
      res.on('error', ({ code }: NodeJS.ErrnoException) => resolve(String(code)));
    });
    req.end();
  });
}

async function within<T>(what: string, milliseconds: number, value: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what}: nothing within ${milliseconds} ms`)), milliseconds);
  });
  return Promise.race([value, late]).finally(() => clearTimeout(timer));
}

const MODES: Record<string, object> = {
  rr: {},
  https: { https: tls },
  'a unix socket': { path: 'app.sock' },
  sticky: { sticky: true },
  'sticky https': { sticky: true, https: tls },
  shared: { scheduling: 'shared' },
  reusePort: { scheduling: 'reusePort' },
};

/** The kernel has the connections, and resets those of a socket that is closed. */
const OF_THE_KERNEL = ['shared', 'reusePort'];

for (const [mode, { path: file, ...options }] of Object.entries(MODES) as [string, { path?: string }][]) {
  const start = async (t: TestContext, baseDir: string): Promise<RunningCluster> => {
    const env = file && {
      EGG_APP_CONFIG: JSON.stringify({ cluster: { listen: { path: path.join(baseDir, file) } } }),
    };
    return startTestCluster(t, { baseDir, workers: 1, ...options }, env || {});
  };

  for (const way of ['close', 'kill', 'disconnect', 'throw']) {
    test(`${mode}: a connection that waits for the only worker, which then leaves (${way}), is not left`, async (t) => {
      const baseDir = writeApp(t);
      const cluster = await start(t, baseDir);
      const [old] = (await cluster.pids()).workers;
      const first = ask(cluster, `/${way}`);
      await until('the worker is blocked', () => existsSync(path.join(baseDir, 'blocked')));
      const result = await within('the second client', 15_000, ask(cluster, '/'));
      assert.notEqual(result, old);
      if (!OF_THE_KERNEL.includes(mode)) assert.equal(typeof result, 'number');
      await within('the first client', 15_000, first);
    });
  }

  test(`${mode}: a connection whose request a killed worker has read is closed`, async (t) => {
    const cluster = await start(t, writeApp(t));
    await ask(cluster, '/mute');
    assert.match(String(await within('the client', 15_000, ask(cluster, '/die'))), /ECONNRESET|EPIPE|socket hang up/);
    await until('the next client is served', async () => typeof (await ask(cluster, '/')) === 'number');
  });
}

test('with maxConnections, a connection that no worker takes is closed after a second, and one that a worker takes is served', async (t) => {
  const baseDir = writeApp(t);
  writeFileSync(path.join(baseDir, 'one'), '');
  const cluster = await startTestCluster(t, { baseDir, workers: 2 });
  const { port } = new URL(cluster.url);
  const held = [net.connect(Number(port)), net.connect(Number(port))];
  for (const socket of held) {
    socket.write('GET / HTTP/1.1\r\nhost: a\r\n\r\n');
    await once(socket, 'data');
  }
  assert.equal(typeof (await within('the third client', 5000, ask(cluster, '/'))), 'string');
  held[1]?.destroy();
  await until('a worker is free', async () => typeof (await ask(cluster, '/')) === 'number');
  held[0]?.destroy();
});

const hasPrlimit = spawnSync('prlimit', ['--version']).status === 0;

test('a connection that a worker without file descriptors cannot receive goes to another one', {
  skip: hasPrlimit ? false : 'no prlimit',
}, async (t) => {
  const cluster = await startTestCluster(t, { baseDir: writeApp(t), workers: 2 });
  const { workers } = await cluster.pids();
  const { stderr, status } = spawnSync('prlimit', ['--pid', String(workers[0]), '--nofile=1:1'], { encoding: 'utf8' });
  assert.equal(status, 0, stderr);
  for (let count = 0; count < 6; count += 1) {
    assert.equal(await within('the client', 5000, ask(cluster, '/')), workers[1]);
  }
});

for (const [mode, options] of Object.entries({ rr: {}, sticky: { sticky: true }, shared: { scheduling: 'shared' } })) {
  for (const way of ['throw', 'term']) {
    test(`${mode}: of 300 connections around a worker that leaves (${way}) each has its response`, async (t) => {
      const cluster = await startTestCluster(t, { baseDir: writeApp(t), workers: 2, ...options });
      const before = await cluster.pids();
      const results: Promise<number | string>[] = [];
      for (let count = 0; count < 300; count += 1) {
        results.push(ask(cluster, count === 100 ? `/${way}` : '/'));
        await new Promise((resolve) => setImmediate(resolve));
      }
      const outcomes = await within('all clients', 20_000, Promise.all(results));
      assert.deepEqual(
        outcomes.filter((outcome) => typeof outcome === 'string'),
        [],
      );
      await until('the worker is replaced', async () => {
        const { workers } = await cluster.pids();
        return workers.length === 2 && workers.some((pid) => !before.workers.includes(pid));
      });
    });
  }
}
