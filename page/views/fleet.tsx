import type { FleetView } from '../../cluster/admin/page_data.js';
import { count, formatNumber } from '../model/format.js';
import { Ago } from '../parts/ago.js';
import { Badge, StateBadge } from '../parts/badge.js';
import { Filter, matches } from '../parts/filter.js';
import { Empty, Loading, Panel } from '../parts/panel.js';
import { type Column, Table } from '../parts/table.js';
import { data } from '../state/data.js';
import { place } from '../state/location.js';

type Member = FleetView['members'][number];

export function Fleet() {
  const view = data.fleet.value;
  if (!view) return <Loading />;
  const { name, self, members } = view;
  if (name === undefined) {
    return (
      <Panel title="Fleet">
        <Empty icon="fleet" title="This cluster is alone">
          <p>
            With the plugin <code>fleet</code>, clusters on many machines know one another, through a Redis or NATS of
            yours. Then this shows each machine: its state, version, workers and load, and which one differs.
          </p>
          <p>
            To turn it on: <code>{'export default { fleet: true };'}</code> in <code>config/plugin.ts</code>, and{' '}
            <code>{"export default { fleet: { adapter: 'redis', url } };"}</code> in <code>config/config.prod.ts</code>.
          </p>
        </Empty>
      </Panel>
    );
  }
  const shown = members.filter(({ id, host, state, version }) =>
    matches(place.value.query['filter'], id, host, state, version),
  );
  const version = mostFrequent(members.map((member) => member.version));
  return (
    <Panel
      title={`Fleet ${name}`}
      about={`${count(members.length, 'machine')}, most with version ${version}.`}
      tools={<Filter label="Filter machines" shown={`${shown.length} of ${members.length}`} />}
    >
      <Table label="Machines" columns={columnsOf(self, version)} rows={shown} keyOf={({ id }) => id} />
    </Panel>
  );
}

function columnsOf(self: string | undefined, version: string | undefined): Column<Member>[] {
  return [
    {
      label: 'Machine',
      wide: true,
      value: ({ id }) => id,
      render: ({ id, host }) => (
        <span class="process">
          <strong>{id}</strong>
          <span class="muted">{id === self ? 'this one' : host}</span>
        </span>
      ),
    },
    { label: 'State', value: ({ state }) => state, render: ({ state }) => <StateBadge state={state} /> },
    {
      label: 'Version',
      value: (member) => member.version,
      render: (member) =>
        member.version === version ? member.version : <Badge tone="warning" text={`${member.version}, differs`} />,
    },
    { label: 'Workers', numeric: true, value: ({ workers }) => workers, render: ({ workers }) => workers },
    { label: 'Load', numeric: true, value: ({ load }) => load, render: ({ load }) => formatNumber(load) },
    { label: 'Agent', numeric: true, render: ({ pid }) => pid },
    { label: 'Since', value: ({ since }) => since, render: ({ since }) => <Ago at={since} /> },
  ];
}

function mostFrequent(values: string[]): string | undefined {
  const counts = new Map<string, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  return [...counts].sort(([, a], [, b]) => b - a)[0]?.[0];
}
