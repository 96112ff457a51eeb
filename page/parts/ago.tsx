import { formatAgo, formatClock } from '../model/format.js';
import { clock } from '../state/data.js';

/** A time as the distance from now; its title is the time itself. */
export function Ago({ at }: { at: string | number }) {
  const date = new Date(at);
  return (
    <time dateTime={date.toISOString()} title={date.toLocaleString()}>
      {formatAgo(at, clock.value)}
    </time>
  );
}

export function Clock({ at }: { at: string | number }) {
  const date = new Date(at);
  return (
    <time dateTime={date.toISOString()} title={date.toLocaleString()}>
      {formatClock(at, clock.value)}
    </time>
  );
}
