import assert from 'node:assert/strict';
import { once } from 'node:events';
import net from 'node:net';
import { test } from 'node:test';
import { readEvents, startPage } from '../../../support/admin.js';
import { isAlive, until } from '../../../support/apps.js';
import { request } from '../../../support/http.js';

test('a worker that is killed is seen within two seconds, with its record', async (t) => {
  const { page, pids } = await startPage(t, { workers: 2 });
  const stream = await readEvents(t, `${page}/api/events?views=now,deaths`);
  assert.equal(stream.status, 200);
  assert.equal(stream.headers['content-type'], 'text/event-stream; charset=utf-8');
  assert.match(stream.text(), /^retry: \d+\n\n/);
  await stream.find('now', ({ cluster }) => cluster.processes.length === 4);
  const [pid = 0] = (await pids()).workers;
  const killedAt = Date.now();
  process.kill(pid, 'SIGKILL');
  const gone = await stream.find('now', ({ cluster }) => cluster.processes.every((process) => process.pid !== pid));
  assert.ok(gone.at - killedAt < 2000, `it took ${gone.at - killedAt} ms`);
  const { data } = await stream.find('deaths', (deaths) => deaths.some((death) => death.pid === pid));
  assert.equal(data.at(-1)?.reason, 'signal');
  await stream.find('now', ({ cluster }) => {
    const workers = cluster.processes.filter(({ kind, state }) => kind === 'app worker' && state === 'ready');
    return workers.length === 2 && workers.every((worker) => worker.pid !== pid);
  });
});

test('now comes once a second, with what was served in each; an unchanged view does not', async (t) => {
  const { page, url } = await startPage(t);
  const stream = await readEvents(t, `${page}/api/events?views=now,config,plugins`);
  for (let count = 0; count < 20; count += 1) await request(url);
  const { data } = await stream.find('now', ({ history }) => history.some((point) => (point.p50 ?? 0) > 0));
  const point = data.history.find(({ p50 }) => p50 !== undefined);
  assert.ok(point && point.requests > 0 && (point.p99 as number) >= (point.p50 as number), JSON.stringify(point));
  assert.equal(point.errors, 0);
  const served = () => stream.events.filter(({ name }) => name === 'now').length;
  const before = served();
  await until('three more come', () => served() >= before + 3);
  for (const name of ['config', 'plugins']) {
    assert.equal(stream.events.filter((event) => event.name === name).length, 1, name);
  }
});

test('logs come whole at first, then line by line', async (t) => {
  const { page, url } = await startPage(t);
  await request(url);
  const first = await readEvents(t, `${page}/api/events?views=logs`);
  await first.find('logs', (lines) => lines.some(({ text }) => text.endsWith('hello')));
  await request(`${url}/fails`);
  const { data } = await first.find('logs', (lines) => lines.some(({ text }) => text.includes('on purpose')));
  assert.ok(
    data.every(({ text }) => !text.endsWith('hello')),
    'the line of before is not sent again',
  );
  const second = await readEvents(t, `${page}/api/events?views=logs`);
  await second.find('logs', (lines) =>
    ['hello', 'on purpose'].every((word) => lines.some(({ text }) => text.includes(word))),
  );
});

test('a visitor who does not read gets the newest data later, and the Master keeps no queue', async (t) => {
  const { page, pids } = await startPage(t);
  const { port, hostname, host } = new URL(page);
  const socket = net.connect({ port: Number(port), host: hostname, readableHighWaterMark: 1 } as net.NetConnectOpts);
  t.after(() => socket.destroy());
  await once(socket, 'connect');
  socket.pause();
  socket.write(`GET /api/events?views=now,config,boot HTTP/1.1\r\nhost: ${host}\r\n\r\n`);
  // Others are served meanwhile.
  const other = await readEvents(t, `${page}/api/events?views=now`);
  const { workers } = await pids();
  await until('some seconds have passed', () => other.events.length >= 5);
  socket.resume();
  let text = '';
  socket.on('data', (chunk) => {
    text += String(chunk);
  });
  await until('it reads what is true now', () => text.includes(`"pid":${workers[0]}`));
});

test('unknown views are named, and there is a limit of streams', async (t) => {
  const { page } = await startPage(t);
  for (const views of ['nothing', 'now,__proto__', ',']) {
    const { status, body } = await request(`${page}/api/events?views=${views}`);
    assert.equal(status, 400, views);
    assert.match(JSON.parse(body).error, /name views in \?views=, of now, routes, deaths/);
  }
  const streams = await Promise.all(Array.from({ length: 50 }, () => readEvents(t, `${page}/api/events`)));
  assert.ok(streams.every(({ status }) => status === 200));
  assert.equal((await request(`${page}/api/events`)).status, 503);
  for (const stream of streams) stream.close();
  await until('there is room again', async () => {
    const stream = await readEvents(t, `${page}/api/events`);
    stream.close();
    return stream.status === 200;
  });
});

test('no visitor keeps the Master alive', async (t) => {
  const cluster = await startPage(t);
  const streams = await Promise.all(
    ['now,logs', 'config,schedule'].map((views) => readEvents(t, `${cluster.page}/api/events?views=${views}`)),
  );
  await streams[0]?.find('logs', () => true);
  const { master } = await cluster.pids();
  assert.equal(await cluster.stop(), 0);
  await Promise.all(streams.map(({ ended }) => ended));
  assert.equal(isAlive(master), false);
});
