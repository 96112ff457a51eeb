import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fixture, startTestCluster } from '../../support/apps.js';
import { builtFiles, importGraph } from '../../support/import_graph.js';

// What a process loads before it is ready is what a boot takes: packages on these lists are there for a reason.

test('the first step of the Master loads what forking needs, and no package', () => {
  const { sources, packages } = importGraph('cluster/master/start_cluster.ts');
  assert.deepEqual(packages, []);
  for (const late of [
    'master/master',
    'service/management',
    'admin/http/admin',
    'admin/http/page',
    'control/metrics',
    'control/control_server',
    'supervise/stack_capture',
    'listen/sticky',
    'supervise/rolling_restart',
    'supervise/watchdog',
  ]) {
    assert.ok(!sources.includes(`cluster/${late}.ts`), `${late} is loaded before anything is forked`);
  }
  // The others are in one chunk for all processes.
  const own = sources.filter((file) => !/^(?:ipc|output|resolve|tracing|cluster\/protocol)\//.test(file));
  assert.ok(own.length <= 36, own.join('\n'));
});

test('a Master without a visitor loads nothing of the admin page', () => {
  for (const source of ['cluster/master/master.ts', 'cluster/admin/http/admin.ts']) {
    const { sources } = importGraph(source);
    const page = sources.filter((file) => /^cluster\/(?:admin|logs|metrics\/route_rates)/.test(file));
    assert.deepEqual(page, source.endsWith('admin.ts') ? [source] : []);
  }
});

test('nothing imports node:http: that evaluates its lazy exports, and with them loads undici', () => {
  const importing = builtFiles().filter((file) =>
    /(?:^|[;\n])import\b[^"();]*"node:http"/.test(readFileSync(file, 'utf8')),
  );
  assert.deepEqual(importing, []);
});

test('Agent and app worker have loaded no package that they may never need when they are ready', async (t) => {
  const cluster = await startTestCluster(t, { baseDir: fixture('modules'), workers: 1 });
  const loaded = (kind: string): string[] => {
    const message = cluster.messages.find(({ action }) => action === `loaded:${kind}`);
    return message?.data as string[];
  };
  // Koa is loaded when an Agent uses something of it for the first time.
  assert.deepEqual(loaded('agent'), ['extend2']);
  // Koa loads cookies, and these keygrip; it loads mime-types as well. @koa/router loads debug, and that ms.
  const koa = ['cookies', 'keygrip', 'koa', 'mime-types'];
  assert.deepEqual(loaded('app'), [...koa, 'extend2', '@koa/router', 'ms'].sort());
});
