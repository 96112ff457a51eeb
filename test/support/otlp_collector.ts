import { fork } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import type { TestContext } from 'node:test';
import { ROOT, until } from './apps.js';
import { requestJson } from './http.js';

export interface ReceivedSpan {
  traceId: string;
  spanId: string;
  parentSpanId?: string;
  name: string;
  /** 1 internal, 2 server, 3 client, 4 producer, 5 consumer. */
  kind: number;
  status: { code?: number; message?: string };
  attributes: Attributes;
  events: { name: string; attributes: Attributes }[];
  /** Of the process that has sent it. */
  pid: number;
  scope: string;
}

interface ReceivedLog {
  traceId?: string;
  spanId?: string;
  severityText?: string;
  body: string;
  attributes: Attributes;
}

interface ReceivedPoint {
  metric: string;
  attributes: Attributes;
  count?: number;
  sum?: number;
  value?: number;
}

type Attributes = Record<string, unknown>;
type RawAttributes = { key: string; value: Record<string, unknown> }[];

interface Scoped<K extends string, T> {
  resource: { attributes: RawAttributes };
  [scopes: string]: unknown | ({ scope: { name: string } } & Record<K, T[]>)[];
}

export interface Collector {
  /** What a process needs in its environment to send to it. */
  env: Record<string, string>;
  spans(): Promise<ReceivedSpan[]>;
  logs(): Promise<ReceivedLog[]>;
  points(): Promise<ReceivedPoint[]>;
  /** Waits until a span has come. */
  span(what: string, is: (span: ReceivedSpan) => boolean): Promise<ReceivedSpan>;
}

/** Starts a collector in a process of its own. */
export async function startCollector(t: TestContext): Promise<Collector> {
  const child = fork(path.join(ROOT, '.test/test/support/otlp_collector_process.js'));
  t.after(() => child.kill());
  const [port] = (await once(child, 'message')) as [number];
  const url = `http://127.0.0.1:${port}`;
  const received = (): Promise<Record<'traces' | 'metrics' | 'logs', Record<string, Scoped<string, never>[]>[]>> =>
    requestJson(`${url}/received`);

  const items = async <T>(kind: 'traces' | 'metrics' | 'logs', names: [string, string, string]) => {
    const [resources, scopes, list] = names;
    const found: (T & { pid: number; scope: string })[] = [];
    for (const batch of (await received())[kind]) {
      for (const resource of batch[resources] ?? []) {
        const pid = Number(plain(resource.resource.attributes)['process.pid']);
        for (const scope of resource[scopes] as ({ scope: { name: string } } & Record<string, T[]>)[]) {
          for (const item of scope[list] as T[]) found.push({ ...item, pid, scope: scope.scope.name });
        }
      }
    }
    return found;
  };

  const spans = async (): Promise<ReceivedSpan[]> => {
    const raw = await items<
      Omit<ReceivedSpan, 'attributes' | 'events'> & {
        attributes: RawAttributes;
        events: { name: string; attributes: RawAttributes }[];
      }
    >('traces', ['resourceSpans', 'scopeSpans', 'spans']);
    return raw.map((span) => ({
      ...span,
      attributes: plain(span.attributes),
      events: (span.events ?? []).map((event) => ({ ...event, attributes: plain(event.attributes) })),
    }));
  };

  return {
    env: {
      OTEL_EXPORTER_OTLP_ENDPOINT: url,
      OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json',
      OTEL_SERVICE_NAME: 'demo',
      OTEL_METRICS_EXPORTER: 'otlp',
      OTEL_LOGS_EXPORTER: 'otlp',
      OTEL_BSP_SCHEDULE_DELAY: '50',
      OTEL_BLRP_SCHEDULE_DELAY: '50',
      OTEL_METRIC_EXPORT_INTERVAL: '300',
      OTEL_METRIC_EXPORT_TIMEOUT: '300',
    },
    spans,
    async logs() {
      const raw = await items<
        Omit<ReceivedLog, 'body' | 'attributes'> & { body: Record<string, unknown>; attributes: RawAttributes }
      >('logs', ['resourceLogs', 'scopeLogs', 'logRecords']);
      return raw.map((log) => ({ ...log, body: String(contentOf(log.body)), attributes: plain(log.attributes) }));
    },
    async points() {
      type Raw = { name: string } & Record<
        'histogram' | 'sum' | 'gauge',
        { dataPoints: Record<string, unknown>[] } | undefined
      >;
      const metrics = await items<Raw>('metrics', ['resourceMetrics', 'scopeMetrics', 'metrics']);
      return metrics.flatMap(({ name, histogram, sum, gauge }) =>
        ((histogram ?? sum ?? gauge)?.dataPoints ?? []).map((point) => ({
          metric: name,
          attributes: plain(point['attributes'] as RawAttributes),
          count: Number(point['count']),
          sum: Number(point['sum']),
          value: Number(point['asInt'] ?? point['asDouble']),
        })),
      );
    },
    async span(what, is) {
      try {
        return await until(what, async () => (await spans()).find(is));
      } catch (error) {
        const found = (await spans()).map(({ name, pid, kind }) => `${pid} ${kind} ${name}`);
        throw new Error(`${(error as Error).message}; there are\n${found.join('\n')}`);
      }
    },
  };
}

function plain(attributes: RawAttributes = []): Attributes {
  return Object.fromEntries(attributes.map(({ key, value }) => [key, contentOf(value)]));
}

function contentOf(value: Record<string, unknown>): unknown {
  const [[kind, content] = []] = Object.entries(value);
  return kind === 'intValue' ? Number(content) : content;
}
