import type { ViewName } from '../../cluster/admin/page_data.js';
import { VIEWS } from './data.js';
import { goTo } from './location.js';
import { nextTheme } from './theme.js';

/** Letter after `g` → view. */
const LETTERS: Record<string, ViewName> = {
  n: 'now',
  r: 'routes',
  d: 'deaths',
  b: 'boot',
  c: 'config',
  p: 'plugins',
  m: 'messages',
  s: 'schedule',
  l: 'logs',
  f: 'fleet',
};

export const SHORTCUTS: [keys: string[], text: string][] = [
  [['1', '…', '9', '0'], 'views in the order of the menu'],
  [['g', 'n'], 'Now; r routes, d deaths, b boot, c config, p plugins, m messages, s schedule, l logs, f fleet'],
  [['/'], 'filter'],
  [['↑', '↓', 'Home', 'End'], 'rows of a table'],
  [['Enter'], 'open or close a row'],
  [['Space'], 'pause or continue the logs'],
  [['t'], 'automatic, light or dark colours'],
  [['Esc'], 'clear the filter, close a dialog or an open row'],
  [['?'], 'this list'],
];

/** The key of each view in the menu. */
export function digitOf(view: ViewName): string {
  return String((VIEWS.indexOf(view) + 1) % 10);
}

let isAfterG = false;

/** @param showShortcuts opens the list of shortcuts */
export function listenToKeys(showShortcuts: () => void): void {
  addEventListener('keydown', (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const target = event.target as HTMLElement;
    if (/^(?:INPUT|TEXTAREA|SELECT)$/.test(target.tagName) || document.querySelector('dialog[open]')) return;
    if (press(event.key, showShortcuts)) event.preventDefault();
  });
}

/** @returns whether the key means something */
function press(key: string, showShortcuts: () => void): boolean {
  const letter = isAfterG ? LETTERS[key] : undefined;
  isAfterG = key === 'g' && !isAfterG;
  if (letter) {
    goTo(letter);
    return true;
  }
  if (/^\d$/.test(key)) {
    goTo(VIEWS[(Number(key) + 9) % 10] as ViewName);
    return true;
  }
  if (key === '/') {
    const filter = document.querySelector<HTMLInputElement>('[data-filter]');
    filter?.select();
    filter?.focus();
    return true;
  }
  if (key === '?') showShortcuts();
  else if (key === 't') nextTheme();
  else return false;
  return true;
}
