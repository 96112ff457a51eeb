import assert from 'node:assert/strict';
import { test } from 'node:test';
import { until } from '../../support/apps.js';
import { SKIP, startServer } from '../../support/fleet.js';
import { request } from '../../support/http.js';
import { startTraced } from '../../support/traced_app.js';

/** On machine b everything listens; machine a sends within a request. */
const FILES = {
  'config/plugin.js': 'exports.fleet = true;',
  'agent.js': `module.exports = (agent) => {
    agent.messenger.fleet.onRequest('sum', (numbers) => numbers.reduce((sum, each) => sum + each, 0));
  };`,
  'app.js': `module.exports = (app) => {
    app.messenger.fleet.on('price', () => app.coreLogger.info('price heard'));
    app.messenger.fleet.onRequest('product', (numbers) => numbers.reduce((product, each) => product * each, 1));
  };`,
  'app/router.js': `module.exports = (app) => {
    app.get('/members', async (ctx) => { ctx.body = String(await app.messenger.fleet.request('b', 'sum', [1]).catch(() => 0)); });
    app.get('/tell', async (ctx) => {
      const { fleet } = app.messenger;
      fleet.sendTo('b', 'price', 7);
      ctx.body = [await fleet.request('b', 'sum', [1, 2]), await fleet.request('app', 'product', [3, 4])];
    });
  };`,
};

test('what goes to another machine is in the trace of the request that sends it', { skip: SKIP.redis }, async (t) => {
  const { url } = await startServer(t, 'redis');
  const start = (member: string): ReturnType<typeof startTraced> => {
    const config = `exports.keys = 'k';
      exports.fleet = { adapter: 'redis', url: '${url}', name: 'test', member: '${member}', lease: 2000, timeout: 1000 };
      exports.logger = { consoleLevel: 'NONE', dir: require('path').join(__dirname, '../logs') };`;
    return startTraced(t, { ...FILES, 'config/config.default.js': config }, { workers: 1 });
  };
  const a = await start('a');
  const b = await start('b');
  await until('b replies', async () => (await request(`${a.cluster.url}/members`)).body === '1');
  const { status, body } = await request(`${a.cluster.url}/tell`);
  assert.deepEqual([status, body], [200, '[3,12]']);
  const server = await a.collector.span('the request', ({ name }) => name === 'GET /tell');
  const sent = await a.collector.span('the message', ({ name }) => name === 'send price');
  const asked = await a.collector.span(
    'the question',
    ({ name, traceId }) => name === 'sum' && traceId === server.traceId,
  );
  const heard = await b.collector.span('the listener', ({ name }) => name === 'process price');
  const replied = await b.collector.span('the handler', ({ name, parentSpanId }) => {
    return name === 'sum' && parentSpanId === asked.spanId;
  });
  assert.deepEqual([sent.traceId, sent.attributes['clutch.peer']], [server.traceId, 'fleet b']);
  assert.deepEqual([heard.traceId, heard.parentSpanId], [server.traceId, sent.spanId]);
  assert.equal(replied.traceId, server.traceId);
  const product = await a.collector.span('the other question', ({ name, kind }) => name === 'product' && kind === 3);
  const isReply = ({ parentSpanId }: { parentSpanId?: string }): boolean => parentSpanId === product.spanId;
  await until('an app worker of one of them has replied', async () =>
    [...(await a.collector.spans()), ...(await b.collector.spans())].some(isReply),
  );
  const names = [...(await a.collector.spans()), ...(await b.collector.spans())].map(({ name }) => name);
  assert.deepEqual(
    names.filter((name) => name.includes('clutch-fleet')),
    [],
  );
});
