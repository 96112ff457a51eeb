import { readDeaths } from '../../../cluster/deaths/death_file.js';
import type { DeathRecord } from '../../../cluster/index.js';
import { dateTime } from '../../../output/timestamp.js';
import { defineCommand } from '../../command.js';
import { table } from '../../terminal/table.js';
import { usageError } from '../../usage_error.js';

export const command = defineCommand({
  description: 'The last hundred are kept in run/deaths.json; they can be read while the app does not run.',
  arguments: [{ name: 'number', help: 'of one of them, for all that is known about it', optional: true }],
  examples: {
    deaths: 'a line for each, the newest last',
    'deaths 12': 'with its last log lines, error and stack',
    'deaths --json': 'all that is known, for programs',
  },
  async run({ directory, args: [number] }) {
    const all = readDeaths(directory).map((record, index) => ({ number: index + 1, ...record }));
    if (number === undefined) return all;
    const found = all.filter((record) => String(record.number) === number);
    if (!/^\d+$/.test(number)) throw usageError(`${number} is no number of the list that \`clutch deaths\` prints`);
    if (found.length === 0) throw usageError(`there is no death number ${number}; there are ${all.length}`);
    return found;
  },
  print: (data, { args: [number] }) => (number === undefined ? overview(data) : data.map(details).join('\n')),
});

interface Numbered extends DeathRecord {
  number: number;
}

function overview(deaths: Numbered[]): string {
  if (deaths.length === 0) return 'no process has ended';
  const head = ['no.', 'when', 'process', 'pid', 'uptime', 'by', 'reason', 'why'];
  const rows = deaths.map((death) => [
    String(death.number),
    dateTime(Date.parse(death.at)),
    nameOf(death),
    String(death.pid),
    `${death.uptime}s`,
    death.by,
    death.reason,
    shortened(death.asker ? `${death.text} (${death.asker})` : death.text),
  ]);
  return table([head, ...rows]);
}

function nameOf({ kind, slot }: DeathRecord): string {
  return slot === undefined ? kind : `${kind} ${slot}`;
}

function shortened(text: string): string {
  return text.length > 120 ? `${text.slice(0, 119)}…` : text;
}

function details(death: Numbered): string {
  const { text, asker, state, code, signal, killed, error, stack, overdue = [], resources = {}, lines } = death;
  const rows: [string, string | number | undefined][] = [
    ['when', dateTime(Date.parse(death.at))],
    ['why', text],
    ['reason', `${death.reason}, by ${death.by}`],
    ['asked by', asker],
    [
      'ended',
      `${signal === null ? `with code ${code}` : `by ${signal}`} while ${state}${killed ? ', killed by the Master' : ''}`,
    ],
    ['uptime', `${death.uptime} s`],
    ['requests', death.requests],
    ['in flight', inFlight(death)],
    ['memory', death.memory === undefined ? undefined : `${death.memory} MiB`],
    ['loop delay', death.loopDelay === undefined ? undefined : `${death.loopDelay} ms (p99)`],
    ['heartbeat', death.silent === undefined ? undefined : `the last one ${death.silent} ms before`],
  ];
  const known = rows.flatMap(([name, value]) => (value === undefined ? [] : [`  ${name.padEnd(10)}  ${value}`]));
  return [
    `${nameOf(death)}, pid ${death.pid}`,
    ...known,
    ...section('error', error?.stack ?? error?.message),
    ...section('its event loop was blocked here', stack),
    ...section('requests without a response', overdue.map(sentence).join('\n')),
    ...section(
      'it waited for',
      Object.entries(resources)
        .map(([name, count]) => `${count} ${name}`)
        .join('\n'),
    ),
    ...section('its last lines', lines.join('\n')),
  ].join('\n');
}

/** A process that was blocked has reported nothing since: the number is as old as that. */
function inFlight({ inFlight: count, silent = 0 }: DeathRecord): string | undefined {
  if (count === undefined) return undefined;
  return `${count} at the last heartbeat, ${silent} ms before the end`;
}

function sentence({ method, url, route, age, stack }: NonNullable<DeathRecord['overdue']>[number]): string {
  const place = stack === undefined ? '' : `, waiting\n  ${stack.replaceAll('\n', '\n  ')}`;
  return `${method} ${url}${route === undefined ? '' : ` (route ${route})`} for ${age} ms${place}`;
}

function section(title: string, text: string | undefined): string[] {
  if (!text) return [];
  return ['', `  ${title}:`, ...text.split('\n').map((line) => `    ${line}`)];
}
