import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { parse } from 'yaml';
import { METRICS } from '../../cluster/control/metric_table.js';
import { fixture, ROOT, startTestCluster } from '../support/apps.js';
import { request } from '../support/http.js';

interface Source {
  type: string;
  uid: string;
}

interface Variable {
  name: string;
  type: string;
  query: string;
  datasource?: Source;
}

interface Panel {
  id: number;
  type: string;
  title: string;
  datasource: Source;
  gridPos: Record<'x' | 'y' | 'w' | 'h', number>;
  targets: { refId: string; expr: string; legendFormat: string; datasource?: Source }[];
}

const dashboard = JSON.parse(readFileSync(path.join(ROOT, 'deploy/grafana-dashboard.json'), 'utf8')) as {
  title: string;
  uid: string;
  schemaVersion: number;
  templating: { list: Variable[] };
  panels: Panel[];
};
interface Rule {
  alert: string;
  expr: string;
  for?: string;
  labels?: Record<string, string>;
  annotations: { summary: string };
}

const rules = parse(readFileSync(path.join(ROOT, 'deploy/prometheus-rules.yml'), 'utf8')) as {
  groups: { name: string; rules: Rule[] }[];
};

const panels = dashboard.panels.flatMap(({ title, targets }) =>
  targets.map(({ expr, legendFormat }) => ({ where: title, expr, text: legendFormat })),
);
const alerts = rules.groups.flatMap((group) =>
  group.rules.map(({ alert, expr, annotations }) => ({ where: alert, expr, text: annotations.summary })),
);

/** Labels that Prometheus adds to each series. */
const ADDED = ['job', 'instance'];
const SUFFIXES = { counter: [''], gauge: [''], histogram: ['_bucket', '_sum', '_count'], summary: ['_sum', '_count'] };

const bySeries = new Map(
  METRICS.flatMap((metric) => SUFFIXES[metric.type].map((suffix) => [`${metric.name}${suffix}`, metric] as const)),
);

function labelsOf(text: string, pattern: RegExp): string[] {
  return [...text.matchAll(pattern)].flatMap(([, list = '']) => list.split(',').map((label) => label.trim()));
}

test('deploy/: expressions name series that /metrics has, and their labels', async (t) => {
  const cluster = await startTestCluster(t, { baseDir: fixture('faulty'), workers: 1, admin: { port: 0 } });
  const { body } = await request(`${await cluster.admin()}/metrics`);
  assert.ok(panels.length > 25 && alerts.length > 10);
  for (const { where, expr, text } of [...panels, ...alerts]) {
    const named = expr.match(/\bclutch_\w+/g) ?? [];
    assert.ok(named.length > 0, where);
    const known = named.flatMap((series) => {
      const metric = bySeries.get(series);
      assert.ok(metric, `${where}: /metrics has no series ${series}`);
      assert.match(body, new RegExp(`^# TYPE ${metric.name} ${metric.type}$`, 'm'));
      return metric.labels;
    });
    const used = [
      ...labelsOf(expr, /\b(?:by|without|on|ignoring) \(([^)]*)\)/g),
      ...labelsOf(expr, /[{,](\w+)(?:=~|!~|!=|=)/g),
      ...labelsOf(text, /{{ ?(?:\$labels\.)?(\w+) ?}}/g),
    ].filter((label) => !ADDED.includes(label) && label !== 'value');
    for (const label of used) assert.ok(known.includes(label), `${where}: ${label} is no label of ${named.join(', ')}`);
    assert.equal(expr.split('(').length, expr.split(')').length, `${where}: brackets`);
  }
});

test('deploy/: the dashboard shows each metric', () => {
  const shown = panels.map(({ expr }) => expr).join('\n');
  const missing = METRICS.filter(({ name }) => !shown.includes(name) && name !== 'clutch_uptime_seconds');
  assert.deepEqual(
    missing.map(({ name }) => name),
    [],
  );
});

