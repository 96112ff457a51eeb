import { type Signal, signal } from '@preact/signals';
import type { ViewName, Views } from '../../cluster/admin/page_data.js';
import type { LogLine } from '../../cluster/logs/log_line.js';
import { appendLines } from '../model/logs.js';

export const VIEWS = [
  'now',
  'routes',
  'deaths',
  'boot',
  'config',
  'plugins',
  'messages',
  'schedule',
  'logs',
  'fleet',
] as const satisfies ViewName[];

/** What the server has sent last of each view. */
export const data = Object.fromEntries(VIEWS.map((name) => [name, signal(undefined)])) as unknown as {
  [Name in ViewName]: Signal<Views[Name] | undefined>;
};

/** The clock of the page: times such as "3 s ago" are counted from it. */
export const clock = signal(Date.now());
setInterval(() => {
  clock.value = Date.now();
}, 1000);

/** @param isFirst whether it is the first of a connection */
export function receive(name: ViewName, value: unknown, isFirst: boolean): void {
  if (name === 'logs') data.logs.value = appendLines(data.logs.value ?? [], value as LogLine[], isFirst);
  else data[name].value = value as never;
}
