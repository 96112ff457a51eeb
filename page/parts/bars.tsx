import { ticksOf } from '../model/flame.js';
import { formatMilliseconds } from '../model/format.js';

/** Share of the chart in which a tick has room for its text. */
const TICKS = 0.95;

interface Bar {
  key: string;
  name: string;
  /** Milliseconds. */
  start: number;
  took: number;
  /** It had not ended. */
  isOpen?: boolean;
  depth: number;
  /** A class, which gives the colour. */
  kind: string;
  note?: string | undefined;
  /** More time went here than in any other. */
  isMost?: boolean;
}

interface WaterfallProps {
  label: string;
  bars: Bar[];
  /** Milliseconds. */
  end: number;
}

/** One row for each bar: its name, where it lies in time, how long it took. */
export function Waterfall({ label, bars, end }: WaterfallProps) {
  return (
    <div class="waterfall">
      <div class="waterfall-row ticks" aria-hidden="true">
        <span />
        <Ticks end={end} />
        <span />
      </div>
      <ol aria-label={label}>
        {bars.map((bar) => (
          <li key={bar.key} class={`waterfall-row ${bar.isMost ? 'is-most' : ''}`}>
            <span class="waterfall-name" style={{ paddingLeft: `${bar.depth * 14}px` }} title={bar.name}>
              <span class={`kind kind-${bar.kind}`}>{bar.kind}</span> {bar.name}
            </span>
            <span class="waterfall-track" aria-hidden="true">
              <BarOf bar={bar} end={end} />
            </span>
            <span class="waterfall-time">
              {bar.isOpen ? 'not ended' : formatMilliseconds(bar.took)}
              {bar.isMost && <span class="waterfall-most">most of the time</span>}
              {bar.note && <span class="waterfall-note">{bar.note}</span>}
            </span>
          </li>
        ))}
      </ol>
    </div>
  );
}

/** Bars above one another, each as wide as its time. */
export function FlameChart({ label, bars, end }: WaterfallProps) {
  const rows = Math.max(0, ...bars.map(({ depth }) => depth)) + 1;
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: who has no pointer scrolls it with keys
    <section class="flame-box" tabIndex={0} aria-label={label}>
      <div class="flame" role="img" aria-label={`${label}: ${bars.map(describe).join('; ')}`}>
        <Ticks end={end} />
        <div class="flame-rows" style={{ height: `${rows * 24}px` }}>
          {bars.map((bar) => (
            <BarOf key={bar.key} bar={bar} end={end} top={bar.depth * 24} text={bar.name} />
          ))}
        </div>
      </div>
    </section>
  );
}

interface BarOfProps {
  bar: Bar;
  end: number;
  top?: number;
  text?: string;
}

function BarOf({ bar, end, top, text }: BarOfProps) {
  const percent = (value: number): string => `${Math.round((value / (end || 1)) * 10_000) / 100}%`;
  const place = { left: percent(bar.start), width: percent(bar.took) };
  return (
    <span
      class={`bar kind-${bar.kind} ${bar.isOpen ? 'bar-open' : ''}`}
      style={top === undefined ? place : { ...place, top: `${top}px` }}
      title={describe(bar)}
    >
      {text}
    </span>
  );
}

function Ticks({ end }: { end: number }) {
  return (
    <span class="tick-line">
      {ticksOf(end * TICKS).map((tick) => (
        <span key={tick} class="tick" style={{ left: `${(tick / (end || 1)) * 100}%` }}>
          {tick === 0 ? '0' : formatMilliseconds(tick)}
        </span>
      ))}
    </span>
  );
}

function describe({ name, start, took, isOpen, note }: Bar): string {
  const time = isOpen ? 'not ended' : formatMilliseconds(took);
  return `${name}, ${time}, from ${formatMilliseconds(start)}${note ? `, ${note}` : ''}`;
}
