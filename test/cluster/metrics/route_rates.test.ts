import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { RouteRates } from '../../../cluster/metrics/route_rates.js';
import type { RouteTotal } from '../../../cluster/metrics/route_totals.js';
import { bucketOf, noCounts } from '../../../cluster/protocol/latency.js';

/** The Master's sums, and a clock that moves when it is told to. */
function setUp(t: TestContext) {
  t.mock.timers.enable({ apis: ['Date'], now: 1_000_000 });
  const totals = new Map<string, RouteTotal>();
  const rates = new RouteRates(() => totals.values());
  return {
    rates,
    serve(route: string, milliseconds: number, { times = 1, status = '2xx', method = 'GET' } = {}): void {
      const key = `${method} ${route} ${status}`;
      const total = totals.get(key) ?? ({ method, route, status, counts: noCounts(), count: 0, sum: 0 } as RouteTotal);
      totals.set(key, total);
      const bucket = bucketOf(milliseconds);
      total.counts[bucket] = (total.counts[bucket] ?? 0) + times;
      total.count += times;
      total.sum += milliseconds * times;
    },
    pass(seconds: number): void {
      for (let second = 0; second < seconds; second += 1) {
        t.mock.timers.tick(1000);
        rates.tick();
      }
    },
    row: (route: string) => rates.rows().find((row) => row.route === route),
  };
}

test('classes of status are one row, with its errors; methods are rows of their own', (t) => {
  const { rates, serve, pass } = setUp(t);
  serve('/items', 5, { times: 3 });
  serve('/items', 5, { status: '5xx', times: 2 });
  serve('/items', 5, { status: '4xx' });
  serve('/items', 5, { method: 'POST' });
  pass(1);
  assert.deepEqual(
    rates.rows().map(({ method, requests, errors }) => [method, requests, errors]),
    [
      ['GET', 6, 2],
      ['POST', 1, 0],
    ],
  );
});

test('rate and percentiles are of the last minute, counts since the start', (t) => {
  const { serve, pass, row } = setUp(t);
  serve('/report', 900, { times: 600 });
  pass(10);
  assert.equal(row('/report')?.rate, 60, 'since the first look, when that is less than a minute ago');
  assert.ok((row('/report')?.p50 as number) > 600);
  pass(70);
  serve('/report', 2, { times: 60 });
  pass(4);
  const { rate = 0, p50, p99, requests } = row('/report') ?? {};
  assert.ok(rate > 0.9 && rate < 1.2, `${rate} a second`);
  assert.ok((p50 as number) <= 2.5 && (p99 as number) <= 2.5, 'the slow ones are more than a minute ago');
  assert.equal(requests, 660);
});

test('a route without a request in the last minute has the percentiles of all, and no rate', (t) => {
  const { serve, pass, row } = setUp(t);
  serve('/rare', 40);
  pass(120);
  const { rate, p95 = 0, requests } = row('/rare') ?? {};
  assert.deepEqual([rate, requests], [0, 1]);
  assert.ok(p95 > 30 && p95 <= 40);
});

test('what was served before the first look has no rate; the most frequent of the last minute comes first', (t) => {
  t.mock.timers.enable({ apis: ['Date'], now: 1_000_000 });
  const counts = noCounts();
  counts[3] = 1000;
  const before = { method: 'GET', route: '/before', status: '2xx', counts, count: 1000, sum: 1000 } as RouteTotal;
  const all = [before];
  const rates = new RouteRates(() => all);
  t.mock.timers.tick(1000);
  all.push({ ...before, route: '/now', counts: counts.map((count) => count / 1000), count: 1 });
  assert.deepEqual(
    rates.rows().map(({ route, rate }) => [route, rate]),
    [
      ['/now', 1],
      ['/before', 0],
    ],
  );
});
