import { type ComponentChildren, Fragment } from 'preact';
import { useRef, useState } from 'preact/hooks';
import { place } from '../state/location.js';
import { Icon } from './icon.js';

export interface Column<Row> {
  label: string;
  render(row: Row): ComponentChildren;
  /** What it is sorted by; without it, it is not sortable. */
  value?(row: Row): number | string;
  numeric?: boolean;
  /** Takes what the others leave. */
  wide?: boolean;
  /** Text may break, in a column that is not the widest. */
  wraps?: boolean;
  /** Says what the label means. */
  title?: string;
  /** The label is only for who cannot see it. */
  hidesLabel?: boolean;
}

interface Sorting {
  label: string;
  descending: boolean;
}

interface TableProps<Row> {
  label: string;
  columns: Column<Row>[];
  rows: Row[];
  keyOf(row: Row): string;
  sort?: Sorting;
  /** What stands below a row. */
  note?(row: Row): ComponentChildren;
  /** What a row opens to. */
  detail?(row: Row): ComponentChildren;
  /** Key of the row that is open until somebody opens or closes one. */
  opened?: string | undefined;
  /** A class of the row. */
  classOf?(row: Row): string;
}

/**
 * A table that is a list on a narrow screen. Its roles are written out, since browsers forget them where CSS makes a list of it. Arrow
 * keys move between rows, Enter opens one.
 */
export function Table<Row>({ label, columns, rows, keyOf, sort, note, detail, opened, classOf }: TableProps<Row>) {
  const [sorting, setSorting] = useState(sort);
  const [chosen, choose] = useState<Set<string>>();
  const [active, setActive] = useState<string>();
  const [isHeld, setHeld] = useState(false);
  const order = useRef<string[]>([]);

  const filter = place.value.query['filter'];

  const sorted = isHeld ? inOrder(rows, order.current, keyOf) : sortRows(rows, columns, sorting);
  order.current = sorted.map(keyOf);
  const current = active !== undefined && order.current.includes(active) ? active : order.current[0];

  const first = useRef(opened);
  if (!isHeld) first.current = opened;
  const open = chosen ?? new Set(first.current === undefined ? [] : [first.current]);
  const toggle = (key: string): void => {
    const next = new Set(open);
    if (!next.delete(key)) next.add(key);
    choose(next);
  };
  /** Esc in what a row has opened to closes it, and goes back to the row. */
  const leave = (event: KeyboardEvent, key: string): void => {
    if (event.key !== 'Escape' || !open.has(key)) return;
    const opened = event.currentTarget as HTMLElement;
    const row = opened.matches('[data-row]')
      ? opened
      : opened.parentElement?.querySelector<HTMLElement>(`[data-row="${CSS.escape(key)}"]`);
    row?.focus();
    toggle(key);
    event.preventDefault();
  };
  const move = (event: KeyboardEvent, key: string): void => {
    if (event.target !== event.currentTarget) return;
    if (event.key === 'Enter' && detail) toggle(key);
    else if (!focusRow(event.currentTarget as HTMLElement, event.key)) return;
    event.preventDefault();
  };

  return (
    // biome-ignore-start lint/a11y/noRedundantRoles: see above
    // Rows that move away under the pointer cannot be read or clicked: they stay as they are meanwhile.
    <div class="table-box" onPointerEnter={() => setHeld(true)} onPointerLeave={() => setHeld(false)}>
      <table role="table" aria-label={label}>
        <thead role="rowgroup">
          <tr role="row">
            {columns.map((column) => (
              <Head key={column.label} column={column} sorting={sorting} onSort={setSorting} />
            ))}
          </tr>
        </thead>
        <tbody role="rowgroup">
          {sorted.length === 0 && (
            <tr role="row" class="note">
              <td role="cell" colSpan={columns.length}>
                {filter ? `Nothing matches “${filter}”. Esc in the filter clears it.` : 'Nothing matches this choice.'}
              </td>
            </tr>
          )}
          {sorted.map((row) => {
            const key = keyOf(row);
            const isOpen = open.has(key);
            const below = note?.(row);
            return (
              <Fragment key={key}>
                <tr
                  role="row"
                  data-row={key}
                  class={`${classOf?.(row) ?? ''} ${detail ? 'opens' : ''} ${isOpen ? 'is-open' : ''} ${below ? 'has-note' : ''}`}
                  tabIndex={key === current ? 0 : -1}
                  onFocus={() => setActive(key)}
                  onKeyDown={(event) => {
                    move(event, key);
                    leave(event, key);
                  }}
                  onClick={(event) => detail && !isControl(event.target) && toggle(key)}
                >
                  {columns.map((column, index) => (
                    <td
                      key={column.label}
                      role="cell"
                      data-label={column.hidesLabel || index === 0 ? undefined : column.label}
                      class={`${column.numeric ? 'numeric' : ''} ${column.wide ? 'wide' : ''} ${column.wraps ? 'wraps' : ''}`}
                    >
                      {index === 0 && detail ? (
                        <span class="opener">
                          <button
                            type="button"
                            class="plain"
                            aria-expanded={isOpen}
                            aria-label={`Details of ${key}`}
                            onClick={() => toggle(key)}
                          >
                            <Icon name="open" size={14} />
                          </button>
                          {column.render(row)}
                        </span>
                      ) : (
                        column.render(row)
                      )}
                    </td>
                  ))}
                </tr>
                {below && (
                  <tr role="row" class="note">
                    <td role="cell" colSpan={columns.length}>
                      {below}
                    </td>
                  </tr>
                )}
                {isOpen && detail && (
                  <tr role="row" class="detail" onKeyDown={(event) => leave(event, key)}>
                    <td role="cell" colSpan={columns.length}>
                      {detail(row)}
                    </td>
                  </tr>
                )}
              </Fragment>
            );
          })}
        </tbody>
      </table>
    </div>
    // biome-ignore-end lint/a11y/noRedundantRoles: see above
  );
}

