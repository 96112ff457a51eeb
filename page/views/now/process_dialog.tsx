import { useState } from 'preact/hooks';
import type { Actions } from '../../../cluster/admin/page_data.js';
import { count } from '../../model/format.js';
import { Dialog } from '../../parts/dialog.js';
import { Choice } from '../../parts/filter.js';
import { act } from '../../state/actions.js';

/** What somebody wants to do to the cluster, or to one process of it. */
export type Asked =
  | { action: 'reload' }
  | { action: 'scale'; workers: number }
  | { action: 'restart'; pid: number; name: string }
  | { action: 'profile'; pid: number; name: string };

type Kind = Actions['profile']['kind'];

const PROFILES: [Kind, string][] = [
  ['cpu', 'CPU: where its time goes'],
  ['heap', 'Heap: what is in its memory'],
  ['allocations', 'Allocations: what fills its memory'],
];

/** Asks before anything is done. */
export function ProcessDialog({ asked, onClose }: { asked: Asked; onClose(): void }) {
  if (asked.action === 'reload') return <Reload onClose={onClose} />;
  if (asked.action === 'scale') return <Scale workers={asked.workers} onClose={onClose} />;
  if (asked.action === 'restart') return <Restart {...asked} onClose={onClose} />;
  return <Profile {...asked} onClose={onClose} />;
}

function Reload({ onClose }: { onClose(): void }) {
  return (
    <Dialog
      title="Reload all processes?"
      confirm="Reload"
      onClose={onClose}
      onConfirm={() =>
        void act(
          'reload',
          {},
          { begun: 'Reloading …', done: 'All processes run the new code', failed: 'The reload failed' },
        )
      }
    >
      <p>
        The Agent and each worker are replaced by new ones, which load the code and config again. A new process is ready
        before the old one drains: no request is lost. If a new one does not start, the old ones stay.
      </p>
    </Dialog>
  );
}

function Scale({ workers, onClose }: { workers: number; onClose(): void }) {
  const [wanted, setWanted] = useState(workers);
  const isValid = Number.isInteger(wanted) && wanted >= 1;
  return (
    <Dialog
      title="How many workers?"
      confirm={isValid ? `Change to ${count(wanted, 'worker')}` : 'Change'}
      onClose={onClose}
      onConfirm={() =>
        isValid &&
        void act(
          'scale',
          { workers: wanted },
          {
            begun: `Changing to ${count(wanted, 'worker')} …`,
            done: `${count(wanted, 'worker')} now`,
            failed: 'The number of workers did not change',
          },
        )
      }
    >
      <p>Now {count(workers, 'worker')}. New ones are started; those that are too many drain first.</p>
      <label class="field">
        Workers
        <input
          type="number"
          min={1}
          step={1}
          required
          value={wanted}
          onInput={({ currentTarget }) => setWanted(currentTarget.valueAsNumber)}
        />
      </label>
    </Dialog>
  );
}

interface OneProcessProps {
  pid: number;
  name: string;
  onClose(): void;
}

function Restart({ pid, name, onClose }: OneProcessProps) {
  return (
    <Dialog
      title={`Restart ${name}?`}
      confirm="Restart"
      onClose={onClose}
      onConfirm={() =>
        void act(
          'restart',
          { pid },
          {
            begun: `Restarting ${name} …`,
            done: `Another process has taken the place of ${pid}`,
            failed: `${name} was not restarted`,
          },
        )
      }
    >
      <p>
        Process {pid} is replaced by a new one, which is ready before the old one drains: no request is lost. The others
        go on.
      </p>
    </Dialog>
  );
}

function Profile({ pid, name, onClose }: OneProcessProps) {
  const [kind, setKind] = useState<Kind>('cpu');
  const [seconds, setSeconds] = useState(10);
  const needsTime = kind !== 'heap';
  return (
    <Dialog
      title={`Profile ${name}`}
      confirm="Start"
      onClose={onClose}
      onConfirm={() =>
        void act(
          'profile',
          { pid, kind, ...(needsTime ? { seconds } : {}) },
          {
            begun: `Profiling ${name}${needsTime ? ` for ${seconds} s` : ''} …`,
            done: (value) => `The profile is in ${fileOf(value)}: open it in the browser's DevTools`,
            failed: `${name} could not be profiled`,
          },
        )
      }
    >
      <Choice label="Kind" value={kind} options={PROFILES} onChange={(value) => setKind(value as Kind)} />
      {needsTime && (
        <label class="field">
          Seconds
          <input
            type="number"
            min={1}
            max={300}
            value={seconds}
            onInput={({ currentTarget }) => setSeconds(currentTarget.valueAsNumber)}
          />
        </label>
      )}
      <p class="muted">
        {kind === 'heap'
          ? 'The process stands still while its heap is written: for seconds if it is large.'
          : 'The process goes on serving, a little slower.'}
      </p>
    </Dialog>
  );
}

/** @param value what the action has responded: the path, or an object with it */
function fileOf(value: unknown): string {
  if (typeof value === 'string') return value;
  return String((value as { file?: string } | undefined)?.file ?? 'the directory run/ of the app');
}
