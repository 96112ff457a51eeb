type TopView = 'processes' | 'routes' | 'deaths';

/** What is shown, and how. */
export interface TopState {
  view: TopView;
  /** By view: index of the column that it is sorted by. */
  sorting: Record<TopView, { column: number; reversed: boolean }>;
  /** Rows that are scrolled away. */
  scrolled: number;
  showsHelp: boolean;
}

const VIEW_KEYS: Record<string, TopView> = { p: 'processes', r: 'routes', d: 'deaths', '\u001b': 'processes' };
const UP = ['k', '\u001b[A'];
const DOWN = ['j', '\u001b[B'];
const LEFT = ['<', '\u001b[D'];
const RIGHT = ['>', '\u001b[C'];
const QUIT = ['q', 'Q', '\u0003', '\u0004'];

export function initialState(): TopState {
  const first = { column: 0, reversed: false };
  return {
    view: 'processes',
    sorting: { processes: first, routes: { column: 2, reversed: false }, deaths: first },
    scrolled: 0,
    showsHelp: false,
  };
}

/**
 * @param columns of the view that is shown
 * @param rows of it
 * @returns the state after a key; `quit` for one that ends
 */
export function afterKey(
  state: TopState,
  key: string,
  { columns, rows }: { columns: number; rows: number },
): TopState | 'quit' {
  if (QUIT.includes(key)) return 'quit';
  const { view, scrolled } = state;
  const { column, reversed } = state.sorting[view];
  const sortedBy = (wanted: number, isReversed = false): TopState => ({
    ...state,
    sorting: { ...state.sorting, [view]: { column: (wanted + columns) % columns, reversed: isReversed } },
    scrolled: 0,
  });
  const wanted = VIEW_KEYS[key];
  if (wanted) return { ...state, view: wanted, scrolled: 0, showsHelp: false };
  if (LEFT.includes(key)) return sortedBy(column - 1);
  if (RIGHT.includes(key)) return sortedBy(column + 1);
  if (/^[1-9]$/.test(key) && Number(key) <= columns) {
    return sortedBy(Number(key) - 1, Number(key) - 1 === column && !reversed);
  }
  if (key === 'i') return sortedBy(column, !reversed);
  if (UP.includes(key)) return { ...state, scrolled: Math.max(0, scrolled - 1) };
  if (DOWN.includes(key)) return { ...state, scrolled: Math.min(Math.max(0, rows - 1), scrolled + 1) };
  if (key === 'h' || key === '?') return { ...state, showsHelp: !state.showsHelp };
  return state;
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: the sequences of keys begin with escape
const KEY = /\u001b\[[0-9;]*[A-Za-z~]|\u001bO[A-Z]|[\s\S]/gu;

/** @returns the keys in what a terminal sends at a time */
export function keysOf(text: string): string[] {
  return [...text.matchAll(KEY)].map(([key]) => key.replace('\u001bO', '\u001b['));
}
