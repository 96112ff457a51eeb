import { useState } from 'preact/hooks';
import type { NowView } from '../../../cluster/admin/page_data.js';
import {
  formatAgo,
  formatDuration,
  formatMemory,
  formatMilliseconds,
  formatNumber,
  formatPercent,
} from '../../model/format.js';
import { nameOf } from '../../model/verdict.js';
import { ActionButton, READ_ONLY } from '../../parts/action_button.js';
import { StateBadge } from '../../parts/badge.js';
import { Icon } from '../../parts/icon.js';
import { Panel } from '../../parts/panel.js';
import { Sparkline } from '../../parts/sparkline.js';
import { type Column, Table } from '../../parts/table.js';
import { clock } from '../../state/data.js';
import { type Asked, ProcessDialog } from './process_dialog.js';

type Process = NowView['cluster']['processes'][number];

const KINDS = ['master', 'agent', 'app worker'];
/** Points of a process's sparkline: seconds. */
const SPAN = 60;

/** The Agent and workers; each can be restarted. */
export function Processes({ view }: { view: NowView }) {
  const [asked, setAsked] = useState<Asked>();
  const { cluster, readOnly } = view;
  return (
    <Panel
      title="Processes"
      about={`${cluster.address} · ${cluster.baseDir}${readOnly ? ` · ${READ_ONLY}` : ''}`}
      tools={
        <>
          <ActionButton label="Reload all processes" onClick={() => setAsked({ action: 'reload' })}>
            <Icon name="reload" />
            Reload
          </ActionButton>
          <ActionButton
            label="Scale: change the number of workers"
            onClick={() => setAsked({ action: 'scale', workers: cluster.workers })}
          >
            <Icon name="worker" />
            Scale
          </ActionButton>
        </>
      }
    >
      <Table
        label="Processes"
        columns={columnsOf(view, setAsked)}
        rows={cluster.processes.toSorted((a, b) => placeOf(a) - placeOf(b))}
        keyOf={(process) => `${nameOf(process)} ${process.pid ?? 'backoff'}`}
        note={why}
      />
      {asked && <ProcessDialog asked={asked} onClose={() => setAsked(undefined)} />}
    </Panel>
  );
}

function placeOf({ kind, slot = 0, uptime }: Process): number {
  return KINDS.indexOf(kind) * 1e6 + slot * 1000 - Math.min(uptime, 900) / 1000;
}

function columnsOf({ history, latency }: NowView, ask: (asked: Asked) => void): Column<Process>[] {
  const rates = ({ pid }: Process): (number | undefined)[] => history.map(({ byProcess }) => byProcess[String(pid)]);
  return [
    {
      label: 'Process',
      value: placeOf,
      render: (process) => (
        <span class="process">
          <strong>{nameOf(process)}</strong>
          <span class="muted">{process.pid}</span>
        </span>
      ),
    },
    {
      label: 'State',
      value: ({ state }) => state,
      render: ({ state }) => <StateBadge state={state} />,
    },
    {
      label: 'Requests/s',
      numeric: true,
      value: (process) => rates(process).at(-1) ?? -1,
      render: (process) =>
        process.kind === 'app worker' && process.pid !== undefined ? (
          <span class="with-sparkline">
            <Sparkline values={rates(process)} span={SPAN} width={72} height={20} />
            {formatNumber(rates(process).at(-1))}
          </span>
        ) : (
          <None />
        ),
    },
    {
      label: 'p50 / p99',
      title: 'How long its requests of the last second took: half of them less, 99 of 100 less',
      numeric: true,
      value: ({ pid }) => latency[String(pid)]?.p99 ?? -1,
      render: ({ pid }) => <Pair values={latency[String(pid)]} />,
    },
    {
      label: 'In flight',
      numeric: true,
      value: ({ inFlight = -1 }) => inFlight,
      render: ({ inFlight }) => orNone(inFlight, formatNumber),
    },
    {
      label: 'Loop delay',
      title: 'How late the event loop is: half of the time, and in the worst of 100 cases (p50 / p99)',
      numeric: true,
      value: ({ loopP99 = -1 }) => loopP99,
      render: ({ loopP50, loopP99 }) => <Pair values={{ p50: loopP50, p99: loopP99 }} />,
    },
    {
      label: 'Memory',
      numeric: true,
      value: ({ memory = -1 }) => memory,
      render: ({ memory }) => orNone(memory, formatMemory),
    },
    {
      label: 'CPU',
      numeric: true,
      value: ({ cpu = -1 }) => cpu,
      render: ({ cpu }) => orNone(cpu, formatPercent),
    },
    {
      label: 'Up',
      numeric: true,
      value: ({ uptime }) => uptime,
      render: ({ uptime, state }) => (state === 'backoff' ? <None /> : formatDuration(uptime * 1000)),
    },
    {
      label: 'Restarts',
      numeric: true,
      value: ({ restarts }) => restarts,
      render: ({ restarts }) => formatNumber(restarts),
    },
    {
      label: 'Actions',
      hidesLabel: true,
      render: (process) => <RowActions process={process} ask={ask} />,
    },
  ];
}

/** Why a process is in backoff, or why there was another before it. */
function why({ state, attempt, nextAttempt, lastExit, restarts }: Process): string | undefined {
  if (state === 'backoff') {
    const next = nextAttempt ? `, the next one ${formatAgo(nextAttempt, clock.value)}` : '';
    return `Attempt ${attempt} to start it${next}. The last one ended: ${lastExit}`;
  }
  return restarts > 0 && lastExit ? `The one before it ended: ${lastExit}` : undefined;
}

function RowActions({ process, ask }: { process: Process; ask(asked: Asked): void }) {
  const { kind, pid, state } = process;
  if (pid === undefined || state === 'exited') return null;
  const name = nameOf(process, true);
  return (
    <span class="row-actions">
      {kind !== 'master' && (
        <ActionButton small label={`Restart ${name}`} onClick={() => ask({ action: 'restart', pid, name })}>
          <Icon name="reload" size={12} />
          <span>Restart</span>
        </ActionButton>
      )}
      <ActionButton small label={`Profile ${name}`} onClick={() => ask({ action: 'profile', pid, name })}>
        <Icon name="now" size={12} />
        <span>Profile</span>
      </ActionButton>
    </span>
  );
}

/** Milliseconds. */
function Pair({ values: { p50, p99 } = {} }: { values: { p50?: number; p99?: number } | undefined }) {
  if (p99 === undefined) return <None />;
  const [half, most] = [formatMilliseconds(p50), formatMilliseconds(p99)];
  return <>{`${most.endsWith(' ms') ? half.replace(' ms', '') : half} / ${most}`}</>;
}

function None() {
  return <span class="none">–</span>;
}

function orNone(value: number | undefined, format: (value: number) => string) {
  return value === undefined ? <None /> : format(value);
}
