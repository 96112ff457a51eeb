import { useState } from 'preact/hooks';
import type { ScheduleView } from '../../cluster/admin/page_data.js';
import { count, formatMilliseconds, formatNumber } from '../model/format.js';
import { ActionButton } from '../parts/action_button.js';
import { Ago, Clock } from '../parts/ago.js';
import { Badge } from '../parts/badge.js';
import { Dialog } from '../parts/dialog.js';
import { Filter, matches } from '../parts/filter.js';
import { Icon } from '../parts/icon.js';
import { Empty, Loading, Panel } from '../parts/panel.js';
import { type Column, Table } from '../parts/table.js';
import { act } from '../state/actions.js';
import { data } from '../state/data.js';
import { place } from '../state/location.js';

type Schedule = ScheduleView['schedules'][number];
type Queue = ScheduleView['queues'][number];
type Job = Queue['failedJobs'][number];

/** Runs in the strip of a schedule. */
const SHOWN = 20;

export function ScheduleAndJobs() {
  const view = data.schedule.value;
  if (!view) return <Loading />;
  return (
    <>
      <Schedules schedules={view.schedules} />
      <Panel title="Jobs" about="Work that outlives a request and a restart, by queue.">
        {view.queues.length === 0 ? (
          <Empty icon="schedule" title="No queue">
            Jobs in <code>app/job/</code> have their queues here: what waits, runs and has failed, with a button to try
            again.
          </Empty>
        ) : (
          view.queues.map((queue) => <QueueOf key={queue.name} queue={queue} />)
        )}
      </Panel>
    </>
  );
}

function Schedules({ schedules }: { schedules: Schedule[] }) {
  const [asked, setAsked] = useState<string>();
  const shown = schedules.filter(({ key, type, when }) => matches(place.value.query['filter'], key, type, when));
  return (
    <Panel
      title="Schedules"
      about="Tasks that run at their times; the Agent keeps the clock."
      tools={<Filter label="Filter schedules" shown={`${shown.length} of ${schedules.length}`} />}
    >
      {schedules.length === 0 ? (
        <Empty icon="schedule" title="No schedule">
          A file in <code>app/schedule/</code> with <code>schedule: {"{ type: 'worker', interval: '10m' }"}</code>{' '}
          appears here with its next run, its last ones and a button to run it now.
        </Empty>
      ) : (
        <Table
          label="Schedules"
          columns={schedulesColumns(setAsked)}
          rows={shown}
          keyOf={({ key }) => key}
          sort={{ label: 'Schedule', descending: false }}
          detail={(schedule) => <History schedule={schedule} />}
          classOf={({ disabled }) => (disabled ? 'is-quiet' : '')}
        />
      )}
      {asked && (
        <Dialog
          title="Run it now?"
          confirm="Run now"
          onClose={() => setAsked(undefined)}
          onConfirm={() =>
            void act(
              'runSchedule',
              { key: asked },
              { begun: `Running ${asked} …`, done: `${asked} has run`, failed: `${asked} has failed` },
            )
          }
        >
          <p>
            <strong>{asked}</strong> runs once, on top of its times.
          </p>
        </Dialog>
      )}
    </Panel>
  );
}

function schedulesColumns(run: (key: string) => void): Column<Schedule>[] {
  return [
    {
      label: 'Schedule',
      wide: true,
      value: ({ key }) => key,
      render: ({ key, type }) => (
        <span class="process">
          <strong>{key}</strong>
          <span class="muted">{type === 'worker' ? 'one worker' : type === 'all' ? 'all workers' : type}</span>
        </span>
      ),
    },
    { label: 'When', render: ({ when }) => <code>{when}</code> },
    {
      label: 'Next',
      value: ({ next = '' }) => next,
      render: ({ next, disabled }) =>
        disabled ? <Badge tone="muted" text="off" /> : next ? <Ago at={next} /> : <span class="muted">–</span>,
    },
    { label: 'Last', render: ({ history }) => <LastRun run={newestFirst(history)[0]} /> },
    { label: 'Last runs', render: ({ history }) => <Strip history={history} /> },
    {
      label: 'Actions',
      hidesLabel: true,
      render: ({ key }) => (
        <ActionButton small label={`Run now: ${key}`} onClick={() => run(key)}>
          <Icon name="play" size={12} />
          Run now
        </ActionButton>
      ),
    },
  ];
}

