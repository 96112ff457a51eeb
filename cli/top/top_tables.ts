import type { NowView, RouteRow } from '../../cluster/admin/page_data.js';
import type { DeathRecord, ProcessStatus } from '../../cluster/index.js';
import { dateTime } from '../../output/timestamp.js';
import { duration, rounded } from '../terminal/units.js';
import type { Column } from './columns.js';
import { sparkline } from './sparkline.js';

/** A process with what it did lately. */
export interface ProcessRow extends ProcessStatus {
  /** Requests of each second, the newest last. */
  rates: number[];
}

const KIND_ORDER = { master: '0', single: '0', agent: '1', 'app worker': '2' } as const;
/** Characters of a sparkline in a table. */
const SPARK_WIDTH = 12;

export function processRows({ cluster, history }: NowView): ProcessRow[] {
  return cluster.processes.map((process) => ({
    ...process,
    rates: history.map(({ byProcess }) => byProcess[String(process.pid)] ?? 0),
  }));
}

export function processColumns(unicode: boolean): Column<ProcessRow>[] {
  const last = ({ rates }: ProcessRow): number => rates.at(-1) ?? 0;
  const isWorker = ({ kind, pid }: ProcessRow): boolean => kind === 'app worker' && pid !== undefined;
  return [
    {
      title: 'PROCESS',
      rank: 0,
      text: ({ kind, slot }) => (slot === undefined ? kind : `worker ${slot}`),
      value: ({ kind, slot = 0 }) => `${KIND_ORDER[kind]}${String(slot).padStart(5, '0')}`,
    },
    number('PID', 1, ({ pid }) => pid),
    { title: 'STATE', rank: 2, text: stateOf, value: ({ state }) => state },
    number('REQ/S', 3, (row) => (isWorker(row) ? last(row) : undefined)),
    number('FLY', 4, ({ inFlight }) => inFlight),
    number('CPU%', 5, ({ cpu }) => cpu),
    number('MiB', 6, ({ memory }) => memory),
    number('LOOP', 7, ({ loopP99 }) => loopP99),
    number('RST', 8, ({ restarts }) => restarts),
    {
      title: 'UP',
      rank: 9,
      isNumber: true,
      text: ({ pid, uptime }) => (pid === undefined ? '' : duration(uptime >= 10 ? Math.round(uptime) : uptime)),
      value: ({ uptime }) => uptime,
    },
    {
      title: 'REQUESTS',
      rank: 10,
      text: (row) => (isWorker(row) ? sparkline(row.rates, SPARK_WIDTH, unicode) : ''),
      value: (row) => row.rates.reduce((sum, rate) => sum + rate, 0),
    },
    number('CONN', 11, ({ connections }) => connections),
    {
      title: 'LAST EXIT',
      rank: 12,
      isWide: true,
      text: ({ lastExit = '' }) => lastExit,
      value: ({ lastExit = '' }) => lastExit,
    },
  ];
}

function stateOf({ state, attempt, nextAttempt }: ProcessRow): string {
  if (nextAttempt === undefined) return state;
  return `${state} #${attempt}, ${Math.max(0, Math.round((Date.parse(nextAttempt) - Date.now()) / 1000))}s`;
}

export const ROUTE_COLUMNS: Column<RouteRow>[] = [
  { title: 'METHOD', rank: 1, text: ({ method }) => method, value: ({ method }) => method },
  { title: 'ROUTE', rank: 0, isWide: true, text: ({ route }) => route, value: ({ route }) => route },
  number('REQ/S', 2, ({ rate }) => rate),
  number('P50', 4, ({ p50 }) => p50),
  number('P95', 5, ({ p95 }) => p95),
  number('P99', 3, ({ p99 }) => p99),
  number('ERRORS', 6, ({ errors }) => errors),
  number('REQUESTS', 7, ({ requests }) => requests),
  { title: 'FILE', rank: 8, text: ({ file = '' }) => file, value: ({ file = '' }) => file },
];

export const DEATH_COLUMNS: Column<DeathRecord>[] = [
  { title: 'WHEN', rank: 0, text: ({ at }) => dateTime(Date.parse(at)), value: ({ at }) => Date.parse(at) },
  {
    title: 'PROCESS',
    rank: 1,
    text: ({ kind, slot }) => (slot === undefined ? kind : `worker ${slot}`),
    value: ({ kind, slot = 0 }) => `${KIND_ORDER[kind]}${slot}`,
  },
  number('PID', 4, ({ pid }) => pid),
  { title: 'REASON', rank: 2, text: ({ reason }) => reason, value: ({ reason }) => reason },
  { title: 'UP', rank: 5, isNumber: true, text: ({ uptime }) => duration(uptime), value: ({ uptime }) => uptime },
  { title: 'WHY', rank: 3, isWide: true, text: ({ text }) => text, value: ({ text }) => text },
];

function number<Row>(title: string, rank: number, value: (row: Row) => number | undefined): Column<Row> {
  return {
    title,
    rank,
    isNumber: true,
    text: (row) => {
      const found = value(row);
      return found === undefined ? '' : title === 'PID' ? String(found) : rounded(found);
    },
    value: (row) => value(row) ?? Number.NEGATIVE_INFINITY,
  };
}
