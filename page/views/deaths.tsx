import type { ComponentChildren } from 'preact';
import type { DeathRecord } from '../../ipc/death_record.js';
import { count, formatDuration, formatMemory, formatMilliseconds } from '../model/format.js';
import { nameOf, type Tone } from '../model/verdict.js';
import { Ago, Clock } from '../parts/ago.js';
import { Badge } from '../parts/badge.js';
import { Choice, Filter, matches } from '../parts/filter.js';
import { Empty, Loading, Panel } from '../parts/panel.js';
import { type Column, Table } from '../parts/table.js';
import { data } from '../state/data.js';
import { place, setQuery } from '../state/location.js';

/** Deaths that somebody wanted. */
const WANTED: DeathRecord['by'][] = ['request', 'sizing'];
const TONES: Record<DeathRecord['by'], Tone | 'muted'> = {
  request: 'muted',
  sizing: 'muted',
  itself: 'bad',
  kernel: 'bad',
  watchdog: 'bad',
  limit: 'warning',
  signal: 'warning',
};

const DECIDED: Record<DeathRecord['by'], string> = {
  request: 'somebody who asked',
  sizing: 'the sizing of workers',
  itself: 'its own code',
  kernel: 'the kernel',
  watchdog: 'the watchdog',
  limit: 'a limit',
  signal: 'a signal',
};

export function Deaths() {
  const records = data.deaths.value;
  if (!records) return <Loading />;
  const { filter, show = 'all' } = place.value.query;
  const newest = records.toSorted((a, b) => b.at.localeCompare(a.at));
  const shown = newest.filter(
    (record) =>
      (show === 'all' || !WANTED.includes(record.by)) &&
      matches(
        filter,
        nameOf(record),
        String(record.pid),
        record.reason,
        record.by,
        record.text,
        record.asker,
        record.error?.stack,
      ),
  );
  const unexpected = newest.filter(({ by }) => !WANTED.includes(by));
  return (
    <Panel
      title="Deaths"
      about={`${count(newest.length, 'process', 'processes')} ended, ${unexpected.length} unexpectedly.`}
      tools={
        <>
          <Choice
            label="Show"
            value={show}
            options={[
              ['all', 'all'],
              ['unexpected', 'only unexpected'],
            ]}
            onChange={(value) => setQuery({ show: value })}
          />
          <Filter label="Filter deaths" shown={`${shown.length} of ${newest.length}`} />
        </>
      }
    >
      {newest.length === 0 ? (
        <Empty icon="good" title="No process has ended">
          When one does, this says why: who asked for it, what it was doing, its error or the stack where it was stuck,
          and the last lines that it wrote.
        </Empty>
      ) : (
        <Table
          label="Deaths"
          columns={COLUMNS}
          rows={shown}
          keyOf={keyOfRecord}
          detail={(record) => <Detail record={record} />}
          opened={unexpected[0] && keyOfRecord(unexpected[0])}
          classOf={({ by }) => (WANTED.includes(by) ? 'is-quiet' : '')}
        />
      )}
    </Panel>
  );
}

function keyOfRecord({ at, pid }: DeathRecord): string {
  return `${pid} at ${at}`;
}

const COLUMNS: Column<DeathRecord>[] = [
  {
    label: 'Process',
    render: (record) => (
      <span class="process">
        <strong>{nameOf(record)}</strong>
        <span class="muted">{record.pid}</span>
      </span>
    ),
  },
  {
    label: 'Why',
    render: ({ by, reason }) => (
      <Badge tone={TONES[by]} icon={WANTED.includes(by) ? 'leave' : undefined} text={reason} />
    ),
  },
  { label: 'Decided by', wraps: true, render: ({ by, asker }) => asker ?? DECIDED[by] },
  { label: 'What', wide: true, render: ({ text }) => <span class="clamp">{text.split('\n')[0]}</span> },
  { label: 'When', value: ({ at }) => at, render: ({ at }) => <Ago at={at} /> },
  {
    label: 'Lived',
    numeric: true,
    value: ({ uptime }) => uptime,
    render: ({ uptime }) => formatDuration(uptime * 1000),
  },
];

function Detail({ record }: { record: DeathRecord }) {
  const { error, stack, lines, overdue, resources } = record;
  return (
    <div class="death">
      <dl class="facts">
        {factsOf(record).map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
      {error && <Text title="The error" text={error.screen ?? error.stack ?? `${error.name}: ${error.message}`} />}
      {stack && <Text title="Where its event loop was blocked" text={stack} />}
      {overdue && overdue.length > 0 && (
        <Text
          title="Requests that took too long"
          text={overdue
            .map(
              ({ method, url, route, age }) =>
                `${formatMilliseconds(age)}  ${method} ${url}${route ? `  (${route})` : ''}`,
            )
            .join('\n')}
        />
      )}
      {resources && Object.keys(resources).length > 0 && (
        <Text
          title="What it waited for"
          text={Object.entries(resources)
            .map(([name, number]) => `${number} × ${name}`)
            .join('\n')}
        />
      )}
      <Text title="The last lines that it wrote" text={lines.length > 0 ? lines.join('\n') : 'It wrote none.'} />
    </div>
  );
}

function factsOf(record: DeathRecord): [string, ComponentChildren][] {
  const { text, state, code, signal, killed, inFlight, requests, memory, loopDelay, silent, at } = record;
  const facts: [string, ComponentChildren][] = [
    ['When', <Clock key="at" at={at} />],
    ['It was', state],
    ['Exit', signal ? `signal ${signal}` : code === null ? 'unknown' : `code ${code}`],
  ];
  // The row has the first line.
  if (text.includes('\n')) facts.unshift(['What happened', text]);
  if (killed) facts.push(['Killed', 'by the Master: its event loop was blocked, or its time to leave was over']);
  if (inFlight !== undefined) facts.push(['In flight', `${inFlight} at the last heartbeat`]);
  if (requests !== undefined) facts.push(['Requests served', String(requests)]);
  if (memory !== undefined) facts.push(['Memory', formatMemory(memory)]);
  if (loopDelay !== undefined) facts.push(['Loop delay (p99)', formatMilliseconds(loopDelay)]);
  if (silent !== undefined) facts.push(['Last heartbeat', `${formatMilliseconds(silent)} before the end`]);
  return facts;
}

function Text({ title, text }: { title: string; text: string }) {
  return (
    <section aria-label={title}>
      <h3>{title}</h3>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: who has no pointer scrolls it with keys */}
      <pre tabIndex={0}>{text}</pre>
    </section>
  );
}
