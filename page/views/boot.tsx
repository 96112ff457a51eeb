import type { BootStep, BootView } from '../../cluster/admin/page_data.js';
import { rowsOf } from '../model/flame.js';
import { formatMilliseconds } from '../model/format.js';
import { Clock } from '../parts/ago.js';
import { FlameChart } from '../parts/bars.js';
import { Choice } from '../parts/filter.js';
import { Empty, Loading, Panel } from '../parts/panel.js';
import { Path } from '../parts/path.js';
import { type Column, Table } from '../parts/table.js';
import { data } from '../state/data.js';
import { place, setQuery } from '../state/location.js';

export function Boot() {
  const boots = data.boot.value;
  if (!boots) return <Loading />;
  if (boots.length === 0) {
    return (
      <Panel title="Boot">
        <Empty icon="boot" title="No boot is recorded">
          What the Agent and each worker did from their start to ready: which step waited for which, and which file it
          is in.
        </Empty>
      </Panel>
    );
  }
  return (
    <>
      {(['agent', 'app worker'] as const).map((kind) => {
        const ofKind = boots.filter((boot) => boot.kind === kind).toSorted((a, b) => b.at.localeCompare(a.at));
        return ofKind.length > 0 ? <Role key={kind} kind={kind} boots={ofKind} /> : null;
      })}
    </>
  );
}

function Role({ kind, boots }: { kind: BootView['kind']; boots: BootView[] }) {
  const chosen = place.value.query[kind === 'agent' ? 'agent' : 'worker'] ?? '';
  const boot = boots.find(({ pid }) => String(pid) === chosen) ?? (boots[0] as BootView);
  const name = kind === 'agent' ? 'Agent' : 'App worker';
  const chain = boot.steps.filter(({ critical }) => critical).toSorted((a, b) => a.start - b.start);
  // A process may have waited long for its turn: what came then would be too small to see.
  const [first] = boot.steps;
  const wait = first?.start === 0 && first.took > boot.took / 2 ? first.took : 0;
  const steps = wait > 0 ? boot.steps.slice(1) : boot.steps;
  const rows = rowsOf(steps);
  return (
    <Panel
      title={`${name}: ready after ${formatMilliseconds(boot.took)}`}
      about={
        <>
          Process {boot.pid}, <Clock at={boot.at} />. A shorter critical chain is a faster boot; the rest ran beside it.{' '}
          {wait > 0 && `The chart begins after ${formatMilliseconds(wait)}, with the first step after ${first?.name}.`}
        </>
      }
      tools={
        boots.length > 1 && (
          <Choice
            label="Process"
            value={String(boot.pid)}
            options={boots.map(({ pid, took }) => [String(pid), `${pid} (${formatMilliseconds(took)})`])}
            onChange={(value) => setQuery({ [kind === 'agent' ? 'agent' : 'worker']: value })}
          />
        )
      }
    >
      <FlameChart
        label={`Boot of ${name} ${boot.pid}`}
        end={boot.took - wait}
        bars={steps.map((step, index) => ({
          key: `${index} ${step.name}`,
          name: step.critical ? `▸ ${step.name}` : step.name,
          kind: step.critical ? 'critical' : 'aside',
          start: step.start - wait,
          took: step.took,
          depth: rows[index] as number,
          note: step.file,
        }))}
      />
      <p class="legend">
        <span class="swatch kind-critical" /> ▸ on the critical chain <span class="swatch kind-aside" /> beside it
      </p>
      <Table
        label={`Critical chain of ${name}`}
        columns={COLUMNS}
        rows={chain}
        keyOf={({ name: step, start }) => `${step} ${start}`}
      />
    </Panel>
  );
}

const COLUMNS: Column<BootStep>[] = [
  {
    label: 'Critical chain',
    render: ({ name }) => <strong>{name}</strong>,
  },
  { label: 'Took', numeric: true, value: ({ took }) => took, render: ({ took }) => formatMilliseconds(took) },
  { label: 'From', numeric: true, value: ({ start }) => start, render: ({ start }) => formatMilliseconds(start) },
  {
    label: 'File',
    value: ({ file = '' }) => file,
    wide: true,
    render: ({ file }) => (file ? <Path path={file} /> : <span class="none">–</span>),
  },
];
