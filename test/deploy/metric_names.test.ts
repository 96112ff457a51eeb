import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { parse } from 'yaml';
import { METRICS } from '../../cluster/control/metric_table.js';
import { fixture, ROOT, startTestCluster } from '../support/apps.js';
import { request } from '../support/http.js';

const dashboard = JSON.parse(readFileSync(path.join(ROOT, 'deploy/grafana-dashboard.json'), 'utf8')) as {
  panels: { id: number; title: string; targets: { expr: string; legendFormat: string }[] }[];
};
const rules = parse(readFileSync(path.join(ROOT, 'deploy/prometheus-rules.yml'), 'utf8')) as {
  groups: { name: string; rules: { alert: string; expr: string; annotations: { summary: string } }[] }[];
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
