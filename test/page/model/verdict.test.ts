import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { NowPoint, NowView } from '../../../cluster/admin/page_data.js';
import { nameOf, verdictOf } from '../../../page/model/verdict.js';

type Process = NowView['cluster']['processes'][number];

const MASTER: Process = { kind: 'master', pid: 1, state: 'ready', uptime: 900, restarts: 0 };
const AGENT: Process = { kind: 'agent', pid: 2, state: 'ready', uptime: 900, restarts: 0 };

function worker(slot: number, more: Partial<Process> = {}): Process {
  return { kind: 'app worker', pid: 10 + slot, slot, state: 'ready', uptime: 900, restarts: 0, loopP99: 3, ...more };
}

function point(more: Partial<NowPoint> = {}): NowPoint {
  return {
    at: 0,
    requests: 100,
    errors: 0,
    p99: 12,
    inFlight: 1,
    loopDelay: 3,
    memory: 300,
    cpu: 20,
    byProcess: {},
    ...more,
  };
}

function view(workers: Process[], more: Partial<NowView> = {}): NowView {
  return {
    cluster: {
      state: 'ready',
      address: 'http://127.0.0.1:7001',
      baseDir: '/srv/shop',
      workers: workers.length,
      served: { requests: 100, errors: 0 },
      options: {},
      processes: [MASTER, AGENT, ...workers],
    },
    app: { name: 'shop', version: '1.0.0', env: 'prod', node: 'v22.0.0', clutch: '0.1.0', pid: 1 },
    readOnly: false,
    history: [point()],
    latency: {},
    ...more,
  };
}

const textsOf = (now: NowView): string[] => verdictOf(now).findings.map(({ tone, text }) => `${tone}: ${text}`);

test('a cluster in which every process is ready is well, and says what it does', () => {
  const verdict = verdictOf(view([worker(0), worker(1)]));
  assert.equal(verdict.title, 'All is well');
  assert.equal(verdict.summary, '2 workers serve 100 requests a second, 99 of 100 within 12 ms');
  assert.deepEqual(verdict.findings, []);
});

test('what is worst comes first', () => {
  const backoff: Partial<Process> = { state: 'backoff', pid: undefined, attempt: 4, lastExit: 'boom' };
  const now = view([worker(0, { uptime: 20, restarts: 1, lastExit: 'it used too much memory' }), worker(1, backoff)]);
  assert.equal(verdictOf(now).title, 'Something is wrong');
  assert.deepEqual(textsOf(now), [
    'bad: Worker 1 crashes again and again (attempt 4): boom',
    'warning: 1 of 2 workers is ready',
    'warning: Worker 0 was replaced: it used too much memory',
  ]);
});

test('a process that a reload has replaced is no news', () => {
  assert.deepEqual(textsOf(view([worker(0, { uptime: 5, restarts: 1, lastExit: 'it was replaced by a reload' })])), []);
});

test('errors count by their share, a blocked event loop by its delay', () => {
  const rare = view([worker(0)], { history: [point({ requests: 1000, errors: 2 })] });
  assert.deepEqual(textsOf(rare), ['warning: 2 responses with status 5xx in the last minute, of 1,000']);
  const many = view([worker(0, { loopP99: 480 })], { history: [point({ errors: 9 })] });
  assert.deepEqual(textsOf(many), [
    'bad: 9 responses with status 5xx in the last minute, of 100',
    'warning: The event loop of worker 0 is late by 480 ms',
  ]);
});

test('a reload that failed is reported until the next one', () => {
  const lastReload = { at: '2026-11-25T12:00:00.000Z', outcome: 'failed', reason: 'no such file\n  at x' } as const;
  assert.deepEqual(textsOf(view([worker(0)], { lastReload })), [
    'warning: The last reload failed, the old code goes on: no such file',
  ]);
});

test('processes have the names that `clutch status` has', () => {
  assert.deepEqual(
    [MASTER, AGENT, worker(3)].map((process) => nameOf(process)),
    ['Master', 'Agent', 'Worker 3'],
  );
});