interface HeadProps<Row> {
  column: Column<Row>;
  sorting: Sorting | undefined;
  onSort(sorting: Sorting): void;
}

function Head<Row>({ column, sorting, onSort }: HeadProps<Row>) {
  const { label, value, numeric, title, hidesLabel } = column;
  const isSorted = sorting?.label === label;
  const descending = isSorted ? !sorting.descending : Boolean(numeric);
  const direction = sorting?.descending ? 'descending' : 'ascending';
  return (
    <th
      // biome-ignore lint/a11y/noRedundantRoles: see Table
      role="columnheader"
      scope="col"
      class={numeric ? 'numeric' : ''}
      aria-sort={value ? (isSorted ? direction : 'none') : undefined}
      title={title}
    >
      {value ? (
        <button type="button" class="plain sort" onClick={() => onSort({ label, descending })}>
          {label}
          <span class={isSorted ? '' : 'unsorted'}>
            <Icon name={isSorted && !sorting.descending ? 'up' : 'down'} size={12} />
          </span>
        </button>
      ) : (
        <span class={hidesLabel ? 'only-read' : ''}>{label}</span>
      )}
    </th>
  );
}

function sortRows<Row>(rows: Row[], columns: Column<Row>[], sorting: Sorting | undefined): Row[] {
  const value = columns.find(({ label }) => label === sorting?.label)?.value;
  if (!sorting || !value) return rows;
  const sign = sorting.descending ? -1 : 1;
  return rows.toSorted((a, b) => {
    const [left, right] = [value(a), value(b)];
    return sign * (typeof left === 'number' && typeof right === 'number' ? left - right : compare(left, right));
  });
}

function compare(left: unknown, right: unknown): number {
  return String(left).localeCompare(String(right), 'en', { numeric: true });
}

function inOrder<Row>(rows: Row[], keys: string[], keyOf: (row: Row) => string): Row[] {
  const placeOf = (row: Row): number => {
    const index = keys.indexOf(keyOf(row));
    return index === -1 ? keys.length : index;
  };
  return rows.toSorted((a, b) => placeOf(a) - placeOf(b));
}

/** A row with a click on a link or button, or with text that is just being selected, does not open. */
function isControl(target: EventTarget | null): boolean {
  return Boolean((target as Element).closest('button, a, input, select')) || getSelection()?.type === 'Range';
}

/** @returns whether the key moves between rows */
function focusRow(row: HTMLElement, key: string): boolean {
  const rows = [...(row.parentElement as HTMLElement).querySelectorAll<HTMLElement>('tr[data-row]')];
  const index = rows.indexOf(row);
  const next = { ArrowDown: index + 1, ArrowUp: index - 1, Home: 0, End: rows.length - 1 }[key];
  if (next === undefined) return false;
  rows[next]?.focus();
  return true;
}
