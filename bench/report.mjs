/** @returns the middle value, and half the distance between the quarters around it, as a share of it */
export function summarize(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (share) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))];
  const median = sorted.length % 2 === 1 ? at(0.5) : (sorted[sorted.length / 2 - 1] + sorted[sorted.length / 2]) / 2;
  return { median, spread: median === 0 ? 0 : (at(0.75) - at(0.25)) / 2 / median };
}

/** @returns the middle one of the ratios of figures that were taken side by side */
export const ratioOf = (own, other) => summarize(own.map((value, index) => value / other[index])).median;

export const ratio = (value) => `×${value.toFixed(2)}`;
export const percent = (share) => `± ${Math.round(share * 100)} %`;

/** @returns a table in Markdown */
export function table(head, rows) {
  const line = (cells) => `| ${cells.join(' | ')} |`;
  return [line(head), `|${head.map(() => '---|').join('')}`, ...rows.map(line)].join('\n');
}

const cell = (value, digits = 0) => (value === undefined ? '–' : value.toFixed(digits));

/** @returns the rows of bench/ipc.mjs as a table */
export function ipcTable(rows) {
  return table(
    ['what', 'with', 'per second', '× cluster-client', 'p50 µs', 'p99 µs', 'CPU µs each'],
    rows.map(({ what, kind, perSecond, spread, ratio: times, p50, p99, cpu }) => [
      what,
      kind,
      `${perSecond.toLocaleString('en')} ${percent(spread)}`,
      times.toFixed(2),
      cell(p50),
      cell(p99),
      cell(cpu, 1),
    ]),
  );
}
