import { signal } from '@preact/signals';
import type { ViewName } from '../../cluster/admin/page_data.js';
import { VIEWS } from './data.js';

interface Place {
  view: ViewName;
  /** What the view is filtered by, so that a link shows the same: `#logs?trace=4bf92f35`. */
  query: Record<string, string>;
}

function parse(hash: string): Place {
  const [name = '', search = ''] = hash.replace(/^#\/?/, '').split('?');
  const view = VIEWS.find((each) => each === name) ?? 'now';
  return { view, query: Object.fromEntries(new URLSearchParams(search)) };
}

function write({ view, query }: Place): string {
  const search = new URLSearchParams(Object.entries(query).filter(([, value]) => value !== ''));
  return search.size > 0 ? `#${view}?${search}` : `#${view}`;
}

export const place = signal(parse(location.hash));

addEventListener('hashchange', () => {
  // The link that skips the menu stays in the view.
  if (location.hash !== '#main') place.value = parse(location.hash);
});

export function linkTo(view: ViewName, query: Record<string, string> = {}): string {
  return write({ view, query });
}

export function goTo(view: ViewName): void {
  location.hash = write({ view, query: {} });
}

/** A filter leaves no entry in the history. */
export function setQuery(changed: Record<string, string>): void {
  const { view, query } = place.value;
  place.value = { view, query: { ...query, ...changed } };
  history.replaceState(null, '', write(place.value));
}
