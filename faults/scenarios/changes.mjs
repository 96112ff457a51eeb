// What an operator does to a running cluster.
import { readFileSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import net from 'node:net';
import path from 'node:path';
import WebSocket from 'ws';
import { readyWorkers, until } from '../harness.mjs';
import { Load } from '../load.mjs';

export const reloads = {
  title: '10 reloads, one whose code does not boot and one whose boot hangs',
  modes: 'all',
  async go(run) {
    const c = await run.start();
    const load = new Load(c.url);
    await until(() => load.requests > 50);
    const file = path.join(run.baseDir, 'app.js');
    const source = readFileSync(file, 'utf8');
    const withFault = (fault) =>
      writeFileSync(file, source.replace('const { FAULTS_BOOT: fault } = process.env', `const fault = '${fault}'`));
    const begin = Date.now();
    for (let index = 0; index < 8; index += 1) await c.reload();
    for (const fault of ['throw', 'hang']) {
      withFault(fault);
      const failed = await c.reload().then(
        () => false,
        () => true,
      );
      run.expect(failed, `the reload of code that must ${fault} is said to be good`);
      run.expect((await readyWorkers(c)) === 2, `after a failed reload (${fault}) not all old workers serve`);
    }
    writeFileSync(file, source);
    await c.reload();
    return { ...(await load.stop()), heal: Math.round((Date.now() - begin) / 11) };
  },
};

export const scaling = {
  title: 'workers 1 → 8 → 1',
  modes: 'all',
  async go(run) {
    const c = await run.start({ workers: 1 });
    const load = new Load(c.url);
    await until(() => load.requests > 50);
    const begin = Date.now();
    await c.scale(8);
    await c.scale(1);
    await until(async () => (await readyWorkers(c)) === 1);
    return { ...(await load.stop()), heal: Date.now() - begin };
  },
};

/** @returns a request of its own, which is answered later */
function slow(url, target, { body } = {}) {
  return new Promise((resolve) => {
    const request = http.request(new URL(target, url), { method: body ? 'POST' : 'GET', agent: false }, (response) => {
      let text = '';
      response.on('data', (chunk) => {
        text += chunk;
      });
      response.on('end', () => resolve(response.statusCode === 200 ? text : String(response.statusCode)));
      response.on('error', (error) => resolve(error.code));
    });
    request.on('error', (error) => resolve(error.code));
    if (!body) request.end();
    else {
      // Sent in pieces, over a second.
      request.write(body);
      const timer = setInterval(() => request.write(body), 100);
      setTimeout(() => {
        clearInterval(timer);
        request.end();
      }, 1000);
    }
  });
}

export const sigtermInFlight = {
  title: 'SIGTERM with 120 in flight: slow, streams, uploads, pipelined, web sockets, events; half-sent ones may end',
  async go(run) {
    const c = await run.start();
    const kinds = [
      ...Array.from({ length: 40 }, () => [slow(c.url, '/slow?ms=1500'), 'slow']),
      ...Array.from({ length: 30 }, () => [
        slow(c.url, '/stream'),
        Array.from({ length: 20 }, (_, i) => `${i}\n`).join(''),
      ]),
      ...Array.from({ length: 20 }, () => [slow(c.url, '/upload', { body: 'x'.repeat(1000) }), /"bytes":\d+/]),
      ...Array.from({ length: 10 }, () => [pipelined(c.url), 2]),
      ...Array.from({ length: 10 }, () => [webSocket(c.url), 1012]),
      // The stream ends in order, with the time after which the client shall come back.
      ...Array.from({ length: 10 }, () => [slow(c.url, '/events'), /data: open[\s\S]*retry: \d+/]),
    ];
    const half = net.connect(Number(new URL(c.url).port), '127.0.0.1');
    half.on('error', () => undefined);
    half.write('GET / HTTP/1.1\r\nHost: a\r\n');
    await until(
      async () =>
        (await c.status()).processes.reduce((sum, each) => sum + (each.inFlight ?? 0) + (each.live ?? 0), 0) >= 110,
      5000,
    );
    const begin = Date.now();
    const code = await c.close('SIGTERM');
    run.expect(code === 0, `exit code ${code}`);
    const results = await Promise.all(kinds.map(([result]) => result));
    const lost = results.filter((result, index) => {
      const [, expected] = kinds[index];
      return expected instanceof RegExp ? !expected.test(String(result)) : result !== expected;
    });
    return {
      requests: kinds.length,
      lost: lost.length,
      avoidable: lost.length,
      hung: 0,
      errors: [...new Set(lost.map(String))],
      heal: Date.now() - begin,
    };
  },
};

/** @returns the code with which a web socket is closed */
function webSocket(url) {
  return new Promise((resolve) => {
    const socket = new WebSocket(new URL('/socket', url));
    socket.on('close', resolve);
    socket.on('error', (error) => resolve(error.code ?? error.message));
  });
}

/** @returns how many of two pipelined requests are answered */
function pipelined(url) {
  return new Promise((resolve) => {
    let text = '';
    const socket = net.connect(Number(new URL(url).port), '127.0.0.1', () =>
      socket.write('GET /slow?ms=800 HTTP/1.1\r\nHost: a\r\n\r\nGET /slow?ms=10 HTTP/1.1\r\nHost: a\r\n\r\n'),
    );
    socket.on('data', (chunk) => {
      text += chunk;
    });
    const end = () => resolve(text.split('HTTP/1.1 200').length - 1);
    socket.on('end', end);
    socket.on('error', end);
    setTimeout(() => socket.destroy(), 10_000).unref();
    socket.on('close', end);
  });
}

export const secondCluster = {
  title: 'a second cluster on the same directory: the first goes on',
  async go(run) {
    const c = await run.start();
    const load = new Load(c.url);
    await until(() => load.requests > 50);
    const second = await run.start().catch((error) => error);
    if (!(second instanceof Error)) await second.close();
    run.expect((await readyWorkers(c)) === 2, 'the first cluster has lost workers');
    return { ...(await load.stop()), heal: 0 };
  },
};

export const staleFiles = {
  title: 'stale pid and socket files of a killed Master are no obstacle',
  async go(run) {
    const first = await run.start();
    await first.close('SIGKILL');
    const begin = Date.now();
    const c = await run.start();
    const heal = Date.now() - begin;
    const load = new Load(c.url);
    await until(() => load.requests > 50);
    return { ...(await load.stop()), heal };
  },
};
