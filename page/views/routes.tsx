import type { RouteRow, RoutesView, SlowRequest } from '../../cluster/admin/page_data.js';
import { formatMilliseconds, formatNumber, formatPercent } from '../model/format.js';
import { timelineOf } from '../model/timeline.js';
import { Ago, Clock } from '../parts/ago.js';
import { Badge } from '../parts/badge.js';
import { Waterfall } from '../parts/bars.js';
import { Filter, matches } from '../parts/filter.js';
import { Empty, Loading, Panel } from '../parts/panel.js';
import { type Column, Table } from '../parts/table.js';
import { data } from '../state/data.js';
import { linkTo, place } from '../state/location.js';

/** Milliseconds of p95 from which on a route is called slow. */
const SLOW = 200;

export function Routes() {
  const view = data.routes.value;
  if (!view) return <Loading />;
  return (
    <>
      <RouteTable view={view} />
      <Slowest requests={view.slowest} />
    </>
  );
}

function RouteTable({ view: { routes } }: { view: RoutesView }) {
  const { filter } = place.value.query;
  const shown = routes.filter(({ method, route, file }) => matches(filter, method, route, file));
  const busy = routes.filter(({ requests }) => requests > 0);
  const slowest = busy.toSorted((a, b) => b.p95 - a.p95)[0];
  const top = slowest?.p99 ?? 0;
  return (
    <Panel
      title="Routes"
      about="Percentiles are of the last minute, counts since the cluster started."
      tools={<Filter label="Filter routes" shown={`${shown.length} of ${routes.length}`} />}
    >
      {slowest && (
        <p class="line">
          <Badge tone={slowest.p95 >= SLOW ? 'warning' : 'info'} icon="wait" text="slowest" />
          <span>
            <strong>
              {slowest.method} {slowest.route}
            </strong>
            : 95 of 100 requests within {formatMilliseconds(slowest.p95)}
            {slowest.file && (
              <>
                , <code>{slowest.file}</code>
              </>
            )}
          </span>
        </p>
      )}
      {routes.length === 0 ? (
        <Empty icon="routes" title="No request yet">
          Each route appears here with its first request: how often it is asked for, how long it takes, how often it
          fails.
        </Empty>
      ) : (
        <Table
          label="Routes"
          columns={columnsOf(top)}
          rows={shown}
          keyOf={({ method, route }) => `${method} ${route}`}
          sort={{ label: 'p95', descending: true }}
          classOf={({ requests }) => (requests === 0 ? 'is-quiet' : '')}
        />
      )}
    </Panel>
  );
}

function columnsOf(top: number): Column<RouteRow>[] {
  return [
    {
      label: 'Route',
      wide: true,
      value: ({ route }) => route,
      render: ({ method, route, file, p95, requests }) => (
        <span class="route">
          <span>
            <span class="method">{method}</span> <strong>{route}</strong>{' '}
            {p95 >= SLOW && requests > 0 && <Badge tone="warning" icon="wait" text="slow" />}
          </span>
          {file && <code class="muted">{file}</code>}
        </span>
      ),
    },
    { label: 'Requests/s', numeric: true, value: ({ rate }) => rate, render: ({ rate }) => formatNumber(rate) },
    {
      label: 'Spread',
      title: 'From nothing to p50, p95 and p99, all routes on the same scale',
      render: ({ p50, p95, p99, requests }) =>
        requests === 0 ? <span class="none">–</span> : <Range values={[p50, p95, p99]} top={top} />,
    },
    { label: 'p50', numeric: true, value: ({ p50 }) => p50, render: ({ p50, requests }) => time(p50, requests) },
    { label: 'p95', numeric: true, value: ({ p95 }) => p95, render: ({ p95, requests }) => time(p95, requests) },
    { label: 'p99', numeric: true, value: ({ p99 }) => p99, render: ({ p99, requests }) => time(p99, requests) },
    {
      label: 'Requests',
      numeric: true,
      value: ({ requests }) => requests,
      render: ({ requests }) => formatNumber(requests),
    },
    {
      label: 'Errors',
      numeric: true,
      title: 'Responses with status 5xx',
      value: ({ errors }) => errors,
      render: ({ errors, requests }) =>
        errors === 0 ? (
          <span class="muted">0</span>
        ) : (
          <Badge tone="bad" text={`${formatNumber(errors)} (${formatPercent((errors / requests) * 100)})`} />
        ),
    },
  ];
}

function time(value: number, requests: number): string {
  return formatMilliseconds(requests === 0 ? undefined : value);
}

/** A bar from 0 to p99, darker to p50, so that routes can be compared. */
function Range({ values: [p50, p95, p99], top }: { values: [number, number, number]; top: number }) {
  const width = (value: number): number => (top === 0 ? 0 : (value / top) * 120);
  return (
    <svg class="range" width="120" height="10" aria-hidden="true">
      <rect class="range-3" width={width(p99)} height="10" rx="2" />
      <rect class="range-2" width={width(p95)} height="10" rx="2" />
      <rect class="range-1" width={width(p50)} height="10" rx="2" />
    </svg>
  );
}

function Slowest({ requests }: { requests: SlowRequest[] }) {
  const opened = requests.filter(({ spans }) => spans.length > 0).sort((a, b) => b.took - a.took)[0];
  return (
    <Panel
      title="Slowest recent requests"
      about="Recorded while this view is open. Open one to see where its time went."
    >
      {requests.length > 0 ? (
        <Table
          label="Slowest recent requests"
          columns={SLOW_COLUMNS}
          rows={requests}
          keyOf={keyOfRequest}
          sort={{ label: 'Took', descending: true }}
          detail={(request) => <Timeline request={request} />}
          opened={opened && keyOfRequest(opened)}
        />
      ) : (
        <Empty icon="wait" title="None recorded yet">
          The slowest requests from now on appear here, each with its way through middleware, controller, services, HTTP
          calls and messages.
        </Empty>
      )}
    </Panel>
  );
}

function keyOfRequest({ method, url, pid, at }: SlowRequest): string {
  return `${method} ${url} at ${at} in ${pid}`;
}

const SLOW_COLUMNS: Column<SlowRequest>[] = [
  {
    label: 'Request',
    wide: true,
    render: ({ method, url }) => (
      <span class="route">
        <span>
          <span class="method">{method}</span> <strong>{url}</strong>
        </span>
      </span>
    ),
  },
  { label: 'Took', numeric: true, value: ({ took }) => took, render: ({ took }) => formatMilliseconds(took) },
  {
    label: 'Status',
    numeric: true,
    value: ({ status }) => status,
    render: ({ status }) => (status >= 500 ? <Badge tone="bad" text={String(status)} /> : status),
  },
  { label: 'When', value: ({ at }) => at, render: ({ at }) => <Ago at={at} /> },
  { label: 'Process', numeric: true, value: ({ pid }) => pid, render: ({ pid }) => pid },
];

function Timeline({ request }: { request: SlowRequest }) {
  const { took, at, route, traceId } = request;
  const rows = timelineOf(request);
  return (
    <div class="timeline">
      <p class="muted">
        <Clock at={at} />
        {route && (
          <>
            , route <code>{route}</code>
          </>
        )}
        {traceId && (
          <>
            , trace <a href={linkTo('logs', { trace: traceId })}>{traceId}</a>
          </>
        )}
        {rows.length === 1 && '. It had begun before this view was open: nothing else is known of it'}
      </p>
      <Waterfall
        label={`Where the ${formatMilliseconds(took)} went`}
        end={took}
        bars={rows.map(({ error, ...row }, index) => ({ ...row, key: String(index), note: error }))}
      />
    </div>
  );
}
