import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import type { LogLine } from '../../cluster/logs/log_line.js';
import { keysOf, LEVELS, type LogFilter, matchLine } from '../model/logs.js';
import { nameOf } from '../model/verdict.js';
import { Clock } from '../parts/ago.js';
import { Choice, Filter } from '../parts/filter.js';
import { Icon } from '../parts/icon.js';
import { Empty, Loading, Panel } from '../parts/panel.js';
import { data } from '../state/data.js';
import { linkTo, place, setQuery } from '../state/location.js';

/** Pixels from the end within which new lines keep it in sight. */
const NEAR_END = 24;

export function Logs() {
  const [paused, setPaused] = useState<LogLine[]>();
  const lines = paused ?? data.logs.value;
  usePauseKey(() => setPaused(paused ? undefined : data.logs.value));
  if (!lines) return <Loading />;
  const { filter = '', level = 'DEBUG', pid = '', trace = '' } = place.value.query;
  const wanted: LogFilter = { text: filter, level: level as LogLine['level'], pid, trace };
  const shown = lines.filter((line) => matchLine(line, wanted));
  const isPaused = paused !== undefined;
  return (
    <Panel
      title="Logs"
      about={
        isPaused ? 'Paused: new lines are kept until you continue.' : 'The last lines of all processes, as they come.'
      }
      tools={
        <>
          <button
            type="button"
            aria-pressed={isPaused}
            onClick={() => setPaused(isPaused ? undefined : data.logs.value)}
          >
            <Icon name={isPaused ? 'play' : 'pause'} />
            {isPaused ? 'Continue' : 'Pause'}
          </button>
          <Choice
            label="Process"
            value={pid}
            options={processesOf(lines)}
            onChange={(value) => setQuery({ pid: value })}
          />
          <Choice
            label="Level"
            value={level}
            options={LEVELS.map((each) => [each, each === 'ERROR' ? each : `${each} and above`])}
            onChange={(value) => setQuery({ level: value })}
          />
          <label class="choice">
            <span>Trace</span>
            <input
              type="text"
              class="trace"
              placeholder="trace id"
              spellcheck={false}
              value={trace}
              onInput={({ currentTarget }) => setQuery({ trace: currentTarget.value.trim() })}
            />
          </label>
          <Filter label="Filter lines" shown={`${shown.length} of ${lines.length}`} />
        </>
      }
    >
      {lines.length === 0 ? (
        <Empty icon="logs" title="No line yet">
          What any process writes to its logs, stdout and stderr appears here in the moment it is written.
        </Empty>
      ) : (
        <Tail lines={shown} none={noneOf(lines, trace)} />
      )}
    </Panel>
  );
}

function noneOf(lines: LogLine[], trace: string): string {
  if (trace === '' || lines.some(({ traceId }) => traceId)) return 'No line matches the filter.';
  return 'No line has a trace id: lines of a request have one when the app sets ctx.traceId or telemetry is on.';
}

function processesOf(lines: LogLine[]): [string, string][] {
  const processes = data.now.value?.cluster.processes ?? [];
  const pids = [...new Set(lines.map(({ pid }) => pid).filter((pid) => pid !== 0))].sort((a, b) => a - b);
  return [
    ['', 'all'],
    ...pids.map((pid): [string, string] => {
      const process = processes.find((each) => each.pid === pid);
      return [String(pid), process ? `${nameOf(process)} (${pid})` : `${pid}, has ended`];
    }),
  ];
}

/** Space pauses, as in a video. */
function usePauseKey(toggle: () => void): void {
  useEffect(() => {
    const press = (event: KeyboardEvent): void => {
      const isElsewhere = (event.target as Element).closest('input, select, button, a, summary, dialog');
      if (event.key !== ' ' || isElsewhere) return;
      event.preventDefault();
      toggle();
    };
    addEventListener('keydown', press);
    return () => removeEventListener('keydown', press);
  });
}

/** Follows the end as long as the end is in sight. */
function Tail({ lines, none }: { lines: LogLine[]; none: string }) {
  const box = useRef<HTMLDivElement>(null);
  const follows = useRef(true);
  const keys = keysOf(lines);
  useLayoutEffect(() => {
    const element = box.current;
    if (element && follows.current) element.scrollTop = element.scrollHeight;
  }, [lines]);
  return (
    <div
      ref={box}
      class="log"
      role="log"
      aria-live="off"
      aria-label="Log lines"
      // biome-ignore lint/a11y/noNoninteractiveTabindex: who has no pointer scrolls it with keys
      tabIndex={0}
      onScroll={({ currentTarget: { scrollHeight, scrollTop, clientHeight } }) => {
        follows.current = scrollHeight - scrollTop - clientHeight < NEAR_END;
      }}
    >
      {lines.map((line, index) => (
        <div key={keys[index]} class={`log-line level-${line.level}`}>
          <span class="muted">
            <Clock at={line.at} />
          </span>
          <span class="log-level">{line.level}</span>
          <span class="muted log-pid" title={line.log}>
            {line.pid === 0 ? '' : line.pid}
          </span>
          <span class="log-text">
            {line.text}
            {line.traceId && (
              <>
                {' '}
                <a href={linkTo('logs', { trace: line.traceId })} title="Only lines of this trace">
                  {line.traceId.slice(0, 8)}
                </a>
              </>
            )}
          </span>
        </div>
      ))}
      {lines.length === 0 && <p class="muted">{none}</p>}
    </div>
  );
}
