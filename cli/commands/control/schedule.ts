import { askMaster } from '../../../cluster/index.js';
import { dateTime } from '../../../output/timestamp.js';
import { defineCommand } from '../../command.js';
import { table } from '../../terminal/table.js';
import { usageError } from '../../usage_error.js';

/** One run that has ended, as the schedule plugin keeps it. */
interface PastRun {
  at: number;
  rt: number;
  success: boolean;
  worker?: number;
  message: string;
}

interface ScheduleReport {
  name: string;
  type: string;
  when: string;
  disabled: boolean;
  next?: number;
  running: boolean;
  history: PastRun[];
}

interface JobResult {
  success: boolean;
  workerId?: number;
  rt: number;
  message: string;
}

export const command = defineCommand({
  description: '`run` waits for the result.',
  arguments: [
    { name: 'action', help: 'list them with their last runs, or run one now', choices: ['list', 'run'] },
    { name: 'name', help: 'of the schedule to run', optional: true },
  ],
  options: { args: { argument: 'json', help: 'run: arguments of the task, a JSON array' } },
  examples: {
    'schedule list': 'with the last run of each',
    'schedule run cleanup --args \'["now"]\'': 'run one, with an argument',
  },
  async run({ directory, args: [action, name], options }) {
    if (action === 'list') return list(directory);
    if (name === undefined) throw usageError('the schedule is not named');
    const results = await runOne(directory, name, parseTaskArguments(options.args));
    if (results.some(({ success }) => !success)) process.exitCode = 1;
    return results;
  },
  print: (data, { args: [action, name = ''] }) =>
    action === 'list'
      ? format(data as ScheduleReport[])
      : (data as JobResult[]).map((result) => sentence(name, result)).join('\n'),
});

async function list(directory: string): Promise<ScheduleReport[]> {
  return (await askMaster(directory, { command: 'schedule', request: { command: 'list' } })) as ScheduleReport[];
}

function format(rows: ScheduleReport[]): string {
  if (rows.length === 0) return 'there are no schedules';
  const head = ['name', 'type', 'when', 'next', 'last run', 'took', 'result'];
  const cells = rows.map(({ name, type, when, disabled, next, running, history: [last] }) => [
    name,
    type,
    when,
    disabled ? 'disabled' : next === undefined ? '' : dateTime(next),
    running ? 'running' : last ? dateTime(last.at) : '',
    last ? `${last.rt} ms` : '',
    last ? (last.success ? 'ok' : (last.message.split('\n')[0] as string)) : '',
  ]);
  return table([head, ...cells]);
}

async function runOne(directory: string, name: string, args: unknown[]): Promise<JobResult[]> {
  const request = { command: 'run', name, args };
  const reply = (await askMaster(directory, { command: 'schedule', request })) as JobResult | JobResult[];
  return [reply].flat();
}

function parseTaskArguments(text = '[]'): unknown[] {
  try {
    const args: unknown = JSON.parse(text);
    if (Array.isArray(args)) return args;
  } catch {
    // Reported below, like JSON that is no array.
  }
  throw usageError(`--args is no JSON array: ${text}`);
}

function sentence(name: string, { success, workerId, rt, message }: JobResult): string {
  const where = workerId === undefined ? '' : ` in app worker ${workerId}`;
  return success ? `${name} succeeded in ${rt} ms${where}` : `${name} failed after ${rt} ms${where}: ${message}`;
}
