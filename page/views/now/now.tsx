import type { NowPoint, NowView } from '../../../cluster/admin/page_data.js';
import { formatMemory, formatMilliseconds, formatNumber, formatPercent } from '../../model/format.js';
import { verdictOf } from '../../model/verdict.js';
import { Icon } from '../../parts/icon.js';
import { Loading } from '../../parts/panel.js';
import { Sparkline } from '../../parts/sparkline.js';
import { data } from '../../state/data.js';
import { linkTo } from '../../state/location.js';
import { LastReload } from './last_reload.js';
import { Processes } from './processes.js';

/** Points of `history`, which has one a second. */
const SPAN = 120;

export function Now() {
  const view = data.now.value;
  if (!view) return <Loading />;
  return (
    <>
      <VerdictBanner view={view} />
      <Tiles history={view.history} />
      <Processes view={view} />
      <LastReload reload={view.lastReload} />
    </>
  );
}

function VerdictBanner({ view }: { view: NowView }) {
  const { tone, title, summary, findings } = verdictOf(view);
  return (
    <section class={`verdict tone-${tone}`} aria-label="Is it well?">
      <Icon name={tone} size={28} />
      <div>
        <p class="verdict-title" role="status">
          {title}
        </p>
        <p class="verdict-summary">{summary}</p>
        {findings.length > 0 && (
          <ul>
            {findings.map((finding) => (
              <li key={finding.text} class={`tone-${finding.tone}`}>
                <Icon name={finding.tone} size={14} />
                <span>
                  {finding.text}
                  {finding.view && (
                    <>
                      {' '}
                      <a href={linkTo(finding.view)}>See {finding.view}</a>
                    </>
                  )}
                </span>
              </li>
            ))}
          </ul>
        )}
      </div>
    </section>
  );
}

interface TileSpec {
  label: string;
  about: string;
  value(point: NowPoint): number | undefined;
  format(value: number | undefined): string;
  /** The last second that had a value is shown, not the last one. */
  keeps?: boolean;
}

const TILES: TileSpec[] = [
  { label: 'Requests/s', about: 'in the last second', value: ({ requests }) => requests, format: formatNumber },
  { label: 'Errors/s', about: 'status 5xx', value: ({ errors }) => errors, format: formatNumber },
  {
    label: 'p50',
    about: 'half are faster',
    value: ({ p50 }) => p50,
    format: formatMilliseconds,
    keeps: true,
  },
  { label: 'p99', about: '99 % are faster', value: ({ p99 }) => p99, format: formatMilliseconds, keeps: true },
  { label: 'In flight', about: 'begun, not ended', value: ({ inFlight }) => inFlight, format: formatNumber },
  {
    label: 'Loop delay',
    about: 'worst worker, p99',
    value: ({ loopDelay }) => loopDelay,
    format: formatMilliseconds,
  },
  { label: 'Memory', about: 'all processes', value: ({ memory }) => memory, format: formatMemory },
  { label: 'CPU', about: '100 % is one core', value: ({ cpu }) => cpu, format: formatPercent },
];

function Tiles({ history }: { history: NowPoint[] }) {
  return (
    <section class="tiles" aria-label="The last two minutes">
      {TILES.map(({ label, about, value, format, keeps }) => {
        const values = history.map(value);
        const last = keeps ? values.findLast((each) => each !== undefined) : values.at(-1);
        return (
          <div key={label} class={`tile ${label === 'Errors/s' && last ? 'tone-bad' : ''}`}>
            <div class="tile-label">{label}</div>
            <div class="tile-value">{format(last)}</div>
            <div class="tile-about">{about}</div>
            <Sparkline values={values} span={SPAN} height={32} />
          </div>
        );
      })}
    </section>
  );
}
