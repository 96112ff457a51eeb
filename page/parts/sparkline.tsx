interface SparklineProps {
  values: (number | undefined)[];
  /** How many points fill the width; fewer begin at the right. */
  span: number;
  width?: number;
  height?: number;
}

/** A line of the last seconds, the newest at the right, from zero to its own maximum. The number stands beside it. */
export function Sparkline({ values, span, width = 120, height = 28 }: SparklineProps) {
  const shown = values.slice(-span);
  const top = Math.max(...shown.map((value) => value ?? 0), 0) || 1;
  const step = width / (span - 1);
  const begin = (span - shown.length) * step;
  const points = shown.flatMap((value, index) =>
    value === undefined ? [] : [`${round(begin + index * step)},${round(height - 1.5 - (value / top) * (height - 3))}`],
  );
  const [first] = points;
  const area = first
    ? `M${first.split(',')[0]},${height} L${points.join(' ')} L${points.at(-1)?.split(',')[0]},${height}Z`
    : '';
  return (
    <svg class="sparkline" viewBox={`0 0 ${width} ${height}`} preserveAspectRatio="none" aria-hidden="true">
      <path class="sparkline-area" d={area} />
      <polyline class="sparkline-line" points={points.join(' ')} />
    </svg>
  );
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
