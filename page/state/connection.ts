import { signal } from '@preact/signals';
import type { ViewName } from '../../cluster/admin/page_data.js';
import { receive } from './data.js';

export type ConnectionState = 'connecting' | 'live' | 'lost' | 'refused';

/** Milliseconds between attempts to connect again. */
const RETRY = 1000;
/** `now` comes once a second: without it for so long, the connection is dead although nobody has closed it. */
const SILENCE = 5000;
/** A page in the background keeps its connection for so long; then it costs the cluster nothing. */
const PATIENCE = 60_000;

export const connection = signal<{ state: ConnectionState; since: number; reason?: string }>({
  state: 'connecting',
  since: Date.now(),
});

let source: EventSource | undefined;
let wanted: ViewName[] = ['now'];
let retry: ReturnType<typeof setTimeout> | undefined;
let silence: ReturnType<typeof setTimeout> | undefined;
let sleep: ReturnType<typeof setTimeout> | undefined;

function setState(state: ConnectionState, reason?: string): void {
  const { state: before, since } = connection.value;
  connection.value = { state, since: before === state ? since : Date.now(), ...(reason ? { reason } : {}) };
}

/** Streams these views, and `now`, which the header shows, from here on. */
export function watchViews(view: ViewName): void {
  wanted = [...new Set<ViewName>(['now', view])];
  connect();
}

function connect(): void {
  disconnect();
  const stream = new EventSource(`api/events?views=${wanted.join(',')}`);
  source = stream;
  const seen = new Set<ViewName>();
  for (const name of wanted) {
    stream.addEventListener(name, ({ data }: MessageEvent<string>) => {
      expectNext();
      setState('live');
      receive(name, JSON.parse(data), !seen.has(name));
      seen.add(name);
    });
  }
  stream.addEventListener('error', () => void lose());
  expectNext();
}

function expectNext(): void {
  clearTimeout(silence);
  silence = setTimeout(() => void lose(), SILENCE);
}

/** An EventSource does not tell why it failed, a request does. */
async function lose(): Promise<void> {
  disconnect();
  if (connection.value.state !== 'refused') setState('lost');
  retry = setTimeout(connect, RETRY);
  try {
    const response = await fetch('api/views/now', { signal: AbortSignal.timeout(SILENCE) });
    if (response.ok) return;
    const { error } = (await response.json()) as { error?: string };
    setState(response.status === 401 || response.status === 403 ? 'refused' : 'lost', error);
  } catch {
    // There is no server, or something else in its place: the next attempt finds out whether it is back.
    setState('lost');
  }
}

function disconnect(): void {
  for (const timer of [retry, silence]) clearTimeout(timer);
  source?.close();
  source = undefined;
}

document.addEventListener('visibilitychange', () => {
  clearTimeout(sleep);
  if (document.hidden) {
    sleep = setTimeout(() => {
      disconnect();
      setState('connecting');
    }, PATIENCE);
  } else if (!source) connect();
});
