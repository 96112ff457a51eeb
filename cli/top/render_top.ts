import type { NowView, RouteRow, RoutesView } from '../../cluster/admin/page_data.js';
import type { DeathRecord } from '../../cluster/index.js';
import { clockTime, dateTime } from '../../output/timestamp.js';
import { dim, failure, heading, warning } from '../terminal/style.js';
import { duration, rounded } from '../terminal/units.js';
import { type Column, cut, fitTable, printable, sortRows } from './columns.js';
import { sparkline } from './sparkline.js';
import type { TopState } from './top_state.js';
import { DEATH_COLUMNS, type ProcessRow, processColumns, processRows, ROUTE_COLUMNS } from './top_tables.js';

export interface TopData {
  now: NowView;
  routes: RoutesView;
  /** The newest last. */
  deaths: DeathRecord[];
}

export interface Size {
  width: number;
  height: number;
}

const HELP = [
  'p processes   r routes   d deaths   q quit   h this help',
  '< > or arrows: sort by another column   1-9: by that column   i: the other way round',
  'arrows up and down: scroll',
  'LOOP is the delay of the event loop (p99) in ms, FLY requests in flight, RST restarts',
  'P50, P95, P99 are milliseconds of the last minute',
];
const HINT = 'p processes  r routes  d deaths  < > sort  i invert  h help  q quit';
/** Characters of a sparkline in the head. */
const SPARK_WIDTH = 30;

/** @returns number of columns and rows of the view that is shown */
export function extentOf(data: TopData | undefined, { view }: TopState): { columns: number; rows: number } {
  const { columns, rows } = tableOf(view, data, true);
  return { columns: columns.length, rows: rows.length };
}

/**
 * @param problem why there is nothing new
 * @returns the lines of the screen, as many as it has
 */
export function renderTop(
  data: TopData | undefined,
  state: TopState,
  { width, height }: Size,
  { unicode, problem }: { unicode: boolean; problem?: string | undefined },
): string[] {
  const head = data ? headLines(data.now, width, unicode) : ['clutch top'];
  if (problem !== undefined) head.push(failure(cut(printable(problem), width)));
  const bottom = dim(cut(HINT, width));
  const room = Math.max(0, height - head.length - 2);
  const body = state.showsHelp ? HELP.map((line) => cut(line, width)) : tableLines(data, state, width, unicode);
  const [title = '', ...rows] = body;
  const shown = state.showsHelp ? body.slice(0, room) : [title, ...rows.slice(state.scrolled)].slice(0, room);
  const lines = [...head, '', ...shown];
  while (lines.length < height - 1) lines.push('');
  return [...lines.slice(0, height - 1), bottom].slice(0, height);
}

/** @returns everything at once, for where there is no terminal */
export function snapshot(data: TopData, width: number, unicode: boolean): string {
  const part = (title: string, lines: string[]): string[] => ['', heading(title), ...lines];
  const { routes } = data.routes;
  return [
    ...headLines(data.now, width, unicode),
    '',
    ...fitTable(processRows(data.now), processColumns(unicode), width),
    ...(routes.length > 0 ? part('Routes', fitTable(routes, ROUTE_COLUMNS, width)) : []),
    ...(data.deaths.length > 0
      ? part('Deaths', fitTable([...data.deaths].reverse().slice(0, 10), DEATH_COLUMNS, width))
      : []),
  ].join('\n');
}

function headLines({ app, cluster, history, lastReload }: NowView, width: number, unicode: boolean): string[] {
  const { state, address, processes, workers } = cluster;
  const ready = processes.filter((each) => each.kind === 'app worker' && each.state === 'ready').length;
  const uptime = processes.find(({ kind }) => kind === 'master')?.uptime ?? 0;
  const title = `${`${app.name} ${app.version}`.trim()}  ${app.env}  ${state}  ${address}  ${ready}/${workers} workers  up ${duration(Math.round(uptime))}  ${clockTime()}`;
  const point = history.at(-1);
  const spark = Math.min(SPARK_WIDTH, Math.max(0, width - 50));
  const line = (name: string, values: number[], text: string): string =>
    cut(`${name.padEnd(5)} ${sparkline(values, spark, unicode)} ${text}`, width);
  const times =
    point?.p50 === undefined
      ? 'no requests'
      : `p50 ${rounded(point.p50)}  p95 ${rounded(point.p95 ?? 0)}  p99 ${rounded(point.p99 ?? 0)} ms`;
  const lines = [
    heading(cut(printable(title), width)),
    line(
      'req/s',
      history.map(({ requests }) => requests),
      `${String(point?.requests ?? 0).padStart(5)}  ${times}`,
    ),
    line(
      'cpu',
      history.map(({ cpu }) => cpu),
      `${String(Math.round(point?.cpu ?? 0)).padStart(4)}%  ${point?.inFlight ?? 0} in flight  loop ${rounded(point?.loopDelay ?? 0)} ms`,
    ),
    line(
      'MiB',
      history.map(({ memory }) => memory),
      `${String(Math.round(point?.memory ?? 0)).padStart(5)}  ${point?.errors ?? 0} errors/s`,
    ),
  ];
  if (lastReload) {
    const { outcome, at, took, asker = '', reason = '' } = lastReload;
    const text = `reload ${outcome}  ${dateTime(Date.parse(at))}${took === undefined ? '' : `  ${duration(Math.round(took / 100) / 10)}`}  ${reason.split('\n')[0] || asker}`;
    const styled = outcome === 'failed' ? failure : outcome === 'running' ? warning : dim;
    lines.push(styled(cut(printable(text), width)));
  }
  return lines;
}

function tableLines(data: TopData | undefined, state: TopState, width: number, unicode: boolean): string[] {
  const { columns, rows, none } = tableOf(state.view, data, unicode);
  if (rows.length === 0) return [none];
  const sorting = state.sorting[state.view];
  const sorted = sortRows(rows, columns, sorting);
  const [title = '', ...lines] = fitTable(sorted, columns, width, sorting);
  return [heading(title), ...lines.map((line, index) => rowStyle(sorted[index])(line))];
}

interface Table {
  columns: Column<ProcessRow | RouteRow | DeathRecord>[];
  rows: (ProcessRow | RouteRow | DeathRecord)[];
  /** Shown where there is no row. */
  none: string;
}

function tableOf(view: TopState['view'], data: TopData | undefined, unicode: boolean): Table {
  const table = <Row>(columns: Column<Row>[], rows: Row[], none: string): Table =>
    ({ columns, rows, none }) as unknown as Table;
  switch (view) {
    case 'processes':
      return table(processColumns(unicode), data ? processRows(data.now) : [], '');
    case 'routes':
      return table(ROUTE_COLUMNS, data?.routes.routes ?? [], 'no request yet');
    case 'deaths':
      return table(DEATH_COLUMNS, data?.deaths ?? [], 'no process has ended');
  }
}

function rowStyle(row: ProcessRow | RouteRow | DeathRecord | undefined): (line: string) => string {
  if (!row || !('state' in row) || 'reason' in row) return (line) => line;
  if (row.state === 'backoff') return failure;
  return row.state === 'ready' ? (line) => line : warning;
}
