import type { MessagesView } from '../../cluster/admin/page_data.js';
import { count, formatNumber } from '../model/format.js';
import { Ago } from '../parts/ago.js';
import { Badge } from '../parts/badge.js';
import { Filter, matches } from '../parts/filter.js';
import { Empty, Loading, Panel } from '../parts/panel.js';
import { type Column, Table } from '../parts/table.js';
import { data } from '../state/data.js';
import { place } from '../state/location.js';

type Action = MessagesView['actions'][number];
type Undelivered = MessagesView['lastUndelivered'][number];

export function Messages() {
  const view = data.messages.value;
  if (!view) return <Loading />;
  const { actions, undelivered, lastUndelivered } = view;
  const shown = actions.filter(({ action, from, to }) => matches(place.value.query['filter'], action, from, to));
  const total = actions.reduce((sum, each) => sum + each.count, 0);
  return (
    <>
      <Panel
        title="Messages"
        about={`${count(total, 'message')} between processes since the cluster started.`}
        tools={<Filter label="Filter messages" shown={`${shown.length} of ${actions.length}`} />}
      >
        {actions.length === 0 ? (
          <Empty icon="messages" title="No message yet">
            What <code>app.messenger</code> and <code>agent.messenger</code> send is counted here, by action and
            direction.
          </Empty>
        ) : (
          <Table
            label="Messages"
            columns={ACTIONS}
            rows={shown}
            keyOf={({ action, from, to }) => `${action} from ${from} to ${to}`}
            sort={{ label: 'Messages', descending: true }}
          />
        )}
      </Panel>
      <Panel
        title="Not delivered"
        about="Messages whose receiver was gone, or did not read."
        tools={<Badge tone={undelivered > 0 ? 'warning' : 'good'} text={count(undelivered, 'message')} />}
      >
        {lastUndelivered.length === 0 ? (
          <p class="line muted">Each one was delivered.</p>
        ) : (
          <Table
            label="Messages that were not delivered"
            columns={UNDELIVERED}
            rows={lastUndelivered}
            keyOf={({ at, action, from }) => `${action} from ${from} at ${at}`}
          />
        )}
      </Panel>
    </>
  );
}

const ACTIONS: Column<Action>[] = [
  { label: 'Action', wide: true, value: ({ action }) => action, render: ({ action }) => <strong>{action}</strong> },
  { label: 'From', value: ({ from }) => from, render: ({ from }) => from },
  { label: 'To', value: ({ to }) => to, render: ({ to }) => to },
  { label: 'Messages', numeric: true, value: (each) => each.count, render: (each) => formatNumber(each.count) },
];

const UNDELIVERED: Column<Undelivered>[] = [
  { label: 'Action', render: ({ action }) => <strong>{action}</strong> },
  { label: 'From', render: ({ from }) => from },
  { label: 'Why', wide: true, render: ({ reason }) => reason },
  { label: 'When', render: ({ at }) => <Ago at={at} /> },
];
