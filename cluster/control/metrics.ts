import type { MetricsSource, Sample } from './metric.js';
import { METRICS } from './metric_table.js';

export const CONTENT_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

/** @returns the state of the whole cluster in the text format of Prometheus */
export function writeMetrics(source: MetricsSource): string {
  const lines: string[] = [];
  for (const { name, type, help, samples } of METRICS) {
    lines.push(`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`);
    for (const { suffix = '', labels, value } of samples(source))
      lines.push(`${name}${suffix}${inBraces(labels)} ${value}`);
  }
  return `${lines.join('\n')}\n`;
}

function inBraces(labels: Sample['labels']): string {
  const pairs = Object.entries(labels).map(([label, value]) => `${label}="${escapeLabel(String(value))}"`);
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`;
}

/** As the text format wants it: a route may be a RegExp. */
function escapeLabel(value: string): string {
  return value.replace(/[\\"\n]/g, (char) => (char === '\n' ? '\\n' : `\\${char}`));
}