function newestFirst(history: Schedule['history']): Schedule['history'] {
  return history.toSorted((a, b) => b.at.localeCompare(a.at));
}

function LastRun({ run }: { run: Schedule['history'][number] | undefined }) {
  if (!run) return <span class="muted">not yet</span>;
  return (
    <span class="line-inline">
      <Badge tone={run.ok ? 'good' : 'bad'} text={run.ok ? 'ok' : 'failed'} />
      <Ago at={run.at} />
      <span class="muted">{formatMilliseconds(run.took)}</span>
    </span>
  );
}

/** A mark for each run, the newest at the right: a failed one is taller and has a gap in it. */
function Strip({ history }: { history: Schedule['history'] }) {
  const runs = newestFirst(history).slice(0, SHOWN).reverse();
  const failed = runs.filter(({ ok }) => !ok).length;
  if (runs.length === 0) return <span class="muted">–</span>;
  return (
    <svg
      class="strip"
      width={SHOWN * 6}
      height="16"
      role="img"
      aria-label={`${count(runs.length, 'run')}, ${failed} of them failed`}
    >
      {runs.map(({ at, ok }, index) => {
        const x = (SHOWN - runs.length + index) * 6;
        return ok ? (
          <rect key={at} class="run-ok" x={x} y="6" width="4" height="10" rx="1" />
        ) : (
          <path key={at} class="run-failed" d={`M${x},0h4v9h-4zM${x},12h4v4h-4z`} />
        );
      })}
    </svg>
  );
}

function History({ schedule: { key, history } }: { schedule: Schedule }) {
  if (history.length === 0) return <p class="muted">It has not run yet.</p>;
  return (
    <Table
      label={`Runs of ${key}`}
      columns={RUNS}
      rows={newestFirst(history)}
      keyOf={({ at, pid }) => `${at} ${pid}`}
    />
  );
}

const RUNS: Column<Schedule['history'][number]>[] = [
  { label: 'Began', render: ({ at }) => <Clock at={at} /> },
  { label: 'Result', render: ({ ok }) => <Badge tone={ok ? 'good' : 'bad'} text={ok ? 'ok' : 'failed'} /> },
  { label: 'Took', numeric: true, render: ({ took }) => formatMilliseconds(took) },
  { label: 'Process', numeric: true, render: ({ pid }) => pid ?? '–' },
  { label: 'Error', wide: true, render: ({ error }) => error ?? <span class="muted">none</span> },
];

function QueueOf({ queue }: { queue: Queue }) {
  const { name, waiting, active, delayed, failed, failedJobs } = queue;
  return (
    <section class="queue" aria-label={`Queue ${name}`}>
      <p class="line">
        <strong>{name}</strong>
        <span class="muted">
          {formatNumber(waiting)} waiting · {formatNumber(active)} running · {formatNumber(delayed)} delayed
        </span>
        <Badge tone={failed > 0 ? 'bad' : 'good'} text={`${formatNumber(failed)} failed`} />
      </p>
      {failedJobs.length > 0 && (
        <Table label={`Failed jobs of ${name}`} columns={jobColumns(name)} rows={failedJobs} keyOf={({ id }) => id} />
      )}
    </section>
  );
}

function jobColumns(queue: string): Column<Job>[] {
  return [
    { label: 'Job', render: ({ id }) => <code>{id}</code> },
    { label: 'Error', wide: true, render: ({ error }) => error.split('\n')[0] },
    { label: 'When', render: ({ at }) => <Ago at={at} /> },
    {
      label: 'Actions',
      hidesLabel: true,
      render: ({ id }) => (
        <ActionButton
          small
          label={`Try again: job ${id}`}
          onClick={() =>
            void act(
              'retryJob',
              { queue, id },
              {
                begun: `Job ${id} is queued again …`,
                done: `Job ${id} waits to run again`,
                failed: `Job ${id} was not queued`,
              },
            )
          }
        >
          <Icon name="reload" size={12} />
          Try again
        </ActionButton>
      ),
    },
  ];
}
