import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RouteHistograms } from '../../../cluster/measure/route_histograms.js';
import { RouteTotals } from '../../../cluster/metrics/route_totals.js';

const WORKER = {};

const counted = (totals: RouteTotals): Record<string, number> =>
  Object.fromEntries(
    [...totals.all].map(({ method, route, status, count }) => [`${method} ${route} ${status}`, count]),
  );

test('a report holds what has changed since the last one, and nothing of routes that got no request', () => {
  const histograms = new RouteHistograms('/app');
  const routes = Array.from({ length: 150 }, (_, index) => ({
    path: `/${index}`,
    file: '/app/app/controller/home.js',
  }));
  for (const route of routes) histograms.count(route, 'GET', 200, 1);
  const totals = new RouteTotals();
  totals.add(WORKER, histograms.take());
  assert.equal(histograms.take(), undefined);
  histograms.count(routes[7], 'GET', 200, 3);
  histograms.count(routes[7], 'GET', 503, 40);
  const report = histograms.take();
  assert.equal(report?.changes.length, 2);
  assert.deepEqual(report?.added, [{ method: 'GET', route: '/7', status: '5xx', file: 'app/controller/home.js' }]);
  assert.ok(JSON.stringify(report).length < 200);
  totals.add(WORKER, report);
  assert.deepEqual(totals.served, { requests: 152, errors: 1 });
  assert.equal(counted(totals)['GET /7 2xx'], 2);
});

test('routes beyond the limit, methods that HTTP does not have and requests without a response are bounded', () => {
  const histograms = new RouteHistograms('/app');
  for (let index = 0; index < 1000; index += 1) {
    histograms.count({ path: `/${index}` }, 'GET', 200, 1);
    histograms.count(undefined, `X${index}`, 404, 1);
  }
  histograms.count(undefined, 'GET', 0, 1);
  histograms.count(undefined, 'GET', 999, 1);
  const totals = new RouteTotals();
  totals.add(WORKER, histograms.take());
  const counts = counted(totals);
  assert.equal(Object.keys(counts).length, 200 + 1 + 1 + 2);
  assert.equal(counts['GET (other) 2xx'], 800);
  assert.equal(counts['(other) (none) 4xx'], 1000);
  assert.equal(counts['GET (none) none'], 1);
  assert.equal(counts['GET (none) 5xx'], 1);
});

test('workers of several generations with other routes do not fill the memory of the Master', () => {
  const totals = new RouteTotals();
  for (let generation = 0; generation < 10; generation += 1) {
    const histograms = new RouteHistograms('/app');
    for (let index = 0; index < 100; index += 1) histograms.count({ path: `/${generation}/${index}` }, 'GET', 200, 1);
    totals.add({}, histograms.take());
  }
  assert.equal(Object.keys(counted(totals)).length, 401);
  assert.equal(totals.served.requests, 1000);
});

test('a route is fast once enough of its requests are known and hardly one was slow, by what is taken', () => {
  const histograms = new RouteHistograms('/app');
  const count = (route: string, times: number, milliseconds: number): void => {
    const known = routes[route] as { path: string };
    for (let index = 0; index < times; index += 1) histograms.count(known, 'GET', 200, milliseconds);
    histograms.take();
  };
  const routes: Record<string, { path: string }> = { '/': { path: '/' }, '/slow': { path: '/slow' } };
  count('/', 19, 1);
  assert.equal(histograms.isFast('GET', '/'), false, 'too few to tell');
  count('/', 1, 1);
  assert.equal(histograms.isFast('GET', '/'), true);
  assert.equal(histograms.isFast('POST', '/'), false);
  count('/slow', 98, 1);
  count('/slow', 2, 50);
  assert.equal(histograms.isFast('GET', '/slow'), false, 'two of a hundred are slow');
  count('/', 10_000, 1);
  count('/', 1000, 50);
  assert.equal(histograms.isFast('GET', '/'), false, 'it has become slow');
  count('/', 1000, 1);
  for (let index = 0; index < 12; index += 1) count('/', 1000, 1);
  assert.equal(histograms.isFast('GET', '/'), true, 'what is long ago counts less and less');
});