test('deploy/: reasons of deaths and outcomes that alerts name exist', () => {
  const source = readFileSync(path.join(ROOT, 'ipc/death_record.ts'), 'utf8');
  for (const [, reasons = ''] of alerts.flatMap(({ expr }) => [...expr.matchAll(/reason=~?"([^"]+)"/g)])) {
    for (const reason of reasons.split('|')) assert.match(source, new RegExp(`^ {2}'?${reason}'?: '`, 'm'));
  }
});

test('deploy/: the dashboard is what the import of Grafana takes', () => {
  const { title, uid, schemaVersion, templating } = dashboard;
  assert.match(uid, /^[\w-]{1,40}$/);
  assert.ok(title !== '' && Number.isInteger(schemaVersion) && schemaVersion >= 36);
  assert.ok(!('id' in dashboard), 'the id of another Grafana would replace what is there');

  // The data source is chosen by a variable, which the others and the panels use; a variable may use only those before it.
  const [source, ...queries] = templating.list;
  assert.deepEqual([source?.name, source?.type, source?.query], ['datasource', 'datasource', 'prometheus']);
  const prometheus: Source = { type: 'prometheus', uid: `\${${source?.name}}` };
  const known = new Set(['datasource']);
  for (const { name, type, query, datasource } of queries) {
    assert.deepEqual([type, datasource], ['query', prometheus], name);
    for (const [, used] of query.matchAll(/\$(\w+)/g)) assert.ok(known.has(used as string), `${name} uses $${used}`);
    known.add(name);
  }

  const { panels: list } = dashboard;
  assert.equal(new Set(list.map(({ id }) => id)).size, list.length);
  for (const { id, type, title: name, datasource, targets, gridPos } of list) {
    assert.ok(Number.isInteger(id) && id > 0 && ['stat', 'timeseries'].includes(type) && name !== '', name);
    assert.deepEqual(datasource, prometheus, name);
    assert.equal(new Set(targets.map(({ refId }) => refId)).size, targets.length, name);
    for (const { refId, expr, datasource: own = prometheus } of targets) {
      assert.match(refId, /^[A-Z]$/, name);
      assert.deepEqual(own, prometheus, name);
      for (const [, used = ''] of expr.matchAll(/\$(\w+)/g))
        assert.ok(known.has(used) || used.startsWith('__'), `${name}: $${used}`);
    }
    const { x, y, w, h } = gridPos;
    assert.ok(
      [x, y, w, h].every((value) => Number.isInteger(value) && value >= 0),
      name,
    );
    assert.ok(w > 0 && h > 0 && x + w <= 24, `${name} is within the 24 columns`);
    const beside = list.filter((other) => other.id !== id && overlap(gridPos, other.gridPos));
    assert.deepEqual(beside, [], `${name} overlaps no other panel`);
  }
});

function overlap(a: Panel['gridPos'], b: Panel['gridPos']): boolean {
  return a.x < b.x + b.w && b.x < a.x + a.w && a.y < b.y + b.h && b.y < a.y + a.h;
}

test('deploy/: the rules are what Prometheus loads', () => {
  const names = alerts.map(({ where }) => where);
  assert.equal(new Set(names).size, names.length);
  assert.equal(new Set(rules.groups.map(({ name }) => name)).size, rules.groups.length);
  for (const rule of rules.groups.flatMap((group) => group.rules)) {
    const { alert, expr, for: duration = '0s', labels, annotations, ...unknown } = rule;
    assert.deepEqual(unknown, {}, `${alert}: Prometheus refuses a file with fields that it does not know`);
    assert.match(alert, /^[a-zA-Z_]\w*$/);
    assert.match(duration, /^(?:\d+(?:ms|[smhdwy]))+$/, alert);
    assert.ok(expr !== '' && annotations.summary !== '' && labels?.['severity'], alert);
  }
});
