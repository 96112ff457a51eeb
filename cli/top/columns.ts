import { hasUnicode } from './sparkline.js';

const ELLIPSIS = hasUnicode() ? '…' : '~';

/** A column of a table that fits the terminal. */
export interface Column<Row> {
  title: string;
  /** Columns of a higher number are left out first where there is no room. */
  rank: number;
  /** Numbers stand on the right. */
  isNumber?: boolean;
  /** Takes what the others leave, and is cut. */
  isWide?: boolean;
  text(row: Row): string;
  /** What rows are sorted by; numbers with the largest first. */
  value(row: Row): number | string;
}

interface Sorting {
  /** Index of a column. */
  column: number;
  reversed: boolean;
}

/** Between two columns. */
const GAP = 2;
/** Characters that a wide column gets at least. */
const LEAST_WIDE = 16;

/** @returns rows in a new order; those that are equal keep theirs */
export function sortRows<Row>(
  rows: readonly Row[],
  columns: readonly Column<Row>[],
  { column, reversed }: Sorting,
): Row[] {
  const value = (columns[column] ?? (columns[0] as Column<Row>)).value;
  const sign = reversed ? -1 : 1;
  return [...rows].sort((a, b) => sign * compare(value(a), value(b)));
}

function compare(a: number | string, b: number | string): number {
  if (typeof a === 'number' && typeof b === 'number') return b - a;
  return String(a).localeCompare(String(b));
}

/** @returns the lines of a table, the first one with the titles, none wider than `width` */
export function fitTable<Row>(
  rows: readonly Row[],
  columns: readonly Column<Row>[],
  width: number,
  sorted?: Sorting,
): string[] {
  const cells = columns.map((column, index) => {
    const mark = index === sorted?.column ? (sorted.reversed ? '^' : 'v') : '';
    return [`${column.title}${mark}`, ...rows.map((row) => printable(column.text(row)))];
  });
  const widths = cells.map((texts, index) => {
    const longest = Math.max(...texts.map((text) => text.length));
    return columns[index]?.isWide ? Math.min(longest, LEAST_WIDE) : longest;
  });
  const shown = fitting(columns, widths, width);
  const used = shown.reduce((sum, index) => sum + (widths[index] as number) + GAP, -GAP);
  const wide = shown.find((index) => columns[index]?.isWide);
  if (wide !== undefined) {
    const longest = Math.max(...(cells[wide] as string[]).map((text) => text.length));
    widths[wide] = Math.min(longest, (widths[wide] as number) + Math.max(0, width - used));
  }
  return ['', ...rows].map((_, line) =>
    shown
      .map((index) => {
        const text = cut(cells[index]?.[line] ?? '', widths[index] as number);
        return columns[index]?.isNumber ? text.padStart(widths[index] as number) : text.padEnd(widths[index] as number);
      })
      .join(' '.repeat(GAP))
      .trimEnd()
      .slice(0, width),
  );
}

/** @returns indexes of the columns that have room */
function fitting(columns: readonly { rank: number }[], widths: readonly number[], width: number): number[] {
  const shown = new Set<number>();
  let used = -GAP;
  const byRank = columns.map((_, index) => index).sort((a, b) => (columns[a]?.rank ?? 0) - (columns[b]?.rank ?? 0));
  for (const index of byRank) {
    used += (widths[index] as number) + GAP;
    if (used > width && shown.size > 0) break;
    shown.add(index);
  }
  return columns.map((_, index) => index).filter((index) => shown.has(index));
}

export function cut(text: string, width: number): string {
  return text.length <= width ? text : `${text.slice(0, Math.max(0, width - 1))}${ELLIPSIS}`;
}

/** What an app names could hold sequences that a terminal obeys. */
export function printable(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is replaced
  return text.replace(/[\u0000-\u001f\u007f-\u009f]/g, ' ');
}
