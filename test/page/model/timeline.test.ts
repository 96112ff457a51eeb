import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RequestSpan, SlowRequest } from '../../../cluster/admin/page_data.js';
import { timelineOf } from '../../../page/model/timeline.js';

function request(spans: RequestSpan[]): SlowRequest {
  return { at: 0, pid: 7, method: 'GET', url: '/report', status: 200, took: 400, spans };
}

test('middleware that only calls the next one is one row with it', () => {
  const rows = timelineOf(
    request([
      { kind: 'middleware', name: 'session', start: 1, took: 398 },
      { kind: 'middleware', name: 'security', start: 2, took: 396, parent: 0 },
      { kind: 'middleware', name: 'audit', start: 3, took: 394, parent: 1 },
      { kind: 'controller', name: 'report.index', start: 60, took: 330, parent: 2 },
      { kind: 'service', name: 'report.sum', start: 70, took: 300, parent: 3 },
    ]),
  );
  assert.deepEqual(
    rows.map(({ depth, name }) => [depth, name]),
    [
      [0, 'GET /report'],
      [1, 'session › security › audit'],
      [2, 'report.index'],
      [3, 'report.sum'],
    ],
  );
});

test('the row in which most of the time went is marked, without what ran inside it', () => {
  const rows = timelineOf(
    request([
      { kind: 'controller', name: 'report.index', start: 0, took: 400 },
      { kind: 'httpclient', name: 'GET http://a/', start: 0, took: 150, parent: 0 },
      { kind: 'httpclient', name: 'GET http://b/', start: 10, took: 140, parent: 0 },
      { kind: 'service', name: 'report.sum', start: 150, took: 200, parent: 0 },
    ]),
  );
  assert.deepEqual(
    rows.filter(({ isMost }) => isMost).map(({ name }) => name),
    ['report.sum'],
  );
});

test('what had not ended lasts to the end of the request, an error is kept', () => {
  const rows = timelineOf(
    request([
      { kind: 'service', name: 'audit.write', start: 300 },
      { kind: 'middleware', name: 'limit', start: 1, took: 5, error: 'too many' },
    ]),
  );
  assert.deepEqual(
    rows.map(({ took, isOpen, error }) => ({ took, isOpen, error })),
    [
      { took: 400, isOpen: false, error: undefined },
      { took: 100, isOpen: true, error: undefined },
      { took: 5, isOpen: false, error: 'too many' },
    ],
  );
});

test('a request of which nothing is known but its time is one row', () => {
  assert.deepEqual(timelineOf(request([])).length, 1);
});
